package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports/runs"
)

// Of two runs of one environment and kind a matrix has the later one, and says so. A run that is named twice is one.
func TestAMatrixSaysWhichRunsItLeavesOut(t *testing.T) {
	t.Parallel()
	early, late, sides := filepath.Join(t.TempDir(), "early"), filepath.Join(t.TempDir(), "late"), t.TempDir()
	code, _, stderr := call(t, nil, "conform", "--only", "REF-01", "--out", late, "-q")
	require.Equal(t, exitPass, code, stderr)
	stored, err := runs.Read(late)
	require.NoError(t, err)
	run := stored.Run()
	text, err := os.ReadFile(filepath.Join(late, "conformance.json"))
	require.NoError(t, err)
	for old, earlier := range map[string]string{
		run.ID: "another-run", run.Start.Format("2006-01-02T15:04:05"): "2020-01-31T09:30:00",
	} {
		require.Contains(t, string(text), old)
		text = bytes.ReplaceAll(text, []byte(old), []byte(earlier))
	}
	require.NoError(t, os.Mkdir(early, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(early, "conformance.json"), text, 0o600))

	const said = "mock: the conform of 2020-01-31 09:30:00 UTC is left out (pass), since a later one is here."
	for _, order := range [][]string{{early, late}, {late, early}} {
		code, stdout, stderr := call(t, nil, "matrix", order[0], order[1], "--out", sides)
		require.Equal(t, exitPass, code, stderr)
		assert.Contains(t, stdout, "\n  note: "+said+"\n")
		for _, name := range []string{"matrix.html", "matrix.json", "summary.md"} {
			page, err := os.ReadFile(filepath.Join(sides, name))
			require.NoError(t, err)
			assert.Contains(t, string(page), "is left out", name)
		}
	}
	_, stdout, _ := call(t, nil, "matrix", late, late)
	assert.NotContains(t, stdout, "left out")
}
