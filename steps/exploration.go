package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
)

// The bounds of exploring.
const (
	generatedPatience = 10 * time.Second // a generated request that is not answered within this time hangs
	longestShrinking  = 80               // requests sent to find a shorter one that fails too
)

// Requests that are generated, and sequences of calls.
var explorationPhrases = []phrase{
	given(`everything that (\w+) needs`, "everything that <operation> needs", "everything that refresh needs",
		"An account, a client, and what else the documented request holds.",
		func(ctx context.Context, w *world, a arguments) error {
			if o := w.run.environment.Operator; a.words[0] == ags.GetSessionToken && o != nil && o.Header != "" {
				return lacking("", "the OperatorAuthToken is sent in the header %s, so what the body must hold is not documented", o.Header)
			}
			return w.equip(ctx, a.words[0])
		}),
	when(`generated requests are sent to (\w+)`, "generated requests are sent to <operation>", "generated requests are sent to refresh",
		"Sends as many generated requests as --generate says and stops at the first whose answer is wrong.",
		func(ctx context.Context, w *world, a arguments) error { return w.explore(ctx, a.words[0]) }),
	then(`every one was answered in time, none with 500 or more, and nobody was let in without a good token or password`,
		"every one was answered in time, none with 500 or more, and nobody was let in without a good token or password",
		"every one was answered in time, none with 500 or more, and nobody was let in without a good token or password",
		"A request that breaks this is shortened as far as it still does and shown as a curl command.",
		func(_ context.Context, w *world, _ arguments) error { return w.explored }),
	when(`random sequences of calls are walked`, "random sequences of calls are walked", "random sequences of calls are walked",
		"Walks as many random sequences as --sequences says, each with an account of its own.",
		func(ctx context.Context, w *world, _ arguments) error { return w.walk(ctx) }),
	then(`every answer was one that the model allows`, "every answer was one that the model allows", "every answer was one that the model allows",
		"A sequence that leads to another answer is shortened as far as it still does, and shown.",
		func(_ context.Context, w *world, _ arguments) error { return w.explored }),
}

// equip prepares what the documented request of an operation needs.
func (w *world) equip(ctx context.Context, operation string) error {
	switch operation {
	case ags.ServiceDiscovery:
		return nil
	case ags.GetSessionToken:
		if w.run.environment.Operator == nil {
			return lacking(w.run.example("operator"), "the environment does not say how to act as a head-end system (operator)")
		}
		return w.useAccount(ctx, "active", 0)
	case ags.SignOn, ags.SubsequentSignOn:
		name := "credentials"
		if operation == ags.SubsequentSignOn {
			return w.useShared("multi-account")
		}
		if err := w.useAccount(ctx, name, 0); err != nil {
			return err
		}
		return w.makeClient(ctx)
	case ags.Register:
		return w.useAccount(ctx, "registration", 0)
	case ags.SubsequentRegister:
		return w.useShared("multi-registration")
	case ags.SignOnWithSessionToken, ags.Refresh, ags.SignOut:
		if err := w.useAccount(ctx, "active", 0); err != nil {
			return err
		}
		if operation == ags.SignOut && w.live() {
			return w.useOwnDevice(ctx)
		}
		if err := w.makeClient(ctx); err != nil {
			return err
		}
		return w.ensureTokens(ctx)
	}
	return unknownf("there is no operation %q", operation)
}

