package engine

import (
	"maps"
	"slices"
	"time"

	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/load/tally"
	"agstest/reports"
)

// Progress is the state of a run, told once a second. Recent figures are those of the last ten seconds, all others
// count since the start. Nobody changes a Progress after it was told, so anybody may keep and read it.
type Progress struct {
	// Began is when the clock of this run started. Another instant means another run of the same question. Zero: not
	// known.
	Began              time.Time     `json:"-"`
	Elapsed, Left      time.Duration // Left never falls below 0
	Asked              int64         // hits that the schedule asked for so far
	Sent, Right, Wrong int64
	AskedRate          float64 // recent, asked for per second
	Rate, RightRate    float64 // recent, sent and right per second
	P50, P95, P99      int64   // recent response time of right answers in nanoseconds; service time in a closed loop
	Lag99              int64   // recent, by how much hits left late in nanoseconds; 0 in a closed loop
	InFlight           int64
	Closed             bool // closed loop: times are service times
	// Operations are those with hits sent, in the order of the workload.
	Operations []Operation
	// Limits are the limits so far: the figure and whether it keeps the bound, without an interval. The verdict at the
	// end may be another one.
	Limits []reports.Limit
	// News are the latest wrong answers of the second that is told, some of them where there are many, and before the
	// first one those that were found while it was set up. They hold no secrets.
	News []reports.Wrong
}

// Operation is the state of one operation of a run. The words are those of Progress.
type Operation struct {
	Name               string
	Asked              int64 // hits of it that were sent, and those that were due as far as that is known
	Sent, Right, Wrong int64
	AskedRate          float64
	Rate, RightRate    float64
	P50, P95, P99      int64
	Kinds              map[string]int64 // wrong answers by kind; nil: none
	// Response and Service are the times of right answers of the second that is told. Response is empty in a closed
	// loop.
	Response, Service tally.Packed `json:"-"`
	// Recent are the times that P50, P95 and P99 are of.
	Recent tally.Packed `json:"recent,omitempty"`
}

// recentSeconds is how long recent figures reach back.
const recentSeconds = 10

// progressView sums up the counts for Progress, and keeps the last seconds.
type progressView struct {
	tell   func(Progress)
	closed bool
	names  []string
	limits []string // as expressions
	newest *newest
	total  time.Duration

	sum    Progress
	asked  int64 // before the end of the last second
	totals []Operation
	recent [recentSeconds]recentSecond
	shown  tally.Histogram // of the figure asked for
	all    tally.Histogram // of all operations
	packer tally.Packer
}

type recentSecond struct {
	asked      int64 // hits that the schedule asked for in it
	lag        tally.Packed
	operations []recentOperation
}

type recentOperation struct {
	asked, sent, right int64
	times              tally.Packed
}

func newProgressView(q *Question, closed bool, began time.Time) progressView {
	v := progressView{tell: q.Progress, closed: closed, names: q.Workload.Operations(), limits: q.Limits,
		total: q.Length, sum: Progress{Began: began}}
	v.totals = make([]Operation, len(v.names))
	for i, name := range v.names {
		v.totals[i].Name = name
	}
	if q.Progress != nil {
		v.newest = &newest{names: v.names, secrets: q.Secrets}
		latest := v.newest
		v.tell = func(p Progress) {
			p.News = append(slices.DeleteFunc(p.News, func(w reports.Wrong) bool { return w.Operation != hit.SetUp }),
				latest.take()...)
			q.Progress(p)
		}
	}
	return v
}

// add sums a second up and tells how the run stands. The ledger holds it already. Asked are the hits that the schedule
// asked for before the end of that second, which may lie a little before the moment that the frame speaks of.
func (v *progressView) add(f *tally.Frame, news []reports.Wrong, ledger *tally.Ledger, asked, inFlight int64) {
	if v.tell == nil {
		return
	}
	v.count(f, asked)
	span := recentSpan(f)
	p := v.sum
	p.Asked, p.Elapsed = f.Due, time.Duration(f.Health.Elapsed)
	p.Left = max(0, v.total-p.Elapsed)
	p.InFlight, p.Closed = inFlight, v.closed
	for i := range v.recent {
		p.AskedRate += float64(v.recent[i].asked) / span
	}
	busy := v.operations(&p, span)
	if len(busy) == 1 { // what was never begun was meant for this one
		busy[0].Asked, busy[0].AskedRate = p.Asked, p.AskedRate
	}
	p.Operations = busy
	q := v.all.Quantiles(0.5, 0.95, 0.99)
	p.P50, p.P95, p.P99 = q[0], q[1], q[2]
	if !v.closed {
		_, _, p.Lag99 = v.percentiles(func(s *recentSecond, add func(tally.Packed)) { add(s.lag) })
	}
	p.Limits = ledger.LimitsSoFar(v.limits)
	p.News = slices.Clone(news)
	v.tell(p)
}

