//go:build linux

package gateways

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"agstest/internal/ports"
)

// Config is how a gateway stands in front of a service. Its zero value, but for Upstream, is the program with its
// defaults.
type Config struct {
	Upstream string // host:port of the service, which speaks plain HTTP
	// Production takes a file such as operators write: connections to the service are kept, X-Forwarded-For is set, sizes
	// are limited, TLS is 1.2 or 1.3, kept connections are closed after 15 s. Otherwise only what is needed is set.
	Production bool
	Idle       time.Duration // how long a kept connection may be idle, in whole seconds; 0: as the file says
	ClientCert bool          // TLS wants the certificate of a client, Authority.Client
	Strict     bool          // TLS for a name that the certificate does not have is refused; of HAProxy
	// more lines for the whole program: http of nginx, global of HAProxy, the top of the others
	Outer string
	// more lines where requests are taken: server of nginx, frontend of HAProxy, VirtualHost, vcl_recv, site
	Inner string
}

// Gateway is a running one.
type Gateway struct {
	Program   Program
	Config    Config
	URL       string // http; empty where the program takes TLS alone
	SecureURL string // https; empty where the program does not end TLS
	Authority *Authority
	Folder    string // its files: config, error.log

	Port, SecurePort, AdminPort int
	Host                        string // of Upstream
	UpstreamPort                string
	User                        string // of its workers

	t       testing.TB
	kind    *kind
	path    string
	command *exec.Cmd
	watcher *exec.Cmd // leads the group of processes that the program is in
	over    chan struct{}
	loaded  int // how often Varnish has loaded its program again
}

// required is the variable of the environment that makes a missing program a failure; otherwise the test is skipped.
const required = "AGSTEST_GATEWAYS"

// missing skips a test that wants packages of Debian, or fails it where the variable AGSTEST_GATEWAYS is "required".
func missing(t testing.TB, what, packages string) {
	t.Helper()
	say := t.Skipf
	if os.Getenv(required) == "required" {
		say = t.Fatalf
	}
	say("%s: apt-get install --no-install-recommends %s", what, packages)
}

