package words

import (
	"cmp"
	"context"
	"slices"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// The situations that scenarios begin with. On a mock each scenario makes its own account through the control
// interface, so that scenarios do not disturb each other; on a live service the situations of the environment file are
// used, and a scenario whose situation is missing is skipped with that reason.
var situationPhrases = []Sentence{
	given("an account in good standing",
		"The scenario acts for an active account. In the environment file: situations.active.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseAccount(ctx, "active", 0) }),
	given("a user with one account",
		"The scenario acts for a user whose credentials belong to one active account. In the environment file: "+
			"situations.credentials.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			return w.UseAccount(ctx, "credentials", 0)
		}),
	given("a user with several accounts",
		"The credentials of the user belong to more than one account. In the environment file: situations.multi-account.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseShared("multi-account") }),
	given("a TVkey user with <one account|several accounts>",
		"A user who may activate TVkey devices. In the environment file: situations.registration or "+
			"situations.multi-registration.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if a.words[0] == "one account" {
				return w.UseAccount(ctx, "registration", 0)
			}
			return w.UseShared("multi-registration")
		}).like("a TVkey user with one account"),
	given("an account that may have <number> devices",
		"An active account with a device limit. On a live service the account of situations.active is given one by an "+
			"action (limit), so that it has room for no more than it has.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if w.Stage.Control == nil {
				return w.LimitLive(ctx, number(a.words[0]))
			}
			return w.UseAccount(ctx, "active", number(a.words[0]))
		}).like("an account that may have 2 devices").reading(`an account that may have (\d+) devices?`),
	given("an account that has as many devices as it may",
		"The next first-time sign-on would exceed the device limit. In the environment file: situations.device-limit.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseFullAccount(ctx, false) }),
	given("a user whose account has as many devices as it may",
		"The next first-time sign-on of the user would exceed the device limit. In the environment file: parameters of "+
			"situations.device-limit.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			if err := w.UseFullAccount(ctx, true); err != nil {
				return err
			}
			if len(w.Account.Parameters) == 0 {
				return talk.Lacking("situations.device-limit: {parameters: {"+w.CredentialNames()+"}, clientId: …}",
					"the environment gives no credentials of a user whose account is full")
			}
			return nil
		}),
	given("the [user's] account lets no further device in",
		"A first-time sign-on, that of the user with credentials, is refused, so that the account really has as many "+
			"devices as it may.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			operation := ags.SignOnWithSessionToken
			if a.words[0] != "" {
				operation = ags.SignOn
			}
			if err := w.FirstTime(ctx, operation, w.Device()); err != nil {
				return err
			}
			x, _ := w.Last()
			if scene.EffectiveStatus(x)/100 == 4 {
				return nil
			}
			if w.Live() && w.Account.Situation == "device-limit" && scene.EffectiveStatus(x)/100 == 2 {
				w.Findings = append(w.Findings, talk.Finding{Requirement: "DEV-03", Outcome: check.Broken,
					Exchange: len(w.Exchanges) - 1,
					Expected: "status 403 where the account has as many devices as it may (situations.device-limit)",
					Got:      w.Describe(x)})
			}
			return talk.Unknownf("a first-time sign-on was answered with %s, so the account has room for more devices",
				w.Describe(x))
		}).like("the account lets no further device in").reading(`the (user's )?account lets no further device in`),
	then("a further device is refused, since the account has as many as it may",
		"A first-time sign-on is refused with 403: what was let in before was let in for the room that there was, not for "+
			"a limit that is one too high.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			w.Refusal = true
			r, err := w.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, w.Device())
			if err != nil {
				return err
			}
			x, err := w.Send(ctx, r, false)
			if err != nil {
				return err
			}
			if status := scene.EffectiveStatus(x); status/100 == 2 {
				return &talk.Missed{About: "DEV-03",
					Expected: "status 403 where the account has as many devices as it may", Got: w.Describe(x)}
			}
			return statusIs(ctx, w, x, "403", "400, 401, 404, 409, 422")
		}),
	given("an account whose device group is full",
		"The next first-time sign-on would exceed the limit of a group of devices. In the environment file: "+
			"situations.group-limit.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			w.Refusal = true
			w.Subject = &scene.Subject{Situation: "group-limit", Unknown: "an unknown session token",
				Codes: []int{20007}, MadeUp: scene.MadeUpSession}
			return w.UseShared("group-limit")
		}),
	given("a <suspended|cancelled|restricted> account",
		"The operator has changed the state of the account after its client had signed on. In the environment file: "+
			"situations.suspended-account and so on.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.UseTroubled(ctx,
				a.words[0])
		}).like("a suspended account"),
	given("an account whose time <is over|has not come>",
		"The end date of the account has passed, or its start date is to come. In the environment file: "+
			"situations.ended-account and situations.early-account.",
		func(_ context.Context, w *scene.World, a arguments) error {
			w.Refusal = true
			return w.UseShared(map[string]string{"is over": "ended-account",
				"has not come": "early-account"}[a.words[0]])
		}).like("an account whose time is over"),
	given("a user whose account is <suspended|cancelled>",
		"Credentials of a user whom the operator has shut out. In the environment file: parameters of "+
			"situations.suspended-account.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := w.UseTroubled(ctx, a.words[0]); err != nil {
				return err
			}
			if len(w.Account.Parameters) == 0 {
				return talk.Lacking("situations."+a.words[0]+"-account: {parameters: {"+w.CredentialNames()+"}}",
					"the environment gives no credentials of a user whose account is %s", a.words[0])
			}
			return nil
		}).like("a user whose account is suspended"),
	given("a TVkey user whose account is <suspended|cancelled>",
		"A user who may activate TVkey devices, and whom the operator has shut out. In the environment file: parameters of "+
			"situations.suspended-account, and situations.registration.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			s, err := w.Situation("registration")
			if err != nil {
				return err
			}
			if err := w.UseTroubled(ctx, a.words[0]); err != nil {
				return err
			}
			if len(w.Account.Parameters) == 0 {
				return talk.Lacking("situations."+a.words[0]+"-account: {parameters: {"+w.CredentialNames()+"}}",
					"the environment gives no credentials of a user whose account is %s", a.words[0])
			}
			w.Registration = cmp.Or(s.Type, "tvkey")
			return nil
		}).like("a TVkey user whose account is suspended"),
	given("a device of the account",
		"The client has signed on before and remembers its clientId. In the environment file: situations.active.clientId.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.MakeClient(ctx) }),
	given("a <disabled|deleted|inactive|unapproved> device of the account",
		"The operator has changed the state of the device. In the environment file: situations.disabled-device and so on.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.MakeTroubledClient(ctx, a.words[0])
		}).like("a disabled device of the account").reading(
		`an? (disabled|deleted|inactive|unapproved) device of the account`),
	given("a device of another account",
		"The client names a clientId that belongs to somebody else. In the environment file: situations.foreign-device.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseForeignDevice(ctx) }),
	given("the next request names the account of that device in <a member|a parameter|a header|the query>",
		"The accountId of the owner stands in the request too, as members, parameters, headers or the query of a request "+
			"may name it. In the environment file: situations.foreign-device.accountId.",
		func(_ context.Context, w *scene.World, a arguments) error {
			if w.Owner == "" {
				return talk.Lacking("situations.foreign-device: {accountId: …}",
					"the environment does not say whose the device of situations.foreign-device is")
			}
			w.Changes = append(w.Changes,
				func(r *talk.Request) error { nameBeside(r, a.words[0], w.Owner, ""); return nil })
			return nil
		}).like("the next request names the account of that device in a member"),
	given("the next request names that account and device in <members|parameters|headers|the query>",
		"The accountId and the clientId of the device of another account stand in the request too.",
		func(_ context.Context, w *scene.World, a arguments) error {
			if w.Foreign == "" {
				return talk.Unknownf("no device of another account was named before")
			}
			w.Subject, w.Refusal = nil, false // the request is that of the client, and may be accepted
			w.Changes = append(w.Changes,
				func(r *talk.Request) error { nameBeside(r, a.words[0], w.Owner, w.Foreign); return nil })
			return nil
		}).like("the next request names that account and device in members"),
	given("the next request names that device <before|behind> one of its own",
		"The member clientId stands twice in the request, once with the device of another account and once with that of "+
			"the client.",
		func(_ context.Context, w *scene.World, a arguments) error {
			own := slices.IndexFunc(w.Clients, func(c *talk.Client) bool { return c.ID != w.Foreign })
			if w.Foreign == "" || own < 0 {
				return talk.Unknownf("no device of another account was named before, or none of the account itself")
			}
			w.Subject, w.Refusal = nil, false // the request is that of the client, and may be accepted
			mine := talk.Member{Name: "clientId", Value: talk.JSON(w.Clients[own].ID)}
			w.Changes = append(w.Changes, func(r *talk.Request) error {
				at := len(r.Members)
				if a.words[0] == "behind" {
					at = slices.IndexFunc(r.Members, func(m talk.Member) bool { return m.Name == "clientId" })
				}
				r.Members = slices.Insert(r.Members, max(at, 0), mine)
				return nil
			})
			return nil
		}).like("the next request names that device behind one of its own"),
	given("a clientId that nobody has",
		"The client names a made-up clientId.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			w.Add(&talk.Client{ID: w.UnknownClientID()})
			w.Refusal = true
			return nil
		}),
	given("a client that is signed on",
		"An active account, a device of it, and the tokens of a sign-on with a session token.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			if err := w.UseAccount(ctx, "active", 0); err != nil {
				return err
			}
			if w.Live() && scene.SignsOut(w.Scenario) {
				return w.UseOwnDevice(ctx)
			}
			if w.Live() && w.Client != nil && w.Client.ID == w.Foreign { // the account has a device of its own, or gets one
				subject, refusal := w.Subject, w.Refusal
				w.Client, w.Subject, w.Refusal = nil, nil, false
				defer func() { w.Subject, w.Refusal = subject, refusal }()
			}
			if err := w.MakeClient(ctx); err != nil {
				return err
			}
			return w.EnsureTokens(ctx)
		}),
	given("a second client of the account that is signed on",
		"Another device of the same account; the scenario goes on with it, and speaks of both as the first and the second "+
			"client.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.FirstSignOn(ctx, w.Device()) }),
	given("a session token that was never issued",
		"The sign-on uses a made-up session token.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			w.SessionToken, w.Refusal = w.Invented(32), true
			w.Stage.Keep(w.SessionToken)
			return nil
		}).reading(`a session token that (?:was never issued|nobody issued)`),
	given("a session token of the account",
		"The sign-ons that follow use this one session token; without this step each sign-on uses a fresh one.",
		func(ctx context.Context, w *scene.World, _ arguments) (err error) {
			w.SessionToken, err = w.FreshSessionToken(ctx)
			return err
		}),
	given("a session token that has expired",
		"The sign-on uses a session token that was good once. In the environment file: situations.expired-session.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.ExpiredSessionToken(ctx) }),
	given("a refresh token that has expired",
		"The client holds tokens whose refresh token is past its time. In the environment file: situations.expired-refresh.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.ExpiredRefreshToken(ctx) }),
	given("a caller in a blocked location",
		"The requests come from where the operator blocks sign-ons. In the environment file: situations.geo-blocked.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.CallFrom("geo-blocked") }),
	given("a caller behind a VPN",
		"The requests come through a VPN or proxy that the operator refuses. In the environment file: situations.vpn.",
		func(_ context.Context, w *scene.World, _ arguments) error { return w.CallFrom("vpn") }),
	given("a tenant without authentication services",
		"Requests name a tenant for which nothing is configured. In the environment file: situations.empty-tenant.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			s, err := w.Situation("empty-tenant")
			if err == nil {
				w.Tenant = s.Tenant
				w.Subject = &scene.Subject{Situation: "empty-tenant", Unknown: "an unknown tenant", Alike: scene.NoServiceEither,
					MadeUp: func(w *scene.World, r *talk.Request) bool {
						r.SetHeader(ags.HeaderTenant, w.Lookalike(s.Tenant))
						return true
					}}
			}
			return err
		}),
	given("a tenant that nobody knows",
		"Requests name a made-up tenant.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			w.Tenant = "agstest-" + w.Invented(12)
			return nil
		}),
	given("the client moves to another tenant",
		"Requests name another tenant from here on, with the tokens and ids of the first. In the environment file: "+
			"situations.other-tenant.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			s, err := w.Situation("other-tenant")
			if err == nil {
				w.Refusal = true
				w.Tenant = s.Tenant
				w.Subject = &scene.Subject{Situation: "other-tenant", IsReal: scene.TenantIsReal}
				if s.Service != "" {
					w.Service = s.Service
				}
			}
			return err
		}),
	given("another tenant with its service",
		"Requests name another tenant and the service that the environment file names for it: situations.other-tenant with "+
			"tenant and service.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			s, err := w.Situation("other-tenant")
			switch {
			case err != nil:
				return err
			case s.Service == "":
				return talk.Lacking(w.Stage.Example("other-tenant"),
					"situations.other-tenant names no service, so that what discovery tells that tenant cannot be held against it")
			}
			w.Tenant, w.Service = s.Tenant, s.Service
			return nil
		}),
	given("a client of another tenant that is signed on",
		"An account of the second tenant, a device of it, and the tokens of a sign-on there with a session token. In the "+
			"environment file: situations.other-tenant with a clientId.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseClientOfOtherTenant(ctx) }),
	given("an account of another tenant",
		"The scenario acts for an active account of the second tenant. In the environment file: situations.other-tenant.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.UseOtherTenant(ctx) }),
}
