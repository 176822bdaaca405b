package tally

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/reports"
)

// One figure is one figure: what a limit says, in the run and at its end, is what the table of operations says.
func TestLimitsSayWhatTheTableSays(t *testing.T) {
	t.Parallel()
	expressions := []string{"p50<1s", "p90<1s", "p95<1s", "p99<1s", "p99.9<1s", "mean<1s", "max<1s"}
	shown := func(p *reports.Percentiles) (all []string) {
		for _, figure := range []int64{p.P50, p.P90, p.P95, p.P99, p.P999, p.Mean, p.Max} {
			all = append(all, figures.Milliseconds(figure))
		}
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		began := time.Unix(1_800_000_000, 0)
		counting := New(keptOperations, false, false, began)
		ledger := NewLedger(keptOperations, false)
		for second := range 6 {
			for i := range rapid.IntRange(2, 60).Draw(t, "hits") {
				due := began.Add(time.Duration(second) * time.Second)
				took := time.Duration(rapid.Int64Range(1, int64(900*time.Millisecond)).Draw(t, "took"))
				counting.Send(i%2, due, due)
				counting.End(uint64(i), due, &hit.Request{Operation: i % 2, Method: "POST"},
					&hit.Answer{Status: 201, Sent: due.Add(took / 3), Received: due.Add(took)}, &hit.Outcome{},
					&hit.Phases{})
			}
			f := counting.Take()
			if second == 5 {
				counting.Complete(f)
				f.End, f.Health.Elapsed = &Ending{}, int64(6*time.Second)
			}
			require.NoError(t, ledger.Add(f))
		}
		var asked []string
		for _, of := range []string{"", "service.", "refresh.", "refresh.service."} {
			for _, one := range expressions {
				asked = append(asked, of+one)
			}
		}
		r := &reports.Load{Run: reports.Run{Start: began}, Plan: reports.Plan{Seed: 7, Seconds: 6}}
		ledger.Finish(r, asked)
		var want []string
		for _, o := range []*reports.Operation{r.Total, r.Operations["refresh"]} {
			want = append(append(want, shown(&o.Response)...), shown(&o.Service)...)
		}
		sofar := ledger.LimitsSoFar(asked)
		for i := range asked {
			require.Equal(t, want[i], r.Limits[i].Value, fmt.Sprint("at the end: ", asked[i]))
			require.Equal(t, want[i], sofar[i].Value, fmt.Sprint("so far: ", asked[i]))
		}
	})
}

// answered is the report of hits that are due at 50/s in a time, and come after as long as took says.
func answered(t *testing.T, length time.Duration, took func(due time.Duration) time.Duration, asked ...string,
) *reports.Load {
	t.Helper()
	began := time.Unix(1_800_000_000, 0)
	counting, ledger := New([]string{"refresh"}, false, false, began), NewLedger([]string{"refresh"}, false)
	type answer struct{ due, at time.Duration }
	var answers []answer
	for due := time.Duration(0); due < length; due += 20 * time.Millisecond {
		answers = append(answers, answer{due, due + took(due)})
	}
	sent := slices.Clone(answers)
	slices.SortFunc(answers, func(a, b answer) int { return cmp.Compare(a.at, b.at) })
	elapsed := max(length, answers[len(answers)-1].at+1)
	for second := time.Second; ; second += time.Second {
		for ; len(sent) > 0 && sent[0].due < second; sent = sent[1:] {
			counting.Send(0, began.Add(sent[0].due), began.Add(sent[0].due))
		}
		for ; len(answers) > 0 && answers[0].at < second; answers = answers[1:] {
			due := began.Add(answers[0].due)
			counting.End(uint64(len(answers)), due, &hit.Request{Method: "POST"},
				&hit.Answer{Status: 200, Sent: due, Received: began.Add(answers[0].at)}, &hit.Outcome{}, &hit.Phases{})
		}
		f := counting.Take()
		f.Health.Elapsed, f.Health.Sending = int64(min(second, elapsed)), int64(min(second, length-20*time.Millisecond))
		if second >= elapsed {
			f.End = &Ending{}
			require.NoError(t, ledger.Add(f))
			break
		}
		require.NoError(t, ledger.Add(f))
	}
	r := &reports.Load{Run: reports.Run{Start: began}, Plan: reports.Plan{Seed: 7, Seconds: length.Seconds()}}
	ledger.Finish(r, asked)
	return r
}

// Rates are those of the time in which hits were sent and right answers came: a service that falls behind has its own
// pace, and not that of the schedule. What every answer takes, or one in a hundred, is no pace.
func TestRatesAreOverTheirTime(t *testing.T) {
	t.Parallel()
	each := func(took time.Duration) func(time.Duration) time.Duration {
		return func(time.Duration) time.Duration { return took }
	}
	for name, test := range map[string]struct {
		length           time.Duration
		took             func(due time.Duration) time.Duration
		rate, throughput string
		keeps            reports.Verdict // throughput>45/s
	}{
		"whole seconds":      {10 * time.Second, each(time.Millisecond), "50/s", "50/s", reports.Pass},
		"a part of a second": {5900 * time.Millisecond, each(time.Millisecond), "50/s", "50/s", reports.Pass},
		"each takes 300 ms":  {time.Minute, each(300 * time.Millisecond), "50/s", "50/s", reports.Pass},
		"each takes 2.5 s":   {10 * time.Second, each(2500 * time.Millisecond), "50/s", "50/s", reports.Inconclusive},
		"half as fast as asked": {10 * time.Second, func(due time.Duration) time.Duration {
			return due + 10*time.Millisecond
		}, "50/s", "25.8/s", reports.Fail},
		"one straggler": {10 * time.Second, func(due time.Duration) time.Duration {
			if due == 5*time.Second {
				return 20 * time.Second
			}
			return time.Millisecond
		}, "50/s", "50/s", reports.Pass},
		"it stands still for the last 4 s, and 2 s more": {10 * time.Second, func(due time.Duration) time.Duration {
			if due >= 6*time.Second {
				return 12*time.Second - due + time.Millisecond
			}
			return time.Millisecond
		}, "50/s", "41.7/s", reports.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			r := answered(t, test.length, test.took, "rate>45/s", "throughput>45/s", "refresh.throughput>45/s")
			assert.Equal(t, test.rate, r.Limits[0].Value)
			assert.Equal(t, reports.Pass, r.Limits[0].Verdict, r.Limits[0])
			assert.Equal(t, test.throughput, r.Limits[1].Value)
			assert.Equal(t, test.keeps, r.Limits[1].Verdict, r.Limits[1])
			assert.Equal(t, test.throughput, r.Limits[2].Value)
			assert.Equal(t, test.rate, figures.Rate(r.Total.Rate))
		})
	}
}