// documented makes the documented request of an operation anew, with what it takes to be let in: the credential.
func (w *world) documented(ctx context.Context, operation string) (r *request, credential string, err error) {
	switch operation {
	case ags.ServiceDiscovery:
		return w.prepare(operation), "", nil
	case ags.GetSessionToken:
		if r, err = w.headEndRequest(); err == nil {
			credential = w.presentedOperator(r)
		}
		return r, credential, err
	case ags.SignOn, ags.Register:
		if r, err = w.credentialRequest(operation); err != nil {
			return nil, "", err
		}
		if operation == ags.SignOn {
			if err := w.hasClient(); err != nil {
				return nil, "", err
			}
			r.set("clientId", rawJSON(w.client.id))
		}
		r.path = strings.Replace(r.path, "{type}", w.registration, 1)
		for _, p := range r.parameters() {
			if w.isPassword(operation, p.Name) {
				credential = p.Value
			}
		}
		return r, credential, nil
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		first := ags.SignOn
		if operation == ags.SubsequentRegister {
			first = ags.Register
		}
		if len(w.offers) == 0 {
			ask, err := w.credentialRequest(first)
			if err != nil {
				return nil, "", err
			}
			ask.path = strings.Replace(ask.path, "{type}", w.registration, 1)
			if first == ags.SignOn {
				if err := w.mayCreateDevices(); err != nil {
					return nil, "", err
				}
				ask.set("deviceInformation", []byte(w.device()))
			}
			x, err := w.send(ctx, ask, false)
			if err != nil {
				return nil, "", err
			}
			if why := w.strangeDevice(x); why != "" {
				return nil, "", unknownf("%s", why)
			}
			w.readOffers(x)
		}
		c, err := w.offer(1)
		var lack *notTestable
		if errors.As(err, &lack) {
			return nil, "", err
		}
		if err != nil {
			return nil, "", unknownf("no list of accounts came to pick from: %v", err)
		}
		r = w.prepare(operation)
		r.setHeader("User-Token", c.token)
		if w.live() && !w.control && !w.precise { // each success would make a device
			r.setHeader("User-Token", w.invented(40))
		}
		r.set("parameters", rawJSON(w.hints()))
		if operation == ags.SubsequentSignOn { // some services want the device of the sign-on before again (ambiguity 7.22)
			r.set("deviceInformation", []byte(w.device()))
		}
		return r, c.token, nil
	case ags.SignOnWithSessionToken:
		if r, err = w.signOnWithSessionToken(ctx); err == nil {
			r.set("clientId", rawJSON(w.client.id))
			credential = r.parameters()[0].Value
		}
		return r, credential, err
	case ags.Refresh:
		return w.refreshRequest(), w.client.pair.RefreshToken, nil
	}
	r = w.prepare(ags.SignOut)
	w.authorize(r, w.client.pair.AccessToken)
	r.set("parameters", rawJSON(w.hints()))
	return r, w.client.pair.AccessToken, nil
}

// trial is one odd request with its answer and what is wrong with that, if anything is.
type trial struct {
	told      string // what is odd about it
	mutations []mutation
	exchange  *exchange
	wrong     string
	about     string // the requirement that what is wrong misses
	judged    []check.Finding
}

// explore sends generated requests. The first whose answer is wrong is made shorter, as far as that one fails too.
func (w *world) explore(ctx context.Context, operation string) error {
	generator := rapid.SliceOfN(mutationsOf(operation, w.changeable(operation)), 1, 3)
	trials, lists := make([]*trial, w.run.options.Generate), make([][]mutation, w.run.options.Generate)
	for i := range lists {
		lists[i] = generator.Example(int(w.random.Uint32()))
	}
	try := func(ctx context.Context, own *world, i int) (err error) {
		trials[i], err = own.try(ctx, operation, lists[i])
		return err
	}
	if operation == ags.Refresh || operation == ags.SignOut && !w.live() {
		for i := range lists {
			if err := try(ctx, w, i); err != nil {
				return err
			}
			if trials[i] != nil && trials[i].wrong != "" {
				break
			}
		}
	} else if err := w.inLanes(ctx, len(lists), try); err != nil {
		return err
	}
	for i, t := range trials {
		if t == nil || t.wrong == "" {
			continue
		}
		if why, err := w.noRoomForAnyone(ctx, operation, t); err != nil {
			return err
		} else if why != "" {
			return unknownf("%s", why)
		}
		t, err := w.shorten(ctx, operation, t)
		if err != nil {
			return err
		}
		w.exchanges = append(w.exchanges, t.exchange)
		for _, f := range t.judged {
			if f.Outcome == check.Broken {
				w.findings = append(w.findings, finding{requirement: f.Requirement, outcome: f.Outcome, expected: f.Expected, got: f.Got, exchange: len(w.exchanges) - 1})
			}
		}
		w.explored = &missed{
			about:    t.about,
			expected: wellAnswered,
			got: fmt.Sprintf("%s; request %d of seed %d, in which %s; reproduce it with: %s", t.wrong, i+1, w.run.options.Seed,
				t.told, w.run.secrets.Record(t.exchange.Exchange).Curl),
		}
		return nil
	}
	return nil
}

