// Package engine sends the hits of a schedule through Vegeta (https://github.com/tsenart/vegeta) and measures them. It
// is the only package that uses Vegeta. It knows a schedule, a workload and a Question, and nothing of options, clients
// or environments.
//
// Vegeta starts the hits, each on a worker, and numbers them. The schedule says when each hit is due, the Workload
// makes its request and judges its answer, the transport carries it. Once a second the engine takes the counts out of
// the tally, sums them up, records them and tells its listeners. Response time counts from the instant at which a hit
// was due, so that a hit that left late is not flattered; service time counts from when it left.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/internal/wire"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/load/transport"
	"agstest/reports"
)

// Question is a run whose clients are ready: its hits and their times, the target, and the receivers of its results.
// Workload, Target, Asked, Length and Workers must be given, and Schedule unless it is a closed loop; the zero value of
// everything else works.
type Question struct {
	Workload Workload
	Target   wire.Target
	// Schedule is the hits of this run and their times; nil: Workers send as fast as they can, each one request after
	// the other (closed loop).
	Schedule schedule.Schedule
	Length   time.Duration // of the schedule, or of the closed loop
	Workers  int           // requests under way at once, at most
	Clients  int           // virtual clients that take part, for those that wait for the start
	// Timeout of one exchange, from sending to the last byte; 0: transport.DefaultTimeout.
	Timeout time.Duration
	// Trace measures the phases of each exchange.
	Trace bool
	// Raw gets the stream of Vegeta's own results (gob); nil: there is no stream.
	Raw io.Writer
	// Asked is the report as known before the run: Run, Plan and Shard. Start, end and transport are filled in.
	Asked  *reports.Load
	Limits []string // as expressions
	// Record is the folder for tally.RecordFile; empty: no record is kept.
	Record string
	Of     int   // shards of the run; 0: it is none
	Whole  int64 // hits of all shards together, of a storm its clients; 0: not known
	// Barrier says when the clock starts; nil: at StartAt, and where that is zero at once.
	Barrier Barrier
	StartAt time.Time
	// Waiting is called once a second until the clock starts, with the time that is left, on the goroutine of Send; nil:
	// nobody is told.
	Waiting func(left time.Duration)
	// Prepared is a moment before the first call of the set-up, from which on the clock of the machine is watched; zero:
	// it is watched from the start of the run on.
	Prepared time.Time
	// Progress is called once a second, on a goroutine of the run, which waits for it; nil: nobody is told, and nothing
	// is summed up.
	Progress func(Progress)
	// Secrets takes secrets out of messages; nil: they are kept as they are.
	Secrets *redact.Redactor
	// Names returns the names of the clients in hit.Request.Who; nil: they have none.
	Names Names
	// ShowIDs leaves ids of accounts and devices in exchanges as they are; else they are masked.
	ShowIDs bool
	// Now is the clock that the report is dated with; nil: time.Now.
	Now func() time.Time

	Wrong   []reports.Wrong         // found before the clock started
	SetUp   *reports.SetUp          // nil: no call of it had to be made again
	Started func(time.Time)         // told when the clock starts; may be nil
	Notes   func() []string         // of the workload, when the run is over; may be nil
	Judging func() *reports.Judging // how it judged answers, when the run is over; may be nil
	Storm   func() *reports.Storm   // how the storm went, when it is over; nil: there is no storm
	// leaves what must be unique over all shards beside the record; nil: it is not watched
	Leave func() error

	grace time.Duration // 0: defaultGrace
}

// defaultGrace is how long exchanges under way may take to end by themselves after an interrupt.
const defaultGrace = 2 * time.Second