// recentSpan is how many seconds the recent ones are: the last one of a run may not be a whole one.
func recentSpan(f *tally.Frame) float64 {
	from := time.Duration(max(0, f.Second+1-recentSeconds)) * time.Second
	until := min(time.Duration(f.Health.Elapsed), time.Duration(f.Second+1)*time.Second)
	return max(until-from, time.Millisecond).Seconds()
}

// count adds a second to the sums.
func (v *progressView) count(f *tally.Frame, asked int64) {
	slot := recentSecond{asked: asked - v.asked, lag: f.Lag, operations: make([]recentOperation, len(v.totals))}
	v.asked = asked
	for i := range v.totals {
		v.totals[i].Response, v.totals[i].Service = nil, nil
	}
	for i := range f.Operations {
		o := &f.Operations[i]
		t := &v.totals[o.Operation]
		asked := int64(0)
		for _, n := range o.Asked {
			asked += n
		}
		t.Asked, t.Sent, t.Right, t.Wrong = t.Asked+asked, t.Sent+o.Sent, t.Right+o.Right, t.Wrong+o.Wrong
		t.Response, t.Service = o.Response, o.Service
		if len(o.Kinds) > 0 {
			kinds := maps.Clone(t.Kinds) // the map that was told belongs to others
			if kinds == nil {
				kinds = map[string]int64{}
			}
			for kind, n := range o.Kinds {
				kinds[kind] += n
			}
			t.Kinds = kinds
		}
		times := o.Response
		if v.closed {
			times = o.Service
		}
		slot.operations[o.Operation] = recentOperation{asked: asked, sent: o.Sent, right: o.Right, times: times}
		v.sum.Sent, v.sum.Right, v.sum.Wrong = v.sum.Sent+o.Sent, v.sum.Right+o.Right, v.sum.Wrong+o.Wrong
	}
	v.recent[f.Second%recentSeconds] = slot
}

// operations returns those with hits sent, with their recent figures, which are summed up in p too.
func (v *progressView) operations(p *Progress, span float64) []Operation {
	var busy []Operation
	v.all.Reset()
	for i := range v.totals {
		o := v.totals[i]
		if o.Sent == 0 {
			continue
		}
		asked, sent, right := int64(0), int64(0), int64(0)
		o.P50, o.P95, o.P99 = v.percentiles(func(s *recentSecond, add func(tally.Packed)) {
			if s.operations == nil {
				return
			}
			one := &s.operations[i]
			asked, sent, right = asked+one.asked, sent+one.sent, right+one.right
			add(one.times)
		})
		o.Recent = v.packer.Pack(&v.shown)
		v.all.Merge(&v.shown)
		o.AskedRate, o.Rate, o.RightRate = float64(asked)/span, float64(sent)/span, float64(right)/span
		p.Rate, p.RightRate = p.Rate+o.Rate, p.RightRate+o.RightRate
		busy = append(busy, o)
	}
	return busy
}

// percentiles returns the 50th, 95th and 99th percentile of the times that each recent second adds.
func (v *progressView) percentiles(each func(s *recentSecond, add func(tally.Packed))) (p50, p95, p99 int64) {
	v.shown.Reset()
	for i := range v.recent {
		each(&v.recent[i], func(p tally.Packed) { _ = v.shown.AddPacked(p) }) // packed a moment ago
	}
	q := v.shown.Quantiles(0.5, 0.95, 0.99)
	return q[0], q[1], q[2]
}

// Errors returns the share of wrong answers so far as text, such as 0.12 %.
func (p Progress) Errors() string { return figures.Percent(p.Wrong, p.Right+p.Wrong) }
