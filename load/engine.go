package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load/clients"
	"agstest/load/tally"
	"agstest/load/transport"
	"agstest/reports"
)

// engine is one run with its clients ready.
type engine struct {
	plan     *plan
	options  *Options
	workload Workload
	target   wire.Target
	wrong    []reports.Wrong // found before the clock started
	setUp    *reports.SetUp  // nil: no call of it had to be made again
	notes    func() []string // of the workload, when the run is over
	storm    func() *reports.Storm
	started  func(time.Time) // told when the clock starts
	clients  int
	seen     *clients.Crowd // whose unique values are left for the merge of shards; nil: none are
	grace    time.Duration  // 0: defaultGrace
}

// defaultGrace is what exchanges under way get to end by themselves after an interrupt.
const defaultGrace = 2 * time.Second

// run sends and measures.
func (e *engine) run(ctx context.Context) (*reports.Load, error) {
	o, p := e.options, e.plan
	carrier, err := transport.Connect(ctx, e.target, o.Timeout, o.Trace)
	if err != nil {
		return nil, err
	}
	defer carrier.Close()
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = transport.DefaultTimeout
	}
	began, err := e.start(ctx)
	if err != nil {
		return nil, err
	}
	a := &attack{
		schedule: p.schedule, length: p.length, workload: e.workload, transport: carrier, workers: p.workers, timeout: timeout,
		tally: tally.New(e.workload.Operations(), p.closed, o.Trace, began), began: began,
	}
	if o.Raw != nil {
		a.raw = newRawStream(o.Raw, concealed(o.Secrets)(e.target.URL), e.workload.Operations())
	}
	report := e.question(carrier, now().Add(time.Since(began)*-1))
	limits := make([]string, len(o.Limits))
	for i, l := range o.Limits {
		limits[i] = l.Expression
	}
	reports.Conceal(report, concealed(o.Secrets))
	var keep *tally.Recorder
	if o.Record != "" {
		keep, err = tally.NewRecorder(o.Record, &tally.Head{Report: report, Operations: e.workload.Operations(), Limits: limits, Of: o.Shard.Of, Whole: e.whole(), Seen: e.seen != nil, Began: report.Run.Start})
		if err != nil {
			return nil, err
		}
	}
	// All is ready before the instant comes, so that nothing stands between it and the first hit.
	late, err := sleepUntil(ctx, began)
	if err != nil {
		if keep != nil {
			_ = keep.Close()
		}
		return nil, err
	}
	if e.started != nil {
		e.started(began)
	}
	s := &secondHand{
		attack: a, ledger: tally.NewLedger(e.workload.Operations(), p.closed), recorder: keep, health: newHealthWatch(began, e.late(late)), secrets: o.Secrets,
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
		if err := keep.Close(); err != nil {
			s.ledger.Note(fmt.Sprintf("the record of the run could not be written to its end: %v", err))
		}
	}
	report.Run.End = report.Run.Start.Add(now().Sub(report.Run.Start)) // however the clock of this machine was set meanwhile
	s.ledger.Finish(report, limits)
	return report, nil
}

// question is the report before anything was measured.
func (e *engine) question(carrier transport.Carrier, start time.Time) *reports.Load {
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
	fill(&r.Run.Release, o.Environment.Release)
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
	if c, ok := e.workload.(*clients.Crowd); ok {
		return c.Size()
	}
	return max(e.options.Clients, e.clients)
}

// ending is what is known now that everything is in.
func (e *engine) ending(ctx context.Context, a *attack, s *secondHand) *tally.Ending {
	end := &tally.Ending{SetUp: e.setUp}
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
		if err := e.seen.LeaveUnique(e.options.Record, e.options.Shard); err != nil {
			end.Notes = append(end.Notes, fmt.Sprintf("what must be unique over all shards could not be left for their merge: %v", err))
		}
	}
	if e.storm != nil {
		end.Storm = e.storm()
	}
	if a.raw != nil && a.raw.err != nil {
		end.Notes = append(end.Notes, fmt.Sprintf("the stream of raw results could not be written to its end: %v", a.raw.err))
	}
	if err := s.recorder.Failed(); err != nil {
		end.Notes = append(end.Notes, fmt.Sprintf("the record of the run could not be written: %v; this report is whole all the same", err))
	}
	return end
}

// concealed takes secrets out of what the record says of the question; nil: there are none.
func concealed(secrets *wire.Redactor) func(string) string {
	if secrets == nil {
		return func(text string) string { return text }
	}
	return secrets.Values
}
