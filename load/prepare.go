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
	"agstest/reports"
)

// Prepared is a load whose question was checked. It is set up once and then sent, as a whole or in legs. It is for one
// goroutine at a time; Close it in the end.
type Prepared struct {
	options Options
	plan    *plan
	target  wire.Target
	crowd   *clients.Crowd
	via     *wire.Client
	storm   *clients.StormRun // made when all clients are set up; nil: none
	wrong   []reports.Wrong   // found while they were set up, and not yet handed on
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
	return p, nil
}

// SetUp looks whether the service is there, and has done what must be done before the clock starts: session tokens
// minted, clients signed on. An error is of the kind failure.Setup, or that of ctx.
func (p *Prepared) SetUp(ctx context.Context) error {
	o := &p.options
	var err error
	if p.via, err = wire.NewClient(p.target); err != nil {
		return err
	}
	if err := reach(ctx, p.via, o.Environment); err != nil {
		return err
	}
	rate := setUpRate(o.Environment, p.plan.peak(), p.plan.closed, o.Consent, o.dealt())
	if p.wrong, err = p.crowd.SetUp(ctx, p.via, rate, o.SetUp); err != nil {
		return err
	}
	if p.plan.storm != nil {
		p.storm = clients.NewStormRun(p.crowd, *p.plan.storm, o.Seed+uint64(o.Shard.Index))
	}
	return nil
}

// Close closes the connections of the set-up.
func (p *Prepared) Close() {
	if p.via != nil {
		p.via.Close()
	}
}

// Crowd is the clients.
func (p *Prepared) Crowd() *clients.Crowd { return p.crowd }

// Leg is a part of a prepared load with a schedule of its own. The zero value of each field is that of the whole.
type Leg struct {
	Schedule schedule.Schedule
	// Workload stands before that of the clients, to see what each hit comes to.
	Workload engine.Workload
	// Workers caps concurrent requests.
	Workers  int
	StartAt  time.Time
	Progress func(engine.Progress)
}

// Send sends a load that is set up, or a leg of it, and measures and judges it. Errors are those of engine.Send.
func (p *Prepared) Send(ctx context.Context, leg Leg) (*reports.Load, error) {
	o := &p.options
	q := engine.Question{
		Workload: p.crowd, Target: p.target, Schedule: p.plan.schedule, Length: p.plan.length, Workers: cmp.Or(leg.Workers, p.plan.workers),
		Timeout: o.Timeout, Trace: o.Trace, Raw: o.Raw, Record: o.Record, Of: o.dealt().Of, Whole: p.plan.hitsOfAll, Barrier: o.Barrier,
		StartAt: o.StartAt, Progress: o.Progress, Secrets: o.Secrets, Now: o.Now, SetUp: p.crowd.SetUpReport(), Notes: p.crowd.Notes,
		Judging: p.crowd.Judging,
	}
	q.Wrong, p.wrong = p.wrong, nil
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
		Workload: o.Workload, Mix: maps.Clone(o.Mix), Clients: o.Clients, Workers: o.Workers, Seed: o.Seed, MaxLag: int64(o.MaxLag),
		Closed: o.Max || o.Rate.Max,
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

// dealt is the shard that the hits are dealt out to; none where a schedule of its own was given, whose clients alone
// are.
func (o *Options) dealt() schedule.Shard {
	if o.Schedule != nil {
		return schedule.Shard{}
	}
	return o.Shard
}

// reach finds out before anything else whether there is an AGS at all, so that what stands before it is not taken for
// it.
func reach(ctx context.Context, via *wire.Client, e *environment.Environment) error {
	err := via.Reach(ctx)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return e.Located(err)
}
