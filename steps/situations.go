package steps

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/environment"
)

// The situations that scenarios begin with. On a mock each scenario makes its own account through the control interface, so that
// scenarios do not disturb each other; on a live service the situations of the environment file are used, and a scenario whose
// situation is missing is skipped with that reason.
var situationPhrases = []phrase{
	given(`an account in good standing`, "an account in good standing", "an account in good standing",
		"The scenario acts for an active account. In the environment file: situations.active.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useAccount(ctx, "active", 0) }),
	given(`a user with one account`, "a user with one account", "a user with one account",
		"The scenario acts for a user whose credentials belong to one active account. In the environment file: situations.credentials.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useAccount(ctx, "credentials", 0) }),
	given(`a user with several accounts`, "a user with several accounts", "a user with several accounts",
		"The credentials of the user belong to more than one account. In the environment file: situations.multi-account.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useShared("multi-account") }),
	given(`a TVkey user with (one account|several accounts)`, "a TVkey user with <one account|several accounts>", "a TVkey user with one account",
		"A user who may activate TVkey devices. In the environment file: situations.registration or situations.multi-registration.",
		func(ctx context.Context, w *world, a arguments) error {
			if a.words[0] == "one account" {
				return w.useAccount(ctx, "registration", 0)
			}
			return w.useShared("multi-registration")
		}),
	given(`an account that may have (\d+) devices?`, "an account that may have <number> devices", "an account that may have 2 devices",
		"An active account with a device limit; only a mock can make one.",
		func(ctx context.Context, w *world, a arguments) error {
			if w.run.control == nil {
				return lacking("", "the device limit of an account can only be set through the control interface of the mock")
			}
			return w.useAccount(ctx, "active", number(a.words[0]))
		}),
	given(`an account that has as many devices as it may`, "an account that has as many devices as it may", "an account that has as many devices as it may",
		"The next first-time sign-on would exceed the device limit. In the environment file: situations.device-limit.",
		func(ctx context.Context, w *world, _ arguments) error {
			w.refusal = true
			if w.run.control == nil {
				return w.useAccount(ctx, "device-limit", 0)
			}
			if err := w.useAccount(ctx, "active", 1); err != nil {
				return err
			}
			return w.makeClient(ctx)
		}),
	given(`an account whose device group is full`, "an account whose device group is full", "an account whose device group is full",
		"The next first-time sign-on would exceed the limit of a group of devices. In the environment file: situations.group-limit.",
		func(_ context.Context, w *world, _ arguments) error {
			w.refusal = true
			return w.useShared("group-limit")
		}),
	given(`a (suspended|cancelled|restricted) account`, "a <suspended|cancelled|restricted> account", "a suspended account",
		"The operator has changed the state of the account after its client had signed on. In the environment file: situations.suspended-account and so on.",
		func(ctx context.Context, w *world, a arguments) error { return w.useTroubled(ctx, a.words[0]) }),
	given(`a user whose account is (suspended|cancelled)`, "a user whose account is <suspended|cancelled>", "a user whose account is suspended",
		"Credentials of a user whom the operator has shut out. In the environment file: parameters of situations.suspended-account.",
		func(ctx context.Context, w *world, a arguments) error {
			if err := w.useTroubled(ctx, a.words[0]); err != nil {
				return err
			}
			if len(w.account.parameters) == 0 {
				return lacking("situations."+a.words[0]+"-account: {parameters: {username: …, password: …}}", "the environment gives no credentials of a user whose account is %s", a.words[0])
			}
			return nil
		}),
	given(`a device of the account`, "a device of the account", "a device of the account",
		"The client has signed on before and remembers its clientId. In the environment file: situations.active.clientId.",
		func(ctx context.Context, w *world, _ arguments) error { return w.makeClient(ctx) }),
	given(`an? (disabled|deleted|inactive|unapproved) device of the account`, "a <disabled|deleted|inactive|unapproved> device of the account", "a disabled device of the account",
		"The operator has changed the state of the device. In the environment file: situations.disabled-device and so on.",
		func(ctx context.Context, w *world, a arguments) error { return w.makeTroubledClient(ctx, a.words[0]) }),
	given(`a device of another account`, "a device of another account", "a device of another account",
		"The client names a clientId that belongs to somebody else. In the environment file: situations.foreign-device.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useForeignDevice(ctx) }),
	given(`a clientId that nobody has`, "a clientId that nobody has", "a clientId that nobody has",
		"The client names a made-up clientId.",
		func(_ context.Context, w *world, _ arguments) error {
			w.add(&client{id: "agstest_" + w.invented(16)})
			w.refusal = true
			return nil
		}),
	given(`a client that is signed on`, "a client that is signed on", "a client that is signed on",
		"An active account, a device of it, and the tokens of a sign-on with a session token.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.useAccount(ctx, "active", 0); err != nil {
				return err
			}
			if err := w.makeClient(ctx); err != nil {
				return err
			}
			return w.ensureTokens(ctx)
		}),
	given(`a second client of the account that is signed on`, "a second client of the account that is signed on", "a second client of the account that is signed on",
		"Another device of the same account; the scenario goes on with it, and speaks of both as the first and the second client.",
		func(ctx context.Context, w *world, _ arguments) error { return w.firstSignOn(ctx, defaultDevice) }),
	given(`a session token that (?:was never issued|nobody issued)`, "a session token that was never issued", "a session token that was never issued",
		"The sign-on uses a made-up session token.",
		func(_ context.Context, w *world, _ arguments) error {
			w.sessionToken = w.invented(32)
			w.run.keep(w.sessionToken)
			return nil
		}),
	given(`a session token of the account`, "a session token of the account", "a session token of the account",
		"The sign-ons that follow use this one session token; without this step each sign-on uses a fresh one.",
		func(ctx context.Context, w *world, _ arguments) (err error) {
			w.sessionToken, err = w.freshSessionToken(ctx)
			return err
		}),
	given(`a session token that has expired`, "a session token that has expired", "a session token that has expired",
		"The sign-on uses a session token that was good once. In the environment file: situations.expired-session.",
		func(ctx context.Context, w *world, _ arguments) error { return w.expiredSessionToken(ctx) }),
	given(`a refresh token that has expired`, "a refresh token that has expired", "a refresh token that has expired",
		"The client holds tokens whose refresh token is past its time. In the environment file: situations.expired-refresh.",
		func(ctx context.Context, w *world, _ arguments) error { return w.expiredRefreshToken(ctx) }),
	given(`a caller in a blocked location`, "a caller in a blocked location", "a caller in a blocked location",
		"The requests come from where the operator blocks sign-ons. In the environment file: situations.geo-blocked.",
		func(_ context.Context, w *world, _ arguments) error { return w.callFrom("geo-blocked") }),
	given(`a caller behind a VPN`, "a caller behind a VPN", "a caller behind a VPN",
		"The requests come through a VPN or proxy that the operator refuses. In the environment file: situations.vpn.",
		func(_ context.Context, w *world, _ arguments) error { return w.callFrom("vpn") }),
	given(`a tenant without authentication services`, "a tenant without authentication services", "a tenant without authentication services",
		"Requests name a tenant for which nothing is configured. In the environment file: situations.empty-tenant.",
		func(_ context.Context, w *world, _ arguments) error {
			s, err := w.situation("empty-tenant")
			if err == nil {
				w.tenant = s.Tenant
			}
			return err
		}),
	given(`a tenant that nobody knows`, "a tenant that nobody knows", "a tenant that nobody knows",
		"Requests name a made-up tenant.",
		func(_ context.Context, w *world, _ arguments) error {
			w.tenant = "agstest-" + w.invented(12)
			return nil
		}),
	given(`the client moves to another tenant`, "the client moves to another tenant", "the client moves to another tenant",
		"Requests name another tenant from here on, with the tokens and ids of the first. In the environment file: situations.other-tenant.",
		func(_ context.Context, w *world, _ arguments) error {
			s, err := w.situation("other-tenant")
			if err == nil {
				w.refusal = true
				w.tenant = s.Tenant
				if s.Service != "" {
					w.service = s.Service
				}
			}
			return err
		}),
	given(`an account of another tenant`, "an account of another tenant", "an account of another tenant",
		"The scenario acts for an active account of the second tenant. In the environment file: situations.other-tenant.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useOtherTenant(ctx) }),
}

// situation finds a situation of the environment file.
func (w *world) situation(name string) (environment.Situation, error) {
	s, ok := w.run.environment.Situations[name]
	if ok {
		return s, nil
	}
	return s, lacking(w.run.example(name), "the environment offers no situation %s", name)
}

// example is the line of an environment file that would give a situation.
func (r *run) example(name string) string {
	for _, a := range r.environment.Abilities() {
		if a.Name == name {
			return a.Example
		}
	}
	return "situations." + name
}

// useAccount makes the scenario act for an account in good standing: its own on a mock, that of a situation elsewhere.
func (w *world) useAccount(ctx context.Context, name string, limit int) error {
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

// useShared makes the scenario act for the account of a situation of the environment file.
func (w *world) useShared(name string) error {
	s, err := w.situation(name)
	if err != nil {
		return err
	}
	w.account = &account{situation: name, id: s.AccountID, token: s.SessionToken, refresh: s.RefreshToken, standing: "ACTIVE"}
	if w.account.id == "" && w.account.token == "" && w.run.environment.Operator != nil {
		w.account.id = w.run.environment.Operator.Account // session tokens are minted for it
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
		w.account.id = "" // which of them is not decided yet
	}
	if s.ClientID != "" {
		w.add(&client{id: s.ClientID})
	}
	return nil
}

// callAs adds what a situation says about the caller.
func (w *world) callAs(name string, s environment.Situation) error {
	for _, h := range sortedKeys(s.Headers) {
		w.header = append(w.header, field{h, s.Headers[h]})
	}
	if s.Proxy != "" {
		proxy, err := url.Parse(s.Proxy)
		if err != nil {
			return unknownf("the proxy of situations.%s cannot be read", name)
		}
		w.proxy = proxy
	}
	return nil
}

func (w *world) callFrom(name string) error {
	w.refusal = true
	s, err := w.situation(name)
	if err != nil {
		return err
	}
	if len(s.Headers) == 0 && s.Proxy == "" {
		return lacking(w.run.example(name), "situations.%s says neither headers nor a proxy, so the requests would come from here", name)
	}
	return w.callAs(name, s)
}

// useTroubled makes the scenario act for an account that the operator has shut out after its client had signed on.
func (w *world) useTroubled(ctx context.Context, state string) error {
	w.refusal = true
	if w.run.control == nil {
		if err := w.useShared(state + "-account"); err != nil {
			return err
		}
		w.account.standing = strings.ToUpper(state)
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
		return lacking("", "the state of an account can only be changed through the control interface of the mock")
	}
	if err := w.run.control.setAccount(ctx, w.tenant, w.account.id, map[string]any{"status": standing}); err != nil {
		return err
	}
	w.account.standing = standing
	return nil
}

// makeClient makes the scenario act for a device of its account: signed on for the first time on a mock, that of the situation elsewhere.
func (w *world) makeClient(ctx context.Context) error {
	if w.account == nil {
		return unknownf("no account was chosen before; write for example \"Given an account in good standing\"")
	}
	if w.run.control == nil {
		if w.client != nil {
			return nil
		}
		if id := w.run.device(w.account.situation); id != "" {
			w.add(&client{id: id})
			return nil
		}
		if w.run.environment.Allow.FirstTime && w.account.situation == "active" {
			if err := w.firstSignOn(ctx, defaultDevice); err != nil {
				return err
			}
			w.run.keepDevice(w.account.situation, w.client.id)
			return nil
		}
		return lacking("situations."+w.account.situation+": {clientId: …}", "the situation %s names no clientId", w.account.situation)
	}
	return w.firstSignOn(ctx, defaultDevice)
}

// firstSignOn signs a new device on with a session token, as a part of the set-up.
func (w *world) firstSignOn(ctx context.Context, device string) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	r, err := w.signOnWithSessionToken(ctx)
	if err != nil {
		return err
	}
	r.set("deviceInformation", []byte(device))
	c := &client{class: classOf([]byte(device))}
	return w.setUpSignOn(ctx, r, c)
}

// ensureTokens signs the client on if it holds no tokens yet.
func (w *world) ensureTokens(ctx context.Context) error {
	if w.client.pair != nil {
		return nil
	}
	r, err := w.signOnWithSessionToken(ctx)
	if err != nil {
		return err
	}
	r.set("clientId", rawJSON(w.client.id))
	return w.setUpSignOn(ctx, r, w.client)
}

func (w *world) setUpSignOn(ctx context.Context, r *request, c *client) error {
	x, err := w.send(ctx, r, false)
	if err != nil {
		return err
	}
	if err := w.cautious(x, false); err != nil {
		return err
	}
	if err := w.roomForDevices(x); err != nil {
		return err
	}
	if effectiveStatus(x)/100 != 2 { // another 2xx than the documented one is the judge's to find
		return unknownf("the sign-on that this scenario starts from was answered with %s", w.describe(x))
	}
	if err := w.adopt(x, c); err != nil {
		return unknownf("the sign-on that this scenario starts from gave no tokens: %v", err)
	}
	if w.client != c {
		w.add(c)
	}
	return nil
}

// cautious looks whether a refused sign-on may be due to a session token of the environment file that is used up: then nothing can be
// said about the service. A token that was accepted twice in this run is not used up by use.
func (w *world) cautious(x *exchange, changed bool) error {
	if w.account == nil || w.account.token == "" {
		return nil
	}
	used := false
	for _, p := range x.request.parameters() {
		used = used || p.Value == w.account.token
	}
	if !used {
		return nil
	}
	if x.Status/100 == 2 {
		w.run.worked(w.account.token)
		return nil
	}
	times := w.run.timesWorked(w.account.token)
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
	case changed || w.refusal:
		return nil
	}
	return unknownf("the session token of situations.%s was refused at its first use in this run (%d): either it is used up or has expired, or the service refuses good ones; give a fresh one, or operator so that fresh ones are minted", w.account.situation, x.Status)
}

func (w *world) mayCreateDevices() error {
	if w.run.control == nil && !w.run.environment.Allow.FirstTime {
		return lacking("allow: {first-time: true}", "a first-time sign-on creates a device, which the environment does not allow")
	}
	return nil
}

func (w *world) makeTroubledClient(ctx context.Context, state string) error {
	w.refusal = state != "unapproved"
	if w.run.control == nil {
		s, err := w.situation(state + "-device")
		if err != nil {
			return err
		}
		if s.ClientID == "" {
			return lacking(w.run.example(state+"-device"), "situations.%s-device names no clientId", state)
		}
		w.add(&client{id: s.ClientID})
		return nil
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	return w.setDeviceState(ctx, state)
}

func (w *world) setDeviceState(ctx context.Context, state string) error {
	if w.run.control == nil {
		return lacking("", "the state of a device can only be changed through the control interface of the mock")
	}
	change := map[string]any{
		"disabled": map[string]any{"status": "DISABLED"}, "enabled": map[string]any{"status": "ENABLED"}, "deleted": map[string]any{"deleted": true},
		"inactive": map[string]any{"activity": "INACTIVE"}, "unapproved": map[string]any{"approved": false},
	}[state].(map[string]any)
	return w.run.control.setDevice(ctx, w.tenant, w.client.id, change)
}

func (w *world) useForeignDevice(ctx context.Context) error {
	w.refusal = true
	if w.run.control == nil {
		s, err := w.situation("foreign-device")
		if err != nil {
			return err
		}
		w.add(&client{id: s.ClientID})
		return nil
	}
	mine, token := w.account, w.sessionToken
	w.sessionToken = ""
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	w.account, w.sessionToken = mine, token
	return nil
}

func (w *world) useOtherTenant(ctx context.Context) error {
	s, err := w.situation("other-tenant")
	if err != nil {
		return err
	}
	if w.run.control == nil {
		mine := w.client
		if err := w.useShared("other-tenant"); err != nil {
			return err
		}
		if mine != nil {
			w.client = mine // the account is the other tenant's, the device stays
		}
		w.refusal = true
		return nil
	}
	w.tenant = s.Tenant
	if s.Service != "" {
		w.service = s.Service
	}
	return w.useAccount(ctx, "active", 0)
}

// freshSessionToken is a session token for the account: from the control interface of a mock, from the environment file, or minted as
// the head-end system that the environment file describes.
func (w *world) freshSessionToken(ctx context.Context) (string, error) {
	switch {
	case w.account == nil:
		return "", unknownf("no account was chosen before; write for example \"Given an account in good standing\"")
	case w.account.token != "":
		return w.account.token, nil
	case w.run.control != nil && w.account.id != "":
		token, err := w.run.control.sessionToken(ctx, w.tenant, w.account.id, 0)
		w.run.keep(token)
		return token, err
	case w.run.environment.Operator != nil && w.account.id != "":
		r, err := w.headEndRequest()
		if err != nil {
			return "", err
		}
		x, err := w.send(ctx, r, false)
		if err != nil {
			return "", err
		}
		token, err := readSessionToken(x)
		if err != nil {
			return "", unknownf("no session token could be minted for the account: getSessionToken answered with %s", w.describe(x))
		}
		return token, nil
	}
	return "", lacking("situations."+w.account.situation+": {sessionToken: …}, or operator with an accountId", "no session token for the situation %s can be had", w.account.situation)
}

func (w *world) expiredSessionToken(ctx context.Context) error {
	if w.run.control == nil {
		s, err := w.situation("expired-session")
		if err != nil {
			return err
		}
		w.sessionToken = s.SessionToken
		w.run.keep(w.sessionToken)
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

func (w *world) expiredRefreshToken(ctx context.Context) error {
	if w.run.control == nil {
		if err := w.useShared("expired-refresh"); err != nil {
			return err
		}
		w.run.keep(w.account.refresh)
		if w.client == nil {
			w.add(&client{})
		}
		w.client.pair = &pair{RefreshToken: w.account.refresh}
		return nil
	}
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return err
	}
	if err := w.makeClient(ctx); err != nil {
		return err
	}
	return w.moveClock(ctx, time.Duration(w.client.pair.RefreshExpiresIn)*time.Second+w.clearOfExpiry())
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

// defaultDevice is the deviceInformation of an Android phone, after the platform table of the page on first-time sign-on.
const defaultDevice = `{"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"device":{"screen":{"height":2560,"width":1440,"density":560},` +
	`"hardware":{"model":"Pixel 8","manufacturer":"Google","type":"Mobile"},"OS":{"type":"Android","version":"14"},` +
	`"CPU":{"neon":"true","frequency":"2.9","cores":"9"},"GPU":{"frequency":null,"cores":null}},"playoutDeviceClass":"mobileDevice","deviceType":"OPEN"}`

// headEndRequest is the documented call of getSessionToken for the account, before the changes that a scenario wants.
func (w *world) headEndRequest() (*request, error) {
	o := w.run.environment.Operator
	if o == nil {
		return nil, lacking(w.run.example("operator"), "the environment does not say how to act as a head-end system (operator)")
	}
	t := operatorToken{algorithm: "HS256", keyID: o.KeyID, secret: o.Secret}
	t.set("typ", ags.OperatorToken.Type)
	account := o.Account
	if w.account != nil && w.account.id != "" {
		account = w.account.id
	}
	t.set(ags.OperatorToken.Account, account)
	t.set(ags.OperatorToken.Tenant, w.tenant)
	t.set("exp", time.Now().Add(w.ahead).Add(5*time.Minute).Unix())
	t.set("aud", ags.OperatorToken.Audience)
	for _, change := range w.operator {
		change(&t)
	}
	w.operator = nil
	r := w.prepare(ags.GetSessionToken)
	r.set("parameters", rawJSON([]parameter{{o.Parameter, t.sign()}}))
	return r, nil
}