// Start runs a gateway until the test ends, and returns when it takes connections. Where the program is not installed,
// the test is skipped with a word that names the package. None outlives the process of the test, however that ends.
func Start(t testing.TB, program Program, config Config) *Gateway {
	t.Helper()
	k := kindOf(program)
	if k == nil {
		t.Fatalf("there is no gateway %q", program)
	}
	path := find(k.binary)
	if path == "" {
		missing(t, fmt.Sprintf("%s is not installed", program), k.debian)
	}
	for _, module := range k.modules {
		if _, err := os.Stat(module); err != nil {
			missing(t, module+" is not there", k.debian)
		}
	}
	// The workers of most programs are of another user than root and must reach their files.
	folder, err := os.MkdirTemp("", "gateway-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	check(t, os.Chmod(folder, 0o777))
	g := &Gateway{
		Program: program, Config: config, Folder: folder, Authority: newAuthority(t, folder), t: t, kind: k, path: path,
		Port: ports.Free(t), SecurePort: ports.Free(t), AdminPort: ports.Free(t), User: "nobody",
	}
	if os.Getuid() == 0 {
		g.User = cmp.Or(k.user, "nobody")
	}
	g.Host, g.UpstreamPort, err = net.SplitHostPort(config.Upstream)
	check(t, err)
	if !k.onlyTLS {
		g.URL = fmt.Sprintf("http://127.0.0.1:%d", g.Port)
	}
	if k.secure {
		g.SecureURL = fmt.Sprintf("https://127.0.0.1:%d", g.SecurePort)
	}
	g.write()
	if k.prepare != nil {
		k.prepare(g)
	}
	g.run()
	return g
}

// Address is where a service is usually reached through it: https, where the program ends TLS, with the file of the
// authority that signed its certificate, else http.
func (g *Gateway) Address() (address, ca string) {
	if g.SecureURL != "" {
		return g.SecureURL, g.Authority.File
	}
	return g.URL, ""
}

// PlainAddress is as Address, but http where the program takes it.
func (g *Gateway) PlainAddress() (address, ca string) {
	if g.URL != "" {
		return g.URL, ""
	}
	return g.SecureURL, g.Authority.File
}

func kindOf(program Program) *kind {
	return cmp.Or(kinds[program], otherKinds[program], forwardKinds[program])
}

// File is where the configuration lies.
func (g *Gateway) File() string { return filepath.Join(g.Folder, "config") }

// Root tells that this process runs as root.
func (g *Gateway) Root() bool { return os.Getuid() == 0 }

// Seconds is Config.Idle in seconds.
func (g *Gateway) Seconds() int { return int(g.Config.Idle / time.Second) }

func (g *Gateway) write() {
	g.t.Helper()
	text := g.kind.defaults
	if g.Config.Production && g.kind.production != "" {
		text = g.kind.production
	}
	parsed, err := template.New("config").Parse(text)
	check(g.t, err)
	var out bytes.Buffer
	check(g.t, parsed.Execute(&out, g))
	check(g.t, os.WriteFile(g.File(), out.Bytes(), 0o644))
}

// longestStart bounds how long a program may take to start: Varnish compiles its program in C, which takes 30 s where
// many start at once on two busy processors.
const longestStart = 2 * time.Minute

// run starts the program and waits until it takes connections.
func (g *Gateway) run() {
	g.t.Helper()
	log, err := os.OpenFile(filepath.Join(g.Folder, "output.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(g.t, err)
	defer log.Close()
	command := exec.Command(g.path, g.kind.args(g)...)
	command.Dir = g.Folder
	command.Env = append(os.Environ(), "HOME="+g.Folder, "XDG_DATA_HOME="+g.Folder, "XDG_CONFIG_HOME="+g.Folder)
	command.Stdout, command.Stderr = log, log
	g.watcher = watch(g.t)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.watcher.Process.Pid}
	if err := command.Start(); err != nil {
		endGroup(g.watcher)
		g.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		command.Wait()
		close(over) // Stop waits for it
	}()
	g.command, g.over = command, over
	if g.t.Cleanup(g.kill); g.Program == Squid {
		g.t.Cleanup(g.Stop) // which shares memory with all Squids, and puts it away
	}
	if g.URL != "" {
		g.await(g.Port)
	}
	if g.SecureURL != "" {
		g.await(g.SecurePort)
	}
}

// await waits until a port takes connections.
func (g *Gateway) await(port int) {
	g.t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-g.over:
			g.t.Fatalf("%s ended at once: %s", g.Program, g.Output())
		default:
		}
		if time.Since(began) > longestStart {
			g.t.Fatalf("%s takes no connections on port %d: %s", g.Program, port, g.Output())
		}
	}
}

// Reload makes the program read its files again, in the way that operators do it without an interruption. It returns
// when that is under way; how long the old workers stay is the program's.
func (g *Gateway) Reload() {
	g.t.Helper()
	if err := g.kind.reload(g); err != nil {
		g.t.Fatalf("%s does not reload: %v: %s", g.Program, err, g.Output())
	}
}

// Stop ends the program as operators do, and all it started.
func (g *Gateway) Stop() {
	select {
	case <-g.over:
	default:
		g.command.Process.Signal(syscall.SIGTERM)
		select {
		case <-g.over:
		case <-time.After(3 * time.Second):
		}
	}
	g.kill()
}

// kill ends the program and all it started at once: at the end of a test nobody needs a clean stop.
func (g *Gateway) kill() {
	endGroup(g.watcher)
	<-g.over
}

// Restart stops the program and starts it again on the same ports: what operators should not do under load.
func (g *Gateway) Restart() {
	g.t.Helper()
	g.Stop()
	g.run()
}

// Version returns the program's own version line.
func (g *Gateway) Version() string {
	out, _ := exec.Command(g.path, g.kind.version...).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// Output returns the program's output so far.
func (g *Gateway) Output() string {
	var all strings.Builder
	for _, name := range []string{"output.log", "error.log"} {
		text, _ := os.ReadFile(filepath.Join(g.Folder, name))
		all.Write(text)
	}
	return all.String()
}

// do runs a command of the program's.
func (g *Gateway) do(name string, args ...string) error {
	path := find(name)
	if path == "" {
		return fmt.Errorf("%s is not installed", name)
	}
	command := exec.Command(path, args...)
	command.Dir, command.Env = g.Folder, append(os.Environ(), "HOME="+g.Folder)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// find looks for a program where it may be; /usr/sbin is not in the path of every user.
func find(name string) string {
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
