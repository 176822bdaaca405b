package engine

import (
	"time"

	"agstest/internal/figures"
	"agstest/load/tally"
)

// Progress is how a run stands, told once a second.
type Progress struct {
	Elapsed, Total, Left time.Duration // Left never falls below 0
	Asked                int64         // hits that the schedule asked for so far
	Sent, Right, Wrong   int64
	Rate                 float64 // sent per second, in the last ten seconds
	P50, P99             int64   // response time of the last ten seconds in nanoseconds; service time in a closed loop
	InFlight             int64
}

// recentSeconds is what rate and percentiles of a progress speak of.
const recentSeconds = 10

// progressView keeps the last seconds.
type progressView struct {
	tell   func(Progress)
	closed bool
	total  time.Duration
	sum    Progress
	recent [recentSeconds]recentSecond
	shown  tally.Histogram
}

type recentSecond struct {
	sent  int64
	times []tally.Packed
}

func (v *progressView) add(f *tally.Frame, inFlight int64) {
	if v.tell == nil {
		return
	}
	slot := &v.recent[f.Second%recentSeconds]
	*slot = recentSecond{}
	for i := range f.Operations {
		o := &f.Operations[i]
		slot.sent += o.Sent
		v.sum.Sent, v.sum.Right, v.sum.Wrong = v.sum.Sent+o.Sent, v.sum.Right+o.Right, v.sum.Wrong+o.Wrong
		if v.closed {
			slot.times = append(slot.times, o.Service)
		} else {
			slot.times = append(slot.times, o.Response)
		}
	}
	v.shown.Reset()
	sent := int64(0)
	for _, s := range v.recent {
		sent += s.sent
		for _, p := range s.times {
			_ = v.shown.AddPacked(p) // packed a moment ago
		}
	}
	v.sum.Elapsed, v.sum.Total = time.Duration(f.Health.Elapsed), v.total
	v.sum.Left = max(0, v.total-v.sum.Elapsed)
	v.sum.Asked, v.sum.InFlight = f.Due, inFlight
	v.sum.Rate = float64(sent) / float64(min(f.Second+1, recentSeconds))
	q := v.shown.Quantiles(0.5, 0.99)
	v.sum.P50, v.sum.P99 = q[0], q[1]
	v.tell(v.sum)
}

// Errors is the share of answers that were wrong so far, in words such as 0.12 %.
func (p Progress) Errors() string { return figures.Percent(p.Wrong, p.Right+p.Wrong) }
