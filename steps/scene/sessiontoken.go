package scene

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/internal/tokens"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// FreshSessionToken is a session token for the account: from the control interface of a mock, from where the
// environment file says, or minted as the head-end system that the environment file describes.
func (w *World) FreshSessionToken(ctx context.Context) (string, error) {
	token, err := w.anySessionToken(ctx)
	if err == nil && w.Account.Token == "" {
		w.Stage.fresh.Store(token, true)
	}
	return token, err
}

func (w *World) anySessionToken(ctx context.Context) (string, error) {
	switch {
	case w.Account == nil:
		return "", talk.Unknownf(
			"no account was chosen before; write for example \"Given an account in good standing\"")
	case w.Account.Token != "":
		return w.Account.Token, nil
	case w.Account.Source != nil:
		return w.fetchSessionToken(ctx, w.Account)
	case w.Stage.Control != nil && w.Account.ID != "":
		token, err := w.Stage.Control.SessionToken(ctx, w.Tenant, w.Account.ID, 0)
		w.Stage.Keep(token)
		return token, err
	case w.OperatorAccount() != "" && (w.Account.ID != "" || w.Account.OperatorAccount != ""):
		may := w.mayMintAhead()
		r, err := w.HeadEndRequest() // also if another is used, so that the values invented after it stay the same
		if err != nil {
			return "", err
		}
		var x *talk.Exchange
		if may {
			x = w.takeAhead(ctx)
		}
		if x == nil {
			if x, err = w.Send(ctx, r, false); err != nil {
				return "", err
			}
		}
		token, err := ReadSessionToken(x)
		w.minted = token
		if err != nil {
			return "", talk.Unknownf(
				"no session token could be minted for the account: getSessionToken answered with %s", w.Describe(x))
		}
		return token, nil
	}
	return "", talk.Lacking("situations."+w.Account.Situation+": {sessionToken: …}, or operator with an accountId",
		"no session token for the situation %s can be had", w.Account.Situation)
}

// fetchSessionToken gets a session token from the source that the environment file gives for an account. Without a
// token the scenario cannot tell whether the service is right.
func (w *World) fetchSessionToken(ctx context.Context, a *talk.Account) (string, error) {
	names := tokens.Names{AccountID: a.ID, ClientID: a.Device, Tenant: w.Tenant}
	if o := w.Stage.Environment.Operator; names.AccountID == "" && o != nil {
		names.AccountID = o.OwnAccount()
	}
	token, err := w.Stage.tokens.Take(ctx, a.Source, names)
	w.Stage.Keep(token)
	var tooFew tokens.TooFewError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &tooFew):
		return "", talk.Lacking("more session tokens in the pool of situations."+a.Situation,
			"no session token for the situation %s can be had: %v", a.Situation, err)
	case err != nil:
		return "", talk.Unknownf("no session token for the situation %s could be had: %s", a.Situation,
			w.Stage.Secrets.Text(err.Error()))
	}
	a.Fetched = token
	w.Stage.fetched.Store(token, true)
	return token, nil
}

func (w *World) ExpiredSessionToken(ctx context.Context) error {
	w.Uses("expired-session")
	if w.Stage.Control == nil {
		s, err := w.Situation("expired-session")
		if err != nil {
			return err
		}
		w.SessionToken = s.SessionToken
		if s.SessionTokens != nil {
			if w.SessionToken, err = w.fetchSessionToken(ctx, &talk.Account{Situation: "expired-session",
				ID: s.AccountID, Device: s.ClientID, Source: s.SessionTokens}); err != nil {
				return err
			}
		}
		w.Stage.Keep(w.SessionToken)
		if s.ClientID != "" { // of the account that the token is of: with another's device it would be refused for that
			w.Add(&talk.Client{ID: s.ClientID})
			w.Account, w.Refusal = &talk.Account{Situation: "expired-session", ID: s.AccountID,
				Standing: "ACTIVE"}, true
		}
		w.Subject = &Subject{Situation: "expired-session", Unknown: "a session token that nobody issued",
			MadeUp: MadeUpSession}
		return nil
	}
	token, err := w.Stage.Control.SessionToken(ctx, w.Tenant, w.Account.ID, time.Minute)
	if err != nil {
		return err
	}
	w.Stage.Keep(token)
	w.SessionToken = token
	return w.MoveClock(ctx, time.Minute+w.ClearOfExpiry())
}

// shownToken is the session token of the environment file, or of its source, that a request shows, and whether it shows
// one.
func (w *World) shownToken(x *talk.Exchange) (given string, used bool) {
	given = w.Account.Token
	for _, p := range x.Request.Parameters() {
		if _, fetched := w.Stage.fetched.Load(p.Value); fetched {
			given = p.Value
		}
		used = used || given != "" && p.Value == given
	}
	return given, used
}

// NeverWorked tells that a request shows a session token of the environment file, or of its source, by which nobody was
// let in during this run.
func (w *World) NeverWorked(x *talk.Exchange) bool {
	if w.Account == nil || w.Account.Token == "" && w.Account.Source == nil {
		return false
	}
	given, used := w.shownToken(x)
	return used && w.Stage.TimesWorked(given) == 0
}

