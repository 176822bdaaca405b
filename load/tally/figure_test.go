package tally

import (
	"fmt"
	"testing"
	"time"

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
