package limit

import (
	"math"
	"time"

	"agstest/reports"
)

// SoFar says how the limit stands after some time of a run that goes on, of which s is everything since the start: its
// figure, and pass or fail by that figure alone. There is no interval, so that the verdict at the end may be another
// one. It is inconclusive where nothing can be said yet, as of a storm before its end.
func (l Limit) SoFar(s Stretch, elapsed time.Duration) reports.Limit {
	stands := reports.Limit{Expression: l.Expression, Value: "–", Verdict: reports.Inconclusive}
	row := l.metric()
	if row == nil || row.storm || s.Sent == 0 || l.IsTime() && len(l.times(&s)) == 0 {
		return stands
	}
	s.lasts(max(time.Second, elapsed.Round(time.Second)))
	value := row.figure(l, []Stretch{s})([]int{0})
	if math.IsNaN(value) {
		return stands
	}
	stands.Value, stands.Verdict = l.shown(value), reports.Fail
	if l.Keeps(value) {
		stands.Verdict = reports.Pass
	}
	return stands
}
