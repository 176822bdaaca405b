package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

// TestABTellsWhetherItsGeneratorWasInTime: --max-lag bounds the hits of both sides. No generator sends within a
// nanosecond, and each does within an hour.
func TestABTellsWhetherItsGeneratorWasInTime(t *testing.T) {
	t.Parallel()
	old, new := mockFile(t), mockFile(t)
	compare := func(t *testing.T, maxLag string) (*child, *compare.Comparison) {
		dir := t.TempDir()
		c := newChild(t, dir, "ab", "--env", old, "--env", new, "--workload", "refresh", "--rate", "50/s", "--pairs", "10", "--block", "200ms",
			"--clients", "40", "--workers", "40", "--seed", "3", "--max-lag", maxLag, "--out", "run").start()
		c.code()
		stored, err := runs.Read(filepath.Join(dir, "run"))
		require.NoError(t, err, c.stderr.String())
		fitsAMergeRequest(t, filepath.Join(dir, "run"))
		return c, stored.Comparison
	}
	t.Run("never within 1ns", func(t *testing.T) {
		t.Parallel()
		c, comparison := compare(t, "1ns")
		assert.Equal(t, exitInvalid, c.code(), c.stderr.String())
		assert.Equal(t, reports.NotComparable, comparison.Verdict)
		assert.Contains(t, c.stdout.String(), "Comparison: NOT COMPARABLE")
		const late = `hits left late: 99 % of them within \S+ ms of their time, and 1ns was the most that was asked for`
		for _, side := range []string{"old", "new"} {
			assert.Regexp(t, "The figures of the "+side+" build's part are not valid: "+late, comparison.Reason)
		}
	})
	t.Run("always within 1h", func(t *testing.T) {
		t.Parallel()
		c, comparison := compare(t, "1h")
		// A busy machine may leave the figures not valid for another reason; lateness is none.
		assert.NotContains(t, comparison.Reason, "hits left late")
		if len(comparison.Interleaved.Invalid) > 0 {
			assert.Equal(t, exitInvalid, c.code(), comparison.Reason)
			return
		}
		assert.Equal(t, exitInconclusive, c.code(), "what was asked could not be told: %s", c.stderr.String())
		assert.Equal(t, reports.Inconclusive, comparison.Verdict, comparison.Reason)
		assert.Contains(t, comparison.Reason, "It is not known that both builds ran at the same place")
	})
}

func TestABRefusesALagThatIsNone(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{
		"-1s":  "agstest: --max-lag must be a time such as 30s, not -1s\n",
		"soon": "agstest: agstest ab: --max-lag must be a time with its unit, such as 30s or 10m, not \"soon\"; see: agstest ab --help\n",
		"5":    "agstest: agstest ab: --max-lag must be a time with its unit, such as 30s or 10m, not \"5\"; see: agstest ab --help\n",
	} {
		code, stdout, stderr := call(t, nil, "ab", "--aa", "--workload", "refresh", "--rate", "50/s", "--max-lag", value, "--out", filepath.Join(t.TempDir(), "run"))
		assert.Equal(t, exitUsage, code, value)
		assert.Empty(t, stdout, value)
		assert.Equal(t, says, stderr)
	}
}
