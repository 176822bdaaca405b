package words

import (
	"context"
	"net/http"
	"time"

	"agstest/internal/check"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// timePhrases are sentences about time and the operator while a scenario runs.
var timePhrases = []Sentence{
	when("<number> seconds pass",
		"Moves the clock of the mock for this account. On a live service only scenarios tagged @slow wait, for at most "+
			"15 minutes.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.LetPass(ctx, time.Duration(number(a.words[0]))*time.Second)
		}).like("10 seconds pass").reading(`(\d+) seconds? pass(?:es)?`),
	when("the <access token|refresh token|session> of the client expires",
		"Time passes until the exp of the token, or fixed_exp, is over by the clockSkew of the environment and a minute "+
			"more. A refresh token of situations.expired-refresh, or one that agstest prepare has kept, spares the wait.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := w.Ready(ctx); err != nil {
				return err
			}
			if a.words[0] == "refresh token" && w.HoldExpired() {
				return nil // a token that was kept spares the wait
			}
			p := w.Client.Pair
			end := map[string]int64{"access token": p.Access.Exp, "refresh token": p.Refresh.Exp,
				"session": p.Refresh.FixedExp}[a.words[0]]
			if end == 0 && a.words[0] != "access token" && check.Opaque(p.RefreshToken) {
				return opaqueRefresh()
			}
			if end == 0 {
				return talk.Unknownf("the tokens do not tell when the %s expires", a.words[0])
			}
			return w.LetPass(ctx, time.Unix(end, 0).Add(w.ClearOfExpiry()).Sub(time.Now().Add(w.Ahead)))
		}).like("the refresh token of the client expires"),
	when("half of the time of the refresh token passes",
		"Half of refresh_expires_in passes.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			if err := w.Ready(ctx); err != nil {
				return err
			}
			return w.LetPass(ctx, time.Duration(w.Client.Pair.RefreshExpiresIn)*time.Second/2)
		}),
	when("the client keeps refreshing until the session must end",
		"Refreshes each time half of refresh_expires_in has passed, until less than that is left before fixed_exp. Only on "+
			"a mock.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return refreshToTheEnd(ctx, w) }),
	when("the operator <suspends|cancels|reactivates> the account",
		"Changes the state of the account through the control interface of the mock, or on a live service by an action of "+
			"the environment file, and puts it back when the scenario ends.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.SetStanding(ctx, map[string]string{"suspends": "SUSPENDED", "cancels": "CANCELLED",
				"reactivates": "ACTIVE"}[a.words[0]])
		}).like("the operator suspends the account"),
	then("the change of the account is heeded, now or within the time of the access token",
		"The answer is a refusal (403). One that grants says nothing yet: pages allow the time of an access token for a "+
			"change to show.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			x, err := w.Last()
			if err != nil {
				return err
			}
			switch status := scene.EffectiveStatus(x); {
			case status == http.StatusForbidden:
				return nil
			case status/100 == 2:
				return talk.Lacking("",
					"the service has not heeded the change of the account yet, for which it may take the time of an access token")
			}
			return talk.Missf("status 403, or a grant while the change is not heeded yet", "%s", w.Describe(x))
		}),
	when("the operator <disables|enables|deletes> the device",
		"Changes the state of the device through the control interface of the mock, or on a live service by an action of "+
			"the environment file. Only a device that the run made is deleted.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.SetDeviceState(ctx, map[string]string{"disables": "disabled", "enables": "enabled",
				"deletes": "deleted"}[a.words[0]])
		}).like("the operator disables the device"),
	when("the operator makes the device inactive",
		"Changes the state of the device through the control interface of the mock.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.SetDeviceState(ctx, "inactive") }),
	when("the operator switches the blocking of VPNs and locations <on|off>",
		"Changes the switches of the tenant through the control interface of the mock, or on a live service by an action "+
			"of the environment file. The scenario must be tagged @alone, since others would see it.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if w.Stage.Control == nil {
				return w.SwitchLive(ctx, a.words[0])
			}
			on := a.words[0] == "on"
			return w.Stage.Control.SetPlatform(ctx, w.Tenant, map[string]any{"vpnBlocking": on, "geoBlocking": on,
				"geoFiltering": on})
		}).like("the operator switches the blocking of VPNs and locations off"),
}

// refreshToTheEnd goes through a whole session in moved time.
func refreshToTheEnd(ctx context.Context, w *scene.World) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	end := withOneVoice(w.Client.Pair).Refresh.FixedExp
	if end == 0 && check.Opaque(w.Client.Pair.RefreshToken) {
		return opaqueRefresh()
	}
	half := time.Duration(w.Client.Pair.RefreshExpiresIn) * time.Second / 2
	for range 200 {
		p := withOneVoice(w.Client.Pair)
		if p.Refresh.FixedExp > end+pairTolerance {
			return talk.Missf("a session that ends when its first sign-on said", "fixed_exp has moved by %s",
				time.Duration(p.Refresh.FixedExp-end)*time.Second)
		}
		left := time.Unix(p.Refresh.FixedExp, 0).Sub(time.Now().Add(w.Ahead))
		if half <= 0 || left <= half*3/2 {
			return nil
		}
		if err := w.LetPass(ctx, half); err != nil {
			return err
		}
		if err := w.Refresh(ctx); err != nil {
			return err
		}
		if x, _ := w.Last(); scene.EffectiveStatus(x)/100 != 2 {
			return talk.Missf("status 200 for each refresh before fixed_exp", "%s with %s left", w.Describe(x),
				left.Round(time.Second))
		}
	}
	return talk.Unknownf("the session did not come to its end within 200 refreshes")
}
