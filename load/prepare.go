package load

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/load/transport"
	"agstest/reports"
)

// Prepared is a load whose question was checked. It is set up once and then sent, as a whole or in legs. It is for one
// goroutine at a time.
type Prepared struct {
	options Options
	plan    *plan
	target  wire.Target
	crowd   *clients.Crowd
	storm   *clients.StormRun // made when all clients are set up; nil: none
	renewal *renewal
	wrong   []reports.Wrong // found while they were set up, and not yet handed on
	began   time.Time       // of the set-up; zero once it is handed on
	names   string          // what is to be said of the addresses of the service
}

// Prepare checks a question, and makes schedule and clients. Nothing is sent. Errors are of the kind failure.Usage.
func Prepare(o Options) (*Prepared, error) {
	p := &Prepared{options: o}
	var err error
	if p.plan, err = p.options.plan(); err != nil {
		return nil, err
	}
	if p.target, err = o.Environment.Target(); err != nil {
		return nil, err
	}
	p.target.Timeout = cmp.Or(o.Timeout, p.target.Timeout)
	p.options.Timeout = p.target.Timeout
	if p.crowd, err = p.plan.crowd(&p.options); err != nil {
		return nil, err
	}
	p.renewal = newRenewal(o.Environment, o.Secrets, p.crowd.Renew)
	p.target.Renewed = p.renewal.values.Headers(o.Environment.RenewedHeaders)
	return p, nil
}

// SetUp checks that the service is there, and makes the calls that come before the clock starts: it mints session
// tokens and signs clients on. An error is of the kind failure.Setup, or that of ctx.
func (p *Prepared) SetUp(ctx context.Context) error {
	ctx, done, err := p.renewal.keep(ctx)
	if err != nil {
		return err
	}
	defer done()
	p.began = time.Now()
	return unrenewed(ctx, p.setUp(ctx))
}

func (p *Prepared) setUp(ctx context.Context) error {
	o := &p.options
	via, err := wire.NewClient(p.target)
	if err != nil {
		return err
	}
	defer via.Close() // where few files may be open, the load needs them all
	if err := reach(ctx, via, o.Environment); err != nil {
		return err
	}
	rate := setUpRate(o.Environment, p.plan.peak(), p.plan.closed, o.Consent, o.dealt())
	if p.wrong, err = p.crowd.SetUp(ctx, via, rate, o.SetUp); err != nil {
		return o.Environment.Located(err)
	}
	p.names = via.AddressNote()
	if p.plan.storm != nil {
		p.storm = clients.NewStormRun(p.crowd, *p.plan.storm, o.Seed+uint64(o.Shard.Index))
	}
	return nil
}

// notes are those of the clients, and what the set-up saw of the addresses of the service.
func (p *Prepared) notes() []string {
	notes := p.crowd.Notes()
	if p.names != "" {
		notes = append(notes, "before the clock started: "+p.names+"; the load asks those that its connections lead to")
	}
	return notes
}

// Crowd is the clients.
func (p *Prepared) Crowd() *clients.Crowd { return p.crowd }

// Leg is a part of a prepared load with a schedule of its own. A field with its zero value is that of the whole load.
type Leg struct {
	Schedule schedule.Schedule
	// Workload wraps the workload of the clients, to see the outcome of each hit.
	Workload engine.Workload
	// Workers caps concurrent requests.
	Workers  int
	StartAt  time.Time
	Progress func(engine.Progress)
}

