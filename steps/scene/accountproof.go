package scene

import (
	"context"
	"net/http"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/steps/talk"
)

// accountMatters tells that a refusal is about the account that the operator names, if a service words all refusals
// alike: it knows the account, because it refuses a made-up one in its place, and it answers an unknown device of this
// account otherwise than one of the account in good standing. Other is the answer to an unknown device of this account.
func (w *World) accountMatters(ctx context.Context, x, other *talk.Exchange) (bool, error) {
	if x.Request.Operation != ags.SignOnWithSessionToken || w.Account == nil || w.Account.Token != "" ||
		w.Account.Source != nil || w.Account.ID == "" {
		return false, nil
	}
	if _, offered := w.Stage.Environment.Situations["active"]; !offered {
		return false, nil
	}
	known, err := w.accountIsKnown(ctx, x, other)
	if err != nil || !known {
		return false, err
	}
	own := New(w.Stage, w.Scenario)
	own.Control = true
	if err := own.UseShared("active"); err != nil {
		return false, err
	}
	good, err := own.unknownDevice(ctx, other)
	if err != nil || good == nil {
		return false, err
	}
	return Likeness(good, false) != Likeness(x, false), nil
}

// accountIsKnown tells whether a made-up account in the place of ours is refused, by getSessionToken or at its sign-on,
// in another way.
func (w *World) accountIsKnown(ctx context.Context, x, other *talk.Exchange) (bool, error) {
	own := New(w.Stage, w.Scenario)
	account := *w.Account
	account.ID, account.OperatorAccount = own.Lookalike(account.ID), ""
	own.Control, own.Account, own.Tenant, own.Service = true, &account, w.Tenant, w.Service
	stranger, err := own.unknownDevice(ctx, other)
	if err != nil {
		return false, err
	}
	return stranger == nil || Likeness(stranger, false) != Likeness(x, false), nil
}

// unknownDevice sends a sign-on of the account with the clientId of another request. Nothing comes of it, and no error,
// where getSessionToken refuses the account.
func (w *World) unknownDevice(ctx context.Context, other *talk.Exchange) (*talk.Exchange, error) {
	ask, err := w.HeadEndRequest()
	if err != nil {
		return nil, err
	}
	minted, err := w.Send(ctx, ask, true)
	if err != nil || EffectiveStatus(minted)/100 == 4 {
		return nil, err
	}
	if w.SessionToken, err = ReadSessionToken(minted); err != nil {
		return nil, err
	}
	r, err := w.SignOnWithSessionToken(ctx)
	if err != nil {
		return nil, err
	}
	r.Set("clientId", other.Request.Get("clientId"))
	return w.Send(ctx, r, true)
}

// fullWithoutCode tells that a refusal without any sub-code is that of an account at its device limit: the limit was
// set just before, and a device with the same description was accepted in this run.
func (w *World) fullWithoutCode(x *talk.Exchange) bool {
	if _, told := check.SubCode(x.Exchange); told || EffectiveStatus(x) != http.StatusForbidden {
		return false
	}
	w.Stage.mu.Lock()
	defer w.Stage.mu.Unlock()
	return w.Stage.deviceKnown
}

// mayBeFull tells of the refusal of a new device for no reason that a page names whether it may be that of a full
// account. It may be where the account lets a known device in, and an account of the file that is at its limit, if
// there is one, is refused alike.
func (w *World) mayBeFull(ctx context.Context, x *talk.Exchange) error {
	status := EffectiveStatus(x)
	if code, told := check.SubCode(x.Exchange); status != http.StatusForbidden && status != http.StatusConflict ||
		told && ags.IsSubCode(code) {
		return nil
	}
	w.Stage.mu.Lock()
	err, known := w.Stage.room[x]
	w.Stage.mu.Unlock()
	if known {
		return err
	}
	if err = w.looksFull(ctx, x); ctx.Err() != nil {
		return ctx.Err()
	}
	w.Stage.mu.Lock()
	defer w.Stage.mu.Unlock()
	w.Stage.room[x] = err
	return err
}

func (w *World) looksFull(ctx context.Context, x *talk.Exchange) error {
	full := w.refusalOfFull(ctx)
	if full != nil && Likeness(full, false) != Likeness(x, false) {
		return nil
	}
	switch works, known := w.knownDeviceWorks(ctx, x.Request.Operation); {
	case known && !works, !known && full == nil:
		return nil
	case full == nil:
		return talk.Unknownf("could not tell: the account may have no room: that of situations.%s lets its device in and "+
			"refuses a new one (%s) without saying why; give an account with room for more devices, or "+
			"situations.device-limit, whose refusal shows how a full account is refused", w.Account.Situation, w.Describe(x))
	}
	return talk.Lacking(w.needsRoom(),
		"could not tell: the account may have no room: that of situations.%s refuses a new device (%s) as that of "+
			"situations.device-limit does, so first-time sign-ons cannot be checked",
		w.Account.Situation, w.Describe(x))
}

// refusalOfFull is how a new device of the account at its limit is refused; nil: that is not known.
func (w *World) refusalOfFull(ctx context.Context) *talk.Exchange {
	if _, offered := w.Stage.Environment.Situations["device-limit"]; !offered {
		return nil
	}
	own := New(w.Stage, w.Scenario)
	own.Control, own.Refusal = true, true
	if own.UseShared("device-limit") != nil {
		return nil
	}
	r, err := own.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, own.Device())
	if err != nil {
		return nil
	}
	if x, err := own.Send(ctx, r, true); err == nil && EffectiveStatus(x)/100 == 4 {
		return x
	}
	return nil
}

// knownDeviceWorks tells whether the device of the account that the file names signs on. Not known: the file names
// none, or no session token can be had for it.
func (w *World) knownDeviceWorks(ctx context.Context, operation string) (works, known bool) {
	s := w.Stage.Environment.Situations[w.Account.Situation]
	if s.ClientID == "" || operation == ags.SubsequentSignOn {
		return false, false
	}
	own := New(w.Stage, w.Scenario)
	own.Control, own.Account, own.Tenant, own.Service = true, w.Account, w.Tenant, w.Service
	ask := own.SignOnWithSessionToken
	if operation == ags.SignOn {
		ask = func(context.Context) (*talk.Request, error) { return own.CredentialRequest(operation) }
	}
	r, err := ask(ctx)
	if err != nil {
		return false, false
	}
	r.Set("clientId", talk.JSON(s.ClientID))
	x, err := own.Send(ctx, r, true)
	return err == nil && EffectiveStatus(x)/100 == 2, true
}
