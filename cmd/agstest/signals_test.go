//go:build unix

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/tally"
	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

// silencing serves a mock that answers until it is told to be silent, and gives its environment file. Unanswered counts
// the calls that wait for an answer in vain.
func silencing(t *testing.T) (file string, silent *atomic.Bool, unanswered *atomic.Int64) {
	t.Helper()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	silent, unanswered = new(atomic.Bool), new(atomic.Int64)
	over := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if silent.Load() {
			unanswered.Add(1)
			<-over
			return
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(service.Close)
	t.Cleanup(func() { close(over) })
	file = filepath.Join(t.TempDir(), "mock.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, "", ""), 0o600))
	return file, silent, unanswered
}

// TestSignals: the first one ends a run in order, with a report of what there is, though nobody answers any more; the
// second one ends the process there and then, and what the run had recorded can still be made into a report.
func TestSignals(t *testing.T) {
	t.Parallel()
	type signalled struct {
		name   string
		signal syscall.Signal
		twice  bool
		code   int
		says   string
		child  *child
	}
	cases := []signalled{
		{"SIGINT", syscall.SIGINT, false, exitInterrupted, "the run was interrupted (Ctrl-C)", nil},
		{"SIGTERM", syscall.SIGTERM, false, exitTerminated, "the run was told to stop (SIGTERM)", nil},
		{"SIGINT twice", syscall.SIGINT, true, exitInterrupted, "", nil},
		{"SIGTERM twice", syscall.SIGTERM, true, exitTerminated, "", nil},
	}
	silent, unanswered := make([]*atomic.Bool, len(cases)), make([]*atomic.Int64, len(cases))
	for i := range cases { // all at the same time: they wait most of the time
		var file string
		file, silent[i], unanswered[i] = silencing(t)
		cases[i].child = newChild(t, t.TempDir(), "load", "--env", file, "--workload", "refresh", "--rate", "20/s",
			"--duration", "60s", "--clients", "20", "--out", "run").start()
	}
	for i, test := range cases {
		c := test.child
		c.until("a recorded second", func() bool { return c.recorded() != "" })
		silent[i].Store(true)
		c.until("an unanswered call", func() bool { return unanswered[i].Load() > 0 })
		require.NoError(t, c.Process.Signal(test.signal))
		c.says("ending in order; once more ends at once")
		if test.twice {
			require.NoError(t, c.Process.Signal(test.signal))
		}
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c := test.child
			assert.Equal(t, test.code, c.code(), c.stderr.String())
			assert.Empty(t, sentences(c.stderr.String()))
			if !test.twice {
				stored, err := runs.Read(filepath.Join(c.Dir, "run"))
				require.NoError(t, err)
				assert.Equal(t, test.says, stored.Load.Run.Partial)
				assert.NotEqual(t, reports.Pass, stored.Verdict())
				assert.FileExists(t, filepath.Join(c.Dir, "run", "load.html"))
				assert.Contains(t, c.stdout.String(), "\nReport: run/load.html\n")
				return
			}
			assert.NoDirExists(t, filepath.Join(c.Dir, "run"), "there was no time to write a report")
			assert.Empty(t, c.stdout.String())
			code, stdout, stderr := call(t, nil, "report", c.recorded())
			assert.Equal(t, exitPass, code, stderr)
			assert.Regexp(t, `(?m)^  partial +the run broke off`, stdout)
		})
	}
}

// TestSignalsBeforeTheStart: a load that is ended while it waits for its start says so in every file.
func TestSignalsBeforeTheStart(t *testing.T) {
	t.Parallel()
	c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--clients", "5", "--start-at", time.Now().Add(time.Hour).Format(time.RFC3339), "--out", "run").start()
	c.until("a load that is set up", func() bool {
		found, _ := filepath.Glob(filepath.Join(c.Dir, "run.*.partial", tally.RecordFile))
		return len(found) > 0
	})
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, exitTerminated, c.code(), c.stderr.String())
	assert.Empty(t, sentences(c.stderr.String()))
	saysInEveryFile(t, filepath.Join(c.Dir, "run"), "the load was never sent: everything was set up, and it waited for its start at ", ": the run was told to stop (SIGTERM)")
	assert.NoFileExists(t, filepath.Join(c.Dir, "run", tally.RecordFile))
}

// TestSignalsInSetUp: a load that is ended before its clock starts says in every file that nothing was sent, and how
// far it was.
func TestSignalsInSetUp(t *testing.T) {
	t.Parallel()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	var calls atomic.Int64
	over := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/signOnWithSessionToken") && calls.Add(1) > 20 {
			<-over
			return
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(service.Close)
	t.Cleanup(func() { close(over) })
	file := filepath.Join(t.TempDir(), "mock.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, "", ""), 0o600))
	c := newChild(t, t.TempDir(), "load", "--env", file, "--workload", "refresh", "--rate", "100/s", "--duration", "1s", "--clients", "60", "--out", "run").start()
	c.until("a sign-on of the set-up without an answer", func() bool { return calls.Load() > 20 })
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, exitTerminated, c.code(), c.stderr.String())
	why := regexp.MustCompile(`the load was never sent: set-up: \d+ of 60 clients signed on when the run was told to stop \(SIGTERM\)`)
	assert.Regexp(t, why, c.stdout.String())
	for _, name := range []string{"load.json", "load.html", "junit.xml", "summary.md"} {
		text, err := os.ReadFile(filepath.Join(c.Dir, "run", name))
		require.NoError(t, err)
		assert.Regexp(t, why, string(text), name)
	}
	metrics, err := os.ReadFile(filepath.Join(c.Dir, "run", "metrics.txt"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^agstest_load_passed\{.*\} 0.0$`, string(metrics))
	stored, err := runs.Read(filepath.Join(c.Dir, "run"))
	require.NoError(t, err)
	assert.Equal(t, reports.Error, stored.Verdict())
}
