package steps

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/internal/wire"
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
			return w.firstTime(ctx, ags.SignOnWithSessionToken, defaultDevice)
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
			return w.firstTime(ctx, ags.SignOn, defaultDevice)
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
			c, err := w.choice(number(a.words[0]))
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

// hasClient makes sure that there is a device to sign on as.
func (w *world) hasClient() error {
	switch {
	case w.client != nil:
		return nil
	case w.account != nil && w.account.situation != "":
		return lacking("situations."+w.account.situation+": {clientId: …}", "the situation %s names no clientId", w.account.situation)
	}
	return unknownf("no device was chosen before; write for example \"Given a device of the account\"")
}

// roomForDevices tells a refusal for too many devices, which says nothing about the service where an account of the environment file is
// full, from others.
func (w *world) roomForDevices(x *exchange) error {
	code, _ := check.SubCode(x.Exchange)
	if w.run.control != nil || w.refusal || code != 20007 || !x.known.FirstTime {
		return nil
	}
	return lacking("an account with room for more devices in situations."+w.account.situation,
		"the account of situations.%s has as many devices as it may (20007), so first-time sign-ons cannot be checked", w.account.situation)
}

// choice is one of the accounts that an answer 300 offers.
type choice struct {
	information, token string
	account            string // as the answer to picking it said
}

// signOnWithSessionToken is the documented request without its device argument.
func (w *world) signOnWithSessionToken(ctx context.Context) (*request, error) {
	token := w.sessionToken
	if token == "" {
		var err error
		if token, err = w.freshSessionToken(ctx); err != nil {
			return nil, err
		}
	}
	r := w.prepare(ags.SignOnWithSessionToken)
	r.set("parameters", rawJSON([]parameter{{w.run.parameterName(w.service, "/signOnWithSessionToken", "sessionToken"), token}}))
	return r, nil
}

// signOn sends a sign-on and, when it is granted, lets the client hold the tokens.
func (w *world) signOn(ctx context.Context, r *request, c *client) error {
	changed := len(w.changes) > 0
	x, err := w.call(ctx, r)
	if err != nil {
		return err
	}
	if err := w.cautious(x, changed); err != nil {
		return err
	}
	if err := w.roomForDevices(x); err != nil {
		return err
	}
	w.readChoices(x)
	if x.Status/100 != 2 {
		return nil
	}
	if w.adopt(x, c) == nil && (w.client != c || len(w.clients) == 0) {
		w.add(c)
	}
	return nil
}

func (w *world) firstTime(ctx context.Context, operation, device string) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	var r *request
	var err error
	if operation == ags.SignOn {
		r, err = w.credentialRequest(operation)
	} else {
		r, err = w.signOnWithSessionToken(ctx)
	}
	if err != nil {
		return err
	}
	r.set("deviceInformation", []byte(strings.TrimSpace(device)))
	return w.signOn(ctx, r, &client{class: classOf([]byte(device))})
}

// parallelSignOns sends first-time sign-ons at the same moment and records them in the order in which they were prepared.
func (w *world) parallelSignOns(ctx context.Context, n int) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	var requests []*request
	for range n {
		w.sessionToken = ""
		r, err := w.signOnWithSessionToken(ctx)
		if err != nil {
			return err
		}
		if token := r.parameters(); len(requests) > 0 && len(token) > 0 && token[0].Value == requests[0].parameters()[0].Value {
			return lacking(w.run.example("operator"), "only one session token can be had, and each client needs its own")
		}
		r.set("deviceInformation", []byte(defaultDevice))
		requests = append(requests, r)
	}
	answers, err := w.atOnce(ctx, requests)
	if err != nil {
		return err
	}
	for _, x := range answers {
		if err := w.roomForDevices(x); err != nil {
			return err
		}
		c := &client{class: classOf([]byte(defaultDevice))}
		if x.Status/100 == 2 && w.adopt(x, c) == nil {
			w.add(c)
		}
	}
	return nil
}

func (w *world) parallelRefreshes(ctx context.Context) error {
	if err := w.holdsTokens(); err != nil {
		return err
	}
	requests := []*request{w.refreshRequest(), w.refreshRequest()}
	_, err := w.atOnce(ctx, requests)
	return err
}

