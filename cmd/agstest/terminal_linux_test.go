package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"agstest/reports"
)

// terminal is a pseudo terminal; what the process writes to it is read on our side.
type terminal struct {
	ours, theirs *os.File
	seen         lockedBuffer
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this system gives no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(int(ours.Fd()), true)) // Fd made it blocking, and then closing would wait for the reader
	reopened, err := unix.FcntlInt(ours.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, ours.Close())
	require.NoError(t, unix.SetNonblock(reopened, true))
	ours = os.NewFile(uintptr(reopened), "ptmx")
	t.Cleanup(func() { ours.Close() })
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("the other side of a pseudo terminal cannot be opened: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(theirs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}))
	return &terminal{ours: ours, theirs: theirs}
}

// carry makes it the terminal of a process, which starts.
func (term *terminal) carry(c *child) {
	c.Stdin, c.Stdout, c.Stderr = term.theirs, term.theirs, term.theirs
	c.Env = append(c.Env, "TERM=xterm", "NO_COLOR=")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	c.start()
	term.theirs.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		part := make([]byte, 4096)
		for {
			n, err := term.ours.Read(part)
			_, _ = term.seen.Write(part[:n])
			if err != nil {
				return
			}
		}
	}()
	c.t.Cleanup(func() {
		term.ours.Close()
		<-read
	})
}

func TestProgressIsRewrittenOnATerminalOnly(t *testing.T) {
	t.Parallel()
	args := []string{"load", "--workload", "refresh", "--rate", "20/s", "--duration", "2s", "--max-lag", "1s", "--out", "run"}
	piped := newChild(t, t.TempDir(), args...).start()
	term := newTerminal(t)
	shown := newChild(t, t.TempDir(), args...)
	term.carry(shown)
	assert.Contains(t, []int{exitPass, exitInvalid}, shown.code(), term.seen.String())
	require.Eventually(t, func() bool { return strings.Contains(term.seen.String(), "Report: ") }, 20*time.Second, time.Millisecond, "what was written is read a little later")
	seen := term.seen.String()
	assert.Regexp(t, `\rload: 00:01, (1?[0-9]|20)/s, 0 % wrong, p50 `, seen, "what was sent: 20 a second, or less where the machine paused")
	assert.Contains(t, seen, "\x1b[K", "the line is rewritten")
	assert.Contains(t, seen, "\r\x1b[K", "and taken away at the end")
	assert.Regexp(t, `\x1b\[1;3[0-9]m(PASS|NOT VALID)\x1b\[0m`, seen, "and what is found is coloured")

	assert.Contains(t, []int{exitPass, exitInvalid}, piped.code(), piped.stderr.String())
	assert.Equal(t, 1, strings.Count(piped.stderr.String(), "\n"), "what is asked, and no progress: "+piped.stderr.String())
	assert.NotContains(t, piped.stderr.String()+piped.stdout.String(), "\x1b")
	assert.NotContains(t, piped.stderr.String(), "\r")
}

func TestTerminalThatIsClosedLeavesAReport(t *testing.T) {
	t.Parallel()
	term := newTerminal(t)
	c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--out", "run")
	term.carry(c)
	c.until("progress", func() bool { return strings.Contains(term.seen.String(), "\rload: 00:01") })
	term.ours.Close() // from now on writing to it is an error, and the kernel sends SIGHUP
	assert.Equal(t, exitTerminated, c.code())
	stored, err := reports.ReadStored(filepath.Join(c.Dir, "run"))
	require.NoError(t, err)
	assert.Equal(t, "the terminal of the run was closed (SIGHUP)", stored.Load.Run.Partial)
	assert.FileExists(t, filepath.Join(c.Dir, "run", "load.html"))
}

func TestNoImageOfTheMemoryIsLeft(t *testing.T) {
	t.Parallel()
	c := newChild(t, t.TempDir(), "mock", "--listen", "127.0.0.1:0")
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	c.Path, c.Args = shell, []string{"sh", "-c", `ulimit -c unlimited && echo allowed >&2 && exec agstest mock --listen 127.0.0.1:0`}
	c.start()
	select {
	case <-c.ended:
		t.Skipf("this process may not allow core dumps to others: %s", c.stderr.String())
	case <-time.After(time.Millisecond):
	}
	c.says("check it with: ")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.Process.Pid))
	require.NoError(t, err)
	assert.Regexp(t, `Max core file size +0 `, string(limits))
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, exitPass, c.code())

	call(t, nil, "version") // in this process, which may ask of itself
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	require.NoError(t, err)
	assert.Zero(t, dumpable, "kernels that hand dumps to a program heed this alone")
}
