package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/shards"
)

func TestProgressOfShards(t *testing.T) {
	t.Parallel()
	one := shards.Standing{
		Index: 2, Node: "n2", State: shards.Running, Phase: shards.PhaseRunning, Heard: time.Second,
		Progress: shards.Progress{Elapsed: 12 * time.Second, Sent: 12_345, Wrong: 3, Rate: 1000, P99: 21_500_000},
	}
	late := one
	late.Index, late.Heard, late.State, late.Reason = 3, 42*time.Second, shards.Unsure, "the node n3 does not answer"
	w := shards.Whole{
		Elapsed: 72 * time.Second, Left: 108 * time.Second, Sent: 24_690, Wrong: 6, Rate: 2000, P99: 21_500_000, Heard: 1,
		Shards: []shards.Standing{{Index: 1, State: shards.Pending, Heard: -1}, one, late},
	}
	assert.Equal(t, "01:12, 2,000/s, 0.02 % wrong, p99 up to 21.5 ms, 1 of 3 shards heard, 01:48 left", describeWhole(w))
	w.Sum.P99 = int64(w.P99)
	assert.Equal(t, "01:12, 2,000/s, 0.02 % wrong, p99 21.5 ms, 1 of 3 shards heard, 01:48 left", describeWhole(w))
	assert.Equal(t, "  shard 1/3: pending, not heard yet", describeShard(w.Shards[0], 3))
	assert.Equal(t, "  shard 2/3 on node n2: running, 12,345 sent, 3 wrong, 1,000/s, p99 21.5 ms", describeShard(one, 3))
	assert.Equal(t, "  shard 3/3 on node n2: unsure, running, 12,345 sent, 3 wrong, 1,000/s, p99 21.5 ms, last heard 42s ago, the node n3 does not answer", describeShard(late, 3))

	var lines []string
	s := &shardProgress{tell: func(line string) { lines = append(lines, line) }}
	s.show(w)
	assert.Len(t, lines, 3, "each at first")
	w.Elapsed += time.Second
	s.show(w)
	assert.Len(t, lines, 3, "nothing has changed but figures")
	w.Shards[2].State = shards.Gone
	s.show(w)
	assert.Len(t, lines, 4, "one has changed")
	w.Elapsed += plainEvery
	s.show(w)
	assert.Len(t, lines, 7, "each again after a while")
}

func TestResultsURLIsASecret(t *testing.T) {
	f, line, _ := withCluster(t, "")
	file := filepath.Join(t.TempDir(), "address")
	require.NoError(t, os.WriteFile(file, []byte("https://store.example/run/{index}.tar?sig=s3cret\n"), 0o600))
	args := append(append([]string{"kubernetes", "manifest"}, line[1:3]...), line[5:len(line)-2]...)
	code, stdout, stderr := f.call(append(args, "--results-url", file)...)
	require.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stdout, "secrets: [")
	assert.Contains(t, stdout, " results-url]")
	assert.Contains(t, stdout, `"resultsUrlFile": "results-url"`)
	assert.NotContains(t, stdout+stderr, "s3cret")
	assert.Equal(t, "https://store.example/run/{index}.tar?sig=s3cret", string(f.shown.Secrets[resultsURLFile]))

	for text, want := range map[string]string{"": "holds no address", "store.example/x": "holds no address", "ftp://store.example": "holds no address"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, _, stderr := f.call(append(args, "--results-url", file)...)
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, want, text)
	}
	code, _, stderr = f.call(append(args, "--results-url", file+"x")...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--results-url: cannot read the file")
}