// atOnce sends requests at the same moment.
func (w *world) atOnce(ctx context.Context, requests []*request) ([]*exchange, error) {
	answers := make([]*exchange, len(requests))
	for _, r := range requests {
		w.keepSecret(r)
		if err := w.run.pace(ctx); err != nil {
			return nil, err
		}
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, r := range requests {
		all.Add(1)
		go func() {
			defer all.Done()
			defer failure.Guard()
			<-start
			answers[i] = &exchange{Exchange: w.run.client.Do(ctx, r.call()), request: r}
		}()
	}
	close(start)
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, x := range answers {
		w.record(x, w.knownOf(x.request, false), false)
		if x.Status == 0 {
			return nil, unknownf("no answer came to one of %d calls that were sent at the same moment: %s", len(requests), wire.Explain(x.Err))
		}
	}
	return answers, nil
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

func (w *world) holdsTokens() error {
	if w.client == nil || w.client.pair == nil {
		return unknownf("the client holds no tokens; write for example \"Given a client that is signed on\"")
	}
	return nil
}

func (w *world) refreshRequest() *request {
	r := w.prepare(ags.Refresh)
	w.authorize(r, w.client.pair.RefreshToken)
	r.set("parameters", rawJSON(w.hints()))
	return r
}

func (w *world) refresh(ctx context.Context) error {
	if err := w.holdsTokens(); err != nil {
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
	if err := w.holdsTokens(); err != nil {
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

// credentialRequest is a call with the credentials of the user, each parameter spelt as discovery spells it (ambiguity 7.19).
func (w *world) credentialRequest(operation string) (*request, error) {
	if w.account == nil || len(w.account.parameters) == 0 {
		return nil, lacking(w.run.example("credentials"), "the environment gives no credentials of a user")
	}
	r := w.prepare(operation)
	path := map[string]string{ags.SignOn: "/signOn", ags.Register: "/register/" + w.registration}[operation]
	var list []parameter
	for _, p := range w.account.parameters {
		list = append(list, parameter{w.run.parameterName(w.service, path, p.Name), p.Value})
	}
	r.set("parameters", rawJSON(list))
	return r, nil
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
	w.readChoices(x)
	return nil
}

func (w *world) readChoices(x *exchange) {
	if x.Status != http.StatusMultipleChoices {
		return
	}
	w.choices = nil
	list, err := check.Accounts(x.Exchange)
	if err != nil {
		return
	}
	for _, a := range list {
		w.run.keep(a.Token)
		w.choices = append(w.choices, choice{information: a.Information, token: a.Token})
	}
}

func (w *world) choice(n int) (choice, error) {
	if n < 1 || n > len(w.choices) {
		return choice{}, missf("an account "+itoa(n)+" to pick from", "%s in the answer", plural(len(w.choices), "account"))
	}
	c := w.choices[n-1]
	if c.token == "" {
		return c, missf("a userAccountToken for account "+itoa(n), "none")
	}
	return c, nil
}

// pickAccount finishes a sign-on. The device argument of the sign-on before is sent again, as some services want it (ambiguity 7.22).
func (w *world) pickAccount(ctx context.Context, n int) error {
	c, err := w.choice(n)
	if err != nil {
		return err
	}
	r := w.prepare(ags.SubsequentSignOn)
	r.setHeader("User-Token", c.token)
	r.set("parameters", rawJSON(w.hints()))
	class := ""
	for i := len(w.exchanges) - 1; i >= 0; i-- {
		before := w.exchanges[i].request
		if before == nil || before.operation != ags.SignOn {
			continue
		}
		for _, name := range []string{"deviceInformation", "clientId"} {
			if v := before.get(name); v != nil {
				r.set(name, v)
				class = classOf(v)
			}
		}
		break
	}
	x, err := w.call(ctx, r)
	if err != nil {
		return err
	}
	if x.Status/100 == 2 {
		picked := &client{class: class}
		if w.adopt(x, picked) == nil {
			w.add(picked)
			w.choices[n-1].account = picked.pair.AccountID
		}
	}
	return nil
}
