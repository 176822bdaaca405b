package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"agstest/load/tally"
)

// processes are those that one script runs in the background. (The background of testscript itself knows neither
// SIGTERM nor exit codes.)
type processes struct {
	mutex sync.Mutex
	named map[string]*background
}

type background struct {
	command *exec.Cmd
	ended   chan struct{}
}

const processesKey = "processes"

func processesOf(ts *testscript.TestScript) *processes {
	return ts.Value(processesKey).(*processes)
}

// scriptStart runs agstest in the background, with its streams in NAME.out and NAME.err: start NAME ARGUMENTS.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME ARGUMENTS")
	}
	program := ""
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, "agstest"); program == "" {
			if _, err := os.Stat(path); err == nil {
				program = path
			}
		}
	}
	stdout, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	stderr, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	command := exec.Command(program, args[1:]...)
	command.Dir = ts.MkAbs(".")
	command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOME="+ts.Getenv("HOME"), "TMPDIR="+ts.Getenv("TMPDIR"), "CI=", "GITHUB_ACTIONS=", "GITLAB_CI=", "TF_BUILD=", "JENKINS_URL=",
		"OPERATOR="+ts.Getenv("OPERATOR"), "AGSTEST_MOCK_OPERATOR_SECRET="+ts.Getenv("AGSTEST_MOCK_OPERATOR_SECRET"), "AGSTEST_MOCK_OPERATOR_KID="+ts.Getenv("AGSTEST_MOCK_OPERATOR_KID"))
	command.Stdout, command.Stderr = stdout, stderr
	ts.Check(command.Start())
	b := &background{command: command, ended: make(chan struct{})}
	go func() {
		_ = command.Wait()
		stdout.Close()
		stderr.Close()
		close(b.ended)
	}()
	p := processesOf(ts)
	p.mutex.Lock()
	p.named[args[0]] = b
	p.mutex.Unlock()
	ts.Defer(func() {
		_ = command.Process.Kill()
		<-b.ended
	})
}

func named(ts *testscript.TestScript, name string) *background {
	p := processesOf(ts)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	b := p.named[name]
	if b == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return b
}

// scriptSignal sends a signal: signal NAME INT|TERM|HUP|KILL.
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL")
	}
	ts.Check(named(ts, args[0]).command.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill, "HUP": syscall.SIGHUP}[args[1]]))
}

// scriptEnds waits for the end and wants an exit code, -1 for one that was killed: ends NAME CODE.
func scriptEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends NAME CODE")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := named(ts, args[0])
	select {
	case <-b.ended:
	case <-time.After(longest):
		ts.Fatalf("%s does not end", args[0])
	}
	if got := b.command.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%s ended with exit code %d, not %d; on stderr:\n%s", args[0], got, want, ts.ReadFile(args[0]+".err"))
	}
}

// scriptSleepUntilSecond waits until a load run has recorded a second of figures: sleep-until-second FOLDER.
func scriptSleepUntilSecond(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		matches, _ := filepath.Glob(ts.MkAbs(args[0] + ".*.partial"))
		if len(matches) == 1 {
			if l, err := tally.ReadRecord(matches[0]); err == nil && l.Total != nil && l.Total.Sent > 0 {
				return
			}
		}
	}
	ts.Fatalf("the run into %s records nothing", args[0])
}
