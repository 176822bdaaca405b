package scene

import (
	"context"
	"sync"
	"time"

	"agstest/internal/check"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// longestWait bounds how long a scenario that may wait in real time (@slow) does so.
const longestWait = 15 * time.Minute

// LetPass makes time pass: on a mock by moving the clock, on a live service, in scenarios that may, by waiting.
func (w *World) LetPass(ctx context.Context, d time.Duration) error {
	if w.Stage.Control != nil {
		return w.MoveClock(ctx, d.Round(time.Second))
	}
	if !w.Scenario.Tagged(script.TagSlow) {
		return talk.Lacking("", "the clock can only be moved through the control interface of the mock")
	}
	if d > longestWait {
		return talk.Lacking("", "it would take %s of waiting, and scenarios wait at most %s", d.Round(time.Second),
			longestWait)
	}
	return pause(ctx, d)
}

// MoveClock makes time pass for the account; only a mock can do that.
func (w *World) MoveClock(ctx context.Context, by time.Duration) error {
	if w.Stage.Control == nil {
		return talk.Lacking("", "the clock can only be moved through the control interface of the mock")
	}
	if err := w.Stage.Control.Advance(ctx, w.Tenant, w.Account.ID, by); err != nil {
		return err
	}
	w.Ahead += by
	return nil
}

// ClearOfExpiry is how long after an expiry no clock within the skew can still think otherwise.
func (w *World) ClearOfExpiry() time.Duration { return w.Stage.Environment.ClockSkew + time.Minute }

// latest is how long a run waits for what only time shows: a second longer than the tolerance of times, and a little
// for rounding.
const latest = 3200 * time.Millisecond

// Late is the one refresh of a run on a live service that comes seconds after the sign-on. It is sent once, and each
// scenario that asks for it looks at it, so that all of them wait at the same time.
type Late struct {
	mutex    sync.Mutex
	exchange *talk.Exchange
	known    check.Known
	client   talk.Client
	err      error
	done     bool
}

// RefreshLater refreshes when times that must differ do.
func (w *World) RefreshLater(ctx context.Context) error {
	if err := w.HoldsTokens(); err != nil {
		return err
	}
	if w.Stage.Control != nil {
		if err := w.LetPass(ctx, time.Minute); err != nil {
			return err
		}
		return w.Refresh(ctx)
	}
	if w.Stage.Options.Patience < latest {
		return talk.Lacking("", "it takes %s of waiting to see, and --patience allows %s", latest,
			w.Stage.Options.Patience)
	}
	l := w.Stage.Late
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.done {
		if l.err != nil {
			return l.err
		}
		c := l.client
		w.Add(&c)
		w.record(l.exchange.Copied(), l.known, true)
		return w.doubt(ctx, l.exchange, false)
	}
	if early := w.Stage.Early.Swap(nil); early != nil && early.ID == w.Client.ID {
		w.Add(early)
	}
	if err := pause(ctx, time.Until(w.Client.Since.Add(latest))); err != nil {
		return err
	}
	l.err, l.done = w.Refresh(ctx), true
	if ctx.Err() != nil {
		l.done = false
		return ctx.Err()
	}
	if x, err := w.Last(); err == nil {
		l.exchange, l.known, l.client = x.Copied(), x.Known, *w.Client
	}
	return l.err
}
