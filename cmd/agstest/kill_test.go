package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

// victim is a command that is killed.
type victim struct {
	name string
	args []string
	// takes is about how long it runs when it is left alone.
	takes time.Duration
	// lies tells what a stored run that says nothing of having broken off claims wrongly, in comparison with one that was
	// left alone.
	lies func(stored, whole runs.Stored) error
}

// TestKilledRunsNeverLie kills each command at random moments: KILLS of them (3), chosen by KILL_SEED. Whatever is left
// is no report at all, or one that is whole, or one that says that it is partial; and it stands in nobody's way.
func TestKilledRunsNeverLie(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes are not killed by a signal here")
	}
	kills, seed := number(t, "KILLS", 3), uint64(number(t, "KILL_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("%d kills of each command; the same moments again: KILLS=%d KILL_SEED=%d", kills, kills, seed)
	file := mockFile(t)
	shards := []string{filepath.Join(t.TempDir(), "shard-1"), filepath.Join(t.TempDir(), "shard-2")}
	var making sync.WaitGroup
	for i, folder := range shards {
		making.Go(func() {
			code, _, stderr := call(t, nil, "load", "--env", file, "--workload", "refresh", "--rate", "60/s", "--duration", "1s", "--seed", "7", "--clients", "20", "--max-lag", "5s", "--shard", fmt.Sprintf("%d/2", i+1), "--out", folder)
			assert.Contains(t, []int{exitPass, exitInvalid}, code, stderr)
		})
	}
	making.Wait()

	var ordeals sync.WaitGroup // at the same time, whatever number of tests may run so: they wait most of the time
	conform := []string{"conform", "--generate", "1", "--sequences", "1", "--seed", "7"}
	if kills < 10 {
		conform = append(conform, "--tags", "@refresh or @sign-out") // a tenth of the work
	}
	for _, v := range []victim{
		{"conform", conform, time.Second, func(stored, whole runs.Stored) error {
			return different("scenarios", len(stored.Conformance.Scenarios), len(whole.Conformance.Scenarios))
		}},
		{"load", []string{"load", "--env", file, "--workload", "refresh", "--rate", "50/s", "--duration", "2s", "--clients", "20", "--max-lag", "5s"}, 2500 * time.Millisecond, func(stored, whole runs.Stored) error {
			return different("hits", stored.Load.Total.Sent, whole.Load.Total.Sent)
		}},
		{"ab", []string{"ab", "--aa", "--env", file, "--workload", "refresh", "--rate", "50/s", "--pairs", "10", "--block", "200ms", "--clients", "20"}, 5 * time.Second, func(stored, whole runs.Stored) error {
			return different("pairs", len(stored.Comparison.Interleaved.Rounds[0].Pairs), len(whole.Comparison.Interleaved.Rounds[0].Pairs))
		}},
		{"merge", append([]string{"merge"}, shards...), 100 * time.Millisecond, func(stored, whole runs.Stored) error {
			return errors.Join(different("hits", stored.Load.Total.Sent, whole.Load.Total.Sent), different("right answers", stored.Load.Total.Right, whole.Load.Total.Right))
		}},
	} {
		ordeals.Go(func() { v.ordeal(t, kills, seed) })
	}
	ordeals.Wait()
}

// ordeal lets a command run alone, kills it a number of times, and compares the files that are left with that.
func (v victim) ordeal(t *testing.T, kills int, seed uint64) {
	alone := newChild(t, t.TempDir(), v.args...).start()
	var all sync.WaitGroup
	free := make(chan struct{}, max(4, 2*runtime.NumCPU())) // most of them wait most of the time
	dirs, moments := make([]string, kills), make([]string, kills)
	for n := range kills {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			c := newChild(t, t.TempDir(), v.args...)
			dirs[n], moments[n] = c.Dir, c.killAt(rand.New(rand.NewPCG(seed, uint64(n))), n, v.takes)
		})
	}
	all.Wait()
	assert.Contains(t, []int{exitPass, exitFail, exitInconclusive, exitInvalid}, alone.code(), alone.stderr.String())
	folder, err := onlyRun(alone.Dir)
	assert.NoError(t, err)
	assert.NotContains(t, folder, ".partial")
	whole, err := runs.Read(folder)
	if !assert.NoError(t, err) {
		return
	}
	assert.Empty(t, whole.Run().Partial)

	left := map[string]int{}
	for n, dir := range dirs {
		found, err := autopsy(t, dir, v, whole)
		assert.NoError(t, err, "killed %s (number %d of KILL_SEED=%d): %s", moments[n], n, seed, found)
		left[found]++
	}
	t.Logf("%s, killed %d times: %v", v.name, kills, left)

	// The rest is in nobody's way.
	if v.takes <= time.Second {
		next := newChild(t, dirs[0], v.args...).start()
		assert.Contains(t, []int{exitPass, exitFail, exitInconclusive, exitInvalid}, next.code(), next.stderr.String())
		code, list, stderr := call(t, nil, "history", "list", "--dir", filepath.Join(dirs[0], "out"))
		assert.Equal(t, exitPass, code, stderr)
		_, path, found := strings.Cut(next.stdout.String(), "\nReport: out/")
		assert.True(t, found)
		assert.Contains(t, list, strings.Split(path, "/")[0])
	}
}

