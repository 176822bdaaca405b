package steps

import (
	"context"
	"net/http"
	"time"
)

// longestWait bounds how long a scenario that may wait in real time (@slow) does so.
const longestWait = 15 * time.Minute

// What time and the operator do while a scenario runs.
var timePhrases = []phrase{
	when(`(\d+) seconds? pass(?:es)?`, "<number> seconds pass", "10 seconds pass",
		"Moves the clock of the mock for this account. On a live service only scenarios tagged @slow wait, for at most 15 minutes.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.letPass(ctx, time.Duration(number(a.words[0]))*time.Second)
		}),
	when(`the (access token|refresh token|session) of the client expires`, "the <access token|refresh token|session> of the client expires", "the refresh token of the client expires",
		"Time passes until the exp of the token, or fixed_exp, is over by the clockSkew of the environment and a minute more.",
		func(ctx context.Context, w *world, a arguments) error {
			if err := w.ready(ctx); err != nil {
				return err
			}
			p := w.client.pair
			end := map[string]int64{"access token": p.Access.Exp, "refresh token": p.Refresh.Exp, "session": p.Refresh.FixedExp}[a.words[0]]
			if end == 0 {
				return unknownf("the tokens do not tell when the %s expires", a.words[0])
			}
			return w.letPass(ctx, time.Unix(end, 0).Add(w.clearOfExpiry()).Sub(time.Now().Add(w.ahead)))
		}),
	when(`half of the time of the refresh token passes`, "half of the time of the refresh token passes", "half of the time of the refresh token passes",
		"Half of refresh_expires_in passes.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.ready(ctx); err != nil {
				return err
			}
			return w.letPass(ctx, time.Duration(w.client.pair.RefreshExpiresIn)*time.Second/2)
		}),
	when(`the client keeps refreshing until the session must end`, "the client keeps refreshing until the session must end", "the client keeps refreshing until the session must end",
		"Refreshes each time half of refresh_expires_in has passed, until less than that is left before fixed_exp. Only on a mock.",
		func(ctx context.Context, w *world, _ arguments) error { return w.refreshToTheEnd(ctx) }),
	when(`the operator (suspends|cancels|reactivates) the account`, "the operator <suspends|cancels|reactivates> the account", "the operator suspends the account",
		"Changes the state of the account through the control interface of the mock, or on a live service by an action of the environment file, and puts it back when the scenario ends.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.setStanding(ctx, map[string]string{"suspends": "SUSPENDED", "cancels": "CANCELLED", "reactivates": "ACTIVE"}[a.words[0]])
		}),
	then(`the change of the account is heeded, now or within the time of the access token`, "the change of the account is heeded, now or within the time of the access token", "the change of the account is heeded, now or within the time of the access token",
		"The answer is a refusal (403). One that grants says nothing yet: pages allow the time of an access token for a change to show.",
		func(_ context.Context, w *world, _ arguments) error {
			x, err := w.last()
			if err != nil {
				return err
			}
			switch status := effectiveStatus(x); {
			case status == http.StatusForbidden:
				return nil
			case status/100 == 2:
				return lacking("", "the service has not heeded the change of the account yet, for which it may take the time of an access token")
			}
			return missf("status 403, or a grant while the change is not heeded yet", "%s", w.describe(x))
		}),
	when(`the operator (disables|enables|deletes) the device`, "the operator <disables|enables|deletes> the device", "the operator disables the device",
		"Changes the state of the device through the control interface of the mock, or on a live service by an action of the environment file. Only a device that the run made is deleted.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.setDeviceState(ctx, map[string]string{"disables": "disabled", "enables": "enabled", "deletes": "deleted"}[a.words[0]])
		}),
	when(`the operator makes the device inactive`, "the operator makes the device inactive", "the operator makes the device inactive",
		"Changes the state of the device through the control interface of the mock.",
		func(ctx context.Context, w *world, _ arguments) error { return w.setDeviceState(ctx, "inactive") }),
	when(`the operator switches the blocking of VPNs and locations (on|off)`, "the operator switches the blocking of VPNs and locations <on|off>", "the operator switches the blocking of VPNs and locations off",
		"Changes the switches of the tenant through the control interface of the mock, or on a live service by an action of the environment file. The scenario must be tagged @alone, since others would see it.",
		func(ctx context.Context, w *world, a arguments) error {
			if w.run.control == nil {
				return w.switchLive(ctx, a.words[0])
			}
			on := a.words[0] == "on"
			return w.run.control.setPlatform(ctx, w.tenant, map[string]any{"vpnBlocking": on, "geoBlocking": on, "geoFiltering": on})
		}),
}

// letPass makes time pass: on a mock by moving the clock, on a live service, in scenarios that may, by waiting.
func (w *world) letPass(ctx context.Context, d time.Duration) error {
	if w.run.control != nil {
		return w.moveClock(ctx, d.Round(time.Second))
	}
	if !w.scenario.tagged(tagSlow) {
		return lacking("", "the clock can only be moved through the control interface of the mock")
	}
	if d > longestWait {
		return lacking("", "it would take %s of waiting, and scenarios wait at most %s", d.Round(time.Second), longestWait)
	}
	return pause(ctx, d)
}

// moveClock makes time pass for the account; only a mock can do that.
func (w *world) moveClock(ctx context.Context, by time.Duration) error {
	if w.run.control == nil {
		return lacking("", "the clock can only be moved through the control interface of the mock")
	}
	if err := w.run.control.advance(ctx, w.tenant, w.account.id, by); err != nil {
		return err
	}
	w.ahead += by
	return nil
}

// clearOfExpiry is how long after an expiry no clock within the skew can still think otherwise.
func (w *world) clearOfExpiry() time.Duration { return w.run.environment.ClockSkew + time.Minute }

// refreshToTheEnd goes through a whole session in moved time.
func (w *world) refreshToTheEnd(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	end := w.client.pair.Refresh.FixedExp
	half := time.Duration(w.client.pair.RefreshExpiresIn) * time.Second / 2
	for range 200 {
		p := w.client.pair
		if p.Refresh.FixedExp > end+pairTolerance {
			return missf("a session that ends when its first sign-on said", "fixed_exp has moved by %s", time.Duration(p.Refresh.FixedExp-end)*time.Second)
		}
		left := time.Unix(p.Refresh.FixedExp, 0).Sub(time.Now().Add(w.ahead))
		if half <= 0 || left <= half*3/2 {
			return nil
		}
		if err := w.letPass(ctx, half); err != nil {
			return err
		}
		if err := w.refresh(ctx); err != nil {
			return err
		}
		if x, _ := w.last(); effectiveStatus(x)/100 != 2 {
			return missf("status 200 for each refresh before fixed_exp", "%s with %s left", w.describe(x), left.Round(time.Second))
		}
	}
	return unknownf("the session did not come to its end within 200 refreshes")
}
