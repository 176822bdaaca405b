package scene

import (
	"context"
	"maps"
	"slices"
	"strings"

	"agstest/internal/environment"
	"agstest/steps/talk"
)

// UseAccount makes the scenario act for an account in good standing: one of its own on a mock, elsewhere the one of a
// situation.
func (w *World) UseAccount(ctx context.Context, name string, limit int) error {
	w.Uses(name)
	if w.Stage.Control == nil {
		return w.UseShared(name)
	}
	made, err := w.Stage.Control.CreateAccount(ctx, w.Tenant, "ACTIVE", limit)
	if err != nil {
		return err
	}
	w.Stage.Keep(made.Password)
	w.Account = &talk.Account{ID: made.AccountID, Parameters: []talk.Parameter{{Name: "username", Value: made.Username},
		{Name: "password", Value: made.Password}}, Standing: "ACTIVE"}
	if name == "registration" {
		w.Registration = w.Stage.Environment.Situations["registration"].Type
		if w.Registration == "" {
			w.Registration = "tvkey"
		}
	}
	return nil
}

// ownUser reports whether a situation is of a user who may be of another account than the operator's: the device that
// it names, if any, is not the one of situations.active, and the user's credentials say nothing of the account.
func (r *Stage) ownUser(name string, s environment.Situation) bool {
	device := s.ClientID
	return name != "active" && len(s.Parameters) > 0 &&
		(device == "" || device != r.Environment.Situations["active"].ClientID)
}

// UseShared makes the scenario act for the account of a situation of the environment file.
func (w *World) UseShared(name string) error {
	s, err := w.Situation(name)
	if err != nil {
		return err
	}
	w.Account = &talk.Account{Situation: name, ID: s.AccountID, OperatorAccount: s.OperatorAccount,
		Token: s.SessionToken, Source: s.SessionTokens, Device: s.ClientID, Refresh: s.RefreshToken, Standing: "ACTIVE"}
	if o := w.Stage.Environment.Operator; o != nil && w.Account.ID == "" && s.OperatorAccount == "" &&
		w.Account.Token == "" && !w.Stage.ownUser(name, s) {
		w.Account.ID, w.Account.Guessed = o.OwnAccount(), true // session tokens are minted for it
	}
	for _, p := range slices.Sorted(maps.Keys(s.Parameters)) {
		w.Account.Parameters = append(w.Account.Parameters, talk.Parameter{Name: p, Value: s.Parameters[p]})
		if SecretParameter(p) {
			w.Stage.Keep(s.Parameters[p])
		}
	}
	w.Registration = s.Type
	if s.Tenant != "" {
		w.Tenant = s.Tenant
	}
	if s.Service != "" {
		w.Service = s.Service
	}
	if err := w.callAs(name, s); err != nil {
		return err
	}
	if name == "multi-account" || name == "multi-registration" {
		w.Account.ID, w.Account.OperatorAccount = "", "" // which of them is not decided yet
	}
	if s.ClientID != "" {
		w.Add(&talk.Client{ID: s.ClientID})
	}
	return nil
}

// UseTroubled makes the scenario act for an account that the operator has shut out after its client had signed on.
func (w *World) UseTroubled(ctx context.Context, state string) error {
	w.Refusal = true
	w.Uses(state + "-account")
	stage := w.canStage(state+"-account", kindOfStanding[strings.ToUpper(state)])
	if w.Stage.Control == nil && !stage {
		if err := w.UseShared(state + "-account"); err != nil {
			return err
		}
		w.Account.Standing = strings.ToUpper(state)
		w.Subject = &Subject{Situation: state + "-account", Unknown: "an unknown account",
			Codes: codesOfStanding[strings.ToUpper(state)], MadeUp: madeUpAccount, ofAccount: true}
		return nil
	}
	if err := w.UseAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.MakeClient(ctx); err != nil {
		return err
	}
	token, err := w.FreshSessionToken(ctx)
	if err != nil {
		return err
	}
	w.SessionToken = token
	return w.SetStanding(ctx, strings.ToUpper(state))
}

func (w *World) SetStanding(ctx context.Context, standing string) error {
	if w.Stage.Control == nil {
		return w.setStandingLive(ctx, standing)
	}
	if err := w.Stage.Control.SetAccount(ctx, w.Tenant, w.Account.ID, map[string]any{"status": standing}); err != nil {
		return err
	}
	w.Account.Standing = standing
	return nil
}

func (w *World) UseOtherTenant(ctx context.Context) error {
	s, err := w.Situation("other-tenant")
	if err != nil {
		return err
	}
	if w.Stage.Control == nil {
		if !s.HasSessionToken() && s.AccountID == "" && s.OperatorAccount == "" {
			return talk.Lacking(w.Stage.Example("other-tenant"),
				"situations.other-tenant gives no session token and names no account of that tenant")
		}
		mine := w.Client
		if err := w.UseShared("other-tenant"); err != nil {
			return err
		}
		if mine != nil {
			w.Client = mine // the account is the other tenant's, the device stays
		}
		w.Subject = &Subject{Situation: "other-tenant", IsReal: TenantIsReal}
		w.Refusal = true
		return nil
	}
	w.Tenant = s.Tenant
	if s.Service != "" {
		w.Service = s.Service
	}
	return w.UseAccount(ctx, "active", 0)
}

// UseClientOfOtherTenant makes the scenario act for a client that belongs to the second tenant, with tokens of a
// sign-on there.
func (w *World) UseClientOfOtherTenant(ctx context.Context) error {
	if err := w.UseOtherTenant(ctx); err != nil {
		return err
	}
	w.Refusal, w.Subject = false, nil // it is at home there
	if err := w.MakeClient(ctx); err != nil {
		return err
	}
	return w.EnsureTokens(ctx)
}

// UseAccountAboveLimit makes the scenario act for an account that has more devices than it may.
func (w *World) UseAccountAboveLimit(ctx context.Context, devices, limit int) error {
	if w.Stage.Control == nil {
		return talk.Lacking("",
			"an account can be put above its device limit only through the control interface of a mock")
	}
	if err := w.UseAccount(ctx, "active", devices); err != nil {
		return err
	}
	for range devices {
		if err := w.MakeClient(ctx); err != nil {
			return err
		}
	}
	return w.Stage.Control.SetAccount(ctx, w.Tenant, w.Account.ID, map[string]any{"deviceLimit": limit})
}

// UseFullAccount makes the scenario act for an account that has reached its device limit; a made-up value in its place
// is unknown.
func (w *World) UseFullAccount(ctx context.Context, user bool) error {
	w.Refusal = true
	if w.Stage.Control == nil {
		w.Subject = &Subject{Situation: "device-limit", Unknown: "an unknown session token", Codes: []int{20007},
			MadeUp: MadeUpSession}
		if user {
			w.Subject.Unknown, w.Subject.MadeUp = "an unknown user", madeUpAccount
		}
		return w.UseAccount(ctx, "device-limit", 0)
	}
	w.Uses("device-limit")
	if err := w.UseAccount(ctx, "active", 1); err != nil {
		return err
	}
	return w.MakeClient(ctx)
}
