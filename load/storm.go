package load

import (
	"cmp"
	"context"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/transport"
	"agstest/reports"
)

// What the shares of a storm are where no mix is given: most clients held a session when the service went away.
var stormMix = map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 9}

// stormCrowd makes the clients of a storm, or of a shard of one, and checks what can be checked before anything is sent. The storm that
// comes back is that of the shard.
func stormCrowd(o *Options) (*clients.Crowd, clients.Storm, error) {
	storm := *o.Storm
	if err := storm.Check(); err != nil {
		return nil, storm, err
	}
	switch {
	case o.Rate != schedule.Rate{} || o.Max || o.Profile != nil || o.Population != nil || o.Duration != 0:
		return nil, storm, failure.Usagef("a storm says what is sent when; leave --rate, --duration, --profile and --population out, or --storm")
	case o.Workload != "" && o.Workload != clients.WorkloadMixed:
		return nil, storm, failure.Usagef("a storm is a mix of sign-ons and refreshes; leave --workload %s out", o.Workload)
	case o.Clients != 0:
		return nil, storm, failure.Usagef("a storm says how many clients there are; leave --clients out")
	}
	o.Workload = clients.WorkloadMixed
	if o.Mix == nil {
		o.Mix = stormMix
	}
	if o.Mix[hit.OpDiscover] > 0 {
		return nil, storm, failure.Usagef("a storm is a mix of signon and refresh")
	}
	// The environment takes the whole storm, whatever the part of this shard.
	if err := guard(o.Environment, o.Workload, storm.Peak(), false, uint64(storm.Clients), o.Consent); err != nil {
		return nil, storm, err
	}
	if o.Shard.Of > 1 {
		storm.Clients = (storm.Clients + o.Shard.Of - o.Shard.Index) / o.Shard.Of
	}
	traffic := o.Traffic
	traffic.Clients = storm.Clients
	if o.Mix[hit.OpSignOn] == 0 || o.Mix[hit.OpRefresh] == 0 {
		traffic.Clients = 0 // all of them are of one kind
	}
	c, err := clients.New(o.Environment, traffic, clients.Part{Hits: uint64(storm.Clients), Peak: storm.Peak(), Seed: o.Seed, Shard: o.Shard})
	if err != nil {
		return nil, storm, err
	}
	if have := c.Size(); have < storm.Clients {
		return nil, storm, failure.Usagef("a storm of %s clients needs as many, and load.clients of %s offers %s",
			figures.Count(int64(storm.Clients)), o.Environment.Name, figures.Count(int64(have)))
	}
	return c, storm, limit.Check(o.Limits, "of the storm", c.Operations(), false, true)
}

// runStorm is Run for a storm.
func runStorm(ctx context.Context, o Options) (*reports.Load, error) {
	c, storm, err := stormCrowd(&o)
	if err != nil {
		return nil, err
	}
	workers, err := workersWithin(transport.MostOpenFiles(), o.Workers)
	if err != nil {
		return nil, err
	}
	target, err := o.Environment.Target()
	if err != nil {
		return nil, err
	}
	o.Timeout = cmp.Or(o.Timeout, target.Timeout)
	target.Timeout = o.Timeout
	via, err := wire.NewClient(target)
	if err != nil {
		return nil, err
	}
	defer via.Close()
	if err := reach(ctx, via, o.Environment); err != nil {
		return nil, err
	}
	wrong, err := c.SetUp(ctx, via, setUpRate(o.Environment, storm.Peak(), false, o.Consent, o.Shard), o.SetUp)
	if err != nil {
		return nil, err
	}
	s := clients.NewStormRun(c, storm, o.Seed+uint64(o.Shard.Index))
	defer context.AfterFunc(ctx, func() {
		defer failure.Guard()
		s.Interrupt()
	})()
	p := &plan{whole: s, schedule: s, length: s.Length(), words: o.Storm.String(), workers: workers}
	e := &engine{plan: p, options: &o, workload: s, target: target, wrong: wrong, notes: c.Notes, storm: s.Report, started: s.Start, clients: storm.Clients, seen: shared(c, &o), setUp: c.SetUpReport()}
	return e.run(ctx)
}