// Send waits for the start, sends, measures and judges. When ctx ends, Send sends no more and returns all measurements
// in a report marked partial. An error is of the kind failure.Usage or failure.Setup, or that of ctx when it ended
// before the clock started; then there is no report.
func Send(ctx context.Context, q Question) (*reports.Load, error) {
	carrier, err := transport.Connect(ctx, q.Target,
		transport.Options{Timeout: q.Timeout, Trace: q.Trace, Crowded: q.Schedule == nil})
	if err != nil {
		return nil, err
	}
	defer carrier.Close()
	now := time.Now
	if q.Now != nil {
		now = q.Now
	}
	if q.Timeout <= 0 {
		q.Timeout = transport.DefaultTimeout
	}
	defer collectLess()()
	began, err := q.start(ctx)
	if err != nil {
		return nil, err
	}
	operations, closed := q.Workload.Operations(), q.Schedule == nil
	a := &attack{
		schedule: q.Schedule, length: q.Length, workload: q.Workload, transport: carrier, workers: q.Workers,
		timeout: q.Timeout,
		tally:   tally.New(operations, closed, q.Trace, began), began: began,
	}
	if q.Raw != nil {
		a.raw = newRawStream(q.Raw, concealed(q.Secrets)(q.Target.URL), operations)
	}
	a.tally.Keep(q.keeping())
	report := q.Asked
	report.Schema = reports.LoadSchema
	report.Run.Start, report.Plan.Transport, report.Plan.Closed = now().Add(
		-time.Since(began)), carrier.String(), closed
	redact.Texts(report, concealed(q.Secrets))
	var keep *tally.Recorder
	if q.Record != "" {
		keep, err = tally.NewRecorder(q.Record, &tally.Head{
			Report: report, Operations: operations, Limits: q.Limits, Of: q.Of, Whole: q.Whole, Seen: q.Leave != nil,
			Began: report.Run.Start,
		})
		if err != nil {
			return nil, err
		}
	}
	// All is ready before the instant comes, so that nothing stands between it and the first hit.
	late, err := q.await(ctx, began)
	if err != nil {
		if keep != nil {
			_ = keep.Close()
		}
		return nil, err
	}
	if q.Started != nil {
		q.Started(began)
	}
	s := &secondHand{
		attack: a, ledger: tally.NewLedger(operations,
			closed).Draws(&report.Plan), recorder: keep, health: newHealthWatch(began, q.late(late)).since(q.Prepared),
		secrets:  q.Secrets,
		progress: newProgressView(&q, closed, began), news: q.Wrong,
	}
	a.newest = s.progress.newest
	ended := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer failure.Guard()
		s.run(ended)
	}()
	a.run(ctx, cmp.Or(q.grace, defaultGrace))
	close(ended)
	<-gone
	s.last(q.ending(ctx, a, s))
	if keep != nil {
		if err := keep.Close(); err != nil {
			s.ledger.Note(fmt.Sprintf("the record of the run could not be written to its end: %v", err))
		}
	}
	// however the clock of this machine was set meanwhile
	report.Run.End = report.Run.Start.Add(now().Sub(report.Run.Start))
	s.ledger.Finish(report, q.Limits)
	return report, nil
}

// Interrupted is why a run is partial whose context has ended, in the words of who ended it.
func Interrupted(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return "it was interrupted"
}

// ending returns the ending of the record, once everything is in.
func (q *Question) ending(ctx context.Context, a *attack, s *secondHand) *tally.Ending {
	end := &tally.Ending{SetUp: q.SetUp}
	switch out := a.out.Load(); {
	case ctx.Err() != nil:
		end.Partial = Interrupted(ctx)
	case out != nil:
		end.Partial = (*out).Error()
	}
	if q.Notes != nil {
		end.Notes = q.Notes()
	}
	if q.Judging != nil {
		end.Judging = q.Judging()
	}
	if q.Leave != nil {
		if err := q.Leave(); err != nil {
			end.Notes = append(end.Notes,
				fmt.Sprintf("what must be unique over all shards could not be left for their merge: %v", err))
		}
	}
	if q.Storm != nil {
		end.Storm = q.Storm()
	}
	if a.raw != nil && a.raw.err != nil {
		end.Notes = append(end.Notes, fmt.Sprintf("the stream of raw results could not be written to its end: %v",
			a.raw.err))
	}
	if err := s.recorder.Failed(); err != nil {
		end.Notes = append(end.Notes,
			fmt.Sprintf("the record of the run could not be written: %v; this report is whole all the same", err))
	}
	return end
}

// concealed returns the function that removes secrets from the question in the record; without secrets it changes
// nothing.
func concealed(secrets *redact.Redactor) func(string) string {
	if secrets == nil {
		return func(text string) string { return text }
	}
	return secrets.Values
}
