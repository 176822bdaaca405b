//go:build unix

package tally

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/load/schedule"
	"agstest/load/unique"
	"agstest/reports"
)

// BenchmarkMerge merges the records of shards of ten minutes, each with two operations of 500 hits a second and 400,000
// values that must be unique. AGSTEST_MERGE_SHARDS sets their number: 100 makes it a large run.
func BenchmarkMerge(b *testing.B) {
	count := 8
	if text := os.Getenv("AGSTEST_MERGE_SHARDS"); text != "" {
		_, err := fmt.Sscan(text, &count)
		require.NoError(b, err)
	}
	const seconds, values = 600, 400_000
	var folders []string
	size := int64(0)
	frames := benchFrames(seconds)
	for i := range count {
		shard := schedule.Shard{Index: i + 1, Of: count}
		folder := b.TempDir()
		folders = append(folders, folder)
		writeRecord(b, folder, benchHead(shard, seconds), frames)
		benchSeen(b, folder, shard, values)
		for _, name := range []string{RecordFile, unique.File} {
			info, err := os.Stat(filepath.Join(folder, name))
			require.NoError(b, err)
			size += info.Size()
		}
	}
	runtime.GC()
	before, most := heapObjects(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, heapObjects())
			}
		}
	}()
	cpu, merges := usedCPU(b), 0
	for b.Loop() {
		merges++
		merged, err := Merge(folders...)
		require.NoError(b, err)
		require.Equal(b, reports.Pass, merged.Verdict, merged.Reason)
	}
	b.ReportMetric((usedCPU(b)-cpu).Seconds()/float64(merges), "CPU-s/op")
	close(stop)
	<-stopped
	b.ReportMetric(float64(most-before)/1e6, "MB-heap-at-most")
	b.ReportMetric(float64(size)/1e6/float64(count), "MB-files/shard")
	b.ReportMetric(float64(count), "shards")
}

// heapObjects is the size of all objects of the heap, the dead ones too that are not yet collected.
func heapObjects() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func benchHead(shard schedule.Shard, seconds int) *Head {
	return &Head{
		Report:     &reports.Load{Schema: reports.LoadSchema, Shard: shard.String(), Plan: reports.Plan{Hits: int64(1000 * seconds), Seconds: float64(seconds), Workload: "test"}},
		Operations: []string{"a", "b"}, Of: shard.Of, Whole: int64(1000 * seconds * shard.Of), Began: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Seen: true,
	}
}

// benchFrames are the seconds of a shard. All shards have the same ones, which costs a merge no less.
func benchFrames(seconds int) []*Frame {
	var p Packer
	var frames []*Frame
	random := rand.New(rand.NewPCG(7, 1))
	for second := range seconds {
		s := newSecondTally(2)
		for i := range s.operations {
			o := &s.operations[i]
			for range 500 {
				s.lag.Add(time.Duration(random.Int64N(100_000)))
				took := time.Duration((8 + 30*random.ExpFloat64()) * 1e6)
				o.response.Add(took)
				o.service.Add(took)
			}
			o.Sent, o.Right, o.asked[second], o.statuses[200] = 500, 500, 500, 500
		}
		f := frameOf(second, s, &p)
		f.Due, f.Health = int64(1000*(second+1)), Health{Elapsed: int64(second+1) * 1e9, Sending: int64(second+1) * 1e9, CPUs: 2}
		if second == seconds-1 {
			f.End = &Ending{}
		}
		frames = append(frames, f)
	}
	return frames
}

func benchSeen(b *testing.B, folder string, shard schedule.Shard, values int) {
	seen := unique.New(unique.Key(7, shard))
	for i := range values {
		seen.Claim(seen.Digest(unique.JTI, fmt.Appendf(nil, "%d-%d", shard.Index, i)), uint32(i%2000))
	}
	number := func(n uint32) uint32 { return uint32(shard.Index-1) + n*uint32(shard.Of) }
	name := func(n uint32) string { return fmt.Sprintf("client %d", n+1) }
	require.NoError(b, seen.Leave(folder, shard, number, name))
}

// usedCPU is the processor time of this process.
func usedCPU(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
