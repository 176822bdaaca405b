package scene

import (
	"context"
	"fmt"
	"math"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
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
	w.Stage.NoteOnce("a new session token ends the one that its account had, so nothing was sent at the same time as " +
		"anything else, and what two session tokens of an account are needed for was not tried")
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

// SessionLimit is how many sessions an access token says that its account may have; 0: it tells of no limit.
func SessionLimit(accessToken string) int {
	jws, err := check.ParseJWS(accessToken)
	if err != nil {
		return 0
	}
	claims, err := jws.Claims()
	if err != nil {
		return 0
	}
	limit, _ := claims.Get("sessionControl").Get("maxSessions").Int()
	return int(max(0, min(limit, math.MaxInt32)))
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

// OwnDevice is one of the devices that all scenarios of a run on a live service share. While one of them is signed
// out, nobody else may use it; scenarios that sign out are spread over them, so that they need not wait for each
// other.
type OwnDevice int

const (
	SecondDevice OwnDevice = iota // made for this
	// of the first-time sign-on with credentials, where the user is one of the same account
	UsersDevice
	FirstDevice // of the first-time sign-on with a session token, when nobody needs it any more
)

// DeviceToSignOut returns the device that a scenario signs out. It depends on the scenario and the environment alone.
func (r *Stage) DeviceToSignOut(s *script.Scenario) OwnDevice {
	if _, spare := r.Environment.Situations["spare-device"]; spare {
		return SecondDevice // in whose place the spare one may stand, of which there is one
	}
	for _, step := range s.Pickle.Steps {
		switch text := step.Text; {
		case r.UsersDeviceSpared && (text == "odd requests are sent to signOut" || nearSignOut(text) &&
			!strings.Contains(text, " token ")):
			return UsersDevice // the others have about as much to do with the first device
		case strings.HasPrefix(text, "random sequences of calls"), nearSignOut(text):
			if r.Environment.Allow.FirstTime && r.Environment.Situations["active"].ClientID != "" {
				return FirstDevice
			}
		}
	}
	return SecondDevice
}

func nearSignOut(text string) bool {
	return strings.HasPrefix(text, "near misses of the ") && strings.HasSuffix(text, " sent to signOut")
}

// useShared makes the scenario act as a device that other scenarios have used, with fresh tokens.
func (w *World) useShared(ctx context.Context, d OwnDevice) error {
	s, operation := w.Stage.Own.ofUser, ags.SignOn
	if d == FirstDevice {
		var err error
		operation = ags.SignOnWithSessionToken
		if s, err = w.sharedInTurn(ctx, 0); err != nil {
			return err
		}
	}
	if err := w.look(ctx, s, operation, w.Device()); err != nil {
		return err
	}
	if w.Client == nil {
		return talk.Unknownf("the first-time sign-on that this scenario starts from was answered with %s",
			w.Describe(s.exchange))
	}
	w.Client.Operation = ags.SignOnWithSessionToken
	if w.isGone(s) {
		return talk.Lacking(fmt.Sprintf("devices: {budget: %d} with allow: {first-time: true}", ManyDevices),
			"this service removes a device that signs out, and the scenario needs one more")
	}
	err := w.renew(ctx)
	if x, _ := w.Last(); err != nil && w.Stage.Own.WasSignedOut(w.Client.ID) && x.Status/100 == 4 {
		w.Stage.Own.lose(w.Client.ID)
	}
	return err
}

// usersFirstTime tells that a selected scenario signs a user with one account on for the first time.
func (r *Stage) usersFirstTime() bool {
	for _, s := range r.scenarios {
		several := false
		for _, step := range s.Pickle.Steps {
			several = several || step.Text == "a user with several accounts"
			if !several && step.Text == "the user signs on with the credentials for the first time" {
				return true
			}
		}
	}
	return false
}

// OfferUsersDevice makes the device of the user with credentials before scenarios ask for it, where one of them
// will. If it is of the account of situations.active and signs on with a session token too, it may be signed out.
func (r *Stage) OfferUsersDevice(ctx context.Context, needed bool) {
	active, user := r.Environment.Situations["active"], r.Environment.Situations["credentials"]
	if !needed || !r.usersFirstTime() || !r.Environment.Allow.FirstTime || len(user.Parameters) == 0 ||
		active.AccountID == "" || active.AccountID != user.AccountID ||
		active.SessionToken != "" || user.Tenant+user.Service+user.Proxy != "" || len(user.Headers) > 0 {
		return
	}
	w := New(r, &script.Scenario{ID: "the device of the user"})
	w.Sharing = true
	if w.UseShared("credentials") != nil {
		return
	}
	w.Clients, w.Client = nil, nil
	r.Own.turn.Lock()
	defer r.Own.turn.Unlock()
	s, err := w.sharedSignOn(ctx, ags.SignOn, w.Device(), 0)
	if err != nil || w.takeOver(s, ags.SignOn, ClassOf([]byte(w.Device()))) == nil {
		return
	}
	pair, err := ReadPair(s.exchange)
	if err != nil || pair.AccountID != active.AccountID {
		return
	}
	again := New(r, &script.Scenario{ID: "the device of the user, with a session token"})
	again.Control = true
	if again.UseShared("active") != nil {
		return
	}
	again.Clients, again.Client = nil, nil
	again.Add(&talk.Client{ID: pair.ClientID})
	if again.EnsureTokens(ctx) == nil {
		r.Own.ofUser, r.UsersDeviceSpared = s, true
	}
}
