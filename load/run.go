package load

import (
	"cmp"
	"context"
	"io"
	"time"

	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/load/clients"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/reports"
)

// Options are the question of a load run. Environment and Workload must be given, and one of Rate with Duration, Profile, and Population
// with Duration, or Storm alone; the zero value of everything else works.
type Options struct {
	Environment *environment.Environment
	clients.Traffic
	Rate       schedule.Rate
	Duration   time.Duration
	Profile    *schedule.Profile
	Population *schedule.Population
	Storm      *clients.Storm // in place of Workload, Rate and Duration
	// Max sends as fast as Workers can, each one request after the other, for Duration (closed loop). Rate.Max says the same.
	Max bool
	// Workers caps concurrent requests; a hit that has to wait for one is late, which counts in its response time. 0: as many as the
	// schedule needs, within what this machine can have open.
	Workers int
	Limits  []limit.Limit
	Seed    uint64
	// Trace measures the phases of each exchange.
	Trace bool
	// Raw gets the stream of Vegeta's own results (gob), readable by vegeta report and vegeta plot.
	Raw io.Writer
	// Record is the folder for RecordFile; empty: none is kept.
	Record string
	Shard  schedule.Shard
	// Barrier says when the clock starts, once everything is set up; nil: at StartAt.
	Barrier Barrier
	// StartAt is when the clock starts, so that shards start together; zero: as soon as everything is set up.
	StartAt time.Time
	Consent
	// Timeout of one exchange, from sending to the last byte; 0: 30 s.
	Timeout time.Duration
	// MaxLag is the 99th percentile of the send lag up to which the figures are valid; 0: what the limits on response times allow, and
	// without any 100 ms, or 10 % of the median response time if that is more.
	MaxLag time.Duration
	// SetUp is called once a second before the clock starts, and Progress once a second after it, on goroutines of the run.
	SetUp    func(clients.SetUp)
	Progress func(Progress)
	// Secrets takes secrets out of the messages of wrong answers; nil: messages are kept as they are.
	Secrets *wire.Redactor
	// Now is the clock that the report is dated with; nil: time.Now.
	Now func() time.Time
	// Run is what the report says of the run; what is empty is filled in as far as it is known here.
	Run reports.Run

	// For several runs with the same clients: how many of them an earlier one used up, and who is told how many this one does.
	skip     int
	consumed func(clients int)
}

// Run sets up, sends, measures and judges a load. When ctx ends, no more is sent and the report, marked partial, has all that was
// measured. An error is of the kind failure.Usage (nothing was sent) or failure.Setup, or that of ctx when it ended before the clock
// started; then there is no report.
func Run(ctx context.Context, o Options) (*reports.Load, error) {
	if o.Storm != nil {
		return runStorm(ctx, o)
	}
	p, err := planOf(&o)
	if err != nil {
		return nil, err
	}
	target, err := o.Environment.Target()
	if err != nil {
		return nil, err
	}
	o.Timeout = cmp.Or(o.Timeout, target.Timeout)
	target.Timeout = o.Timeout
	crowd, err := p.crowd(&o)
	if err != nil {
		return nil, err
	}
	via, err := wire.NewClient(target)
	if err != nil {
		return nil, err
	}
	defer via.Close()
	if err := reach(ctx, via, o.Environment); err != nil {
		return nil, err
	}
	wrong, err := crowd.SetUp(ctx, via, setUpRate(o.Environment, p.peak(), p.closed, o.Consent, o.Shard), o.SetUp)
	if err != nil {
		return nil, err
	}
	e := &engine{plan: p, options: &o, workload: crowd, target: target, wrong: wrong, setUp: crowd.SetUpReport()}
	e.notes, e.seen = crowd.Notes, shared(crowd, &o)
	report, err := e.run(ctx)
	if o.consumed != nil {
		o.consumed(crowd.Consumed())
	}
	return report, err
}

// shared is the crowd itself where it is that of a shard which keeps a record: what must be unique over all shards is left beside it.
func shared(c *clients.Crowd, o *Options) *clients.Crowd {
	if o.Shard.Of <= 1 || o.Record == "" {
		return nil
	}
	return c
}

// reach finds out before anything else whether there is an AGS at all, so that what stands before it is not taken for it.
func reach(ctx context.Context, via *wire.Client, e *environment.Environment) error {
	err := via.Reach(ctx)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return e.Located(err)
}
