package steps

import (
	"context"
	"net/http"
	"strings"

	"agstest/ags"
)

// The calls of the service, as the actors make them. Each sends the documented request, changed as the steps before asked for.
var callPhrases = []phrase{
	when(`the client asks for the authentication services`, "the client asks for the authentication services", "the client asks for the authentication services",
		"Calls servicediscovery.", func(ctx context.Context, w *world, _ arguments) error { return w.askForServices(ctx) }),
	when(`the client signs on with a session token and its clientId`, "the client signs on with a session token and its clientId", "the client signs on with a session token and its clientId",
		"Calls signOnWithSessionToken as a known device (n-th sign-on).",
		func(ctx context.Context, w *world, _ arguments) error {
			r, err := w.signOnWithSessionToken(ctx)
			if err != nil {
				return err
			}
			if err := w.hasClient(); err != nil {
				return err
			}
			r.set("clientId", rawJSON(w.client.id))
			return w.signOn(ctx, r, w.client)
		}),
	when(`the client signs on with a session token for the first time`, "the client signs on with a session token for the first time", "the client signs on with a session token for the first time",
		"Calls signOnWithSessionToken with the deviceInformation of an Android phone.",
		func(ctx context.Context, w *world, _ arguments) error {
			return w.firstTime(ctx, ags.SignOnWithSessionToken, w.device())
		}),
	when(`the client signs on with a session token for the first time with this deviceInformation:`,
		"the client signs on with a session token for the first time with this deviceInformation: (text)",
		"the client signs on with a session token for the first time with this deviceInformation:",
		"Calls signOnWithSessionToken with the JSON below as deviceInformation.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.firstTime(ctx, ags.SignOnWithSessionToken, a.text)
		}),
	when(`(\d+) clients sign on for the first time at the same moment`, "<number> clients sign on for the first time at the same moment", "2 clients sign on for the first time at the same moment",
		"Calls signOnWithSessionToken in parallel, each time with another session token and the deviceInformation of a new device.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.parallelSignOns(ctx, number(a.words[0]))
		}),
	when(`the head-end system asks for a session token`, "the head-end system asks for a session token", "the head-end system asks for a session token",
		"Calls getSessionToken with an OperatorAuthToken for the account.",
		func(ctx context.Context, w *world, _ arguments) error { return w.askForSessionToken(ctx) }),
	when(`the (?:(first|second) )?client refreshes its tokens`, "the [first|second] client refreshes its tokens", "the client refreshes its tokens",
		"Calls refresh with the refresh token of the client.",
		func(ctx context.Context, w *world, a arguments) error {
			if err := w.pick(a.words[0]); err != nil {
				return err
			}
			return w.refresh(ctx)
		}),
	when(`the client refreshes its tokens (\d+) times, each time with the token of the answer before`,
		"the client refreshes its tokens <number> times, each time with the token of the answer before", "the client refreshes its tokens 5 times, each time with the token of the answer before",
		"Calls refresh in a chain and stops at the first answer other than 200.",
		func(ctx context.Context, w *world, a arguments) error {
			for range number(a.words[0]) {
				if err := w.refresh(ctx); err != nil {
					return err
				}
				if x, _ := w.last(); x.Status != http.StatusOK {
					return nil
				}
			}
			return nil
		}),
	when(`the client refreshes its tokens some seconds later`, "the client refreshes its tokens some seconds later", "the client refreshes its tokens some seconds later",
		"Calls refresh when so much time has passed that what must move has moved. A mock's clock is moved by a minute; on a live service the run waits once, for as long as --patience allows, and all scenarios with this step look at the same refresh.",
		func(ctx context.Context, w *world, _ arguments) error { return w.refreshLater(ctx) }),
	when(`the client refreshes twice at the same moment with the same token`, "the client refreshes twice at the same moment with the same token", "the client refreshes twice at the same moment with the same token",
		"Calls refresh in parallel; for the record.",
		func(ctx context.Context, w *world, _ arguments) error { return w.parallelRefreshes(ctx) }),
	when(`the user signs on with the credentials and the clientId`, "the user signs on with the credentials and the clientId", "the user signs on with the credentials and the clientId",
		"Calls signOn as a known device (n-th sign-on).",
		func(ctx context.Context, w *world, _ arguments) error {
			r, err := w.credentialRequest(ags.SignOn)
			if err != nil {
				return err
			}
			if err := w.hasClient(); err != nil {
				return err
			}
			r.set("clientId", rawJSON(w.client.id))
			return w.signOn(ctx, r, w.client)
		}),
	when(`the user signs on with the credentials for the first time`, "the user signs on with the credentials for the first time", "the user signs on with the credentials for the first time",
		"Calls signOn with the deviceInformation of an Android phone.",
		func(ctx context.Context, w *world, _ arguments) error {
			return w.firstTime(ctx, ags.SignOn, w.device())
		}),
	when(`the user picks account (\d+)`, "the user picks account <number>", "the user picks account 2",
		"Calls subsequentSignOn with the userAccountToken of that account in the last answer 300.",
		func(ctx context.Context, w *world, a arguments) error { return w.pickAccount(ctx, number(a.words[0])) }),
	when(`the (?:(first|second) )?client signs out`, "the [first|second] client signs out", "the client signs out",
		"Calls signOut with the access token of the client.",
		func(ctx context.Context, w *world, a arguments) error {
			if err := w.pick(a.words[0]); err != nil {
				return err
			}
			return w.signOut(ctx)
		}),
	when(`the installer registers the device`, "the installer registers the device", "the installer registers the device",
		"Calls register with the type and the credentials of the environment.",
		func(ctx context.Context, w *world, _ arguments) error { return w.register(ctx, w.registration) }),
	when(`the installer registers the device with a type that discovery does not offer`, "the installer registers the device with a type that discovery does not offer",
		"the installer registers the device with a type that discovery does not offer", "Calls register with a made-up type.",
		func(ctx context.Context, w *world, _ arguments) error {
			return w.register(ctx, "agstest-"+w.invented(8))
		}),
	when(`the installer picks account (\d+)`, "the installer picks account <number>", "the installer picks account 2",
		"Calls subsequentRegister with the userAccountToken of that account in the last answer 300.",
		func(ctx context.Context, w *world, a arguments) error {
			c, err := w.offer(number(a.words[0]))
			if err != nil {
				return err
			}
			r := w.prepare(ags.SubsequentRegister)
			r.setHeader("User-Token", c.token)
			r.set("parameters", rawJSON(w.hints()))
			_, err = w.call(ctx, r)
			return err
		}),
}

