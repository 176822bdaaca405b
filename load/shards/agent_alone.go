package shards

import (
	"context"
	"errors"
	"sync"
	"time"

	"agstest/internal/failure"
)

const (
	// turnEvery is how often an agent that waits for its start tells the time. Its coordinator finds out between which two
	// lines a moment of its own lies.
	turnEvery = 200 * time.Millisecond
	// aliveTurns is how many of them pass between two lines at all other times. Some 10 MiB of an output are kept, of
	// which a result may need 6, so that loads of up to ten hours have room.
	aliveTurns = 10
)

// runAlone is Run without a way to the agent: it starts at the instant of its plan, and ends when it has handed over
// its result.
func (a *Agent) runAlone(ctx context.Context, s *standing, plan *Plan, err error) error {
	last := a.lastMoment(ctx)
	fall := a.announce(s)
	if err == nil {
		if err = s.toPrepare(Prepare{Plan: s.now.Plan, Version: a.Version}); err == nil {
			err = a.work(ctx, s, plan)
		}
	}
	if err != nil {
		s.fail(err)
	}
	a.words(s)
	fall()
	if err != nil {
		return err
	}
	if a.ResultsURL != "" {
		err = a.store(last, s)
	}
	err = errors.Join(err, a.logResult(s))
	left := s.ending()
	switch {
	case left.Logged || left.Stored: // one of the two is enough
		err = nil
	case err == nil:
		err = errors.New("it is too large for the output of a shard; give --results-url")
	}
	if err != nil {
		err = failure.Setupf("the result of the shard could not be handed over: %w", err)
		s.fail(err)
	}
	a.words(s)
	return err
}

// announce tells by the output how the agent stands, until the function that it returns is called, at once when that
// changes and now and then when it does not.
func (a *Agent) announce(s *standing) (fall func()) {
	if a.Output == nil {
		return func() {}
	}
	silent := make(chan struct{})
	var talking sync.WaitGroup
	talking.Go(func() {
		defer failure.Guard()
		turns := time.NewTicker(turnEvery)
		defer turns.Stop()
		var told Phase
		for n, quiet := (announcement{}), 0; ; quiet++ {
			now := s.status()
			n.Status, n.Progress = nil, nil
			if now.Phase != told {
				told, n.Status = now.Phase, &now
			}
			if now.Phase == PhaseRunning {
				p := s.progress()
				p.Whole, p.Times = nil, nil // a log is kept and read by people
				n.Progress = &p
			}
			if n.Status != nil || now.Phase == PhaseArmed || quiet >= aliveTurns {
				n.Turn, n.Clock, quiet = n.Turn+1, a.clock().UnixNano(), 0
				_ = n.write(a.Output) // if writing fails, nobody would hear of the failure either
			}
			select {
			case <-turns.C:
				continue
			case <-silent:
			}
			if now := s.status(); now.Phase != told {
				n = announcement{Turn: n.Turn + 1, Clock: a.clock().UnixNano(), Status: &now}
				_ = n.write(a.Output)
			}
			return
		}
	})
	return func() {
		close(silent)
		talking.Wait()
	}
}
