// Package load sends a load to an AGS as virtual clients that hold sessions and token chains, on an open-model
// schedule. Its report says first whether its own figures can be trusted, then what they mean.
//
// Options are the question, Run answers it. Check returns the errors of Run without sending anything, and how much Run
// would send. Prepare, SetUp and Send are the three steps of Run, for callers that send in legs. Capacity searches for
// the highest rate that keeps the limits. The packages below do the work: clients makes requests and judges answers,
// schedule sets their times, engine sends and measures, tally counts and decides.
//
// Response time counts from the instant at which a hit was due, service time from when it was sent (coordinated
// omission: see https://www.scylladb.com/2021/04/22/on-coordinated-omission/). The package imports no mock and reads no
// flags.
package load

import (
	"context"
	"io"
	"time"

	"agstest/internal/environment"
	"agstest/internal/redact"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/reports"
)

// Options are the question of a load run. Environment and Workload must be given, and one of Rate with Duration,
// Profile, and Population with Duration, or Storm alone; the zero value of everything else works.
type Options struct {
	Environment *environment.Environment
	clients.Traffic
	Rate       schedule.Rate
	Duration   time.Duration
	Profile    *schedule.Profile
	Population *schedule.Population
	// Schedule is in place of Rate, Profile and Population, for those that make one of their own. A Shard deals out the
	// clients then, and not the hits.
	Schedule schedule.Schedule
	Storm    *clients.Storm // in place of Workload, Rate and Duration
	// Max sends as fast as Workers can, each one request after the other, for Duration (closed loop). Rate.Max says the
	// same.
	Max bool
	// Workers caps concurrent requests; a hit that has to wait for one is late, which counts in its response time. 0:
	// as many as the schedule needs, within what this machine can have open.
	Workers int
	Limits  []limit.Limit
	Seed    uint64
	// Trace measures the phases of each exchange.
	Trace bool
	// Raw gets the stream of Vegeta's own results (gob), readable by vegeta report and vegeta plot.
	Raw io.Writer
	// Record is the folder for tally.RecordFile; empty: no record is kept.
	Record string
	Shard  schedule.Shard
	// Barrier says when the clock starts, once everything is set up; nil: at StartAt.
	Barrier engine.Barrier
	// StartAt is when the clock starts, so that shards start together; zero: as soon as everything is set up.
	StartAt time.Time
	Consent
	// Timeout of one exchange, from sending to the last byte; 0: 30 s.
	Timeout time.Duration
	// MaxLag is the highest 99th percentile of the send lag at which the figures are valid; 0: the limits on response
	// times decide; without such limits 100 ms, or 10 % of the median response time if that is more.
	MaxLag time.Duration
	// SetUp is called once a second before the clock starts, and Progress once a second after it, on goroutines of the
	// run.
	SetUp    func(clients.SetUp)
	Progress func(engine.Progress)
	// Waiting is called once a second between the set-up and StartAt, with the time that is left.
	Waiting func(left time.Duration)
	// Secrets takes secrets out of the messages of wrong answers; nil: messages are kept as they are.
	Secrets *redact.Redactor
	// Now is the clock that the report is dated with; nil: time.Now.
	Now func() time.Time
	// Run is the head of the report. Empty fields are filled in as far as they are known here.
	Run reports.Run

	skip int // clients that earlier runs with the same ones used up
}

// Run sets up, sends, measures and judges a load. When ctx ends, Run sends no more and returns all measurements in a
// report marked partial. An error is of the kind failure.Usage (nothing was sent) or failure.Setup, or that of ctx when
// it ended before the clock started; then there is no report.
func Run(ctx context.Context, o Options) (*reports.Load, error) {
	report, _, err := run(ctx, o)
	return report, err
}

// run is Run, and tells how many clients were used up.
func run(ctx context.Context, o Options) (report *reports.Load, consumed int, err error) {
	p, err := Prepare(o)
	if err != nil {
		return nil, 0, err
	}
	if err := p.SetUp(ctx); err != nil {
		return nil, 0, err
	}
	report, err = p.Send(ctx, Leg{})
	return report, p.crowd.Consumed(), err
}
