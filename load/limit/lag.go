package limit

import (
	"fmt"
	"math"

	"agstest/reports"
)

// judgement is a limit that was judged, with the figures behind it; without an interval, low and high are the figure
// itself.
type judgement struct {
	reports.Limit
	figure, low, high float64
}

// lagged says why the lag may have decided a limit on a response time; empty: it has not. The lag of the quantile that
// the limit speaks of is taken off, 99 % at least, and where the figure would then be within the limit, or the interval
// no longer be beyond it, the generator and not the service may be what broke it.
func (l Limit) lagged(j judgement, lag reports.Percentiles) string {
	if !l.IsTime() || l.Service || j.Verdict == reports.Pass || j.figure == 0 || math.IsNaN(j.figure) {
		return ""
	}
	own := float64(l.metric().lagOf(l.Quantile, lag))
	switch {
	case j.Verdict == reports.Fail && l.Keeps(j.low-own),
		j.Verdict == reports.Inconclusive && !math.IsInf(j.high, 0) && !l.Keeps(j.high) && l.Keeps(j.high-own):
		return fmt.Sprintf("hits left up to %s late, which may be why %s was not kept (%s): the figure is the generator's "+
			"as much as the service's",
			ShowTime(own), l.Expression, j.Value)
	}
	return ""
}

// laggedRecovery says why the lag may have decided a limit on the end of a storm; empty: it has not. The last client to
// be signed in may have been the one that left latest. A storm that never ended did not by any lag.
func (l Limit) laggedRecovery(verdict reports.Limit, run *Run) string {
	if verdict.Verdict != reports.Fail || run.Storm == nil || run.Storm.Recovered < 0 ||
		!l.Keeps(float64(run.Storm.Recovered-run.Lag.Max)) {
		return ""
	}
	return fmt.Sprintf("hits left up to %s late, which may be why %s was not kept (%s): the figure is the generator's "+
		"as much as the service's",
		ShowTime(float64(run.Lag.Max)), l.Expression, verdict.Value)
}
