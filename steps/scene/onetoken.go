package scene

import (
	"context"

	"agstest/ags"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// TokensReplaced tells whether a new session token ends the one that its account had, which no page forbids. It mints
// two, one after the other, and signs a device of the account on with both: first with the older, and once more first
// with the newer. Only where the older is refused each time and the newer accepted, it is so. Once known, it is kept
// for the run. Others must not mint meanwhile for the account of the scenario; where they do, it may not be found out.
func (w *World) TokensReplaced(ctx context.Context, clientID string) bool {
	if w.Stage.tokensReplaced.Load() {
		return true
	}
	if !w.Live() || w.Account == nil || w.Account.Token != "" {
		return false
	}
	own := New(w.Stage, &script.Scenario{ID: "session tokens"})
	account := *w.Account
	own.Tenant, own.Service, own.Account, own.Control, own.Sharing = w.Tenant, w.Service, &account, true, true
	for _, olderFirst := range []bool{true, false} {
		older, err := own.signOnOf(ctx, clientID)
		if err != nil {
			return false
		}
		newer, err := own.signOnOf(ctx, clientID)
		if err != nil {
			return false
		}
		order := []*talk.Request{older, newer}
		if !olderFirst {
			order = []*talk.Request{newer, older}
		}
		for _, r := range order {
			x, err := own.Send(ctx, r, true)
			if err != nil || r == newer && !Granted(x) || r == older && EffectiveStatus(x)/100 != 4 {
				return false
			}
		}
	}
	w.Stage.tokensReplaced.Store(true)
	w.Stage.NoteOnce("a new session token ends the one that its account had, so nothing was sent at the same time as anything else, " +
		"and what two session tokens of an account are needed for was not tried")
	return true
}

// signOnOf is a sign-on of a known device with a fresh session token.
func (w *World) signOnOf(ctx context.Context, clientID string) (*talk.Request, error) {
	r, err := w.SignOnWithSessionToken(ctx)
	if err == nil {
		r.Set("clientId", talk.JSON(clientID))
	}
	return r, err
}

// NeedsTwoTokens is an error where two session tokens of an account cannot be good at the same moment.
func (r *Stage) NeedsTwoTokens() error {
	if !r.tokensReplaced.Load() {
		return nil
	}
	return talk.Lacking("", "two session tokens of the account are needed, and a new one ends the one before")
}

// onlyLastSignedOn tells of sign-ons at the same moment, each with a session token of its own, whether some were
// refused because their session token had been replaced.
func (w *World) onlyLastSignedOn(ctx context.Context, answers []*talk.Exchange) bool {
	refused, accepted := false, ""
	for _, x := range answers {
		if EffectiveStatus(x)/100 == 4 {
			refused = true
		} else if pair, err := ReadPair(x); err == nil {
			accepted = pair.ClientID
		}
	}
	return refused && accepted != "" && w.TokensReplaced(ctx, accepted)
}

// SignOnOtherDevice signs on the first device that all scenarios share, or the second if the acting client is the
// first; false if it may not be made, or is refused.
func (w *World) SignOnOtherDevice(ctx context.Context) bool {
	own := w.Stage.Own
	own.turn.Lock()
	defer own.turn.Unlock()
	key := w.shareKey(ags.SignOnWithSessionToken, w.Device())
	for n := range 2 {
		before := len(own.signOns[key])
		if before <= n && w.MayMake(1, true) != nil {
			return false
		}
		s, err := w.sharedSignOn(ctx, ags.SignOnWithSessionToken, w.Device(), n)
		if err != nil {
			return false
		}
		pair, err := ReadPair(s.exchange)
		if err != nil || EffectiveStatus(s.exchange)/100 != 2 {
			return false
		}
		if pair.ClientID == w.Client.ID {
			continue
		}
		if before <= n {
			return true
		}
		r, err := w.signOnOf(ctx, pair.ClientID)
		if err != nil {
			return false
		}
		x, err := w.Send(ctx, r, true)
		return err == nil && Granted(x)
	}
	return false
}
