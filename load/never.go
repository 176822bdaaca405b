package load

import (
	"time"

	"agstest/internal/wire"
	"agstest/reports"
)

// NeverSent is the report of a load that ended before its first hit, for the reason given: its set-up failed, it was
// interrupted, or an earlier step left nothing to load. It has no figure, and its verdict is an error.
func NeverSent(o Options, reason string) *reports.Load {
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
	r.Verdict, r.Reason, r.Invalid = reports.Error, "the load was never sent: "+reason, []string{"nothing was sent"}
	r.Operations, r.Total, r.Seconds = map[string]*reports.Operation{}, &reports.Operation{Statuses: map[string]int64{}}, []reports.Second{}
	r.Run.Partial = r.Reason
	if r.Run.Start.IsZero() {
		r.Run.Start = now()
	}
	r.Run.End = now()
	for _, l := range question.Limits {
		r.Limits = append(r.Limits, reports.Limit{Expression: l.Expression, Verdict: reports.Error, Value: "–", Reason: "nothing was sent: " + reason})
	}
	return r
}
