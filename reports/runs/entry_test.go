package runs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

func TestAStoredGateIsAGate(t *testing.T) {
	t.Parallel()
	load := storedLoad("one", folderDay, time.Millisecond)
	gate := EntryOf("x", Stored{Parts: reports.Parts{Load: load, Conformance: &reports.Conformance{Run: load.Run, Verdict: reports.Pass}}})
	assert.Equal(t, "gate", gate.Kind)
	assert.Equal(t, "load", EntryOf("x", Stored{Parts: reports.Parts{Load: load}}).Kind)
}

// TestHalfAGateIsNoPass: where one part of a gate is gone, the other does not pass for the whole; one that failed has
// failed, and a run that is no gate has one part only.
func TestHalfAGateIsNoPass(t *testing.T) {
	t.Parallel()
	put := func(path string, what any) {
		file, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, reports.WriteJSON(file, what))
		require.NoError(t, file.Close())
	}
	for _, test := range []struct {
		kind          string
		verdict, want reports.Verdict
		partial       bool
	}{
		{"gate", reports.Pass, reports.Error, true}, {"gate", reports.Fail, reports.Fail, true},
		{"gate", reports.Inconclusive, reports.Error, true}, {"conform", reports.Pass, reports.Pass, false},
	} {
		dir := t.TempDir()
		run := reports.Run{ID: "3f2a", Kind: test.kind}
		put(filepath.Join(dir, reports.ConformanceFile), &reports.Conformance{Schema: reports.ConformanceSchema, Run: run, Verdict: test.verdict})
		stored, err := Read(dir)
		require.NoError(t, err)
		assert.Equal(t, test.want, stored.Verdict(), test)
		assert.Equal(t, test.partial, stored.Run().Partial != "", test)

		whole, err := ReadWith(dir, func(string) (*reports.Load, error) { return &reports.Load{Run: run, Verdict: reports.Pass}, nil })
		require.NoError(t, err)
		assert.Equal(t, test.verdict, whole.Conformance.Verdict, "the load is elsewhere")
		assert.Empty(t, whole.Run().Partial)

		load := storedLoad("3f2a", folderDay, time.Millisecond)
		load.Run.Kind, load.Verdict = map[string]string{"gate": "gate", "conform": "load"}[test.kind], test.verdict
		put(filepath.Join(dir, reports.LoadFile), load)
		require.NoError(t, os.Remove(filepath.Join(dir, reports.ConformanceFile)))
		stored, err = Read(dir)
		require.NoError(t, err)
		assert.Equal(t, test.want, stored.Verdict(), test)
		assert.Equal(t, test.partial, stored.Run().Partial != "", test)
	}
}
