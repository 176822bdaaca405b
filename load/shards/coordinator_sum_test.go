package shards

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/load/engine"
	"agstest/load/tally"
	"agstest/reports"
)

// TestSumOfShards: counts and rates add up, percentiles are those of all times together, a shard that is over counts
// but does not send any more, and each wrong answer is told once however often a shard is asked.
func TestSumOfShards(t *testing.T) {
	t.Parallel()
	// 98 of 100 answers of each shard are fast. Of the first two, the others are slow alike: together 2 of 100.
	recent := func(ms int64) tally.Packed {
		var h tally.Histogram
		for i := range 100 {
			took := 10 * time.Millisecond
			if i >= 98 {
				took = time.Duration(ms) * time.Millisecond
			}
			h.Add(took)
		}
		return new(tally.Packer).Pack(&h)
	}
	part := func(second int, name string, n int64) Progress {
		return Progress{Whole: &engine.Progress{
			Elapsed: time.Duration(second) * time.Second, Asked: 10 * n, Sent: 9 * n, Right: 8 * n, Wrong: n, AskedRate: 10, Rate: 9, RightRate: 8, P50: n, P95: 2 * n, P99: 3 * n, Lag99: n, InFlight: 1,
			Operations: []engine.Operation{{Name: name, Asked: 10 * n, Sent: 9 * n, Right: 8 * n, Wrong: n, AskedRate: 10, Rate: 9, RightRate: 8, P50: n, P95: 2 * n, P99: 3 * n, Kinds: map[string]int64{"status": n}, Recent: recent(n * 100)}},
			News:       []reports.Wrong{{Operation: name, Kind: "status"}},
		}}
	}
	r := &conductor{shards: []*shard{{}, {}, {}, {}}}
	w := &Whole{Elapsed: 5 * time.Second, Left: 7 * time.Second, Shards: []Standing{
		{Progress: part(5, "refresh", 1)}, {Progress: part(5, "refresh", 2)}, {Progress: part(5, "signon", 4), Over: true}, {Progress: Progress{Sent: 3}},
	}}
	sum := r.sum(w)
	// Of 200 answers the 198th is that of the faster shard: the slowest one alone has 200 ms.
	assert.InDelta(t, 10e6, float64(sum.P95), 1e5)
	assert.InDelta(t, 100e6, float64(sum.P99), 1e6)
	assert.Equal(t, []int64{sum.P50, sum.P95, sum.P99}, []int64{sum.Operations[0].P50, sum.Operations[0].P95, sum.Operations[0].P99}, "of signon nobody sends any more")
	for _, p := range []*int64{&sum.P50, &sum.P95, &sum.P99, &sum.Operations[0].P50, &sum.Operations[0].P95, &sum.Operations[0].P99} {
		*p = 0
	}
	assert.Equal(t, engine.Progress{
		Elapsed: 5 * time.Second, Left: 7 * time.Second,
		Asked: 70, Sent: 63, Right: 56, Wrong: 7, AskedRate: 20, Rate: 18, RightRate: 16, Lag99: 2, InFlight: 2,
		Operations: []engine.Operation{
			{Name: "refresh", Asked: 30, Sent: 27, Right: 24, Wrong: 3, AskedRate: 20, Rate: 18, RightRate: 16, Kinds: map[string]int64{"status": 3}},
			{Name: "signon", Asked: 40, Sent: 36, Right: 32, Wrong: 4, Kinds: map[string]int64{"status": 4}},
		},
		News: []reports.Wrong{{Operation: "refresh", Kind: "status"}, {Operation: "refresh", Kind: "status"}, {Operation: "signon", Kind: "status"}},
	}, sum)
	w.Shards[1].Progress = part(6, "refresh", 2)
	assert.Len(t, r.sum(w).News, 1)
}

// TestTimesOfShards: the times of shards add up exactly, since the start for limits, and as news for counters, however
// often a shard tells the same.
func TestTimesOfShards(t *testing.T) {
	t.Parallel()
	second := func(operation string, milliseconds ...int) engine.Progress {
		var h tally.Histogram
		for _, ms := range milliseconds {
			h.Add(time.Duration(ms) * time.Millisecond)
		}
		packed := new(tally.Packer).Pack(&h)
		return engine.Progress{Operations: []engine.Operation{{Name: operation, Response: packed, Service: packed}}}
	}
	count := func(p tally.Packed) (n int64) {
		for _, v := range p.Values() {
			n += v.Count
		}
		return n
	}
	var one, two standing
	one.progressed(second("refresh", 10, 20))
	one.progressed(second("refresh", 300))
	two.progressed(second("refresh", 10))
	two.progressed(second("signon", 5))
	r := &conductor{shards: []*shard{{}, {}}}
	whole := func() *Whole {
		w := &Whole{Shards: []Standing{{Progress: one.progress()}, {Progress: two.progress()}}}
		w.Sum = engine.Progress{Operations: []engine.Operation{{Name: "refresh"}, {Name: "signon"}}}
		w.Times = timesOf(w.Shards)
		r.tellTimes(w)
		return w
	}
	w := whole()
	assert.EqualValues(t, []int64{4, 1}, []int64{count(w.Times["refresh"].Response), count(w.Times["signon"].Service)})
	assert.EqualValues(t, []int64{4, 1}, []int64{count(w.Sum.Operations[0].Response), count(w.Sum.Operations[1].Service)})
	one.progressed(second("refresh", 20, 40))
	w = whole()
	assert.EqualValues(t, 6, count(w.Times["refresh"].Response))
	assert.EqualValues(t, 2, count(w.Sum.Operations[0].Response))
	assert.InDelta(t, 60e6, float64(w.Sum.Operations[0].Response.Each(func(int64, int64) {})), 1e5)
	assert.Zero(t, count(w.Sum.Operations[1].Response))
	assert.Zero(t, count(whole().Sum.Operations[0].Service), "nothing is new")
}
