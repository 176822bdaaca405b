package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/load/tally"
)

// longest is how long tests wait for what comes at once on a machine that is idle: it ends what hangs, and says
// nothing of how fast anything is.
const longest = 3 * time.Minute

// seldomGarbage is the variable for an agstest that collects garbage less often: it is over soon, and memory is plenty.
const seldomGarbage = "GOGC=400"

// child is agstest in a process of its own, for what cannot be shown within that of the tests: signals, limits, streams
// and its end.
type child struct {
	*exec.Cmd
	t              testing.TB
	stdout, stderr lockedBuffer
	ended          chan struct{}
	stop           func()
}

// lockedBuffer may be read while a process still writes to it.
type lockedBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// newChild prepares a process in dir; what it is run with can be changed until start.
func newChild(t testing.TB, dir string, args ...string) *child {
	c := &child{Cmd: exec.Command("agstest", args...), t: t, ended: make(chan struct{})}
	c.Dir = dir
	c.Stdout, c.Stderr = &c.stdout, &c.stderr
	c.Env = append(os.Environ(), seldomGarbage, "GORACE=atexit_sleep_ms=0", "TMPDIR="+t.TempDir(), "CI=",
		"GITHUB_ACTIONS=", "GITLAB_CI=", "TF_BUILD=", "JENKINS_URL=", "GOTRACEBACK=")
	return c
}

func (c *child) start() *child {
	c.t.Helper()
	require.NoError(c.t, c.Start())
	go func() {
		_ = c.Wait()
		close(c.ended)
	}()
	c.stop = sync.OnceFunc(func() {
		_ = c.Process.Kill()
		<-c.ended
	})
	c.t.Cleanup(c.stop)
	return c
}

// code waits for the end and gives the exit code, -1 for one that was killed.
func (c *child) code() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(longest):
		c.stop()
		c.t.Fatalf("%s does not end; on stderr:\n%s", strings.Join(c.Args, " "), c.stderr.String())
	}
	return c.ProcessState.ExitCode()
}

// until waits for something that a process brings about.
func (c *child) until(what string, there func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if there() {
			return
		}
		select {
		case <-c.ended:
			if !there() {
				c.t.Fatalf("%s ended with %d before %s; on stderr:\n%s", strings.Join(c.Args, " "), c.ProcessState.ExitCode(), what, c.stderr.String())
			}
			return
		default:
		}
	}
	c.t.Fatalf("%s: there is no %s; on stderr:\n%s", strings.Join(c.Args, " "), what, c.stderr.String())
}

// says waits for a text on stderr.
func (c *child) says(text string) {
	c.t.Helper()
	c.until(text, func() bool { return strings.Contains(c.stderr.String(), text) })
}

// as makes it another command of the tests.
func (c *child) as(name string) *child {
	path, err := exec.LookPath(name)
	require.NoError(c.t, err)
	c.Path, c.Args[0] = path, name
	return c
}

// recorded is the temporary folder of a load run into the folder run, once it holds a second with answers; empty until
// then.
func (c *child) recorded() string {
	found, _ := filepath.Glob(filepath.Join(c.Dir, "run.*.partial"))
	if len(found) != 1 {
		return ""
	}
	if l, err := tally.ReadRecord(found[0]); err != nil || l.Total == nil || l.Total.Right == 0 {
		return ""
	}
	return found[0]
}

// sentences are the errors that agstest tells of on stderr.
func sentences(stderr string) (errs []string) {
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "agstest: ") && !strings.HasPrefix(line, "agstest: warning: ") {
			errs = append(errs, line)
		}
	}
	return errs
}
