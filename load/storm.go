package load

import (
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/schedule"
)

// stormMix is the mix of a storm if none is given: most clients held a session when the service went away.
var stormMix = map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 9}

// planOfStorm checks the options of a storm, or of a shard of one.
func planOfStorm(o *Options) (*plan, error) {
	storm := *o.Storm
	if err := storm.Check(); err != nil {
		return nil, err
	}
	switch {
	case o.Rate != schedule.Rate{} || o.Max || o.Profile != nil || o.Population != nil || o.Duration != 0 ||
		o.Schedule != nil:
		return nil, failure.Usagef(
			"a storm says what is sent when; leave --rate, --duration, --load-profile and --population out, or --storm")
	case o.Workload != "" && o.Workload != clients.WorkloadMixed:
		return nil, failure.Usagef("a storm is a mix of sign-ons and refreshes; leave --workload %s out", o.Workload)
	case o.Clients != 0:
		return nil, failure.Usagef("a storm says how many clients there are; leave --clients out")
	case o.Mix[hit.OpDiscover] > 0:
		return nil, failure.Usagef("a storm is a mix of signon and refresh")
	}
	o.Workload = clients.WorkloadMixed
	if o.Mix == nil {
		o.Mix = stormMix
	}
	if o.Shard.Of > 1 {
		storm.Clients = (storm.Clients + o.Shard.Of - o.Shard.Index) / o.Shard.Of
	}
	return &plan{storm: &storm, length: storm.Within, words: o.Storm.String(), hitsOfAll: int64(o.Storm.Clients)}, nil
}

// stormCrowd makes the clients of a storm, and checks what can be checked before anything is sent.
func (p *plan) stormCrowd(o *Options) (*clients.Crowd, error) {
	// The environment takes the whole storm, whatever the part of this shard.
	if err := guard(o.Environment, o.Workload, o.Storm.Peak(), false, uint64(o.Storm.Clients), o.Consent); err != nil {
		return nil, err
	}
	traffic := o.Traffic
	traffic.Clients = p.storm.Clients
	if o.Mix[hit.OpSignOn] == 0 || o.Mix[hit.OpRefresh] == 0 {
		traffic.Clients = 0 // all of them are of one kind
	}
	c, err := clients.New(o.Environment, traffic, clients.Part{Hits: p.hits(), Peak: p.peak(), Seed: o.Seed,
		Shard: o.Shard})
	if err != nil {
		return nil, err
	}
	if have := c.Size(); have < p.storm.Clients {
		return nil, failure.Usagef("a storm of %s clients needs as many, and load.clients of %s offers %s",
			figures.Count(int64(p.storm.Clients)), o.Environment.Name, figures.Count(int64(have)))
	}
	return c, limit.Check(o.Limits, "of the storm", c.Operations(), false, true)
}