const wellAnswered = "an answer in time, below 500, and no tokens without a good token or password"

// usesUp tells of a call that uses up the token that it was let in by.
func usesUp(operation string) bool { return operation == ags.Refresh || operation == ags.SignOut }

// noRoomForAnyone tells of a status 503 whether it is about the request or about how many there are: a limiter says it too. It is about the
// request where the documented one is answered otherwise and the odd one alike, twice in turns. Empty: it is, or the answer is another.
func (w *world) noRoomForAnyone(ctx context.Context, operation string, odd *trial) (why string, err error) {
	if odd.exchange.Status != http.StatusServiceUnavailable {
		return "", nil
	}
	for range 2 {
		for _, mutations := range [][]mutation{nil, odd.mutations} {
			if err := w.run.client.Target().Sleep(ctx, pauseOfLimiters); err != nil {
				return "", err
			}
			t, err := w.try(ctx, operation, mutations)
			if err != nil {
				return "", err
			}
			if t == nil || (t.exchange.Status == http.StatusServiceUnavailable) == (mutations == nil) {
				return noRoom(odd.exchange), nil
			}
		}
	}
	return "", nil
}

// pauseOfLimiters lets a limiter of some requests a second have room again.
const pauseOfLimiters = 300 * time.Millisecond

// changeable names the parameters of the documented request of an operation that may be changed. On a live service passwords stay as they
// are, because many wrong ones may lock the user out.
func (w *world) changeable(operation string) []string {
	switch {
	case operation == ags.SignOnWithSessionToken:
		return []string{w.run.sessionParameter(w.service)}
	case operation == ags.GetSessionToken && w.run.environment.Operator != nil:
		return []string{w.run.operatorParameter(w.service)}
	case (operation == ags.SignOn || operation == ags.Register) && w.account != nil:
		var open, secret []string
		for _, p := range w.account.parameters {
			if secretParameter(p.Name) {
				secret = append(secret, p.Name)
			} else {
				open = append(open, p.Name)
			}
		}
		if w.run.control == nil {
			return open
		}
		return append(open, secret...)
	}
	return nil
}

// try sends the documented request with mutations and looks at the answer. Nil: it was not sent, as it might make a device that stays, or
// as two of its kind got no answer before.
func (w *world) try(ctx context.Context, operation string, mutations []mutation) (*trial, error) {
	r, credential, err := w.documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	if operation == ags.SignOut && w.live() { // nobody is signed out by chance
		matching["token"].put(w, r, w.lookalike(w.client.pair.AccessToken))
	}
	for _, m := range mutations {
		m.apply(r)
	}
	kind := kindOf(r, len(mutations) > 0)
	if w.live() && w.wouldMakeDevice(r) || w.run.silent(ctx, kind) != nil {
		return nil, nil
	}
	t, hung, err := w.attempt(ctx, r, kind)
	if err != nil {
		return nil, err
	}
	t.mutations, t.told = mutations, describeAll(mutations)
	if t.about, t.wrong = w.wrongAbout(t, hung); t.wrong == "" && credential != "" && t.lets() && !carries(t.exchange, credential) {
		t.about, t.wrong = lettingIn(operation, mutations), fmt.Sprintf("status %d came to a request without its token or password", t.exchange.Status)
	}
	w.goOn(ctx, operation, t.exchange)
	return t, nil
}

// goOn replaces what a granted request has used up, with what it gave where it gave that.
func (w *world) goOn(ctx context.Context, operation string, x *exchange) {
	if x.Status/100 != 2 || operation == ags.Refresh && w.client != nil && w.adopt(x, w.client) == nil {
		return
	}
	w.afterSuccess(ctx, operation)
}

