package steps

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"agstest/internal/check"
	"agstest/internal/tokens"
)

// freshSessionToken is a session token for the account: from the control interface of a mock, from where the environment file says, or minted as
// the head-end system that the environment file describes.
func (w *world) freshSessionToken(ctx context.Context) (string, error) {
	token, err := w.anySessionToken(ctx)
	if err == nil && w.account.token == "" {
		w.run.fresh.Store(token, true)
	}
	return token, err
}

func (w *world) anySessionToken(ctx context.Context) (string, error) {
	switch {
	case w.account == nil:
		return "", unknownf("no account was chosen before; write for example \"Given an account in good standing\"")
	case w.account.token != "":
		return w.account.token, nil
	case w.account.source != nil:
		return w.fetchSessionToken(ctx, w.account)
	case w.run.control != nil && w.account.id != "":
		token, err := w.run.control.sessionToken(ctx, w.tenant, w.account.id, 0)
		w.run.keep(token)
		return token, err
	case w.operatorAccount() != "" && (w.account.id != "" || w.account.operatorAccount != ""):
		r, err := w.headEndRequest()
		if err != nil {
			return "", err
		}
		x, err := w.send(ctx, r, false)
		if err != nil {
			return "", err
		}
		token, err := readSessionToken(x)
		w.minted = token
		if err != nil {
			return "", unknownf("no session token could be minted for the account: getSessionToken answered with %s", w.describe(x))
		}
		return token, nil
	}
	return "", lacking("situations."+w.account.situation+": {sessionToken: …}, or operator with an accountId", "no session token for the situation %s can be had", w.account.situation)
}

// fetchSessionToken gets a session token from where the environment file says that those of an account come from. Where none can be had
// it cannot be told whether the service is right.
func (w *world) fetchSessionToken(ctx context.Context, a *account) (string, error) {
	names := tokens.Names{AccountID: a.id, ClientID: a.device, Tenant: w.tenant}
	if o := w.run.environment.Operator; names.AccountID == "" && o != nil {
		names.AccountID = o.OwnAccount()
	}
	token, err := w.run.tokens.Take(ctx, a.source, names)
	w.run.keep(token)
	var tooFew tokens.TooFewError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &tooFew):
		return "", lacking("more session tokens in the pool of situations."+a.situation, "no session token for the situation %s can be had: %v", a.situation, err)
	case err != nil:
		return "", unknownf("no session token for the situation %s could be had: %s", a.situation, w.run.secrets.Text(err.Error()))
	}
	a.fetched = token
	w.run.fetched.Store(token, true)
	return token, nil
}

func (w *world) expiredSessionToken(ctx context.Context) error {
	w.uses("expired-session")
	if w.run.control == nil {
		s, err := w.situation("expired-session")
		if err != nil {
			return err
		}
		w.sessionToken = s.SessionToken
		if s.SessionTokens != nil {
			if w.sessionToken, err = w.fetchSessionToken(ctx, &account{situation: "expired-session", id: s.AccountID, device: s.ClientID, source: s.SessionTokens}); err != nil {
				return err
			}
		}
		w.run.keep(w.sessionToken)
		if s.ClientID != "" { // of the account that the token is of: with another's device it would be refused for that
			w.add(&client{id: s.ClientID})
			w.account, w.refusal = &account{situation: "expired-session", id: s.AccountID, standing: "ACTIVE"}, true
		}
		w.subject = &subject{situation: "expired-session", unknown: "a session token that nobody issued", madeUp: madeUpSession}
		return nil
	}
	token, err := w.run.control.sessionToken(ctx, w.tenant, w.account.id, time.Minute)
	if err != nil {
		return err
	}
	w.run.keep(token)
	w.sessionToken = token
	return w.moveClock(ctx, time.Minute+w.clearOfExpiry())
}

// cautious looks whether a refused sign-on may be due to a session token of the environment file that is used up: then nothing can be
// said about the service. A token that was accepted twice in this run is not used up by use.
func (w *world) cautious(x *exchange, changed bool) error {
	if w.account == nil || w.account.token == "" && w.account.source == nil {
		return nil
	}
	given, used := w.account.token, false
	for _, p := range x.request.parameters() {
		if _, fetched := w.run.fetched.Load(p.Value); fetched {
			given = p.Value
		}
		used = used || given != "" && p.Value == given
	}
	if !used {
		return nil
	}
	if x.Status/100 == 2 {
		w.run.worked(given)
		return nil
	}
	times, before := w.run.timesWorked(given), w.run.refusedBefore(given, x)
	if given != w.account.token && times > 0 {
		return nil // it was good, and fresh ones can be had
	}
	// A full account lets its known devices in.
	refusal := w.refusal && (x.request.get("clientId") == nil || !strings.HasSuffix(w.account.situation, "-limit"))
	code, ok := check.SubCode(x.Exchange)
	switch {
	case x.Status/100 != 4, times >= 2:
		return nil
	case ok && code/1000 == 20 && code != 20020:
		return nil // the service gives another reason
	case changed && x.Status == http.StatusBadRequest:
		return nil // the form of the request was wrong, as the scenario wants it
	case times == 1:
		return lacking(`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and no sessionToken in situations.`+w.account.situation,
			"the session token of situations.%s was accepted once in this run and is refused now (%d): it works only once, and no fresh one can be had", w.account.situation, x.Status)
	case changed || refusal:
		return nil
	case before:
		return lacking(`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and an accountId in place of the sessionToken in situations.`+w.account.situation,
			"the session token of situations.%s was refused before in this run, and may be used up by that (%d); no fresh one can be had", w.account.situation, x.Status)
	}
	return unknownf("the session token of situations.%s was refused at its first use in this run (%d): either it is used up or has expired, or the service refuses good ones; give a fresh one, or operator so that fresh ones are minted", w.account.situation, x.Status)
}
