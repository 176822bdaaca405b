package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/reports"
)

// Options are the question of a load run. Environment and Workload must be given, and one of Rate with Duration, Profile, and Population
// with Duration, or Storm alone; the zero value of everything else works.
type Options struct {
	Environment *environment.Environment
	Workload    string
	Mix         map[string]int // of the workload mixed
	Rate        Rate
	Duration    time.Duration
	Profile     *Profile
	Population  *Population
	Storm       *Storm // in place of Workload, Rate and Duration
	// Max sends as fast as Workers can, each one request after the other, for Duration (closed loop). Rate.Max says the same.
	Max bool
	// Clients is how many virtual clients take part; 0: as many as the rate needs.
	Clients int
	// Workers caps concurrent requests; a hit that has to wait for one is late, which counts in its response time. 0: as many as the
	// schedule needs, within what this machine can have open.
	Workers int
	Limits  []Limit
	Seed    uint64
	// Trace measures the phases of each exchange.
	Trace bool
	// Raw gets the stream of Vegeta's own results (gob), readable by vegeta report and vegeta plot.
	Raw io.Writer
	// Record is the folder for RecordFile; empty: none is kept.
	Record string
	Shard  Shard
	// Barrier says when the clock starts, once everything is set up; nil: at StartAt.
	Barrier Barrier
	// StartAt is when the clock starts, so that shards start together; zero: as soon as everything is set up.
	StartAt time.Time
	Consent
	// Refreshes of one client of the workload lifecycle before it signs out; 0: 5.
	Refreshes int
	// ReuseSessions: the service takes a session token more than once. The pages do not say, so that otherwise each sign-on uses one of
	// its own.
	ReuseSessions bool
	// IgnoreRetryAfter: a client that was asked to come again later (429, 503) does not wait.
	IgnoreRetryAfter bool
	// JudgeEvery: all token rules are checked on 1 of so many answers; 0: 100, 1: on every one. Identity and uniqueness are checked on
	// all.
	JudgeEvery int
	// Timeout of one exchange, from sending to the last byte; 0: 30 s.
	Timeout time.Duration
	// MaxLag is the 99th percentile of the send lag up to which the figures are valid; 0: 1 ms, or 1 % of the median response time if
	// that is more. A larger one is for machines that do other work beside.
	MaxLag time.Duration
	// Progress is called once a second, on a goroutine of the run.
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

// defaultGrace is what exchanges under way get to end by themselves after an interrupt.
const defaultGrace = 2 * time.Second

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
	wrong, err := crowd.setUp(ctx, via, setUpRate(o.Environment, p.peak(), p.closed, o.Consent, o.Shard))
	if err != nil {
		return nil, err
	}
	e := &engine{plan: p, options: &o, workload: crowd, target: target, wrong: wrong}
	e.notes, e.seen = crowd.notes, crowd.shared(&o)
	report, err := e.run(ctx)
	if o.consumed != nil {
		o.consumed(crowd.consumed())
	}
	return report, err
}

// plan is what a run will send, and when.
type plan struct {
	whole    Schedule // of all shards; nil in a closed loop
	schedule Schedule // of this one
	length   time.Duration
	words    string
	workers  int
	closed   bool
}

// planOf checks the options and makes the schedule. Errors are of the kind failure.Usage.
func planOf(o *Options) (*plan, error) {
	if o.Environment == nil {
		return nil, failure.Usagef("a load needs an environment")
	}
	if o.Profile != nil {
		if err := o.Profile.fillIn(o); err != nil {
			return nil, err
		}
	}
	p := &plan{length: o.Duration, closed: o.Max || o.Rate.Max, workers: o.Workers}
	if o.Shard.Of > 1 && (o.Shard.Index < 1 || o.Shard.Index > o.Shard.Of) || o.Shard.Of < 0 || o.Shard.Of > 10_000 {
		return nil, failure.Usagef("there is no shard %d of %d; the shards of 8 are 1/8 to 8/8", o.Shard.Index, o.Shard.Of)
	}
	if o.Workers < 0 {
		return nil, failure.Usagef("%d workers are not possible; give --workers 1 or more, or leave it out", o.Workers)
	}
	switch {
	case o.Profile != nil && (o.Rate.Per != 0 || p.closed || o.Population != nil):
		return nil, failure.Usagef("a profile says what is sent when; leave --rate and --population out, or --profile")
	case o.Profile != nil:
		p.whole = o.Profile.Schedule(o.Seed)
	case o.Duration <= 0:
		return nil, failure.Usagef("a load needs to know for how long: give --duration, such as 30s")
	case o.Population != nil && (o.Rate.Per != 0 || p.closed):
		return nil, failure.Usagef("a population says how much is sent; leave --rate out, or --population")
	case o.Population != nil:
		if err := o.Population.check(); err != nil {
			return nil, err
		}
		if o.Workload == "" || o.Workload == WorkloadMixed {
			o.Workload = WorkloadMixed
			if o.Mix == nil {
				o.Mix = o.Population.Mix()
			}
		}
		p.whole = o.Population.Schedule(o.Duration, o.Seed)
	case p.closed && o.Workers < 1:
		return nil, failure.Usagef("--rate max sends as fast as the workers can: say how many with --workers, such as --workers 64")
	case p.closed:
		p.words = fmt.Sprintf("as fast as %d workers can for %s (closed loop)", o.Workers, o.Duration)
	case o.Rate.Hits <= 0:
		return nil, failure.Usagef("a load needs a rate above 0: give --rate, such as 200/s")
	default:
		p.whole = Constant(o.Rate, o.Duration)
	}
	if p.whole != nil {
		p.length, p.words = p.whole.Length(), p.whole.String()
		p.schedule = shardOf(p.whole, o.Shard)
		if p.schedule.Hits() == 0 {
			return nil, failure.Usagef("the schedule (%s) has no hit for this run to send; raise the rate or the duration", p.words)
		}
	}
	var err error
	p.workers, err = workersWithin(mostOpenFiles(), p.workers)
	return p, err
}

