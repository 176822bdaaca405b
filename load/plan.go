package load

import (
	"fmt"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/clients"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/transport"
)

// plan holds the hits that a run will send, and their times.
type plan struct {
	whole     schedule.Schedule // of all shards; nil in a closed loop and in a storm
	schedule  schedule.Schedule // of this one
	storm     *clients.Storm    // of this shard, whose clients are its schedule; nil: none
	length    time.Duration
	words     string
	workers   int
	closed    bool
	hitsOfAll int64 // of all shards, of a storm its clients; 0: not known
}

// plan checks the options and completes them. Errors are of the kind failure.Usage.
func (o *Options) plan() (p *plan, err error) {
	if o.Environment == nil {
		return nil, failure.Usagef("a load needs an environment")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Storm != nil {
		p, err = planOfStorm(o)
	} else {
		p, err = planOf(o)
	}
	if err != nil {
		return nil, err
	}
	p.workers, err = transport.WorkersWithin(transport.MostOpenFiles(), o.Workers)
	return p, err
}

// planOf checks the options and makes the schedule.
func planOf(o *Options) (*plan, error) {
	if o.Profile != nil {
		if err := fillIn(o, o.Profile); err != nil {
			return nil, err
		}
	}
	p := &plan{length: o.Duration, closed: o.Max || o.Rate.Max}
	if err := p.choose(o); err != nil || p.whole == nil {
		return p, err
	}
	p.length, p.words = p.whole.Length(), p.whole.String()
	p.hitsOfAll = int64(p.whole.Hits())
	p.schedule = schedule.ShardOf(p.whole, o.dealt())
	if p.schedule.Hits() == 0 {
		return nil, failure.Usagef("the schedule (%s) has no hit for this run to send; raise the rate or the duration",
			p.words)
	}
	return p, nil
}

// check refuses numbers that cannot be.
func (o *Options) check() error {
	if o.Shard.Of > 1 && (o.Shard.Index < 1 || o.Shard.Index > o.Shard.Of) || o.Shard.Of < 0 || o.Shard.Of > 10_000 {
		return failure.Usagef("there is no shard %d of %d; the shards of 8 are 1/8 to 8/8", o.Shard.Index, o.Shard.Of)
	}
	if o.Workers < 0 {
		return failure.Usagef("%d workers are not possible; give --workers 1 or more, or leave it out", o.Workers)
	}
	return nil
}

// choose makes the schedule of all shards from the one option that asks for a schedule.
func (p *plan) choose(o *Options) error {
	switch {
	case o.Schedule != nil:
		p.whole = o.Schedule
	case o.Profile != nil && (o.Rate.Per != 0 || p.closed || o.Population != nil):
		return failure.Usagef("a profile says what is sent when; leave --rate and --population out, or --load-profile")
	case o.Profile != nil:
		p.whole = o.Profile.Schedule(o.Seed)
	case o.Duration <= 0:
		return failure.Usagef("a load needs to know for how long: give --duration, such as 30s")
	case o.Population != nil && (o.Rate.Per != 0 || p.closed):
		return failure.Usagef("a population says how much is sent; leave --rate out, or --population")
	case o.Population != nil:
		return p.ofPopulation(o)
	case p.closed && o.Workers < 1:
		return failure.Usagef(
			"--rate max sends as fast as the workers can: say how many with --workers, such as --workers 64")
	case p.closed:
		p.words = fmt.Sprintf("as fast as %s can for %s (closed loop)", figures.Plural(int64(o.Workers), "worker"),
			o.Duration)
	case o.Rate.Hits <= 0:
		return failure.Usagef("a load needs a rate above 0: give --rate, such as 200/s")
	default:
		p.whole = schedule.Constant(o.Rate, o.Duration)
	}
	return nil
}

// ofPopulation makes the schedule of a population, with its own mix if none was given.
func (p *plan) ofPopulation(o *Options) error {
	if err := o.Population.Check(); err != nil {
		return err
	}
	if o.Workload == "" || o.Workload == clients.WorkloadMixed {
		o.Workload = clients.WorkloadMixed
		if o.Mix == nil {
			o.Mix = o.Population.Mix()
		}
	}
	p.whole = o.Population.Schedule(o.Duration, o.Seed)
	return nil
}

// hits returns the number of hits to send; in a storm without those of clients that try again; 0 if it is not known.
func (p *plan) hits() uint64 {
	switch {
	case p.closed:
		return 0
	case p.storm != nil:
		return uint64(p.storm.Clients)
	}
	return p.schedule.Hits()
}

// peak returns the highest rate in hits a second. The rate of a closed loop is not known. Twice as many clients as
// workers are enough for it, and the rate returned asks for so many.
func (p *plan) peak() float64 {
	switch {
	case p.closed:
		return float64(p.workers)
	case p.storm != nil:
		return p.storm.Peak()
	}
	return p.schedule.Peak()
}

// crowd makes the virtual clients, and checks what can be checked before anything is sent.
func (p *plan) crowd(o *Options) (*clients.Crowd, error) {
	if p.storm != nil {
		return p.stormCrowd(o)
	}
	whole, peak := p.hits(), p.peak()
	if p.whole != nil {
		whole, peak = p.whole.Hits(), p.whole.Peak()
	}
	if err := guard(o.Environment, o.Workload, peak, p.closed, whole, o.Consent); err != nil {
		return nil, err
	}
	c, err := clients.New(o.Environment, o.Traffic, clients.Part{
		Hits: p.hits(), Peak: p.peak(), Seed: o.Seed, Shard: o.Shard, Dealt: p.schedule != nil, Skip: o.skip,
	})
	if err != nil {
		return nil, err
	}
	return c, limit.Check(o.Limits, o.Workload, c.Measures(), p.closed, false)
}

// fillIn completes options with those of their profile. An option that both give must be the same in both.
func fillIn(o *Options, p *schedule.Profile) error {
	switch {
	case p.Workload != "" && o.Workload != "" && p.Workload != o.Workload:
		return failure.Usagef("the profile %s is for the workload %s and the run asks for %s; leave --workload out",
			p.Name, p.Workload, o.Workload)
	case o.Duration != 0:
		return failure.Usagef("the profile %s says for how long; leave --duration out", p.Name)
	}
	if o.Workload == "" {
		o.Workload = p.Workload
	}
	if o.Mix == nil {
		o.Mix = p.Mix
	}
	if o.Clients == 0 {
		o.Clients = p.Clients
	}
	if o.Workers == 0 {
		o.Workers = p.Workers
	}
	given := map[string]bool{}
	for _, l := range o.Limits {
		given[l.Figure()] = true
	}
	for _, l := range p.Limits {
		if !given[l.Figure()] { // a limit of the command line replaces that of the profile
			o.Limits = append(o.Limits, l)
		}
	}
	return nil
}