// attempt sends an odd request, which has to be answered in time, and lets the judge look at the answer.
func (w *world) attempt(ctx context.Context, r *request, kind string) (t *trial, hung bool, err error) {
	if err := w.run.pace(ctx); err != nil {
		return nil, false, err
	}
	w.keepSecret(r)
	call := r.call()
	call.Timeout = generatedPatience // of each attempt: what a limiter makes a request wait is not the service's silence
	x := &exchange{Exchange: w.run.clientOf(r).Do(ctx, call), request: r}
	if x.Status == 0 && !ranOut(x) { // a service may close a connection just as it is used again
		x = &exchange{Exchange: w.run.client.Do(ctx, call), request: r}
	}
	hung = ranOut(x)
	w.run.heard(kind, x, hung)
	if hung {
		w.run.hungIn(w.scenario)
	}
	w.noteSignOut(x)
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	w.keepAnswerSecret(x)
	return &trial{exchange: x, judged: check.Judge(x.Exchange, check.Known{Secrets: w.submitted(r), Skew: w.run.environment.ClockSkew})}, hung, nil
}

// lets tells of an answer that lets somebody in.
func (t *trial) lets() bool {
	x := t.exchange
	return x.Status/100 == 2 && effectiveStatus(x)/100 == 2 && x.request.operation != ""
}

// carries tells whether a credential stands in a request as it is.
func carries(x *exchange, credential string) bool {
	if strings.Contains(string(x.Call.Body), credential) {
		return true
	}
	for _, values := range x.Call.Header {
		if strings.Contains(strings.Join(values, " "), credential) {
			return true
		}
	}
	return false
}

// gatewaysOwn tells that the judge took an answer for a gateway's, which had no room for the headers.
func gatewaysOwn(t *trial) bool {
	_, page := wire.GatewayPage(t.exchange.Exchange)
	return page && !slices.ContainsFunc(t.judged, func(f check.Finding) bool { return f.Requirement == "ERR-08" })
}

// wrongAbout says what is wrong with the form of the answer to an odd request, and which requirement that misses.
func (w *world) wrongAbout(t *trial, hung bool) (about, wrong string) {
	x := t.exchange
	switch {
	case hung:
		return "ERR-08", fmt.Sprintf("no answer within %s came", min(generatedPatience, w.run.client.Target().Timeout))
	case x.Status == 0:
		return "ERR-08", "no answer came (" + w.run.secrets.Text(wire.Explain(x.Err)) + ")"
	case x.Status >= 500 && gatewaysOwn(t):
		return "", ""
	case x.Status >= 500 && softly(t.judged, "ERR-08"):
		w.findings = append(w.findings, finding{requirement: "ERR-08", outcome: check.Soft, expected: "no status 5xx", got: fmt.Sprintf("status %d to a request in which %s",
			x.Status, t.told), exchange: -1})
		return "", ""
	case x.Status >= 500 && len(x.Header.Values("Retry-After")) == 0:
		return "ERR-08", fmt.Sprintf("status %d came", x.Status)
	}
	for _, f := range t.judged {
		// What else the judge finds on an answer that lets nobody in is wrong too; statuses are free where the form is this odd.
		if f.Outcome == check.Broken && (f.Requirement == "ERR-07" || f.Requirement == "ERR-08" || f.Requirement == "ERR-10") {
			return f.Requirement, f.Got
		}
	}
	return "", ""
}

// softly tells that the judge found a miss of a requirement that only warns.
func softly(found []check.Finding, id string) bool {
	return slices.ContainsFunc(found, func(f check.Finding) bool { return f.Requirement == id && f.Outcome == check.Soft })
}

// afterSuccess replaces what a granted request has used up.
func (w *world) afterSuccess(ctx context.Context, operation string) {
	switch operation {
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		w.offers = nil
	case ags.SignOut, ags.Refresh:
		before := w.client.pair
		w.client.pair = nil
		if w.ensureTokens(ctx) == nil {
			return
		}
		w.client.pair = before
		if operation == ags.SignOut && !w.live() { // the device may be gone with its session
			if w.makeClient(ctx) == nil {
				_ = w.ensureTokens(ctx)
			}
		}
	}
}

// shorten looks for fewer and smaller mutations that the service answers wrongly too.
func (w *world) shorten(ctx context.Context, operation string, failing *trial) (*trial, error) {
	budget := longestShrinking
	for improved := true; improved && budget > 0; {
		improved = false
		for _, candidate := range shorter(failing.mutations) {
			if budget--; budget < 0 {
				break
			}
			t, err := w.try(ctx, operation, candidate)
			if err != nil {
				return nil, err
			}
			if t != nil && t.wrong != "" {
				failing, improved = t, true
				break
			}
		}
	}
	return failing, nil
}
