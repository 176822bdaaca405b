package tally

import (
	"fmt"
	"time"

	"agstest/internal/figures"
	"agstest/load/limit"
	"agstest/reports"
)

// The send lag is how late hits left. A response time counts from the time a hit was due, so it includes the lag: a
// limit that was kept was kept in spite of the lag. But the lag can break a limit that the service keeps, or leave it
// open.
const (
	// maxLag is the highest 99th percentile of the lag at which figures without limits are valid; or a tenth of the
	// median response time if that is more. A shared machine, such as a runner of a pipeline, keeps it.
	maxLag      = 100 * time.Millisecond
	maxLagShare = 0.1
	// tellLag is the share of a 99th percentile from which on it is said how much of it may be the generator's own.
	tellLag = 0.1
)

// lagInvalid returns the reasons why the lag alone makes a run invalid; empty if it does not. MaxLag, if given, decides
// as it stands. If response times or the end of a storm have limits, only late counts, the limits that the lag may have
// decided; if none has a limit, the lag must be within what a shared machine keeps.
func lagInvalid(r *reports.Load, late []string) []string {
	lag, most := r.Generator.Lag.P99, r.Plan.MaxLag
	switch {
	case most > 0 && lag > most:
		return []string{fmt.Sprintf(
			"hits left late: 99 %% of them within %s of their time, and %s was the most that was asked for",
			figures.Milliseconds(lag), time.Duration(most))} // as it was written: 1µs is no 0.00 ms
	case most > 0:
		return nil
	case limitsTimes(r):
		return late
	}
	if most = max(int64(maxLag), int64(float64(r.Total.Response.P50)*maxLagShare)); lag > most {
		return []string{fmt.Sprintf("hits left late: 99 %% of them within %s of their time, and %s is the most where no "+
			"limit on a response time says what matters (100 ms, or 10 %% of their median)",
			figures.Milliseconds(lag), figures.Milliseconds(most))}
	}
	return nil
}

// limitsTimes tells whether a run has a limit on a response time, or on when a storm is over.
func limitsTimes(r *reports.Load) bool {
	for i := range r.Limits {
		if l, err := limit.Parse(r.Limits[i].Expression); err == nil && (l.IsTime() && !l.Service || l.OfStorm()) {
			return true
		}
	}
	return false
}

// lagNote says how much of the response times of a run may be the generator's own, if that is a large part of them.
func lagNote(r *reports.Load) string {
	lag, shown := r.Generator.Lag.P99, r.Total.Response.P99
	if r.Plan.Closed || shown == 0 || float64(lag) <= tellLag*float64(shown) {
		return ""
	}
	if held := r.Generator.AtCap + r.Generator.Starved; float64(held) > maxHeld*float64(max(r.Total.Asked, 1)) {
		return fmt.Sprintf("hits left up to %s late (99 %%), which is in the response times: %s waited for a client or a "+
			"worker to be free; service times are without it",
			figures.Milliseconds(lag), figures.PluralOf(held, "hit", "hits"))
	}
	part := "that much"
	if lag >= shown {
		part = "all" // the times are those of right answers alone, the lag is that of all hits
	}
	return fmt.Sprintf("hits left up to %s late (99 %%), which is in the response times: of a p99 of %s %s may be this "+
		"machine's own; service times are without it", figures.Milliseconds(lag), figures.Milliseconds(shown), part)
}
