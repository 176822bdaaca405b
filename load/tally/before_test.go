package tally

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// Records that commit 740014f left on the disk are read today, with the figures that it reported itself: a run, and two
// shards with their merged report. The verdict is judged anew, by the rules of today.
func TestFilesOfAnEarlierVersionAreRead(t *testing.T) {
	in := func(parts ...string) string {
		return filepath.Join(append([]string{"testdata", "before-rooms"}, parts...)...)
	}
	for name, test := range map[string]struct {
		folder string
		read   func() (*reports.Load, error)
		right  map[string]int64
	}{
		"a run": {"run", func() (*reports.Load, error) { return ReadRecord(in("run")) },
			map[string]int64{"signon": 20, "refresh": 60}},
		"two shards": {"merged", func() (*reports.Load, error) { return Merge(in("shard-1"), in("shard-2")) },
			map[string]int64{"signon": 80}},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := os.Open(in(test.folder, "load.json"))
			require.NoError(t, err)
			defer file.Close()
			stored, err := reports.ReadLoad(file)
			require.NoError(t, err)
			assert.Equal(t, reports.Invalid, stored.Verdict)
			assert.NotEmpty(t, stored.Reason)

			read, err := test.read()
			require.NoError(t, err)
			require.Len(t, read.Operations, len(test.right))
			for operation, right := range test.right {
				assert.Equal(t, right, stored.Operations[operation].Right)
				assert.Equal(t, right, read.Operations[operation].Right)
			}
			for _, o := range append(slices.Collect(maps.Values(read.Operations)), read.Total) {
				assert.Len(t, o.Buckets, len(reports.BucketBounds)+1, "the record holds what the report did not show then")
				o.Buckets = nil
			}
			for what, pair := range map[string][2]any{

				"plan": {stored.Plan, read.Plan}, "operations": {stored.Operations, read.Operations},
				"total":   {stored.Total, read.Total},
				"seconds": {stored.Seconds, read.Seconds}, "generator": {stored.Generator, read.Generator},
				"shards": {stored.Shards, read.Shards},
			} {
				want, err := json.Marshal(pair[0])
				require.NoError(t, err)
				got, err := json.Marshal(pair[1])
				require.NoError(t, err)
				assert.JSONEq(t, string(want), string(got), what)
			}
			require.Len(t, read.Limits, len(stored.Limits))
			for i := range stored.Limits {
				assert.Equal(t, stored.Limits[i], read.Limits[i])
			}
			for _, note := range stored.Notes {
				assert.Contains(t, read.Notes, note)
			}
		})
	}
}
