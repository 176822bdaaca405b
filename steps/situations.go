package steps

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"agstest/ags"
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
		"An active account with a device limit. On a live service the account of situations.active is given one by an action (limit), so that it has room for no more than it has.",
		func(ctx context.Context, w *world, a arguments) error {
			if w.run.control == nil {
				return w.limitLive(ctx, number(a.words[0]))
			}
			return w.useAccount(ctx, "active", number(a.words[0]))
		}),
	given(`an account that has as many devices as it may`, "an account that has as many devices as it may", "an account that has as many devices as it may",
		"The next first-time sign-on would exceed the device limit. In the environment file: situations.device-limit.",
		func(ctx context.Context, w *world, _ arguments) error {
			w.refusal = true
			if w.run.control == nil {
				w.subject = &subject{situation: "device-limit", unknown: "an unknown session token", codes: []int{20007}, madeUp: madeUpSession}
				return w.useAccount(ctx, "device-limit", 0)
			}
			w.uses("device-limit")
			if err := w.useAccount(ctx, "active", 1); err != nil {
				return err
			}
			return w.makeClient(ctx)
		}),
	given(`the account lets no further device in`, "the account lets no further device in", "the account lets no further device in",
		"A first-time sign-on is refused, so that the account really has as many devices as it may.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.firstTime(ctx, ags.SignOnWithSessionToken, w.device()); err != nil {
				return err
			}
			if x, _ := w.last(); effectiveStatus(x)/100 != 4 {
				return unknownf("a first-time sign-on was answered with %s, so the account has room for more devices", w.describe(x))
			}
			return nil
		}),
	given(`an account whose device group is full`, "an account whose device group is full", "an account whose device group is full",
		"The next first-time sign-on would exceed the limit of a group of devices. In the environment file: situations.group-limit.",
		func(_ context.Context, w *world, _ arguments) error {
			w.refusal = true
			w.subject = &subject{situation: "group-limit", unknown: "an unknown session token", codes: []int{20007}, madeUp: madeUpSession}
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
	given(`a TVkey user whose account is (suspended|cancelled)`, "a TVkey user whose account is <suspended|cancelled>", "a TVkey user whose account is suspended",
		"A user who may activate TVkey devices, and whom the operator has shut out. In the environment file: parameters of situations.suspended-account, and situations.registration.",
		func(ctx context.Context, w *world, a arguments) error {
			s, err := w.situation("registration")
			if err != nil {
				return err
			}
			if err := w.useTroubled(ctx, a.words[0]); err != nil {
				return err
			}
			if len(w.account.parameters) == 0 {
				return lacking("situations."+a.words[0]+"-account: {parameters: {username: …, password: …}}", "the environment gives no credentials of a user whose account is %s", a.words[0])
			}
			w.registration = cmp.Or(s.Type, "tvkey")
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
			w.add(&client{id: w.unknownClientID()})
			w.refusal = true
			return nil
		}),
	given(`a client that is signed on`, "a client that is signed on", "a client that is signed on",
		"An active account, a device of it, and the tokens of a sign-on with a session token.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.useAccount(ctx, "active", 0); err != nil {
				return err
			}
			if w.live() && w.scenario.signsOut() {
				return w.useOwnDevice(ctx)
			}
			if err := w.makeClient(ctx); err != nil {
				return err
			}
			return w.ensureTokens(ctx)
		}),
	given(`a second client of the account that is signed on`, "a second client of the account that is signed on", "a second client of the account that is signed on",
		"Another device of the same account; the scenario goes on with it, and speaks of both as the first and the second client.",
		func(ctx context.Context, w *world, _ arguments) error { return w.firstSignOn(ctx, w.device()) }),
	given(`a session token that (?:was never issued|nobody issued)`, "a session token that was never issued", "a session token that was never issued",
		"The sign-on uses a made-up session token.",
		func(_ context.Context, w *world, _ arguments) error {
			w.sessionToken, w.refusal = w.invented(32), true
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
				w.subject = &subject{situation: "empty-tenant", unknown: "an unknown tenant", alike: noServiceEither, madeUp: func(w *world, r *request) bool {
					r.setHeader(ags.HeaderTenant, w.lookalike(s.Tenant))
					return true
				}}
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
				w.subject = &subject{situation: "other-tenant", isReal: tenantIsReal}
				if s.Service != "" {
					w.service = s.Service
				}
			}
			return err
		}),
	given(`another tenant with its service`, "another tenant with its service", "another tenant with its service",
		"Requests name another tenant and the service that the environment file names for it: situations.other-tenant with tenant and service.",
		func(_ context.Context, w *world, _ arguments) error {
			s, err := w.situation("other-tenant")
			switch {
			case err != nil:
				return err
			case s.Service == "":
				return lacking(w.run.example("other-tenant"), "situations.other-tenant names no service, so that what discovery tells that tenant cannot be held against it")
			}
			w.tenant, w.service = s.Tenant, s.Service
			return nil
		}),
	given(`an account of another tenant`, "an account of another tenant", "an account of another tenant",
		"The scenario acts for an active account of the second tenant. In the environment file: situations.other-tenant.",
		func(ctx context.Context, w *world, _ arguments) error { return w.useOtherTenant(ctx) }),
}

// situation finds a situation of the environment file.
func (w *world) situation(name string) (environment.Situation, error) {
	w.uses(name)
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
	before, proxy := slices.Clone(w.header), w.proxy
	w.subject = &subject{situation: name, unknown: "any caller", codes: map[string][]int{"vpn": {20018, 20021}, "geo-blocked": {20019, 20022, 20066}}[name],
		fromHere: func(r *request) {
			r.proxy = proxy
			for h := range s.Headers {
				r.dropHeader(h)
			}
			for _, f := range before {
				r.setHeader(f.name, f.value)
			}
		}}
	return w.callAs(name, s)
}

// madeUpClient puts a made-up clientId in the place of the one in a request.
func madeUpClient(w *world, r *request) bool {
	var id string
	if json.Unmarshal(r.get("clientId"), &id) != nil || id == "" {
		return false
	}
	r.set("clientId", rawJSON(w.lookalike(id)))
	return true
}

// madeUpSession puts a made-up session token in the place of the one in a request.
func madeUpSession(w *world, r *request) bool {
	return madeUpParameter(w, r, func(name string) bool { return name == w.run.sessionParameter(w.service) })
}

// madeUpAccount makes up what tells the account: the session token that the environment gives, or the user. Where the operator has minted the
// session token the account is known to the service, and what may be made up is the device.
func madeUpAccount(w *world, r *request) bool {
	if r.operation == ags.SignOnWithSessionToken {
		if w.account.token == "" {
			return madeUpClient(w, r)
		}
		return madeUpSession(w, r)
	}
	return madeUpParameter(w, r, func(string) bool { return true })
}

func madeUpParameter(w *world, r *request, which func(name string) bool) bool {
	list, found := r.parameters(), false
	for i := range list {
		if which(list[i].Name) && list[i].Value != "" {
			list[i].Value, found = w.lookalike(list[i].Value), true
		}
	}
	r.set("parameters", rawJSON(list))
	return found
}

// noServiceEither says why the answer to a tenant without services may be that to a made-up one.
const noServiceEither = "no service can be found for either, so that the service may well tell the same of both, and whether the tenant exists is not shown"
