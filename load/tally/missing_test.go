package tally

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/reports"
)

// recorded makes the record of a shard that sent 100 hits of 10 ms a second, for the given seconds of 8 that were
// planned.
func recorded(t *testing.T, shard schedule.Shard, seconds int, change func(head *Head, seconds []*Frame)) string {
	t.Helper()
	folder := t.TempDir()
	began := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	head := &Head{
		Report:     &reports.Load{Schema: reports.LoadSchema, Shard: shard.String(), Plan: reports.Plan{Hits: 800, Seconds: 8, Workload: "test", Schedule: "constant"}},
		Operations: []string{"a"}, Of: shard.Of, Whole: int64(800 * shard.Of), Began: began,
	}
	var p Packer
	var frames []*Frame
	for second := range seconds {
		s := newSecondTally(1)
		for range 100 {
			s.lag.Add(100 * time.Microsecond)
			s.operations[0].response.Add(10 * time.Millisecond)
			s.operations[0].service.Add(10 * time.Millisecond)
		}
		s.operations[0].Sent, s.operations[0].Right = 100, 100
		s.operations[0].asked[second], s.operations[0].statuses[200] = 100, 100
		f := frameOf(second, s, &p)
		f.Due = int64(100 * (second + 1))
		f.Health = Health{Elapsed: int64(second+1) * 1e9, Sending: int64(second+1) * 1e9, CPUs: 2, CPU: int64(second+1) * 5e8}
		frames = append(frames, f)
	}
	frames[len(frames)-1].End = &Ending{}
	if change != nil {
		change(head, frames)
	}
	writeRecord(t, folder, head, frames)
	return folder
}

// writeRecord writes a record at once, without waiting for the disk.
func writeRecord(t testing.TB, folder string, head *Head, frames []*Frame) {
	t.Helper()
	text := []byte(recordMagic)
	for i := range len(frames) + 1 {
		var content any = head
		if i > 0 {
			content = frames[i-1]
		}
		block, err := blockOf(content)
		require.NoError(t, err)
		text = append(text, block...)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, RecordFile), text, 0o600))
}

// eight makes the records of a run of eight shards. The caller decides about the third.
func eight(t *testing.T, third func(schedule.Shard) string) []string {
	var folders []string
	for i := 1; i <= 8; i++ {
		shard := schedule.Shard{Index: i, Of: 8}
		if folder := recorded(t, shard, 8, nil); i != 3 {
			folders = append(folders, folder)
		} else if folder := third(shard); folder != "" {
			folders = append(folders, folder)
		}
	}
	return folders
}

func TestRunOfAllShardsIsWhole(t *testing.T) {
	t.Parallel()
	merged, err := Merge(eight(t, func(s schedule.Shard) string { return recorded(t, s, 8, nil) })...)
	require.NoError(t, err)
	assert.Empty(t, merged.Run.Partial)
	assert.Equal(t, reports.Pass, merged.Verdict, merged.Reason)
	assert.EqualValues(t, []int64{6400, 6400, 6400}, []int64{merged.Plan.Hits, merged.Total.Asked, merged.Total.Sent})
	require.Len(t, merged.ShardRuns, 8)
	assert.Equal(t, reports.ShardRun{Shard: "3/8", State: "complete", Planned: 800, Sent: 800, Until: 8e9, Lag99: merged.Generator.Lag.P99, CPUSeconds: 4, CPUShare: 0.25}, merged.ShardRuns[2])
}

// A shard sends its part of a rate, and breaks no limit on that of all; all together may.
func TestARateIsOfAllShards(t *testing.T) {
	t.Parallel()
	var folders []string
	for i := 1; i <= 8; i++ {
		folders = append(folders, recorded(t, schedule.Shard{Index: i, Of: 8}, 8, func(h *Head, _ []*Frame) {
			h.Limits = []string{"rate>790/s", "throughput>810/s", "p99<1s"}
		}))
	}
	verdicts := func(r *reports.Load) (all []reports.Verdict) {
		for _, l := range r.Limits {
			all = append(all, l.Verdict)
		}
		return all
	}
	one, err := ReadRecord(folders[0])
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Inconclusive, reports.Inconclusive, reports.Pass}, verdicts(one))
	assert.Equal(t, reports.Inconclusive, one.Verdict, one.Reason)
	merged, err := Merge(folders...)
	require.NoError(t, err)
	assert.Equal(t, []reports.Verdict{reports.Pass, reports.Fail, reports.Pass}, verdicts(merged))
}

