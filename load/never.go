package load

import (
	"maps"
	"runtime"
	"time"

	"agstest/load/clients"
	"agstest/reports"
)

// NeverSent is the report of a load that ended before its first hit, for the reason given: its set-up failed, it was interrupted, or what
// went before it left nothing to load. It has no figure, and its verdict is that nothing could be told.
func NeverSent(o Options, reason string) *reports.Load {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	nothing := func() *reports.Operation {
		return &reports.Operation{Statuses: map[string]int64{}}
	}
	r := &reports.Load{
		Schema: reports.LoadSchema, Run: o.Run, Verdict: reports.Error, Reason: "the load was never sent: " + reason, Shard: o.Shard.String(),
		Invalid: []string{"nothing was sent"}, Operations: map[string]*reports.Operation{}, Total: nothing(), Seconds: []reports.Second{},
		Plan: reports.Plan{Workload: o.Workload, Mix: maps.Clone(o.Mix), Clients: o.Clients, Workers: o.Workers, Seed: o.Seed, MaxLag: int64(o.MaxLag), Closed: o.Max || o.Rate.Max},
	}
	r.Run.Partial = r.Reason
	if r.Run.Kind == "" {
		r.Run.Kind = "load"
	}
	if e := o.Environment; e != nil {
		r.Run.Environment, r.Run.URL, r.Run.Tenant, r.Run.Service, r.Run.Release = e.Name, e.URL, e.Tenant, e.Service, e.Release
		if o.Storm != nil {
			r.Plan.Schedule, r.Plan.Workload = o.Storm.String(), clients.WorkloadMixed
		} else if p, err := planOf(&o); err == nil {
			r.Plan.Workload, r.Plan.Schedule, r.Plan.Hits, r.Plan.Seconds = o.Workload, p.words, int64(p.hits()), p.length.Seconds()
		}
	}
	if r.Run.Start.IsZero() {
		r.Run.Start = now()
	}
	r.Run.End = now()
	if r.Run.Machine == (reports.Machine{}) {
		r.Run.Machine = reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	}
	for _, l := range o.Limits {
		r.Limits = append(r.Limits, reports.Limit{Expression: l.Expression, Verdict: reports.Inconclusive, Value: "–", Reason: "nothing was sent"})
	}
	return r
}
