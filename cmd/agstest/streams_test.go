package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/tally"
	"agstest/reports"
	"agstest/reports/runs"
)

// shortConform is a check of the embedded mock that takes a moment.
var shortConform = []string{"conform", "--tags", "@sign-out", "--generate", "0", "--sequences", "0"}

// closedPipe is a stream whose reader has gone, as in agstest … | head.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { write.Close() })
	require.NoError(t, read.Close())
	return write
}

func TestReaderThatHasGoneDoesNotEndARun(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such signal")
	}
	t.Run("check", func(t *testing.T) {
		t.Parallel()
		c := newChild(t, t.TempDir(), append(shortConform, "--out", "run")...)
		c.Stdout = closedPipe(t)
		assert.Equal(t, exitPass, c.start().code(), c.stderr.String())
		assert.NotContains(t, c.stderr.String(), "agstest: ")
		stored, err := runs.Read(filepath.Join(c.Dir, "run"))
		require.NoError(t, err)
		assert.Equal(t, reports.Pass, stored.Verdict())
	})
	t.Run("load with both streams", func(t *testing.T) {
		t.Parallel()
		c := newChild(t, t.TempDir(), "load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--max-lag", "1s", "--out", "run", "--json")
		pipe := closedPipe(t)
		c.Stdout, c.Stderr = pipe, pipe
		assert.Contains(t, []int{exitPass, exitInvalid}, c.start().code())
		stored, err := runs.Read(filepath.Join(c.Dir, "run"))
		require.NoError(t, err)
		require.NotNil(t, stored.Load)
		assert.Empty(t, stored.Load.Run.Partial)
		assert.EqualValues(t, 20, stored.Load.Total.Sent)
		_, err = tally.ReadRecord(filepath.Join(c.Dir, "run"))
		assert.NoError(t, err)
	})
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		c := newChild(t, t.TempDir(), "mock", "--list-faults")
		c.Stdout = closedPipe(t)
		assert.Equal(t, exitPass, c.start().code())
		assert.Empty(t, c.stderr.String())
	})
}

func TestStdoutThatCannotBeWrittenIsAFileError(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	for _, args := range [][]string{
		append(shortConform, "--out", "run"), append(shortConform, "--json", "--out", "run"), {"mock", "--list-faults"}, {"mock", "--list-faults", "--json"},
		{"version"}, {"init"}, {"schema", "load"}, {"openapi"}, {"help"},
		{"env", "e.yaml"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "e.yaml"), []byte("url: http://127.0.0.1:1\n"), 0o600))
			c := newChild(t, dir, args...)
			c.Stdout = full
			assert.Equal(t, exitOutput, c.start().code())
			assert.Contains(t, c.stderr.String(), "agstest: cannot write to stdout: no space left on device\n")
			assert.Equal(t, 1, strings.Count(c.stderr.String(), "agstest: "), c.stderr.String())
			if args[0] == "conform" {
				assert.FileExists(t, filepath.Join(dir, "run", "conformance.html"))
			}
		})
	}
}