// ownFiles is how many files a run has open besides its connections, roughly.
const ownFiles = 24

// workersWithin is how many requests may be under way at once where so many files may be open, each of them over a connection of its
// own, which is a file. Asked is what the user wants, 0 for as many as are of use on one machine. Where files are few, the embedded mock
// needs its side of each connection too.
func workersWithin(files, asked int) (int, error) {
	switch {
	case asked > 0 && asked > files-ownFiles:
		return 0, failure.Usagef("%d workers may each need a connection of their own, and this process may have no more than %d files open; raise the limit (ulimit -n %d), or give fewer --workers",
			asked, files, asked+ownFiles)
	case asked > 0:
		return asked, nil
	case files < 1024:
		return max(1, (files-ownFiles)/2), nil
	}
	return min(20_000, files-256), nil
}

func (p *plan) hits() uint64 {
	if p.closed {
		return 0
	}
	return p.schedule.Hits()
}

// peak is the highest rate in hits a second. That of a closed loop is not known; as many clients as two for each worker are enough for it,
// which is what this rate asks for.
func (p *plan) peak() float64 {
	if p.closed {
		return float64(p.workers)
	}
	return p.schedule.Peak()
}

// crowd makes the virtual clients, and checks what can be checked before anything is sent.
func (p *plan) crowd(o *Options) (*crowd, error) {
	whole, peak := p.hits(), p.peak()
	if p.whole != nil {
		whole, peak = p.whole.Hits(), p.whole.Peak()
	}
	if err := guard(o.Environment, o.Workload, peak, p.closed, whole, o.Consent); err != nil {
		return nil, err
	}
	traffic := traffic{
		Workload: o.Workload, Mix: o.Mix, Clients: o.Clients, Refreshes: o.Refreshes, ReuseSessions: o.ReuseSessions,
		IgnoreRetryAfter: o.IgnoreRetryAfter, JudgeEvery: o.JudgeEvery, skip: o.skip,
	}
	if s, ok := p.schedule.(sharded); ok {
		traffic.part = s.shard
	}
	c, err := newCrowd(o.Environment, traffic, p.hits(), p.peak(), o.Seed, o.Shard)
	if err != nil {
		return nil, err
	}
	return c, CheckLimits(o.Limits, o.Workload, c.measures(), p.closed, false)
}

// engine is one run with its clients ready.
type engine struct {
	plan     *plan
	options  *Options
	workload Workload
	target   wire.Target
	wrong    []reports.Wrong // found before the clock started
	notes    func() []string // of the workload, when the run is over
	storm    func() *reports.Storm
	started  func(time.Time) // told when the clock starts
	clients  int
	seen     *crowd        // whose unique values are left for the merge of shards; nil: none are
	grace    time.Duration // 0: defaultGrace
}

