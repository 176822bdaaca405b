package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"io"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wholefile"
	"agstest/mock"
)

// serviceFlags say which service is meant: one with an environment file, or the embedded mock.
type serviceFlags struct {
	env     string
	release string
	faults  []string
	choices []string
	// ignoreJournal: what an earlier run has changed and not put back is passed over.
	ignoreJournal bool
}

func (f *serviceFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.Var(oneEnvironment(&f.env), "env", "environment file of the service; left out: a mock is started for the run")
	flags.BoolVar(&f.ignoreJournal, "ignore-journal", false,
		"begin though an earlier run against the environment has not put back what it changed (agstest restore)")
	flags.StringVar(&f.release, "release", "",
		"name of the build under test, for reports; left out: release of the environment file")
	flags.StringSliceVar(&f.faults, "mock-fault", nil,
		"make the embedded mock break a rule (agstest mock --list-faults)")
	flags.StringSliceVar(&f.choices, "mock-choice", nil,
		"have the embedded mock make another conforming choice (agstest mock --list-choices)")
	_ = c.MarkFlagFilename("env", "yaml", "yml")
	_ = c.RegisterFlagCompletionFunc("mock-fault", completeFaults)
	_ = c.RegisterFlagCompletionFunc("mock-choice", completeChoices)
}

// service is the service of a run.
type service struct {
	environment *environment.Environment
	close       func()
}

// open reads the environment file, or starts the embedded mock and reads the environment file that it makes.
func (p *program) open(f *serviceFlags) (*service, error) {
	if len(f.release) > 64 || strings.ContainsFunc(f.release, unicode.IsControl) {
		return nil, failure.Usagef("--release must be at most 64 characters without line breaks")
	}
	s, err := p.openWithout(f)
	if err == nil && f.release != "" {
		s.environment.Release = f.release
	}
	return s, err
}

// openWithout opens without a look at the release.
func (p *program) openWithout(f *serviceFlags) (*service, error) {
	if f.env == "" {
		return p.openMock(f)
	}
	if len(f.faults)+len(f.choices) > 0 {
		return nil, failure.Usagef("--mock-fault and --mock-choice change the embedded mock, which is not started with " +
			"--env; leave one of them out")
	}
	e, err := p.readEnvironment(f.env)
	if err == nil {
		err = pending(e, f.ignoreJournal)
	}
	if err != nil {
		return nil, err
	}
	return &service{environment: e, close: func() {}}, nil
}

// readEnvironment reads a file, or stdin where it is called -.
func (p *program) readEnvironment(path string) (*environment.Environment, error) {
	var e *environment.Environment
	var err error
	if path == "-" {
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(p.stdin, 1<<20)); err != nil {
			return nil, failure.Usagef("cannot read the environment file from stdin: %w", err)
		}
		e, err = environment.Parse(text, "stdin", ".", p.getenv)
	} else {
		e, err = environment.Read(path, p.getenv)
	}
	if err != nil {
		return nil, err
	}
	p.secrets.Add(e.Secrets()...)
	for _, warning := range e.Warnings() {
		p.warnf("%s", warning)
	}
	return e, nil
}

// openMock starts the embedded mock on loopback ports of its own, with https and its control interface. It writes the
// mock's certificate authority to a file, to use it as that of a live service; the file goes when the run ends.
func (p *program) openMock(f *serviceFlags) (*service, error) {
	m, err := newMock(mock.Config{}, f.choices, f.faults)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agstest-")
	if err != nil {
		return nil, failure.Setupf(
			"cannot make a temporary folder for the embedded mock: %w; set TMPDIR to a folder that can be written", err)
	}
	running, err := startMock(m, mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0", tls: true,
		caFile: filepath.Join(dir, "ca.pem")})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	closing := func() {
		running.stop(time.Second)
		_ = os.RemoveAll(dir)
	}
	e, err := environment.Parse(running.environment(), "the embedded mock", dir, p.getenv)
	if err != nil {
		closing()
		return nil, fmt.Errorf("the environment of the embedded mock cannot be read: %w", errors.New(err.Error()))
	}
	p.secrets.Add(e.Secrets()...)
	return &service{environment: e, close: closing}, nil
}

// newMock makes a mock with choices and faults by name.
func newMock(config mock.Config, choices, faults []string) (*mock.Server, error) {
	for _, name := range choices {
		if _, found := mock.ChoiceByName(name); !found {
			return nil, unknownName("choice", name, choiceNames())
		}
	}
	for _, name := range faults {
		if _, found := mock.FaultByName(name); !found {
			return nil, unknownName("fault", name, faultNames())
		}
	}
	m := mock.New(config)
	if err := m.Use(choices, faults); err != nil {
		return nil, failure.Usagef("%w", err)
	}
	return m, nil
}

