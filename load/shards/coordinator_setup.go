package shards

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"agstest/internal/failure"
)

// prepare sees that a shard is of our version and has our plan, and has it set up.
func (r *conductor) prepare(ctx context.Context, s *shard) error {
	return r.insist(ctx, func() error {
		var status Status
		if err := s.get(ctx, PathState, &status); err != nil {
			return r.refused(s, err)
		}
		if err := r.same(s, status); err != nil {
			return err
		}
		if err := s.post(ctx, PathPrepare, Prepare{Plan: r.hash, Version: r.plan.Version}, &status); err != nil {
			return r.refused(s, err)
		}
		return r.failed(s, status)
	})
}

// same refuses a shard of another program or another plan.
func (r *conductor) same(s *shard, status Status) error {
	switch {
	case status.Version != r.plan.Version:
		return failure.Setupf("%s is agstest %s, and the run was made by %s; give --image the same version", r.name(s),
			status.Version, r.plan.Version)
	case status.Plan != r.hash:
		return failure.Setupf("%s has another plan than this run, as if something had changed it on its way", r.name(s))
	case status.Index != s.index:
		return failure.Setupf("%s says that it is shard %d/%d", r.name(s), status.Index+1, len(r.shards))
	}
	return r.failed(s, status)
}

// failed is the error of a shard that could not set up.
func (r *conductor) failed(s *shard, status Status) error {
	if status.Phase != PhaseFailed {
		return nil
	}
	return asKind(status.Exit, "%s: %s", r.name(s), because(status.Error))
}

// refused makes a setup error of an answer that will not change; other errors stay as they are, and are tried again.
func (r *conductor) refused(s *shard, err error) error {
	var answer *refusal
	switch {
	case !errors.As(err, &answer):
		return err
	case answer.said.Phase == PhaseFailed:
		return r.failed(s, answer.said)
	case answer.status == http.StatusUnauthorized || answer.status == http.StatusForbidden:
		return failure.Setupf("%s does not know the token of this run", r.name(s))
	}
	return failure.Setupf("%s refused: %w", r.name(s), err)
}

// insist does something again until it is done, refused, or ctx has ended: a connection may break at any time.
func (r *conductor) insist(ctx context.Context, do func() error) error {
	var last error
	for {
		err := do()
		if err == nil || failure.KindOf(err) != failure.Internal {
			return err
		}
		if last == nil || ctx.Err() == nil { // that the last attempt was cut off by the end of ctx says nothing
			last = err
		}
		if pause(ctx, pollEvery) != nil {
			return last
		}
	}
}

// pause waits for a time, or until ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitReady waits until a shard is set up.
func (r *conductor) awaitReady(ctx context.Context, s *shard) error {
	last := errors.New("it is still setting up")
	for {
		var status Status
		err := s.get(ctx, PathState, &status)
		if err == nil {
			err = r.failed(s, status)
		} else {
			err = r.refused(s, err)
		}
		switch {
		case err == nil && status.Phase == PhaseReady:
			return nil
		case err == nil:
			last = fmt.Errorf("it is still %s", status.Phase)
		case failure.KindOf(err) != failure.Internal:
			return err
		case ctx.Err() == nil:
			last = err
		}
		if pause(ctx, readyEvery) != nil {
			return last
		}
	}
}

// compareClock finds out by how much the clock of a shard differs from ours. A busy moment gets two more chances, a
// connection that breaks any number of them.
func (r *conductor) compareClock(ctx context.Context, s *shard) error {
	most := cmp.Or(r.MaxClockError, defaultMaxClockError)
	best := clockOffset{}
	for range 3 {
		var clock clockOffset
		if err := r.insist(ctx, func() (err error) {
			clock, err = s.readClock(ctx, roundTrips, r.now)
			if no := (*refusal)(nil); errors.As(err, &no) {
				return failure.Setupf("the clock of %s cannot be read: %w", r.name(s), err)
			}
			return err
		}); err != nil {
			return err
		}
		if best.Bound == 0 || clock.Bound < best.Bound {
			best = clock
		}
		if best.Bound <= most {
			break
		}
	}
	s.clock, s.facts.ClockAhead, s.facts.ClockError = best, best.Offset, best.Bound
	return r.known(s)
}

// known refuses a clock that is not known well enough for a common start.
func (r *conductor) known(s *shard) error {
	if most := cmp.Or(r.MaxClockError, defaultMaxClockError); s.clock.Bound > most {
		return failure.Setupf(
			"the clock of %s is known to ± %s only, and the shards are to start within %s of each other; allow more with "+
				"--max-clock-error, or leave that node out", r.name(s), s.clock.Bound.Round(100*time.Microsecond),
			most)
	}
	return nil
}