// Send sends a load that is set up, or a leg of it, and measures and judges it. Errors are those of engine.Send.
func (p *Prepared) Send(ctx context.Context, leg Leg) (*reports.Load, error) {
	ctx, done, err := p.renewal.keep(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	o := &p.options
	q := engine.Question{
		Workload: p.crowd, Target: p.target, Schedule: p.plan.schedule, Length: p.plan.length, Workers: cmp.Or(
			leg.Workers, p.plan.workers),
		Timeout: o.Timeout, Trace: o.Trace, Raw: o.Raw, Record: o.Record, Of: o.dealt().Of, Whole: p.plan.hitsOfAll,
		Barrier: o.Barrier,
		StartAt: o.StartAt, Waiting: o.Waiting, Progress: o.Progress, Secrets: o.Secrets, Now: o.Now,
		SetUp:   p.crowd.SetUpReport(),
		Notes:   p.notes,
		Judging: p.crowd.Judging, Names: p.crowd, ShowIDs: o.ShowIDs,
	}
	q.Wrong, p.wrong = p.wrong, nil
	q.Prepared, p.began = p.began, time.Time{}
	for _, l := range o.Limits {
		q.Limits = append(q.Limits, l.Expression)
	}
	if o.dealt().Of > 1 && o.Record != "" {
		q.Leave = func() error { return p.crowd.LeaveUnique(o.Record, o.Shard) }
	}
	if s := p.storm; s != nil {
		q.Workload, q.Schedule, q.Started, q.Storm = s, s, s.Start, s.Report
		defer context.AfterFunc(ctx, func() {
			defer failure.Guard()
			s.Interrupt()
		})()
	}
	asked := *p.plan
	if leg.Schedule != nil {
		asked.schedule, asked.length, asked.words = leg.Schedule, leg.Schedule.Length(), leg.Schedule.String()
		q.Schedule, q.Length = asked.schedule, asked.length
	}
	if leg.Workload != nil {
		q.Workload = leg.Workload
	}
	if leg.Progress != nil {
		q.Progress = leg.Progress
	}
	if !leg.StartAt.IsZero() {
		q.StartAt = leg.StartAt
	}
	q.Asked = o.asked(&asked, p.target)
	q.Clients = p.crowd.Size()
	if p.plan.storm != nil {
		q.Clients = p.plan.storm.Clients
	}
	q.Asked.Plan.Clients = q.Clients
	return engine.Send(ctx, q)
}

// asked is a report of which only the question is known.
func (o *Options) asked(p *plan, target wire.Target) *reports.Load {
	r := &reports.Load{Schema: reports.LoadSchema, Run: o.Run, Shard: o.dealt().String()}
	r.Run.Kind = cmp.Or(r.Run.Kind, "load")
	if e := o.Environment; e != nil {
		r.Run.Environment = cmp.Or(r.Run.Environment, e.Name)
		r.Run.Release = cmp.Or(r.Run.Release, e.Release)
	}
	r.Run.URL = cmp.Or(r.Run.URL, target.URL)
	r.Run.Tenant = cmp.Or(r.Run.Tenant, target.Tenant)
	r.Run.Service = cmp.Or(r.Run.Service, target.Service)
	r.Run.Tool.Go = cmp.Or(r.Run.Tool.Go, runtime.Version())
	if r.Run.Machine == (reports.Machine{}) {
		r.Run.Machine = reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	}
	r.Plan = reports.Plan{
		Workload: o.Workload, Mix: maps.Clone(
			o.Mix), Clients: o.Clients, Workers: o.Workers, Seed: o.Seed, MaxLag: int64(o.MaxLag),
		Closed: o.Max || o.Rate.Max, IgnoreRetryAfter: o.IgnoreRetryAfter, ReuseSessions: o.ReuseSessions,
	}
	if o.Refreshes != clients.DefaultRefreshes {
		r.Plan.Refreshes = o.Refreshes
	}
	if o.Timeout != transport.DefaultTimeout {
		r.Plan.Timeout = int64(o.Timeout)
	}
	if p != nil {
		r.Plan.Schedule, r.Plan.Hits, r.Plan.Seconds = p.words, int64(p.hits()), p.length.Seconds()
	}
	if o.Population != nil {
		refreshes, _ := o.Population.Rates()
		peak := cmp.Or(o.Population.Peak, 1)
		r.Plan.Population = &reports.PlannedPopulation{Clients: o.Population.Clients, Refreshes: refreshes, Peak: peak,
			AccessLifetime: float64(o.Population.Clients) * peak / refreshes}
	}
	return r
}

// dealt is the shard that the hits are dealt out to; none if a schedule was given, since its clients are those of the
// shard already.
func (o *Options) dealt() schedule.Shard {
	if o.Schedule != nil {
		return schedule.Shard{}
	}
	return o.Shard
}

// reach finds out before anything else whether there is an AGS at all, so that what stands before it is not taken for
// it.
func reach(ctx context.Context, via *wire.Client, e *environment.Environment) error {
	_, err := via.Reach(ctx)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return e.Located(err)
}