// killAt ends a process at a random moment of its life: every other time at any, else just after so many files have
// come, so that the short time in which reports are written is met too.
func (c *child) killAt(random *rand.Rand, n int, takes time.Duration) (moment string) {
	if n%2 == 0 {
		after := time.Duration(random.Int64N(int64(takes)))
		c.start()
		select {
		case <-c.ended:
		case <-time.After(after):
		}
		moment = fmt.Sprintf("after %s", after)
	} else {
		files, more := 1+random.IntN(12), time.Duration(random.IntN(400))*time.Microsecond
		c.start()
		for running := true; running; {
			select {
			case <-c.ended:
				running = false
			case <-time.After(200 * time.Microsecond):
				entries, _ := filepath.Glob(filepath.Join(c.Dir, "out", "*", "*"))
				running = len(entries) < files
			}
		}
		for from := time.Now(); time.Since(from) < more; { // too short a time to sleep
		}
		moment = fmt.Sprintf("%s after file %d", more, files)
	}
	c.stop()
	return moment
}

// autopsy looks at what a killed run has left and says in a word what it is. An error tells of a lie or of something
// damaged.
func autopsy(t *testing.T, dir string, v victim, whole runs.Stored) (string, error) {
	folder, err := onlyRun(dir)
	if err != nil || folder == "" {
		return "nothing", err
	}
	state := "finished"
	if strings.HasSuffix(folder, ".partial") {
		state = "under its temporary name"
	}
	if err := halfFiles(folder); err != nil {
		return state, err
	}
	code, list, stderr := call(t, nil, "history", "list", "--dir", filepath.Join(dir, "out"))
	if code != exitPass || !strings.Contains(list, filepath.Base(folder)) {
		return state, fmt.Errorf("history list ends with %d and lists %q: %s", code, list, stderr)
	}
	code, stdout, stderr := call(t, nil, "report", folder)
	if code != exitPass {
		for _, name := range []string{reports.ConformanceFile, reports.LoadFile, reports.ComparisonFile, "conformance.html", "load.html", "compare.html", "junit.xml"} {
			if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
				return state, fmt.Errorf("there is %s and no report: %s", name, stderr)
			}
		}
		if code != exitUsage || len(sentences(stderr)) != 1 {
			return state, fmt.Errorf("report ends with %d: %s", code, stderr)
		}
		return state + ", without a report", nil
	}
	stored, err := runs.Read(folder)
	if err := errors.Join(err, halfFiles(folder)); err != nil {
		return state, err
	}
	if stored.Run().Partial == "" {
		return state + ", whole", v.lies(stored, whole)
	}
	switch stored.Verdict() {
	case reports.Pass, reports.Improved, reports.Observed, reports.Known, reports.Warn:
		return state, fmt.Errorf("a run that broke off is %s", stored.Verdict())
	}
	// It is said once: as the reason of the verdict, or on a line of its own.
	if state == "finished" || !strings.Contains(stdout, stored.Run().Partial) {
		return state, fmt.Errorf("a run that broke off is %s and shown as:\n%s", state, stdout)
	}
	return state + ", marked partial", nil
}

// halfFiles finds files of a run's folder that have their final name and are not all there.
func halfFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		whole := true
		switch filepath.Ext(entry.Name()) {
		case ".json":
			whole = json.Valid(text)
		case ".html":
			whole = strings.HasSuffix(strings.TrimSpace(string(text)), "</html>")
		case ".xml":
			whole = wellFormed(text) == nil
		case ".md", ".txt", ".ndjson":
			whole = strings.HasSuffix(string(text), "\n")
		}
		if !whole {
			return fmt.Errorf("%s breaks off after %d bytes", entry.Name(), len(text))
		}
	}
	return nil
}

func wellFormed(text []byte) error {
	for decoder := xml.NewDecoder(strings.NewReader(string(text))); ; {
		if _, err := decoder.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// onlyRun is the folder of the one run below dir/out; empty: there is none.
func onlyRun(dir string) (string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "out"))
	if os.IsNotExist(err) {
		return "", nil
	}
	found := ""
	for _, entry := range entries {
		switch {
		case entry.IsDir() && found == "":
			found = filepath.Join(dir, "out", entry.Name())
		case entry.IsDir():
			return "", errors.New("one run made two folders")
		case entry.Name() != "index.ndjson":
			return "", fmt.Errorf("it left %s in the folder of runs", entry.Name())
		}
	}
	return found, err
}