// Cautious looks whether a refused sign-on may be due to a session token of the environment file that is used up: then
// nothing can be said about the service. A token that was accepted twice in this run is not used up by use.
func (w *World) Cautious(x *talk.Exchange, changed bool) error {
	if w.Account == nil || w.Account.Token == "" && w.Account.Source == nil {
		return nil
	}
	given, used := w.shownToken(x)
	if !used {
		return nil
	}
	if x.Status/100 == 2 {
		w.Stage.worked(given)
		return nil
	}
	times, before := w.Stage.TimesWorked(given), w.Stage.refusedBefore(given, x)
	if given != w.Account.Token && times > 0 {
		return nil // it was good, and there are fresh ones
	}
	switch {
	case x.Status/100 != 4, times >= 2, givesOtherReason(x):
		return nil
	case changed && x.Status == http.StatusBadRequest && times == 0:
		// the form of the request was wrong, as the scenario wants it, and the control beside it shows that the token
		// is good
		return nil
	case times == 1:
		return talk.Lacking(
			`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and no sessionToken in situations.`+
				w.Account.Situation,
			"the session token of situations.%s was accepted once in this run and is refused now (%d): it works only once, "+
				"and no fresh one can be had", w.Account.Situation, x.Status)
	case changed || w.wantsRefusal(x):
		return nil
	case before:
		return talk.Lacking(
			`operator: {secret: "${AGS_OPERATOR_SECRET}", account: "…"}, and an accountId in place of the sessionToken in situations.`+w.Account.Situation,
			"the session token of situations.%s was refused before in this run, and may be used up by that (%d); no fresh "+
				"one can be had", w.Account.Situation, x.Status)
	}
	w.Stage.refusedAtFirst(w.Account.Situation, x.Status)
	return talk.Unknownf("the session token of situations.%s was refused at its first use in this run (%d): either it "+
		"is used up or has expired, or the service refuses good ones; give a fresh one, or operator so that fresh ones are "+
		"minted",
		w.Account.Situation, x.Status)
}

// givesOtherReason tells whether the subCode of a refusal is about something else than a session token.
func givesOtherReason(x *talk.Exchange) bool {
	code, ok := check.SubCode(x.Exchange)
	return ok && code/1000 == 20 && code != 20020
}

// wantsRefusal tells whether the scenario wants the sign-on to be refused. A full account lets its known devices in.
func (w *World) wantsRefusal(x *talk.Exchange) bool {
	return w.Refusal && (x.Request.Get("clientId") == nil || !strings.HasSuffix(w.Account.Situation, "-limit"))
}

// How many session tokens of an account are minted, or under way, before a scenario asks for them, and the age above
// which one is not used.
const (
	mintedBefore = 4
	longestAhead = 5 * time.Second
)

// ahead are session tokens that were minted before a scenario asks for them. On a far service that spares each sign-on
// a round trip.
type ahead struct {
	mu    sync.Mutex // guards what follows
	ready map[string][]*World
	begun map[string]int // under way
	count int
	all   sync.WaitGroup
}

// mayMintAhead tells whether a session token that the acting head-end system would ask for here is like any other of
// the account.
func (w *World) mayMintAhead() bool {
	r := w.Stage
	return w.Live() && r.Concurrency > 1 && r.Options.MaxRate <= 0 && r.Options.Calm == "" && w.jar == nil &&
		w.proxy == nil && len(w.header) == 0 && w.Correlation == "" &&
		len(w.Operator) == 0 && w.Ahead == 0
}

// takeAhead returns the exchange that minted a session token ahead of time, as if the scenario had sent it; nil if
// there is none. It has more minted for the next scenarios.
func (w *World) takeAhead(ctx context.Context) *talk.Exchange {
	a := &w.Stage.ahead
	key := strings.Join([]string{w.Tenant, w.Service, w.Account.ID, w.OperatorAccount()}, "\n")
	a.mu.Lock()
	var taken *World
	for list := a.ready[key]; len(list) > 0 && taken == nil; list = a.ready[key] {
		if a.ready[key] = list[1:]; time.Since(list[0].Exchanges[0].Received) < longestAhead {
			taken = list[0]
		} else {
			w.Stage.Aside(list[0].Exchanges[0])
		}
	}
	for len(a.ready[key])+a.begun[key] < mintedBefore {
		w.beginAhead(ctx, key)
	}
	a.mu.Unlock()
	if taken == nil {
		return nil
	}
	w.takeIn(taken)
	return taken.Exchanges[0]
}

// beginAhead mints a session token for the account of the scenario. The lock is held.
func (w *World) beginAhead(ctx context.Context, key string) {
	a := &w.Stage.ahead
	if a.ready == nil {
		a.ready, a.begun = map[string][]*World{}, map[string]int{}
	}
	a.begun[key]++
	a.count++
	own := New(w.Stage, &script.Scenario{ID: fmt.Sprintf("minted ahead %d", a.count)})
	account := *w.Account
	own.Tenant, own.Service, own.Account = w.Tenant, w.Service, &account
	a.all.Go(func() {
		defer failure.Guard()
		minted := own.mintOnce(ctx)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.begun[key]--; minted {
			a.ready[key] = append(a.ready[key], own)
		}
	})
}

// mintOnce asks for a session token as the head-end system; false if none came, and a scenario that needs one asks for
// itself.
func (w *World) mintOnce(ctx context.Context) bool {
	r, err := w.HeadEndRequest()
	if err != nil {
		return false
	}
	x, err := w.Send(ctx, r, false)
	if x != nil && err != nil {
		w.Stage.Aside(x)
	}
	if err != nil || len(w.Exchanges) != 1 {
		return false
	}
	_, err = ReadSessionToken(x)
	return err == nil
}

// EndAhead waits for the calls under way, and counts the tokens that nobody asked for.
func (r *Stage) EndAhead() {
	r.ahead.all.Wait()
	r.ahead.mu.Lock()
	defer r.ahead.mu.Unlock()
	for key, list := range r.ahead.ready {
		for _, w := range list {
			r.Aside(w.Exchanges[0])
		}
		delete(r.ahead.ready, key)
	}
}
