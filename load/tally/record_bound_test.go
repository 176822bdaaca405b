package tally

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// TestSmallRecordStaysSmall: a record of a few kilobytes that asks for many operations, many shards or many hours is
// refused or cut, and not filled in.
func TestSmallRecordStaysSmall(t *testing.T) {
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprint("o", i)
	}
	for name, head := range map[string]Head{
		"operations": {Report: &reports.Load{}, Operations: many, Began: time.Now()},
		"shards":     {Report: &reports.Load{}, Operations: many[:1], Of: 1 << 40, Began: time.Now()},
		"hours":      {Report: &reports.Load{}, Operations: many[:9], Began: time.Now()},
	} {
		folder := t.TempDir()
		keep, err := NewRecorder(folder, &head)
		require.NoError(t, err)
		for i := 1; i < 100; i++ {
			keep.Append(&Frame{Second: i * (longestGap - 1), Operations: []operationFrame{{counts: counts{Sent: 1}}}})
		}
		require.NoError(t, keep.Close())
		info, err := os.Stat(filepath.Join(folder, RecordFile))
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(64<<10))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = ReadRecord(folder)
		_, again := Merge(folder, folder)
		runtime.ReadMemStats(&after)
		if name != "hours" {
			assert.ErrorContains(t, err, "asks for more than any run has")
		}
		assert.Error(t, again)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30), name)
	}
}
