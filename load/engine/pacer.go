package engine

import (
	"context"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"agstest/internal/failure"
	"agstest/load/schedule"
)

// schedulePacer is the vegeta.Pacer of a Schedule. It sleeps by itself, until the very instant a hit is due, and ends
// the attack by the number of hits: Vegeta's own duration would leave out, and not count, whatever is late at the end.
type schedulePacer struct {
	schedule schedule.Schedule
	timer    preciseTimer
	ctx      context.Context
	began    time.Time
	// interrupted is told at once when an interrupt ends the schedule: what comes due from then on was not asked for.
	interrupted func()

	handed  time.Time // when the last hit was handed to Vegeta
	held    bool      // hits are late because the one before waited for a worker
	waited  atomic.Int64
	reached atomic.Uint64
}

var _ vegeta.Pacer = (*schedulePacer)(nil)

// heldAfter is how long handing over a hit takes at least when no worker is free; starting a new worker takes much
// less.
const heldAfter = time.Millisecond

// Pace is called by one goroutine, once before each hit.
func (p *schedulePacer) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	defer failure.Guard()
	p.reached.Store(hits)
	now := time.Now()
	if hits > 0 {
		if now.Sub(p.handed) > heldAfter {
			p.held = true
		}
		if p.held {
			p.waited.Add(1)
		}
	}
	if hits >= p.schedule.Hits() {
		return 0, true
	}
	if p.ctx.Err() != nil {
		p.interrupted()
		return 0, true
	}
	if due := p.began.Add(p.schedule.At(hits)); due.After(now) {
		p.held = false
		now = time.Now() // a storm may have told only shortly before it when the hit is due
		for due.After(now) && p.ctx.Err() == nil {
			p.timer.sleep(p.ctx, due.Sub(now))
			now = time.Now()
		}
		if p.ctx.Err() != nil {
			p.interrupted()
			return 0, true
		}
	}
	p.handed = now
	return 0, false
}

// Rate returns the rate of the schedule around an instant, in hits a second.
func (p *schedulePacer) Rate(elapsed time.Duration) float64 {
	from := max(0, elapsed-time.Second/2)
	return float64(p.schedule.Count(from+time.Second) - p.schedule.Count(from))
}

// closedPacer is no schedule: a hit is due as soon as a worker is free.
type closedPacer struct {
	ctx     context.Context
	end     time.Time
	started bool
	last    time.Duration // the end by the clock of Vegeta, or a little before it
}

// Pace is called by one goroutine. It looks at the clock at the first hit and towards the end: Vegeta has looked before
// each call. The first hit is due at the start and sent however late that comes, as those of a schedule are.
func (p *closedPacer) Pace(elapsed time.Duration, _ uint64) (time.Duration, bool) {
	if !p.started {
		p.started, p.last = true, elapsed+time.Until(p.end)
		return 0, p.ctx.Err() != nil
	}
	return 0, p.ctx.Err() != nil || elapsed >= p.last && !time.Now().Before(p.end)
}

func (p *closedPacer) Rate(time.Duration) float64 { return 0 }
