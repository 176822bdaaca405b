package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/internal/wire"
	"agstest/mock"
)

// The environment variables that give the mock secrets which stay the same from start to start.
const (
	variableOperatorSecret = "AGSTEST_MOCK_OPERATOR_SECRET"
	variableSigningKey     = "AGSTEST_MOCK_SIGNING_KEY"
	variableOperatorKeyID  = "AGSTEST_MOCK_OPERATOR_KID"
	variableControlToken   = "AGSTEST_MOCK_CONTROL_TOKEN"
)

func (p *program) mockCommand() *cobra.Command {
	var (
		listenAt, controlAt, file string
		useTLS                    bool
		faults, choices           []string
		listFaults, listChoices   bool
		asJSON                    bool
	)
	c := &cobra.Command{
		Use:   "mock",
		Short: "Run a stateful AGS for tests.",
		Long: `Serves the nine published calls with real state: tenants, accounts, devices, session tokens and signed tokens, all made up at start.
It writes an environment file (mode 0600, it holds the secrets of this mock) that the other commands take with --env.
It listens on loopback unless told otherwise, and marks every answer with X-Agstest-Mock. Ctrl-C or SIGTERM stops it in order.

Secrets are new at every start, unless ` + variableOperatorSecret + `, ` + variableOperatorKeyID + `, ` +
			variableSigningKey + `
and ` + variableControlToken + ` give them; environments/mock.yaml shows a file for such a mock.`,
		Example: `  agstest mock --listen 127.0.0.1:8080                # then: agstest conform --env out/mock.yaml
  agstest mock --tls --control 127.0.0.1:8081         # https, and scenarios may move its clock
  agstest mock --fault refresh-extends-fixed-end      # break one rule
  agstest mock --list-faults`,
		RunE: func(c *cobra.Command, args []string) error {
			if listFaults || listChoices {
				return p.listMock(listFaults, listChoices, asJSON)
			}
			config := mock.Config{
				OperatorSecret: p.variable(variableOperatorSecret), OperatorKeyID: p.variable(variableOperatorKeyID),
				SigningKey: p.variable(variableSigningKey), ControlToken: p.variable(variableControlToken),
			}
			for _, name := range []string{variableOperatorSecret, variableOperatorKeyID, variableSigningKey,
				variableControlToken} {
				if flaw := userfile.Flaw(p.variable(name)); flaw != "" {
					return failure.Usagef("the value of %s %s", name, flaw)
				}
			}
			for name, value := range map[string]string{variableOperatorSecret: config.OperatorSecret,
				variableSigningKey: config.SigningKey} {
				if value != "" && len(value) < 32 {
					return failure.Usagef("%s must have at least 32 characters to sign with HS256", name)
				}
			}
			if err := ownMockFile(file); err != nil {
				return err
			}
			m, err := newMock(config, choices, faults)
			if err != nil {
				return err
			}
			p.warnOpen("--listen", listenAt)
			p.warnOpen("--control", controlAt)
			caFile, err := filepath.Abs(filepath.Join(filepath.Dir(file), "mock-ca.pem"))
			if err != nil {
				return failure.Usagef("cannot find the folder of %s: %w", file, err)
			}
			running, err := startMock(m, mockAddresses{service: listenAt, control: controlAt, tls: useTLS,
				caFile: caFile})
			if err != nil {
				return err
			}
			written := running.environment()
			if err := writeFile(file, written); err != nil {
				running.stop(0)
				return err
			}
			fmt.Fprintf(p.stdout, "listening on %s\n", running.url)
			if running.controlURL != "" {
				fmt.Fprintf(p.stdout, "control on %s\n", running.controlURL)
			}
			fmt.Fprintf(p.stdout, "environment file: %s\n", file)
			p.notef("check it with: agstest conform --env %s", file)
			select {
			case err := <-running.served:
				running.served <- nil
				running.stop(0)
				if err == nil {
					err = net.ErrClosed
				}
				return failure.Setupf("the mock ended by itself: %w", err)
			case <-c.Context().Done():
			}
			p.notef("stopping")
			running.stop(5 * time.Second)
			if now, err := os.ReadFile(file); err == nil && bytes.Equal(now, written) {
				_ = os.Remove(file) // its secrets are of no use any more
			}
			p.served = true
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&listenAt, "listen", "127.0.0.1:8080", "address to serve on; port 0 takes a free one")
	flags.StringVar(&controlAt, "control", "",
		"address of the control interface, which moves the clock and changes states; left out: none")
	flags.BoolVar(&useTLS, "tls", false,
		"serve https with a certificate of its own; its authority goes beside the environment file")
	flags.StringVar(&file, "environment", filepath.Join("out", "mock.yaml"), "where the environment file goes")
	flags.StringSliceVar(&faults, "fault", nil, "break a rule; may be given more than once")
	flags.StringSliceVar(&choices, "choice", nil, "make another conforming choice; may be given more than once")
	flags.BoolVar(&listFaults, "list-faults", false, "list what --fault takes, and the requirement each breaks")
	flags.BoolVar(&listChoices, "list-choices", false, "list what --choice takes")
	flags.BoolVar(&asJSON, "json", false, "list as JSON")
	_ = c.RegisterFlagCompletionFunc("fault", completeFaults)
	_ = c.RegisterFlagCompletionFunc("choice", completeChoices)
	return c
}

// ownMockFile refuses a file that is there and was not written by a mock, since the environment file of the mock takes
// its place, and goes away when the mock ends. What is no regular file, or empty, holds nothing to lose.
func ownMockFile(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return failure.Usagef("cannot read %s, where the environment file of the mock should go: %w", path,
			userfile.WithoutPath(err))
	}
	defer file.Close()
	head := make([]byte, len(mock.EnvironmentHead))
	if _, err := io.ReadFull(file, head); err == nil && string(head) == mock.EnvironmentHead {
		return nil
	}
	return failure.Usagef("%s is there already and no mock wrote it, so it is left alone: name another file with "+
		"--environment", path)
}

// warnOpen tells when an address can be reached from other machines.
func (p *program) warnOpen(flag, address string) {
	if address == "" {
		return
	}
	if host, _, err := net.SplitHostPort(address); err == nil && !wire.OnLoopback(host) {
		p.warnf("%s %s can be reached from other machines", flag, address)
	}
}

func (p *program) listMock(faults, choices, asJSON bool) error {
	type entry struct {
		Name        string `json:"name"`
		Requirement string `json:"requirement,omitempty"`
		Text        string `json:"text"`
	}
	var entries []entry
	if faults {
		for _, f := range mock.Faults() {
			entries = append(entries, entry{f.Name, f.Requirement, f.Summary})
		}
	}
	if choices {
		for _, h := range mock.Choices() {
			entries = append(entries, entry{h.Name, "", h.Summary})
		}
	}
	if asJSON {
		return p.writeJSON(entries)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		if faults {
			fmt.Fprintf(table, "%s\t%s\t%s\n", e.Name, e.Requirement, e.Text)
		} else {
			fmt.Fprintf(table, "%s\t%s\n", e.Name, e.Text)
		}
	}
	return table.Flush()
}