func (w *world) askForServices(ctx context.Context) error {
	x, err := w.call(ctx, w.prepare(ags.ServiceDiscovery))
	if err != nil {
		return err
	}
	w.services, _ = readServices(x.Exchange)
	return nil
}

func (w *world) askForSessionToken(ctx context.Context) error {
	r, err := w.headEndRequest()
	if err != nil {
		return err
	}
	x, err := w.call(ctx, r)
	if err != nil {
		return err
	}
	if token, err := readSessionToken(x); err == nil {
		w.issued = append(w.issued, token)
		w.run.keep(token)
	}
	return nil
}

// pick makes the first or the second client the one that acts.
func (w *world) pick(which string) error {
	i := map[string]int{"first": 0, "second": 1}[which]
	if which == "" {
		return nil
	}
	if i >= len(w.clients) {
		return unknownf("there is no %s client in this scenario", which)
	}
	w.client = w.clients[i]
	return nil
}

func (w *world) refreshRequest() *request {
	r := w.prepare(ags.Refresh)
	w.authorize(r, w.client.pair.RefreshToken)
	r.set("parameters", rawJSON(w.hints()))
	return r
}

func (w *world) refresh(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	x, err := w.call(ctx, w.refreshRequest())
	if err != nil {
		return err
	}
	if x.Status/100 == 2 {
		// What is wrong with the body is the judge's and the Then steps' to say.
		_ = w.adopt(x, w.client)
	}
	return nil
}

func (w *world) signOut(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	if err := w.maySignOut(); err != nil {
		return err
	}
	r := w.prepare(ags.SignOut)
	w.authorize(r, w.client.pair.AccessToken)
	r.set("parameters", rawJSON(w.hints()))
	_, err := w.call(ctx, r)
	return err
}

// hints are the parameters of calls whose token says who acts: what discovery asks for and the account has, else none (ambiguity 7.18).
func (w *world) hints() []parameter {
	hints := []parameter{}
	if w.account == nil {
		return hints
	}
	for _, p := range w.account.parameters {
		if strings.EqualFold(p.Name, "username") {
			hints = append(hints, parameter{w.run.parameterName(w.service, "/refresh", p.Name), p.Value})
		}
	}
	return hints
}

func (w *world) register(ctx context.Context, kind string) error {
	r, err := w.credentialRequest(ags.Register)
	if err != nil {
		return err
	}
	r.path = strings.Replace(r.path, "{type}", kind, 1)
	x, err := w.call(ctx, r)
	if err != nil {
		return err
	}
	w.readOffers(x)
	return nil
}
