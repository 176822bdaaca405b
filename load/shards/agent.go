package shards

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/reports"
)

// Load is the load of one shard: load.Run with the options of the plan. It waits at the barrier when it is set up, and
// leaves its results in the agent's folder. A report means that the load has begun, however it ended.
type Load func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error)

// Agent is one shard: it sends its part of a load when the coordinator asks for it, and hands over the result. Token,
// Folder and Load must be given; the zero value of everything else works. An Agent serves one run.
type Agent struct {
	Index   int    // from 0
	Plan    []byte // the text of PlanFile
	Version string // of this program
	Token   []byte // of the run
	Folder  string // of the run, which is there; the result is made of it
	Load    Load
	// ResultsURL gets the result by PUT, with {index} replaced; empty: no URL does.
	ResultsURL string
	// LastWords takes the agent's state again and again, each time in place of the one before; nil: nobody takes it.
	LastWords func(Ending)
	// Output gets the result in a frame when nobody has come for it; nil: nothing does.
	Output io.Writer
	// MostLogged is the size up to which a result, packed, is written to Output; 0: 4 MiB. The kubelet keeps 10 MiB of it,
	// and base64 adds a third.
	MostLogged int
	// Grace is how long the agent may go on after ctx has ended; 0: 25 s, which is within the 30 s that Kubernetes gives a
	// pod.
	Grace time.Duration
	// FailedLinger is how long an agent without a result reports its failure before it ends; 0: 10 s.
	FailedLinger time.Duration

	now func() time.Time // the wall clock; nil: that of this machine
}

func (a *Agent) clock() time.Time {
	if a.now != nil {
		return a.now()
	}
	return time.Now()
}

const (
	defaultGrace        = 25 * time.Second
	defaultFailedLinger = 10 * time.Second
	// loggedAfter is how long a result that nobody has fetched is offered before it is written to the output.
	loggedAfter = 45 * time.Second
	// unasked is how much longer than twice the time for setting up an agent waits for its start: until then all others
	// are set up too.
	unasked           = time.Minute
	defaultMostLogged = 4 << 20
)

var (
	errAborted = errors.New("its coordinator told it to stop")
	errUnasked = errors.New("no coordinator started it in time")
)

// Run serves the control interface on listener, which it closes, and sends the load. When ctx ends, it sends no more,
// and serves a result that exists by then for the time of Grace. Run returns nil when the load was sent and its result
// handed over, or offered for the whole time that the plan gives; otherwise an error of a kind of package failure, that
// of the load if there is one.
//
// If listener is nil, the agent starts at the instant of its plan, tells its state by Output, and hands its result over
// there and to ResultsURL.
func (a *Agent) Run(ctx context.Context, listener net.Listener) error {
	plan, err := ReadPlan(a.Plan, a.Version)
	if err == nil && (a.Index < 0 || a.Index >= plan.Shards) {
		err = failure.Usagef("there is no shard %d in a run of %d shards; the indexes go from 0 to %d", a.Index,
			plan.Shards, plan.Shards-1)
	}
	if listener == nil && err == nil && plan.StartAt == 0 {
		err = failure.Usagef("the plan of the shards has no instant of the start, and nobody can tell this shard of it: it " +
			"listens to nothing")
	}
	s := newStanding(a, plan)
	if listener == nil {
		return a.runAlone(ctx, s, plan, err)
	}
	server := &http.Server{Handler: a.handler(s), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer failure.Guard()
		_ = server.Serve(listener) // it ends with Shutdown
	}()
	defer func() {
		ending, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
		<-served
	}()
	last := a.lastMoment(ctx)
	if err == nil {
		err = a.work(ctx, s, plan)
	}
	if err != nil {
		s.fail(err)
		a.words(s)
		await(s.acknowledged, cmp.Or(a.FailedLinger, defaultFailedLinger), last)
		return err
	}
	a.words(s)
	if a.ResultsURL != "" {
		err = a.store(last, s)
	}
	// If nobody has come for a while, the way to this shard may be closed: then the result is put into the log too.
	first := min(plan.Linger, loggedAfter)
	if await(s.acknowledged, first, last) {
		return nil
	}
	stored := s.status().Stored
	if !stored {
		if logged := a.logResult(s); logged != nil {
			err = errors.Join(err, logged)
		}
		a.words(s)
	}
	if await(s.acknowledged, plan.Linger-first, last) || stored {
		return nil
	}
	return err
}

// lastMoment ends when the grace after the end of ctx is over.
func (a *Agent) lastMoment(ctx context.Context) context.Context {
	last, over := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer failure.Guard()
		time.AfterFunc(cmp.Or(a.Grace, defaultGrace), func() {
			defer failure.Guard()
			over()
		})
	})
	return last
}

// await waits until something has happened, and no longer than some time or the last moment.
func await(happened <-chan struct{}, longest time.Duration, last context.Context) bool {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-happened:
		return true
	case <-timer.C:
	case <-last.Done():
	}
	return false
}

// work waits until it is told to prepare, does the load, and makes its result.
func (a *Agent) work(ctx context.Context, s *standing, plan *Plan) error {
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.abort = cancel
	waited := time.AfterFunc(2*plan.ReadyWithin+unasked, func() {
		defer failure.Guard()
		s.giveUp(errUnasked)
	})
	defer waited.Stop()
	close(s.able)
	select {
	case <-s.prepared:
	case <-running.Done():
		return failure.Setupf("the shard sent nothing: %w", context.Cause(running))
	}
	report, err := a.Load(running, s.barrier, func(at engine.Progress) {
		s.progressed(at)
		a.words(s)
	})
	if report == nil {
		if cause := context.Cause(running); cause != nil {
			return failure.Setupf("the shard sent nothing: %w", cause)
		}
		return err
	}
	s.measured(report)
	if err != nil {
		return err
	}
	result, err := packFolder(a.Folder)
	if err != nil {
		return failure.Setupf("the result of the shard could not be packed: %w", err)
	}
	s.finish(result)
	return nil
}

func (a *Agent) words(s *standing) {
	if a.LastWords != nil {
		a.LastWords(s.ending())
	}
}
