package runs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

func TestAStoredGateIsAGate(t *testing.T) {
	t.Parallel()
	load := storedLoad("one", folderDay, time.Millisecond)
	gate := EntryOf("x", Stored{Parts: reports.Parts{Load: load, Conformance: &reports.Conformance{Run: load.Run, Verdict: reports.Pass}}})
	assert.Equal(t, "gate", gate.Kind)
	assert.Equal(t, "load", EntryOf("x", Stored{Parts: reports.Parts{Load: load}}).Kind)
}
