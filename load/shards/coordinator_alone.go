package shards

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/failure"
)

// defaultReadyAlone is how long shards have until they run and are set up, where the instant of the start is fixed
// before.
const defaultReadyAlone = 2 * time.Minute

// alone tells that no shard of the run can be told anything.
func (r *conductor) alone() bool { return r.plan.StartAt != 0 }

// agreeByOutput waits until every shard says that it is set up and waits for the instant of the plan, and sees that all
// of them have the same time. It returns the instant by our clock.
func (r *conductor) agreeByOutput(ctx context.Context, limit time.Time, within time.Duration) (time.Time, error) {
	settle, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	r.tell("all run; setting up")
	err := r.each(settle, len(r.shards), func(settling context.Context, s *shard) error {
		err := r.awaitArmed(settling, s)
		if err != nil && settle.Err() != nil && ctx.Err() == nil && failure.KindOf(err) == failure.Internal {
			err = failure.Setupf("%s was not set up within %s of its creation: %w; give more with --ready-within",
				r.name(s), within.Round(time.Second), err)
		}
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	if err := r.each(settle, maxAtOnce, func(settling context.Context, s *shard) error {
		clock, err := r.readClockInOutput(settling, s)
		if err != nil && settle.Err() != nil && ctx.Err() == nil {
			err = failure.Setupf(
				"the clock of %s could not be read within %s of its creation; give more with --ready-within", r.name(s),
				within.Round(time.Second))
		}
		s.clock, s.facts.ClockAhead, s.facts.ClockError = clock, clock.Offset, clock.Bound
		return err
	}); err != nil {
		return time.Time{}, err
	}
	ahead, err := r.oneTime()
	at := time.Unix(0, r.plan.StartAt).Add(-ahead)
	for _, s := range r.shards {
		s.start = at
	}
	return at, err
}

// awaitArmed waits until a shard has announced that it waits for the start.
func (r *conductor) awaitArmed(ctx context.Context, s *shard) error {
	for {
		now := s.output.last()
		last := errors.New("nothing was heard of it")
		if now.Phase != "" {
			if err := r.failed(s, now); err != nil {
				return err
			}
			if err := r.same(s, now); err != nil {
				return err
			}
			last = fmt.Errorf("it is still %s", now.Phase)
		}
		if now.Phase == PhaseArmed {
			return nil
		}
		if pause(ctx, readyEvery) != nil {
			return last
		}
	}
}

// oneTime refuses shards whose clocks differ: each starts by its own clock, and nobody can correct it. It returns by
// how much their clocks are ahead of ours, in the middle; our clock does not matter.
func (r *conductor) oneTime() (time.Duration, error) {
	most := cmp.Or(r.MaxClockError, defaultMaxClockError)
	var offsets []time.Duration
	for _, s := range r.shards {
		offsets = append(offsets, s.clock.Offset)
	}
	slices.Sort(offsets)
	middle := offsets[(len(offsets)-1)/2]
	for _, s := range r.shards {
		if err := r.known(s); err != nil {
			return middle, err
		}
		apart := s.clock.Offset - middle
		if apart.Abs()+s.clock.Bound > most {
			word := "ahead of"
			if apart < 0 {
				word = "behind"
			}
			return middle, failure.Setupf("the clock of %s is %s (± %s) %s those of the other shards, and each starts by its "+
				"own clock within %s of the others; set the clock of that node, leave the node out, or allow more with "+
				"--max-clock-error", r.name(s),
				apart.Abs().Round(100*time.Microsecond),
				s.clock.Bound.Round(100*time.Microsecond), word, most)
		}
	}
	return middle, nil
}

// callOff removes all shards before their start, since nobody can tell them anything, and names those that may have
// begun by then.
func (r *conductor) callOff(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	r.discard(ctx)
	start := time.Unix(0, r.plan.StartAt)
	for {
		sights, changed := r.view.all()
		var names []string
		for _, s := range sights {
			if s.State != Pending && !s.State.over() {
				names = append(names, r.name(r.shards[s.Index]))
			}
		}
		if len(names) == 0 {
			return ""
		}
		timer := time.NewTimer(start.Sub(r.now()))
		select {
		case <-changed:
			timer.Stop()
			continue
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		return strings.Join(names, ", ")
	}
}

// discard removes what was made of the run while its shards are at work, which tells them to end.
func (r *conductor) discard(ctx context.Context) {
	r.discarded.Store(true)
	if r.Keep {
		r.warn("shards that nobody can reach are stopped by removing them; nothing is kept")
	}
	r.remove(ctx, r.work.Run, false)
}
