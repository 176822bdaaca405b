package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"agstest/internal/environment"
	"agstest/internal/ports"
)

// TestScript runs the scripts of testdata/script: whole command lines with their streams and exit codes.
func TestScript(t *testing.T) {
	nobody := ports.Closed(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("NOBODY", nobody) // listens there
			env.Values[processesKey] = &processes{named: map[string]*background{}}
			folder, err := filepath.Abs(filepath.Join("..", "..", "environments"))
			if err != nil {
				return err
			}
			env.Setenv("ENVIRONMENTS", folder)
			env.Vars = append(env.Vars, seldomGarbage)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector would sleep for a second at the end of each process
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TMPDIR", env.WorkDir)
			for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"} {
				env.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":              scriptExits,
			"serve":              scriptServe,
			"waitfor":            scriptWaitFor,
			"mode":               scriptMode,
			"single":             scriptSingle,
			"sentence":           scriptSentence,
			"append":             scriptAppend,
			"byhand":             scriptByHand,
			"start":              scriptStart,
			"signal":             scriptSignal,
			"ends":               scriptEnds,
			"windows":            scriptWindows,
			"sleep-until-second": scriptSleepUntilSecond,
		},
		UpdateScripts: *update,
	})
}

// scriptExits runs agstest and wants a certain exit code, or one of several: exits CODE|CODE ARGUMENTS.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE ARGUMENTS")
	}
	err := ts.Exec("agstest", args[1:]...)
	got := 0
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("agstest could not be run: %v", err)
	}
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(got)) {
		ts.Fatalf("agstest %s ended with exit code %d, not %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// scriptListen listens until the script ends, gives each connection to take, one after the other, and returns the
// address; without take nobody ever answers.
func scriptListen(ts *testscript.TestScript, take func(net.Conn)) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	if take != nil {
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				take(conn)
			}
		}()
	}
	return "http://" + listener.Addr().String()
}

// scriptServe starts a server that misbehaves in the way named, writes an environment file for it, and sets $URL: serve
// KIND FILE.
func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve KIND FILE")
	}
	url := ""
	switch kind := args[0]; kind {
	case "nobody":
		url = "http://" + ts.Getenv("NOBODY")
	case "unknown-host":
		url = "http://agstest-no-such-host.invalid"
	case "silent":
		url = scriptListen(ts, nil)
	case "half-closed":
		url = scriptListen(ts, func(conn net.Conn) {
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				if c, ok := conn.(*net.TCPConn); ok {
					_ = c.CloseWrite()
				}
				_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
				_, _ = io.Copy(io.Discard, conn)
			}()
		})
	case "cut":
		url = scriptListen(ts, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"availableServices\":")
			_ = conn.Close()
		})
	case "untrusted":
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		ts.Defer(server.Close)
		url = server.URL
	case "tls-on-http":
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{}
		server.StartTLS()
		ts.Defer(server.Close)
		url = "http://" + server.Listener.Addr().String()
	default:
		answers := map[string]http.HandlerFunc{
			"html": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, "<!DOCTYPE html><html><body>Please sign in to the guest network</body></html>")
			},
			"redirect": func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://elsewhere.example/login?session=secret-in-a-redirect", http.StatusFound)
			},
			"502":                gatewayPage(http.StatusBadGateway, "502 Bad Gateway"),
			"client-certificate": gatewayPage(http.StatusBadRequest, "400 No required SSL certificate was sent"),
			"not-json":           func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") },
			"500":                func(w http.ResponseWriter, r *http.Request) { http.Error(w, "{}", 500) },
			"empty-200": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, "{}")
			},
		}
		answer := answers[kind]
		if answer == nil {
			ts.Fatalf("serve: unknown kind %q", kind)
		}
		server := httptest.NewServer(answer)
		ts.Defer(server.Close)
		url = server.URL
	}
	ts.Setenv("URL", url)
	text := "name: odd\nurl: " + url + "\ntenant: nagra\nservice: Operator SSO\noperator: {secret: \"${OPERATOR}\", account: \"1663\"}\n" +
		"situations:\n  active: {clientId: PUB_989, accountId: \"1663\"}\nload:\n  clients: {count: 10, clientId: \"LOAD_{n}\", accountId: \"L{n}\"}\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
	ts.Setenv("OPERATOR", "a-secret-of-thirty-two-characters")
}

// gatewayPage answers everything with a page like nginx's.
func gatewayPage(status int, title string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>x</h1></center>\r\n</body>\r\n</html>\r\n", title)
	}
}

// scriptWaitFor waits until a file is there, and holds a text if one is given: waitfor FILE [TEXT].
func scriptWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if matches, _ := filepath.Glob(ts.MkAbs(args[0])); len(matches) > 0 {
			if text, err := os.ReadFile(matches[0]); len(args) == 1 || err == nil && strings.Contains(string(text), args[1]) {
				return
			}
		}
	}
	ts.Fatalf("%s did not come", args[0])
}

// scriptMode wants everything below a folder to be for its owner alone: mode FOLDER.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(filepath.Walk(ts.MkAbs(args[0]), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			return fmt.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	}))
}

// scriptSingle wants a pattern of paths to match exactly one: single PATTERN.
func scriptSingle(ts *testscript.TestScript, neg bool, args []string) {
	matches, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(matches) != 1 {
		ts.Fatalf("%s matches %d paths: %v", args[0], len(matches), matches)
	}
	ts.Setenv("RUN", matches[0])
}

// scriptSentence wants stderr of the last command to be one sentence of agstest, after notes about the run, without a
// stack trace.
func scriptSentence(ts *testscript.TestScript, neg bool, args []string) {
	var errs []string
	text := ts.ReadFile("stderr")
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "agstest: ") && !strings.HasPrefix(line, "agstest: warning: ") {
			errs = append(errs, line)
		}
	}
	if len(errs) != 1 || strings.Contains(text, "goroutine ") || strings.Contains(text, "panic") {
		ts.Fatalf("stderr is not one sentence of agstest:\n%s", text)
	}
	if secret := "secret-in-a-redirect"; strings.Contains(text, secret) {
		ts.Fatalf("stderr holds a secret")
	}
}

// scriptAppend adds a line to a file: append FILE LINE.
func scriptAppend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: append FILE LINE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+args[1]+"\n"), 0o600))
}

// scriptByHand writes environments/mock.yaml with the address of a running mock: byhand FILE-OF-THE-MOCK FILE.
func scriptByHand(ts *testscript.TestScript, neg bool, args []string) {
	e, err := environment.Read(ts.MkAbs(args[0]), os.LookupEnv)
	ts.Check(err)
	text, err := os.ReadFile(filepath.Join(ts.Getenv("ENVIRONMENTS"), "mock.yaml"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Replace(string(text), "http://127.0.0.1:8080", e.URL, 1)), 0o600))
}