// TestShardsOfOtherOptionsAreRefused: they sent something else, or by other rules.
func TestShardsOfOtherOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(r *reports.Load){
		"options is none in one and refreshes of a client: 9 in the other": func(r *reports.Load) { r.Plan.Refreshes = 9 },
		"options is none in one and a timeout of 1s in the other":          func(r *reports.Load) { r.Plan.Timeout = 1e9 },
		"version of agstest is  in one and 2.0.0 in the other":             func(r *reports.Load) { r.Run.Tool.Version = "2.0.0" },
	} {
		_, err := Merge(eight(t, func(s schedule.Shard) string {
			return recorded(t, s, 8, func(head *Head, _ []*Frame) { change(head.Report) })
		})...)
		assert.ErrorContains(t, err, says)
	}
}

// However a shard is missed, the run is partial and inconclusive, though its limits hold.
func TestRunWithoutAShardIsPartial(t *testing.T) {
	t.Parallel()
	limit := func(head *Head) { head.Limits = []string{"p99<1s", "throughput>600/s", "rate>790/s"} }
	all := func(third func(schedule.Shard) string) []string {
		var folders []string
		for i := 1; i <= 8; i++ {
			if i == 3 {
				if folder := third(schedule.Shard{Index: 3, Of: 8}); folder != "" {
					folders = append(folders, folder)
				}
				continue
			}
			folders = append(folders, recorded(t, schedule.Shard{Index: i, Of: 8}, 8, func(h *Head, _ []*Frame) { limit(h) }))
		}
		return folders
	}
	known := []reports.ShardRun{{Shard: "3/8", Node: "n2", Pod: "agstest-r1-2", Reason: "its node no longer answers", Sent: 350, Planned: 800, ClockAhead: 5e6, ClockError: 1e6}, {Shard: "1/8", Node: "n1"}, {Shard: "2/8", Node: "n1"}}
	for name, test := range map[string]struct {
		third   func(schedule.Shard) string
		known   []reports.ShardRun
		partial string
		run     reports.ShardRun
	}{
		"lost": {
			third:   func(schedule.Shard) string { return "" },
			partial: "partial: 7 of 8 shards, 87.50 % of the schedule sent; missing: shard 3/8 from the start on (nothing of it came home)",
			run:     reports.ShardRun{Shard: "3/8", State: "lost", Planned: 800, Reason: "nothing of it came home"},
		},
		"lost, with last words": {
			third: func(schedule.Shard) string { return "" }, known: known,
			partial: "partial: 7 of 8 shards, 92.97 % of the schedule sent; missing: shard 3/8 on n2 from the start on (its node no longer answers)",
			run:     reports.ShardRun{Shard: "3/8", State: "lost", Node: "n2", Pod: "agstest-r1-2", Planned: 800, Sent: 350, Reason: "its node no longer answers", ClockAhead: 5e6, ClockError: 1e6},
		},
		"killed": {
			third: func(s schedule.Shard) string {
				return recorded(t, s, 3, func(h *Head, f []*Frame) { limit(h); f[2].End = nil })
			},
			partial: "partial: 7 of 8 shards, 92.19 % of the schedule sent; missing: shard 3/8 from 3.0 s on (it broke off)",
			run:     reports.ShardRun{Shard: "3/8", State: "partial", Planned: 800, Sent: 300, Until: 3e9, Reason: "it broke off", CPUSeconds: 1.5, CPUShare: 0.25},
		},
		"told to stop": {
			third: func(s schedule.Shard) string {
				return recorded(t, s, 6, func(h *Head, f []*Frame) { limit(h); f[5].End = &Ending{Partial: "it was ended: SIGTERM"} })
			},
			known:   known,
			partial: "partial: 7 of 8 shards, 96.88 % of the schedule sent; missing: shard 3/8 on n2 from 6.0 s on (it was ended: SIGTERM)",
			run:     reports.ShardRun{Shard: "3/8", State: "partial", Node: "n2", Pod: "agstest-r1-2", Planned: 800, Sent: 600, Until: 6e9, Reason: "it was ended: SIGTERM", CPUSeconds: 3, CPUShare: 0.25, ClockAhead: 5e6, ClockError: 1e6},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			merged, err := MergeOptions{Known: test.known, Notes: []string{"the coordinator says so"}}.Merge(all(test.third)...)
			require.NoError(t, err)
			assert.Equal(t, test.partial, merged.Run.Partial)
			assert.Equal(t, test.partial, merged.Reason)
			assert.Equal(t, reports.Inconclusive, merged.Verdict)
			assert.True(t, merged.Valid, "%v", merged.Invalid)
			assert.EqualValues(t, 6400, merged.Plan.Hits, "what was asked for")
			rate := merged.Limits[2]
			assert.Equal(t, reports.Inconclusive, rate.Verdict, "the service was not asked for it")
			assert.Equal(t, "a part of the load is missing, and the limit is of the whole", rate.Reason)
			got := merged.ShardRuns[2]
			test.run.Lag99 = got.Lag99
			assert.Equal(t, test.run, got)
			assert.Contains(t, merged.Notes, "the coordinator says so")
			if test.known != nil {
				assert.Contains(t, merged.Notes, "2 shards shared the node n1, its processors and its network: 1/8, 2/8")
			}
		})
	}
}