func different[N int | int64](what string, got, want N) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("it claims to be whole with %d %s of %d", got, what, want)
}

// mockFile serves a mock for the length of a test and gives its environment file.
func mockFile(t *testing.T) string {
	t.Helper()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	service := httptest.NewServer(m)
	t.Cleanup(service.Close)
	control := httptest.NewServer(m.Control())
	t.Cleanup(control.Close)
	file := filepath.Join(t.TempDir(), "mock.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, control.URL, ""), 0o600))
	return file
}

// number is a whole number that an environment variable may set.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// TestAutopsyFindsLies shows that the search above finds what it is for.
func TestAutopsyFindsLies(t *testing.T) {
	t.Parallel()
	one := filepath.Join(t.TempDir(), "run")
	code, _, stderr := call(t, nil, "load", "--env", mockFile(t), "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--clients", "20", "--max-lag", "5s", "--out", one)
	require.Contains(t, []int{exitPass, exitInvalid}, code, stderr)
	lies := func(stored, whole runs.Stored) error {
		return different("hits", stored.Load.Total.Sent, whole.Load.Total.Sent)
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, folder string, l *reports.Load)
		wants string
	}{
		{"fewer hits than asked for", func(t *testing.T, folder string, l *reports.Load) { l.Total.Sent-- }, "it claims to be whole with 19 hits of 20"},
		{"partial and passed", func(t *testing.T, folder string, l *reports.Load) {
			l.Run.Partial, l.Verdict = "broken off", reports.Pass
		}, "a run that broke off is pass"},
		{"partial under its final name", func(t *testing.T, folder string, l *reports.Load) {
			l.Run.Partial, l.Verdict = "broken off", reports.Inconclusive
		}, "a run that broke off is finished"},
		{"half a page", func(t *testing.T, folder string, l *reports.Load) {
			require.NoError(t, os.Truncate(filepath.Join(folder, "load.html"), 3000))
		}, "load.html breaks off after 3000 bytes"},
		{"half a JUnit file", func(t *testing.T, folder string, l *reports.Load) {
			require.NoError(t, os.Truncate(filepath.Join(folder, "junit.xml"), 100))
		}, "junit.xml breaks off after 100 bytes"},
		{"a stranger", func(t *testing.T, folder string, l *reports.Load) {
			require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(folder), "left.tmp"), nil, 0o600))
		}, "it left left.tmp in the folder of runs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			folder := filepath.Join(dir, "out", "run")
			require.NoError(t, os.CopyFS(folder, os.DirFS(one)))
			stored, err := runs.Read(folder)
			require.NoError(t, err)
			whole := *stored.Load
			total := *stored.Load.Total
			whole.Total = &total
			_, err = autopsy(t, dir, victim{lies: lies}, runs.Stored{Parts: reports.Parts{Load: &whole}})
			require.NoError(t, err)
			test.spoil(t, folder, stored.Load)
			text, err := os.Create(filepath.Join(folder, reports.LoadFile))
			require.NoError(t, err)
			require.NoError(t, reports.WriteJSON(text, stored.Load))
			require.NoError(t, text.Close())
			_, err = autopsy(t, dir, victim{lies: lies}, runs.Stored{Parts: reports.Parts{Load: &whole}})
			require.ErrorContains(t, err, test.wants)
		})
	}
}

// The files of a check that a gate leaves before its load are no pass of the gate: whoever collects them of a gate that
// was killed is told that the load never ended, and the record of the load is read.
func TestKilledGateIsNoPass(t *testing.T) {
	t.Parallel()
	c := newChild(t, t.TempDir(), "gate", "--only", "REF-01", "--workload", "refresh", "--rate", "20/s",
		"--duration", "10m", "--out", "run").start()
	c.until("a second of the load", func() bool { return c.recorded() != "" })
	folder := c.recorded()
	c.stop()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(text)
	}
	assert.Contains(t, read("junit.xml"), `message="partial: nothing that the load measured came home: the run broke off before its load had ended"`)
	assert.Contains(t, read("summary.md"), "could not tell")
	assert.NotContains(t, read("summary.md"), "Gate of the built-in mock: ✅")
	assert.Contains(t, read("gate.html"), "the run broke off before its load had ended")
	assert.NoFileExists(t, filepath.Join(folder, reports.LoadFile))
	stored, err := runs.ReadWith(folder, recorded)
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, stored.Conformance.Verdict)
	assert.Positive(t, stored.Load.Total.Right)
	assert.NotEmpty(t, stored.Load.Run.Partial)
}
