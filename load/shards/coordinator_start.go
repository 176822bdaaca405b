package shards

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
)

// start brings all shards to one instant, which it returns. An error means that nothing was sent, or names the shards
// that may have.
func (r *conductor) start(ctx context.Context, created time.Time) (time.Time, error) {
	within := cmp.Or(r.ReadyWithin, defaultReadyWithin)
	limit, agree, abort := created.Add(within), r.agree, r.abort
	if r.alone() {
		limit, agree, abort = time.Unix(0, r.plan.StartAt).Add(-r.lead(len(r.shards))), r.agreeByOutput, r.callOff
		within = limit.Sub(created).Round(time.Second)
	}
	err := r.awaitRunning(ctx, limit, within)
	var start time.Time
	if err == nil {
		start, err = r.agreeUnlessTrouble(ctx, func(ready context.Context) (time.Time,
			error) {
			return agree(ready, limit, within)
		})
	}
	if err == nil {
		return start, nil
	}
	said := "nothing was sent"
	if unsure := abort(ctx); unsure != "" {
		said = unsure + " could not be told to stop and may have sent something"
		if ctx.Err() != nil {
			r.warn("%s", said)
		}
	}
	if ctx.Err() != nil {
		return start, ctx.Err()
	}
	return start, asKind(int(failure.KindOf(err)), "%w; %s", err, said)
}

// agreeUnlessTrouble has all shards agree, unless one of them goes away meanwhile.
func (r *conductor) agreeUnlessTrouble(ctx context.Context, agree func(context.Context) (time.Time, error)) (time.Time,
	error) {
	ready, stop := context.WithCancelCause(ctx)
	watched := make(chan error, 1)
	go func() {
		defer failure.Guard()
		err := r.awaitTrouble(ready)
		stop(err)
		watched <- err
	}()
	start, err := agree(ready)
	stop(nil)
	if trouble := <-watched; trouble != nil {
		err = trouble
	}
	return start, err
}

// awaitRunning waits until every shard runs.
func (r *conductor) awaitRunning(ctx context.Context, limit time.Time, within time.Duration) error {
	placed := cmp.Or(r.PlacedWithin, defaultPlacedWithin)
	r.tell("waiting until all of them run")
	for {
		sights, changed := r.view.all()
		running := 0
		var waiting []string
		wake := limit
		for _, s := range sights {
			switch {
			case s.State == Running:
				running++
			case s.State == Pending && s.Hopeless:
				return failure.Setupf("%s cannot start: %s", r.name(r.shards[s.Index]), because(s.Reason))
			case s.State == Pending:
				waits := s.waits()
				if waits >= placed {
					return failure.Setupf("%s has not been able to start for %s: %s", r.name(r.shards[s.Index]),
						waits.Round(time.Second), because(s.Reason))
				}
				if waits > 0 || s.Reason != "" {
					if at := time.Now().Add(placed - waits); at.Before(wake) {
						wake = at
					}
				}
				if s.Reason != "" {
					waiting = append(waiting, fmt.Sprintf("shard %d/%d: %s", s.Index+1, len(sights), s.Reason))
				}
			default:
				return r.trouble(s)
			}
		}
		if running == len(sights) {
			return nil
		}
		if !time.Now().Before(limit) {
			why := ""
			if len(waiting) > 0 {
				why = " (" + strings.Join(waiting[:min(3, len(waiting))], "; ") + ")"
			}
			return failure.Setupf("%d of %s run after %s%s", running, figures.Plural(len(sights), "shard"), within, why)
		}
		timer := time.NewTimer(time.Until(wake))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// awaitTrouble waits until a shard that ran does no more.
func (r *conductor) awaitTrouble(ctx context.Context) error {
	for {
		sights, changed := r.view.all()
		for _, s := range sights {
			// a node that does not answer is judged by the shard's own answers
			if s.State != Running && s.State != Unsure && s.State != Pending {
				return r.trouble(s)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// trouble is why a shard that is not there any more ends a run that has not begun.
func (r *conductor) trouble(s seen) error {
	name := r.name(r.shards[s.Index])
	if last := readEnding(s.Message); last != nil && last.Error != "" {
		return asKind(last.Exit, "%s: %s", name, last.Error)
	}
	what := map[State]string{Leaving: "is being taken away", Unsure: "does not answer", Gone: "is gone",
		Failed: "has failed", Succeeded: "ended by itself"}[s.State]
	return failure.Setupf("%s %s before the start: %s", name, what, because(s.Reason))
}

func because(reason string) string {
	if reason == "" {
		return "the engine gives no reason"
	}
	return strings.TrimSuffix(reason, ".")
}

// agree sets the shards up, reads their clocks, and tells them when to start.
func (r *conductor) agree(ctx context.Context, limit time.Time, within time.Duration) (time.Time, error) {
	settle, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	r.tell("all run; setting up")
	for _, step := range []struct {
		atOnce int
		do     func(context.Context, *shard) error
		late   string
	}{
		{maxAtOnce, r.prepare, "could not be reached"},
		{len(r.shards), r.awaitReady, "was not set up"},
		{maxClocksAtOnce, r.compareClock, "could not be asked for its clock"},
	} {
		if err := r.each(settle, step.atOnce, func(settling context.Context, s *shard) error {
			err := step.do(settling, s)
			if err != nil && settle.Err() != nil && ctx.Err() == nil && failure.KindOf(err) == failure.Internal {
				err = failure.Setupf("%s %s within %s of its creation: %w", r.name(s), step.late, within, err)
			}
			return err
		}); err != nil {
			return time.Time{}, err
		}
	}
	return r.arm(ctx)
}

// arm tells every shard when to start. All of them must have said yes a while before that.
func (r *conductor) arm(ctx context.Context) (time.Time, error) {
	lead := r.lead(len(r.shards))
	at := r.now().Add(lead)
	told, cancel := context.WithTimeout(ctx, lead-min(time.Second, lead/4))
	defer cancel()
	err := r.each(told, maxAtOnce, func(told context.Context, s *shard) error {
		var last error
		s.start = at
		for {
			var status Status
			err := s.post(told, PathStart, Start{At: at.Add(s.clock.Offset).UnixNano()}, &status)
			var no *refusal
			switch {
			case err == nil && status.Phase == PhaseArmed:
				return nil
			case err == nil:
				return failure.Setupf("%s is %s and does not wait for the start", r.name(s), status.Phase)
			case errors.As(err, &no):
				return failure.Setupf("%s does not start: %w", r.name(s), err)
			case told.Err() == nil:
				last = err
			}
			if pause(told, 100*time.Millisecond) != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if last == nil {
					last = errors.New("no answer came in time")
				}
				return failure.Setupf("%s could not be told when to start: %w", r.name(s), last)
			}
		}
	})
	return at, err
}

// abort tells every shard to send nothing, and names those that know when to start and could not be told before that.
func (r *conductor) abort(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	unsure := make([]bool, len(r.shards))
	_ = r.each(ctx, maxAtOnce, func(ctx context.Context, s *shard) error {
		sight, _ := r.view.of(s.index)
		if sight.State == Pending || sight.State.over() {
			return nil
		}
		err := s.post(ctx, PathAbort, nil, nil)
		unsure[s.index] = !s.start.IsZero() && (err != nil || !r.now().Before(s.start))
		return nil
	})
	var names []string
	for i, bad := range unsure {
		if bad {
			names = append(names, r.name(r.shards[i]))
		}
	}
	return strings.Join(names, ", ")
}