func TestShardsThatWereNotWellAreNamed(t *testing.T) {
	t.Parallel()
	merged, err := Merge(eight(t, func(s schedule.Shard) string {
		return recorded(t, s, 8, func(_ *Head, frames []*Frame) {
			for _, f := range frames {
				f.Health.StartLate, f.Health.Throttled, f.Health.ThrottledTimes = 240e6, 30e6, 4
			}
		})
	})...)
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, merged.Verdict, merged.Reason)
	assert.Contains(t, merged.Notes, "shard 3/8 started 240.0 ms late")
	assert.Contains(t, merged.Notes, "shard 3/8 was held back 4 times by the CPU limit of its container, for 30.0 ms in all")

	slow := map[string]func(*Frame){
		"shard 3/8: the CPU limit of its container held the generator back 9 times, for 600ms in all; give it more CPU, or no limit": func(f *Frame) { f.Health.Throttled, f.Health.ThrottledTimes = 600e6, 9 },
		"shard 3/8: the generator used 95 % of its processors, so that its own delays are in the figures":                            func(f *Frame) { f.Health.CPU = 19 * f.Health.Elapsed / 10 },
	}
	for says, change := range slow {
		merged, err := Merge(eight(t, func(s schedule.Shard) string {
			return recorded(t, s, 8, func(_ *Head, frames []*Frame) {
				for _, f := range frames {
					change(f)
				}
			})
		})...)
		require.NoError(t, err)
		assert.Equal(t, reports.Invalid, merged.Verdict, "one generator that is too slow spoils the run")
		assert.Contains(t, merged.Invalid, says)
	}
}

// A service that leaves hits of a shard without an answer holds its clients: the merged run fails by that, as the
// shard does. A generator that is too slow besides spoils the run.
func TestWhatTheServiceLeftUnansweredCountsInAMergedRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*Health)
		verdict reports.Verdict
	}{
		"clients were waited for": {func(h *Health) { h.Starved = 70 }, reports.Fail},
		"and one was out of CPU":  {func(h *Health) { h.Starved, h.CPU = 70, 19*h.Elapsed/10 }, reports.Invalid},
		"nothing was waited for":  {func(*Health) {}, reports.Fail},
		"workers were waited for": {func(h *Health) { h.AtCap, h.MaxInFlight = 70, 8 }, reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			merged, err := Merge(eight(t, func(s schedule.Shard) string {
				return recorded(t, s, 8, func(_ *Head, frames []*Frame) {
					for _, f := range frames {
						f.Operations[0].Right, f.Operations[0].Wrong = 50, 50
						f.Operations[0].Kinds = map[string]int64{hit.KindTimeout: 50}
						test.change(&f.Health)
					}
				})
			})...)
			require.NoError(t, err)
			assert.Equal(t, test.verdict, merged.Verdict, merged.Reason)
			if test.verdict == reports.Fail {
				assert.Contains(t, merged.Reason, "400 of 6,400 answers were wrong (timeout 400) and no limit allows any")
			}
		})
	}
}

// Clocks of nodes differ; what counts is when the shards started on one clock.
func TestShardsThatStartedApart(t *testing.T) {
	t.Parallel()
	folders := eight(t, func(s schedule.Shard) string {
		return recorded(t, s, 8, func(h *Head, _ []*Frame) { h.Began = h.Began.Add(3 * time.Second) })
	})
	merged, err := Merge(folders...)
	require.NoError(t, err)
	assert.Equal(t, reports.Invalid, merged.Verdict)
	assert.Contains(t, merged.Reason, "the shards started up to 3.0 s apart")
	merged, err = MergeOptions{Known: []reports.ShardRun{{Shard: "3/8", ClockAhead: 3e9}}}.Merge(folders...)
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, merged.Verdict, merged.Reason)
	assert.Equal(t, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), merged.Run.Start)
}
