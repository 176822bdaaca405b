package load

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/transport"
	"agstest/reports"
)

// Storm is everyone coming back after an outage: so many clients within a time, each at a random moment of it. Those whose refresh token
// is still good refresh, the others sign on; who fails tries again like a real client, after a while that doubles each time (1 s to 30 s,
// half of it random) and is at least what Retry-After says. A refresh token that is refused makes its client sign on. The zero value is
// none.
type Storm struct {
	Clients int
	Within  time.Duration
	// Patience is when the run gives up on those who are not signed in yet, from the start; 0 means ten times Within, ten minutes at least.
	Patience time.Duration
}

// What the shares of a storm are where no mix is given: most clients held a session when the service went away.
var stormMix = map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 9}

const (
	firstBackOff = time.Second
	mostBackOff  = 30 * time.Second
)

func (s Storm) check() error {
	switch {
	case s.Clients < 1:
		return failure.Usagef("a storm of %d clients is none; give --storm a number of clients", s.Clients)
	case s.Within <= 0:
		return failure.Usagef("a storm needs to know how fast everyone comes back; give --within, such as 60s")
	case s.Patience < 0 || s.Patience > 0 && s.Patience < s.Within:
		return failure.Usagef("a storm that is given up after %s cannot come within %s", s.Patience, s.Within)
	}
	return nil
}

func (s Storm) patience() time.Duration {
	if s.Patience > 0 {
		return s.Patience
	}
	return max(10*time.Minute, 10*s.Within)
}

// stormCrowd makes the clients of a storm, or of a shard of one, and checks what can be checked before anything is sent. The storm that
// comes back is that of the shard.
func stormCrowd(o *Options) (*crowd, Storm, error) {
	storm := *o.Storm
	if err := storm.check(); err != nil {
		return nil, storm, err
	}
	switch {
	case o.Rate != schedule.Rate{} || o.Max || o.Profile != nil || o.Population != nil || o.Duration != 0:
		return nil, storm, failure.Usagef("a storm says what is sent when; leave --rate, --duration, --profile and --population out, or --storm")
	case o.Workload != "" && o.Workload != WorkloadMixed:
		return nil, storm, failure.Usagef("a storm is a mix of sign-ons and refreshes; leave --workload %s out", o.Workload)
	case o.Clients != 0:
		return nil, storm, failure.Usagef("a storm says how many clients there are; leave --clients out")
	}
	o.Workload = WorkloadMixed
	if o.Mix == nil {
		o.Mix = stormMix
	}
	if o.Mix[hit.OpDiscover] > 0 {
		return nil, storm, failure.Usagef("a storm is a mix of signon and refresh")
	}
	// The environment takes the whole storm, whatever the part of this shard.
	if err := guard(o.Environment, o.Workload, storm.peak(), false, uint64(storm.Clients), o.Consent); err != nil {
		return nil, storm, err
	}
	if o.Shard.Of > 1 {
		storm.Clients = (storm.Clients + o.Shard.Of - o.Shard.Index) / o.Shard.Of
	}
	traffic := traffic{Workload: o.Workload, Mix: o.Mix, Clients: storm.Clients, ReuseSessions: o.ReuseSessions, IgnoreRetryAfter: o.IgnoreRetryAfter, JudgeEvery: o.JudgeEvery}
	if o.Mix[hit.OpSignOn] == 0 || o.Mix[hit.OpRefresh] == 0 {
		traffic.Clients = 0 // all of them are of one kind
	}
	c, err := newCrowd(o.Environment, traffic, uint64(storm.Clients), storm.peak(), o.Seed, o.Shard)
	if err != nil {
		return nil, storm, err
	}
	if have := c.planned.starters + c.planned.chains; have < storm.Clients {
		return nil, storm, failure.Usagef("a storm of %s clients needs as many, and load.clients of %s offers %s",
			figures.Count(int64(storm.Clients)), o.Environment.Name, figures.Count(int64(have)))
	}
	return c, storm, limit.Check(o.Limits, "of the storm", c.names, false, true)
}

// peak is the rate of a storm in hits a second, without those who try again.
func (s Storm) peak() float64 { return float64(s.Clients) / s.Within.Seconds() }

// String describes the storm in words.
func (s Storm) String() string {
	return fmt.Sprintf("storm: %s clients come back within %s, each tries until it is signed in", figures.Count(int64(s.Clients)), s.Within)
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
	wrong, err := c.setUp(ctx, via, setUpRate(o.Environment, storm.peak(), false, o.Consent, o.Shard), o.SetUp)
	if err != nil {
		return nil, err
	}
	s := newStormRun(c, storm, o.Seed+uint64(o.Shard.Index))
	defer context.AfterFunc(ctx, func() {
		defer failure.Guard()
		s.interrupt()
	})()
	p := &plan{whole: s, schedule: s, length: s.Length(), words: o.Storm.String(), workers: workers}
	e := &engine{plan: p, options: &o, workload: s, target: target, wrong: wrong, notes: c.notes, storm: s.report, started: s.start, clients: storm.Clients, seen: c.shared(&o), setUp: c.standing.report()}
	return e.run(ctx)
}
