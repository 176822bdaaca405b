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
	if x.Request.Operation != ags.SignOnWithSessionToken || w.Account == nil || w.Account.Token != "" || w.Account.Source != nil || w.Account.ID == "" {
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
