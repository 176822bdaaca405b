package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"agstest/reports/runs"
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
	began := time.Now()
	piped := newChild(t, t.TempDir(), args...).start()
	term := newTerminal(t)
	shown := newChild(t, t.TempDir(), args...)
	term.carry(shown)
	assert.Contains(t, []int{exitPass, exitInvalid}, shown.code(), term.seen.String())
	require.Eventually(t, func() bool { return strings.Contains(term.seen.String(), "Report: ") }, longest, time.Millisecond, "what was written is read a little later")
	seen := term.seen.String()
	assert.Regexp(t, `\rload: 00:0[12], 00:0[01] left, asked (1?[0-9]|20)/s, sent [1-4]?[0-9]/s, 0 % wrong, lag p99 [0-9.,]+ ms, [0-9]+ under way\x1b\[K\r\n\x1b\[1m  operation  `, seen, "a table; what was sent: 20 a second, or less where the machine paused, and more after that")
	assert.Regexp(t, `\r\n  refresh +20/s +[1-4]?[0-9]/s +[1-4]?[0-9]/s +0 % +[0-9.,]+ ms +[0-9.,]+ ms +[0-9.,]+ ms\x1b\[K`, seen)
	assert.Contains(t, seen, "\x1b[K", "the line is rewritten")
	assert.Regexp(t, `\x1b\[2A\r\x1b\[J`, seen, "and taken away at the end, three lines of it")
	assert.Regexp(t, `\x1b\[1;3[0-9]m(PASS|NOT VALID)\x1b\[0m`, seen, "and what is found is coloured")

	assert.Contains(t, []int{exitPass, exitInvalid}, piped.code(), piped.stderr.String())
	if time.Since(began) < plainEvery {
		assert.Equal(t, 1, strings.Count(piped.stderr.String(), "\n"), "what is asked, and no progress: "+piped.stderr.String())
	}
	assert.NotContains(t, piped.stderr.String()+piped.stdout.String(), "\x1b")
	assert.NotContains(t, piped.stderr.String(), "\r")
}

func TestTerminalThatIsClosedLeavesAReport(t *testing.T) {
	t.Parallel()
	term := newTerminal(t)
	c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--out", "run")
	term.carry(c)
	c.until("progress", func() bool { return strings.Contains(term.seen.String(), "\rload: 00:0") })
	term.ours.Close() // from now on writing to it is an error, and the kernel sends SIGHUP
	assert.Equal(t, exitTerminated, c.code())
	stored, err := runs.Read(filepath.Join(c.Dir, "run"))
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
	for !strings.Contains(c.stderr.String(), "allowed") { // it says so, or ends
		select {
		case <-c.ended:
			if !strings.Contains(c.stderr.String(), "allowed") {
				t.Skipf("this process may not allow core dumps to others: %s", c.stderr.String())
			}
		case <-time.After(time.Millisecond):
		}
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

// TestInterruptLeavesTheTerminalClean: what stands on the screen after Ctrl-C is what was told and the result, and
// nothing of the table.
func TestInterruptLeavesTheTerminalClean(t *testing.T) {
	t.Parallel()
	term := newTerminal(t)
	c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "60s", "--max-lag", "10s", "--limit", "errors<50%", "--out", "run")
	term.carry(c)
	c.until("the table", func() bool { return strings.Contains(term.seen.String(), "limit errors<50%: 0 %, kept so far") })
	_, err := term.ours.Write([]byte("\x03"))
	require.NoError(t, err)
	assert.Equal(t, exitInterrupted, c.code(), term.seen.String())
	require.Eventually(t, func() bool { return strings.Contains(term.seen.String(), "Verdict: ") }, longest, time.Millisecond)
	screen := onScreen(term.seen.String())
	assert.Regexp(t, `\Aload: mock at https://127\.0\.0\.1:\d+, seed \d+\nending in order; once more ends at once\nLoad: [A-Z]+ `, screen)
	assert.NotContains(t, screen, "so far")
	assert.NotContains(t, screen, "^C")
}

// onScreen is what stands on a wide screen after a text, as far as we use a terminal.
func onScreen(text string) string {
	lines, row, column := [][]rune{nil}, 0, 0
	for len(text) > 0 {
		if found := regexp.MustCompile(`^\x1b\[([0-9;]*)([A-Za-z])`).FindStringSubmatch(text); found != nil {
			text = text[len(found[0]):]
			switch found[2] {
			case "A":
				up, _ := strconv.Atoi(found[1])
				row = max(0, row-max(1, up))
			case "K":
				lines[row] = lines[row][:min(column, len(lines[row]))]
			case "J":
				lines[row] = lines[row][:min(column, len(lines[row]))]
				lines = lines[:row+1]
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\r':
			column = 0
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, nil)
			}
		default:
			for len(lines[row]) <= column {
				lines[row] = append(lines[row], ' ')
			}
			lines[row][column] = r
			column++
		}
	}
	var all []string
	for _, line := range lines {
		all = append(all, strings.TrimRight(string(line), " "))
	}
	return strings.Join(all, "\n")
}