func unknownName(what, name string, names []string) error {
	if near := failure.Nearest(name, names); near != "" {
		return failure.Usagef("the mock has no %s %q; did you mean %s? List them with: agstest mock --list-%ss", what,
			name, near, what)
	}
	return failure.Usagef("the mock has no %s %q; list them with: agstest mock --list-%ss", what, name, what)
}

func choiceNames() []string {
	var names []string
	for _, h := range mock.Choices() {
		names = append(names, h.Name)
	}
	return names
}

func faultNames() []string {
	var names []string
	for _, f := range mock.Faults() {
		names = append(names, f.Name)
	}
	return names
}

func completeFaults(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, f := range mock.Faults() {
		names = append(names, f.Name+"\t"+f.Requirement+": "+f.Summary)
	}
	return completeList(names)(c, args, typed)
}

func completeChoices(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, h := range mock.Choices() {
		names = append(names, h.Name+"\t"+h.Summary)
	}
	return completeList(names)(c, args, typed)
}

// mockAddresses say where a mock listens.
type mockAddresses struct {
	service string
	control string // empty: no control interface
	tls     bool
	caFile  string // where the certificate authority is written, with tls
}

// runningMock is a mock that listens.
type runningMock struct {
	mock       *mock.Server
	servers    []*http.Server
	served     chan error // one value for each server when it ends
	url        string
	controlURL string
	caFile     string
}

func startMock(m *mock.Server, at mockAddresses) (*runningMock, error) {
	r := &runningMock{mock: m, served: make(chan error, 2)}
	var config *tls.Config
	scheme := "http://"
	host, _, err := net.SplitHostPort(at.service)
	if err != nil {
		return nil, failure.Usagef("the mock cannot listen on %q: write host and port, such as 127.0.0.1:8080",
			at.service)
	}
	if at.tls {
		var names []string
		if host != "" {
			names = append(names, host)
		}
		authority, err := mock.NewAuthority(time.Now(), names...)
		if err != nil {
			return nil, err
		}
		if err := writeFile(at.caFile, authority.PEM); err != nil {
			return nil, err
		}
		config = &tls.Config{Certificates: []tls.Certificate{authority.Server}, MinVersion: tls.VersionTLS12}
		scheme, r.caFile = "https://", at.caFile
	}
	listener, err := listen("the mock", at.service)
	if err != nil {
		return nil, err
	}
	r.url = scheme + reachable(listener.Addr())
	var control net.Listener
	if at.control != "" {
		if control, err = listen("the control interface of the mock", at.control); err != nil {
			_ = listener.Close()
			return nil, err
		}
		r.controlURL = "http://" + reachable(control.Addr())
	}
	r.serve(listener, m, config)
	if control != nil {
		r.serve(control, m.Control(), nil)
	}
	return r, nil
}

func listen(what, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		if errors.As(err, new(*net.AddrError)) || errors.As(err, new(*net.ParseError)) {
			return nil, failure.Usagef("%s cannot listen on %q: write host and port, such as 127.0.0.1:8080", what, address)
		}
		return nil, failure.Setupf("%s cannot listen on %s: %w; choose another port", what, address, err)
	}
	return listener, nil
}

// reachable is the address that clients on this machine use: a server on every interface is reached through loopback.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return address.String()
}

func (r *runningMock) serve(listener net.Listener, handler http.Handler, config *tls.Config) {
	server := &http.Server{Handler: handler, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0)}
	r.servers = append(r.servers, server)
	go func() {
		defer failure.Guard()
		var err error
		if config != nil {
			err = server.ServeTLS(listener, "", "")
		} else {
			err = server.Serve(listener)
		}
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		r.served <- err
	}()
}

func (r *runningMock) environment() []byte {
	return r.mock.Environment(r.url, r.controlURL, r.caFile)
}

// stop lets calls that are being answered end within the time given, then closes every connection, and waits for the
// servers.
func (r *runningMock) stop(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for _, server := range r.servers {
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close()
		}
	}
	for range r.servers {
		<-r.served
	}
}

// writeFile writes a file that may hold a secret: for its owner alone.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return failure.Usagef("cannot make the folder of %s: %w", path, err)
	}
	// such as /dev/null, or a link that somebody made on purpose
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return failure.Usagef("cannot write the file: %w", err)
		}
		return nil
	}
	// a process that waits for the file finds it whole
	if err := wholefile.Write(path, 0o600, wholefile.Text(text)); err != nil {
		return failure.Usagef("cannot write the file: %w", err)
	}
	return nil
}
