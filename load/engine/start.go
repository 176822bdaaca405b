package engine

import (
	"context"
	"fmt"
	"time"

	"agstest/internal/failure"
)

// Barrier is where a run that is set up waits for the others: it returns the instant at which the clock starts, with a
// monotonic reading (time.Now().Add), so that setting the clock of the machine does not move the schedule. It is called
// once, on the goroutine of Run, and returns an error when ctx ends; then nothing of the schedule is sent. An instant
// that has passed by more than a second is refused.
type Barrier func(ctx context.Context, ready Ready) (time.Time, error)

// Ready is a run that waits for its start.
type Ready struct {
	Hits    int64         // that it will send; 0: not known
	Length  time.Duration // of its schedule
	Clients int           // virtual clients that take part
}

// maxLateStart is by how much the instant of a start may have passed. Hits that were due meanwhile leave late, and
// their lag shows it.
const maxLateStart = time.Second

// start is when the clock of a run starts.
func (q *Question) start(ctx context.Context) (time.Time, error) {
	barrier := q.Barrier
	if barrier == nil {
		barrier = clockBarrier(q.StartAt)
	}
	hits := int64(0)
	if q.Schedule != nil {
		hits = int64(q.Schedule.Hits())
	}
	began, err := barrier(ctx, Ready{Hits: hits, Length: q.Length, Clients: q.Clients})
	if err != nil {
		return began, err
	}
	if late := time.Since(began); late > maxLateStart {
		return began, failure.Setupf(
			"the run was to start at %s and was ready %s too late; start it with a later --start-at",
			began.Format(time.TimeOnly), late.Round(time.Millisecond))
	}
	return began, nil
}

// clockBarrier starts at an instant of this machine's clock; at once if none is given.
func clockBarrier(at time.Time) Barrier {
	return func(context.Context, Ready) (time.Time, error) {
		now := time.Now()
		if at.IsZero() {
			return now, nil
		}
		return now.Add(at.Sub(now.Round(0))), nil
	}
}

// late returns the lateness of the start to report: 0 if no instant was agreed.
func (q *Question) late(by time.Duration) time.Duration {
	if q.Barrier == nil && q.StartAt.IsZero() {
		return 0
	}
	return by
}

// await sleeps until the clock starts, and returns how long after it the sleep ended.
func (q *Question) await(ctx context.Context, began time.Time) (late time.Duration, err error) {
	for left := time.Until(began); q.Waiting != nil && left > time.Second; left = time.Until(began) {
		q.Waiting(left)
		if _, err := sleepUntil(ctx, began.Add((time.Nanosecond - left).Truncate(time.Second))); err != nil {
			return 0, fmt.Errorf("everything was set up, and it waited for its start at %s: %w",
				began.Format(time.TimeOnly+" MST"), context.Cause(ctx))
		}
	}
	return sleepUntil(ctx, began)
}

// sleepUntil sleeps until a moment and returns how long after it the sleep ended.
func sleepUntil(ctx context.Context, moment time.Time) (late time.Duration, err error) {
	timer := newPreciseTimer()
	defer timer.close()
	for wait := time.Until(moment); wait > 0; wait = time.Until(moment) {
		timer.sleep(ctx, wait)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return max(0, time.Since(moment)), ctx.Err()
}
