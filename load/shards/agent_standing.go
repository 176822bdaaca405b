package shards

import (
	"context"
	"fmt"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/reports"
)

// standing is the state of an agent, which its handlers and its load share.
type standing struct {
	length       time.Duration // of the load
	alone        int64         // instant of the start, where nobody tells it
	clock        func() time.Time
	able         chan struct{} // closed when abort may be used
	abort        context.CancelCauseFunc
	prepared     chan struct{}  // closed when it is told to prepare
	acknowledged chan struct{}  // closed when the result has come home
	start        chan time.Time // gets the instant

	mu      sync.Mutex // guards what follows
	now     Status
	asked   int64     // the instant as it was told
	at      time.Time // the same with a monotonic reading
	left    Ending
	lately  Progress
	times   timesSum
	acked   bool
	prepare bool
}

func newStanding(a *Agent, plan *Plan) *standing {
	s := &standing{able: make(chan struct{}), prepared: make(chan struct{}), acknowledged: make(chan struct{}),
		start: make(chan time.Time, 1), clock: a.clock}
	s.now = Status{Index: a.Index, Phase: PhaseWaiting, Version: a.Version, Plan: HashOf(a.Plan)}
	s.left = Ending{Index: a.Index}
	if plan != nil {
		s.length, s.alone = plan.Duration, plan.StartAt
	}
	return s
}

// status is a copy of where the agent stands at this moment.
func (s *standing) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statusNow()
}

func (s *standing) statusNow() Status {
	now := s.now
	if now.Phase == PhaseArmed && !time.Now().Before(s.at) {
		now.Phase = PhaseRunning
	}
	return now
}

// conflict is a request that does not fit where the agent stands.
type conflict string

func (c conflict) Error() string { return string(c) }

// toPrepare lets the agent set up; told twice it changes nothing.
func (s *standing) toPrepare(p Prepare) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.Plan != s.now.Plan:
		return conflict("this shard holds another plan than the one that was asked for; nothing was sent")
	case p.Version != s.now.Version:
		return conflict(
			fmt.Sprintf("this shard is agstest %s and its coordinator %s; use an image of the coordinator's version; nothing "+
				"was sent", s.now.Version, p.Version))
	case s.now.Phase == PhaseFailed:
		return conflict(s.now.Error)
	case s.prepare:
		return nil
	}
	s.prepare, s.now.Phase = true, PhasePreparing
	close(s.prepared)
	return nil
}

// barrier is the engine.Barrier of the agent: it waits for the instant.
func (s *standing) barrier(ctx context.Context, ready engine.Ready) (time.Time, error) {
	s.mu.Lock()
	s.now.Phase, s.now.Planned, s.now.Clients = PhaseReady, ready.Hits, ready.Clients
	s.left.Planned = ready.Hits
	s.length = ready.Length
	s.mu.Unlock()
	if s.alone != 0 {
		if err := s.toStart(s.alone); err != nil {
			return time.Time{}, failure.Setupf("the shard sent nothing: %w", err)
		}
	}
	select {
	case at := <-s.start:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// maxAhead is how far in the future a start may lie; more is a wrong clock.
const maxAhead = time.Hour

// toStart arms the agent. The instant is turned into one of the monotonic clock at once. Told twice it changes nothing.
func (s *standing) toStart(at int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != 0 && s.asked == at {
		return nil
	}
	if s.now.Phase != PhaseReady {
		return conflict(fmt.Sprintf("this shard cannot be started: it is %s", s.statusNow().Phase))
	}
	now := time.Now()
	switch ahead := time.Unix(0, at).Sub(s.clock().Round(0)); {
	case ahead <= 0:
		return conflict(fmt.Sprintf("the instant of the start has passed %s ago on the clock of this shard",
			(-ahead).Round(time.Millisecond)))
	case ahead > maxAhead:
		return conflict(fmt.Sprintf("the instant of the start lies %s ahead on the clock of this shard; %s is the most",
			ahead.Round(time.Second), maxAhead))
	default:
		s.asked, s.at, s.now.Phase = at, now.Add(ahead), PhaseArmed
	}
	s.start <- s.at
	return nil
}

// stop lets nothing more be sent.
func (s *standing) stop(cause error) {
	select {
	case <-s.able:
		s.abort(cause)
	default: // it has refused its plan
	}
}

// giveUp stops an agent that was not started by now.
func (s *standing) giveUp(cause error) {
	defer failure.Guard()
	s.mu.Lock()
	started := s.asked != 0
	s.mu.Unlock()
	if !started {
		s.stop(cause)
	}
}

func (s *standing) progressed(at engine.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lately = Progress{
		Elapsed: at.Elapsed, Left: at.Left, Sent: at.Sent, Wrong: at.Wrong, Rate: at.Rate,
		P50: time.Duration(at.P50), P99: time.Duration(at.P99), Whole: &at,
	}
	s.times.second(&at)
	s.left.Sent, s.left.Elapsed = at.Sent, at.Elapsed
}

func (s *standing) progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.lately
	if p.Whole == nil {
		p.Left = s.length
	}
	p.Times = s.times.pack()
	return p
}

// measured notes the figures of a load that is over.
func (s *standing) measured(r *reports.Load) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &s.left
	if r.Total != nil {
		e.Sent = r.Total.Sent
	}
	e.Planned = r.Plan.Hits
	e.StartLate, e.Throttled = time.Duration(r.Generator.StartLate), time.Duration(r.Generator.Throttled)
	e.ThrottledTimes, e.CPU = r.Generator.ThrottledTimes, time.Duration(r.Generator.CPUSeconds*float64(time.Second))
}

func (s *standing) finish(result *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Phase, s.now.Result = PhaseDone, result
}

func (s *standing) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Phase, s.now.Error, s.now.Exit = PhaseFailed, err.Error(), int(failure.KindOf(err))
}

func (s *standing) stored() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Stored = true
}

func (s *standing) logged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left.Logged = true
}

// toAcknowledge lets the agent end if the hash is that of its result.
func (s *standing) toAcknowledge(sha256 string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.now.Phase == PhaseFailed && sha256 == "":
	case s.now.Result == nil:
		return conflict(fmt.Sprintf("this shard has no result to be acknowledged: it is %s", s.statusNow().Phase))
	case s.now.Result.SHA256 != sha256:
		return conflict(
			"the result of this shard has another SHA-256 than the one that was acknowledged; fetch it again")
	}
	if !s.acked {
		s.acked = true
		close(s.acknowledged)
	}
	return nil
}

// ending returns the last words of the agent as they are now.
func (s *standing) ending() Ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, e := s.statusNow(), s.left
	e.Phase, e.Error, e.Exit, e.Result, e.Stored = now.Phase, clipped(now.Error), now.Exit, now.Result, now.Stored
	return e
}

// maxError leaves room for the other members in a termination message of 4,096 bytes.
const maxError = 2048

func clipped(text string) string {
	if len(text) <= maxError {
		return text
	}
	return text[:maxError] + "…"
}
