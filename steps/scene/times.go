package scene

import (
	"context"
	"time"

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
		return talk.Lacking("", "it would take %s of waiting, and scenarios wait at most %s", d.Round(time.Second), longestWait)
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
