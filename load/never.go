package load

import (
	"time"

	"agstest/internal/wire"
	"agstest/reports"
)

// NeverSent is the report of a load that ended before its first hit, for the reason given: its set-up failed, it was
// interrupted, or an earlier step left nothing to load. It has no figure, and its verdict is an error.
func NeverSent(o Options, reason string) *reports.Load {
	return withoutFigures(o, "the load was never sent", "nothing was sent", reason)
}

// Lost is the report of a load of several shards of which no figure came home, for the reason given. Hits of it may
// have been sent. Its verdict is an error, as that of NeverSent.
func Lost(o Options, reason string) *reports.Load {
	return withoutFigures(o, "nothing that the load measured came home", "no figure is known", reason)
}

// withoutFigures is the report of a load without a figure: its reason begins with what became of the load, and short
// says so of each limit.
func withoutFigures(o Options, became, short, reason string) *reports.Load {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	question := o
	p, _ := question.plan() // nil: its error is the reason
	if p == nil {
		question = o
	}
	target := wire.Target{}
	if e := o.Environment; e != nil {
		target = wire.Target{URL: e.URL, Tenant: e.Tenant, Service: e.Service}
	}
	r := question.asked(p, target)
	r.Verdict, r.Reason, r.Invalid = reports.Error, became+": "+reason, []string{short}
	r.Operations, r.Total, r.Seconds = map[string]*reports.Operation{}, &reports.Operation{Statuses: map[string]int64{}},
		[]reports.Second{}
	r.Run.Partial = r.Reason
	if r.Run.Start.IsZero() {
		r.Run.Start = now()
	}
	r.Run.End = now()
	for _, l := range question.Limits {
		r.Limits = append(r.Limits, reports.Limit{Expression: l.Expression, Verdict: reports.Error, Value: "–",
			Reason: short + ": " + reason})
	}
	return r
}