// run sends and measures.
func (e *engine) run(ctx context.Context) (*reports.Load, error) {
	o, p := e.options, e.plan
	carrier, err := chooseTransport(ctx, e.target, o.Timeout, o.Trace)
	if err != nil {
		return nil, err
	}
	defer carrier.close()
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	began, err := e.start(ctx)
	if err != nil {
		return nil, err
	}
	a := &attack{
		schedule: p.schedule, length: p.length, workload: e.workload, transport: carrier, workers: p.workers, timeout: timeout,
		tally: newTally(e.workload.Operations(), p.closed, o.Trace), began: began,
	}
	a.tally.began = began
	if o.Raw != nil {
		a.raw = newRawStream(o.Raw, e.target.URL)
	}
	report := e.question(carrier, now().Add(time.Since(began)*-1))
	limits := make([]string, len(o.Limits))
	for i, l := range o.Limits {
		limits[i] = l.Expression
	}
	var keep *recorder
	if o.Record != "" {
		keep, err = newRecorder(o.Record, &recordHead{Report: report, Operations: e.workload.Operations(), Limits: limits, Of: o.Shard.Of, Whole: e.whole(), Seen: e.seen != nil, Began: report.Run.Start})
		if err != nil {
			return nil, err
		}
	}
	// All is ready before the instant comes, so that nothing stands between it and the first hit.
	late, err := sleepUntil(ctx, began)
	if err != nil {
		if keep != nil {
			_ = keep.close()
		}
		return nil, err
	}
	if e.started != nil {
		e.started(began)
	}
	s := &secondHand{
		attack: a, ledger: newLedger(e.workload.Operations(), p.closed), recorder: keep, health: newHealthWatch(began, e.late(late)), secrets: o.Secrets,
		progress: progressView{tell: o.Progress, closed: p.closed, total: p.length},
	}
	s.news = e.wrong
	ended := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer failure.Guard()
		s.run(ended)
	}()
	a.run(ctx, cmp.Or(e.grace, defaultGrace))
	close(ended)
	<-gone
	s.last(e.ending(ctx, a, s))
	if keep != nil {
		if err := keep.close(); err != nil {
			s.ledger.end.Notes = append(s.ledger.end.Notes, fmt.Sprintf("the record of the run could not be written to its end: %v", err))
		}
	}
	report.Run.End = report.Run.Start.Add(now().Sub(report.Run.Start)) // however the clock of this machine was set meanwhile
	s.ledger.finish(report, limits)
	return report, nil
}

// question is the report before anything was measured.
func (e *engine) question(carrier transport, start time.Time) *reports.Load {
	o, p := e.options, e.plan
	r := &reports.Load{Schema: reports.LoadSchema, Run: o.Run, Shard: o.Shard.String()}
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&r.Run.Kind, "load")
	fill(&r.Run.Environment, o.Environment.Name)
	fill(&r.Run.URL, e.target.URL)
	fill(&r.Run.Tenant, e.target.Tenant)
	fill(&r.Run.Service, e.target.Service)
	fill(&r.Run.Tool.Go, runtime.Version())
	if r.Run.Machine == (reports.Machine{}) {
		r.Run.Machine = reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	}
	r.Run.Start = start
	r.Plan = reports.Plan{
		Workload: o.Workload, Mix: maps.Clone(o.Mix), Schedule: p.words, Hits: int64(p.hits()), Seconds: p.length.Seconds(),
		Clients: e.planned(), Workers: o.Workers, Transport: carrier.String(), Closed: p.closed, Seed: o.Seed, MaxLag: int64(o.MaxLag),
	}
	return r
}

// whole is how many hits all shards have together, of a storm how many clients; 0: not known.
func (e *engine) whole() int64 {
	switch {
	case e.options.Storm != nil:
		return int64(e.options.Storm.Clients)
	case e.plan.closed:
		return 0
	}
	return int64(e.plan.whole.Hits())
}

// planned is how many virtual clients take part.
func (e *engine) planned() int {
	if c, ok := e.workload.(*crowd); ok {
		return c.planned.starters + c.planned.chains
	}
	return max(e.options.Clients, e.clients)
}

// ending is what is known now that everything is in.
func (e *engine) ending(ctx context.Context, a *attack, s *secondHand) *ending {
	end := &ending{}
	switch out := a.out.Load(); {
	case ctx.Err() != nil:
		end.Partial = "it was interrupted"
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			end.Partial = "it was ended: " + cause.Error()
		}
	case out != nil:
		end.Partial = (*out).Error()
	}
	if e.notes != nil {
		end.Notes = e.notes()
	}
	if e.seen != nil {
		if err := e.seen.leaveSeen(e.options.Record, e.options.Shard); err != nil {
			end.Notes = append(end.Notes, fmt.Sprintf("what must be unique over all shards could not be left for their merge: %v", err))
		}
	}
	if e.storm != nil {
		end.Storm = e.storm()
	}
	if a.raw != nil && a.raw.err != nil {
		end.Notes = append(end.Notes, fmt.Sprintf("the stream of raw results could not be written to its end: %v", a.raw.err))
	}
	if s.recorder != nil && s.recorder.err != nil {
		end.Notes = append(end.Notes, fmt.Sprintf("the record of the run could not be written: %v; this report is whole all the same", s.recorder.err))
	}
	return end
}
