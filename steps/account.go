package steps

import (
	"context"
	"slices"
	"strings"

	"agstest/internal/environment"
)

// account is one account, as far as the scenario knows it.
type account struct {
	situation string // of the environment file; empty: made for this scenario
	id        string // empty: not known
	// operatorAccount is what an OperatorAuthToken calls it, where the file says so.
	operatorAccount string
	parameters      []parameter
	token           string                   // the session token that the environment file gives
	source          *environment.TokenSource // where it says that session tokens come from; nil: nowhere
	fetched         string                   // the token that came from there last
	device          string                   // the clientId that stands beside it
	refresh         string                   // an old refresh token that it gives
	standing        string                   // ACTIVE, SUSPENDED …
}

// has tells of a parameter, whatever its case.
func (a *account) has(name string) bool {
	return slices.ContainsFunc(a.parameters, func(p parameter) bool { return strings.EqualFold(p.Name, name) })
}

// useAccount makes the scenario act for an account in good standing: its own on a mock, that of a situation elsewhere.
func (w *world) useAccount(ctx context.Context, name string, limit int) error {
	w.uses(name)
	if w.run.control == nil {
		return w.useShared(name)
	}
	made, err := w.run.control.createAccount(ctx, w.tenant, "ACTIVE", limit)
	if err != nil {
		return err
	}
	w.run.keep(made.Password)
	w.account = &account{id: made.AccountID, parameters: []parameter{{"username", made.Username}, {"password", made.Password}}, standing: "ACTIVE"}
	if name == "registration" {
		w.registration = w.run.environment.Situations["registration"].Type
		if w.registration == "" {
			w.registration = "tvkey"
		}
	}
	return nil
}

// ownUser reports whether a situation is of a user who need not be of the operator's account: the device that it names, if any, is not
// the one of situations.active, and what a person signs on with says nothing of the account.
func (r *run) ownUser(name string, s environment.Situation) bool {
	device := s.ClientID
	return name != "active" && len(s.Parameters) > 0 && (device == "" || device != r.environment.Situations["active"].ClientID)
}

// useShared makes the scenario act for the account of a situation of the environment file.
func (w *world) useShared(name string) error {
	s, err := w.situation(name)
	if err != nil {
		return err
	}
	w.account = &account{situation: name, id: s.AccountID, operatorAccount: s.OperatorAccount, token: s.SessionToken, source: s.SessionTokens, device: s.ClientID, refresh: s.RefreshToken, standing: "ACTIVE"}
	if o := w.run.environment.Operator; o != nil && w.account.id == "" && s.OperatorAccount == "" && w.account.token == "" && !w.run.ownUser(name, s) {
		w.account.id = o.OwnAccount() // session tokens are minted for it
	}
	for _, p := range sortedKeys(s.Parameters) {
		w.account.parameters = append(w.account.parameters, parameter{p, s.Parameters[p]})
		if secretParameter(p) {
			w.run.keep(s.Parameters[p])
		}
	}
	w.registration = s.Type
	if s.Tenant != "" {
		w.tenant = s.Tenant
	}
	if s.Service != "" {
		w.service = s.Service
	}
	if err := w.callAs(name, s); err != nil {
		return err
	}
	if name == "multi-account" || name == "multi-registration" {
		w.account.id, w.account.operatorAccount = "", "" // which of them is not decided yet
	}
	if s.ClientID != "" {
		w.add(&client{id: s.ClientID})
	}
	return nil
}

// useTroubled makes the scenario act for an account that the operator has shut out after its client had signed on.
func (w *world) useTroubled(ctx context.Context, state string) error {
	w.refusal = true
	w.uses(state + "-account")
	stage := w.canStage(state+"-account", kindOfStanding[strings.ToUpper(state)])
	if w.run.control == nil && !stage {
		if err := w.useShared(state + "-account"); err != nil {
			return err
		}
		w.account.standing = strings.ToUpper(state)
		w.subject = &subject{situation: state + "-account", unknown: "an unknown account", codes: map[string][]int{"suspended": {20002}, "cancelled": {20001}}[state], madeUp: madeUpAccount}
		return nil
	}
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	token, err := w.freshSessionToken(ctx)
	if err != nil {
		return err
	}
	w.sessionToken = token
	return w.setStanding(ctx, strings.ToUpper(state))
}

func (w *world) setStanding(ctx context.Context, standing string) error {
	if w.run.control == nil {
		return w.setStandingLive(ctx, standing)
	}
	if err := w.run.control.setAccount(ctx, w.tenant, w.account.id, map[string]any{"status": standing}); err != nil {
		return err
	}
	w.account.standing = standing
	return nil
}

func (w *world) useOtherTenant(ctx context.Context) error {
	s, err := w.situation("other-tenant")
	if err != nil {
		return err
	}
	if w.run.control == nil {
		if !s.HasSessionToken() && s.AccountID == "" && s.OperatorAccount == "" {
			return lacking(w.run.example("other-tenant"), "situations.other-tenant gives no session token and names no account of that tenant")
		}
		mine := w.client
		if err := w.useShared("other-tenant"); err != nil {
			return err
		}
		if mine != nil {
			w.client = mine // the account is the other tenant's, the device stays
		}
		w.subject = &subject{situation: "other-tenant", isReal: tenantIsReal}
		w.refusal = true
		return nil
	}
	w.tenant = s.Tenant
	if s.Service != "" {
		w.service = s.Service
	}
	return w.useAccount(ctx, "active", 0)
}
