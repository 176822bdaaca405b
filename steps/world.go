package steps

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
)

// world is what one scenario knows: who acts, what was said and what came back. Each scenario has its own; only the account it uses
// may be shared, on a live service.
type world struct {
	run      *run
	scenario *scenario
	random   *rand.Rand // from the seed of the run and the id of the scenario, so that a replay is the same

	tenant      string
	service     string
	correlation string   // of every request of the scenario; empty: each has its own
	header      []field  // sent with every request of the scenario, such as where the caller seems to be
	proxy       *url.URL // through which the caller reaches the service

	account  *account
	client   *client   // the one that acts
	clients  []*client // all that were seen, in order
	offers   []offer   // accounts of the last answer 300
	services []service // of the last answer of servicediscovery

	sessionToken string // the next sign-ons use; empty: a fresh one for each
	operator     []func(*operatorToken) error
	changes      []func(*request) error
	ahead        time.Duration  // by how much the clock of the account was moved
	deviceCount  int            // as it was counted last
	issued       []string       // session tokens that getSessionToken answered with
	refusal      bool           // the scenario wants the next sign-ons to be refused
	namedRefused bool           // for the device that they name, so not where they name none
	afresh       bool           // a sign-on is sent again with a fresh session token
	minted       string         // session token that was had last for the account
	firsts       map[string]int // how many of the first-time sign-ons that scenarios share this one has looked at
	sharing      bool           // what is sent is for all scenarios
	registration string         // the type of register/{type}
	companion    companion
	explored     error          // what exploring found
	broken       []broken       // answers to broken bodies
	subject      *subject       // a situation of the environment file that stands for the refusals to come
	precise      bool           // requests are right but for one thing, so that few succeed
	jar          http.CookieJar // of the scenario, where the environment file says that cookies are kept; nil: none
	acted        bool           // it has changed states by actions
	alone        []madeDevice   // devices that no other scenario uses
	counting     bool           // the devices of the account are counted
	limited      bool           // the account was given a limit by an action
	control      bool           // a world beside a scenario, whose requests are only compared with
	disturbed    bool           // a limiter or a lost connection kept a control from being accepted
	situations   []string       // of the environment file that the scenario stands on

	sentBefore int // by lanes and before them, so that correlation ids count on
	exchanges  []*exchange
	findings   []finding
	setup      bool // a Given step acts: what does not work here judges nothing
	step       int
	observed   []string // what the current step recorded
	text       string   // of the current step
	tampering  []string // the steps that asked for the changes of the next request
	answersOf  int      // exchanges before the last When step
}

// exchange is a call and its answer, with what the judge found.
type exchange struct {
	*wire.Exchange
	request *request
	known   check.Known
	judged  []check.Finding
	// uncontrolled says why a refusal shows nothing.
	uncontrolled string
	// tampered says what is not as documented about the request, in the words of the steps.
	tampered string
	// shared: other scenarios look at the same exchange, so that it shows nothing anew when a scenario is tried again.
	shared bool
}

// finding is a finding of the judge or of a step, before it is weighed.
type finding struct {
	requirement string
	outcome     check.Outcome
	expected    string
	got         string
	exchange    int // index, −1: none
	needs       string
	skipped     bool
	noted       bool // says only that the scenario held, it adds no text
	passing     bool // what could not be told may well be told by another try
	cause       string
}

func newWorld(r *run, s *scenario) *world {
	h := fnv.New64a()
	h.Write([]byte(s.id))
	if r.repetition > 0 {
		fmt.Fprintf(h, " repetition %d", r.repetition)
	}
	w := &world{run: r, scenario: s, random: rand.New(rand.NewPCG(r.options.Seed, h.Sum64())), tenant: r.environment.Tenant, service: r.service}
	if r.environment.Cookies == "keep" {
		w.jar, _ = cookiejar.New(nil) // without a list it never fails
	}
	return w
}

// invented is a text nobody issued.
func (w *world) invented(length int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, length)
	for i := range b {
		b[i] = letters[w.random.IntN(len(letters))]
	}
	return string(b)
}

// prepare makes the request of an operation in its documented form, without its body.
func (w *world) prepare(name string) *request {
	o, ok := ags.OperationByName(name)
	if !ok {
		panic("no operation " + name)
	}
	r := &request{operation: o.Name, method: o.Method, path: o.Path, proxy: w.proxy, cookies: w.jar}
	r.header = append(r.header, w.header...)
	r.setHeader("Accept", "application/json")
	if o.Method == http.MethodPost {
		r.setHeader("Content-Type", "application/json")
		r.setHeader("x-auth-service-id", w.service)
	}
	if w.tenant != "" {
		r.setHeader("nv-tenant-id", w.tenant)
	}
	r.setHeader("x-correlation-id", cmp.Or(w.correlation, fmt.Sprintf("agstest-%s-%d", w.invented(8), w.sentBefore+len(w.exchanges))))
	return r
}

// authorize adds the token the way the environment says.
func (w *world) authorize(r *request, token string) {
	if w.run.environment.Authorization == wire.Raw {
		r.setHeader("Authorization", token)
		return
	}
	r.setHeader("Authorization", "Bearer "+token)
}

// call applies the changes that the steps asked for, sends the request and judges the answer.
func (w *world) call(ctx context.Context, r *request) (*exchange, error) {
	changed := len(w.changes) > 0
	changes := w.changes
	w.changes = nil
	for _, change := range changes {
		if err := change(r); err != nil {
			return nil, err
		}
	}
	if changed {
		w.withoutOperator(r)
	}
	x, err := w.send(ctx, r, changed)
	if err != nil {
		return nil, err
	}
	return x, w.doubt(ctx, x, changed)
}

func (w *world) send(ctx context.Context, r *request, changed bool) (*exchange, error) {
	makes, err := w.guardDevices(r)
	if err != nil {
		return nil, err
	}
	w.keepSecret(r)
	if err := w.maySend(r, changed); err != nil {
		return nil, err
	}
	kind := kindOf(r, changed)
	if err := w.run.pace(ctx); err != nil {
		return nil, err
	}
	if err := w.run.silent(ctx, kind); err != nil {
		return nil, err
	}
	x := &exchange{Exchange: w.run.clientOf(r).Do(ctx, r.call()), request: r}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	w.run.heard(kind, x, false)
	if ranOut(x) {
		w.run.hungIn(w.scenario)
	}
	w.noteSignOut(x)
	if changed {
		x.tampered = strings.Join(append(w.tampering, w.text), "; ")
		w.tampering = nil
	}
	w.record(x, w.knownOf(r, changed), changed)
	if w.control {
		w.run.aside(x)
	}
	if makes {
		w.count(x, false)
	}
	if x.Status == 0 {
		return x, &unknown{fmt.Sprintf("no answer came to %s %s: %s", r.method, r.path, w.run.secrets.Text(errorText(x.Err))), !ranOut(x)}
	}
	if why := noRoom(x); why != "" {
		return x, passingf("%s", why)
	}
	if len(x.Attempts) > 0 && effectiveStatus(x)/100 == 4 {
		return w.sendAfresh(ctx, r, x, changed)
	}
	return x, nil
}

// record keeps an exchange and lets the judge look at it.
func (w *world) record(x *exchange, known check.Known, changed bool) {
	x.known = known
	seen := *x.Exchange
	seen.Sent, seen.Received = seen.Sent.Add(w.ahead), seen.Received.Add(w.ahead)
	index := len(w.exchanges)
	w.exchanges = append(w.exchanges, x)
	x.judged = check.Judge(&seen, known)
	for _, f := range x.judged {
		w.findings = append(w.findings, finding{requirement: f.Requirement, outcome: f.Outcome, expected: f.Expected, got: f.Got, exchange: index})
	}
	w.credit(x, changed)
	w.run.granted(x, changed)
	w.keepAnswerSecret(x)
}

// credit counts a good answer to a documented request for the requirement that demands it, whatever the scenario is about.
func (w *world) credit(x *exchange, changed bool) {
	id := ""
	switch o := x.request.operation; {
	case changed || w.refusal:
	case o == ags.SignOnWithSessionToken && x.Status == http.StatusCreated && x.known.ClientID != "":
		id = "SOST-01"
	case o == ags.SignOnWithSessionToken && x.Status == http.StatusCreated && x.known.FirstTime:
		id = "SOST-02"
	case o == ags.GetSessionToken && effectiveStatus(x) == http.StatusOK:
		id = "GST-01"
	case o == ags.Refresh && effectiveStatus(x) == http.StatusOK:
		id = "REF-01"
	}
	if id != "" {
		w.findings = append(w.findings, finding{requirement: id, outcome: check.Held, exchange: len(w.exchanges) - 1})
	}
}

// knownOf says what the judge may take for granted about a request. A request that was changed on purpose may lack parts of it.
func (w *world) knownOf(r *request, changed bool) check.Known {
	k := check.Known{Tenant: r.headerValue(ags.HeaderTenant), Skew: w.run.environment.ClockSkew, Secrets: w.submitted(r)}
	if w.account != nil {
		k.AccountID = w.account.id
	}
	var id string
	json.Unmarshal(r.get("clientId"), &id)
	device := r.get("deviceInformation")
	switch {
	case id != "" && device == nil:
		k.ClientID = id
		for _, c := range w.clients {
			if c.id == id {
				k.DeviceClass = c.class
			}
		}
	case id == "" && device != nil:
		k.FirstTime = true
		k.DeviceClass = classOf(device)
	}
	if r.operation == ags.SubsequentSignOn {
		k.AccountID, k.FirstTime = "", false // the device is the one of the sign-on before
	}
	if r.operation == ags.Refresh && w.client != nil && w.client.pair != nil && !changed {
		k.Previous, k.ClientID, k.DeviceClass = w.client.pair, w.client.id, w.client.class
		if !w.client.since.IsZero() {
			k.Since = time.Now().Add(w.ahead).Sub(w.client.since)
		}
	}
	return k
}

// submitted lists the secrets in a request that no error may echo. Of the credentials of a user that is what the environment takes for a
// secret: a service may well say which user it does not know.
func (w *world) submitted(r *request) []string {
	var secrets []string
	for _, p := range r.parameters() {
		secret := secretParameter(p.Name)
		if r.operation == ags.SignOn || r.operation == ags.Register {
			secret = w.account != nil && (w.isPassword(r.operation, p.Name) || w.run.environment.SecretParameter(w.account.situation, p.Name))
		}
		if secret && len(p.Value) >= 4 {
			secrets = append(secrets, p.Value)
		}
	}
	names := []string{"Authorization", "User-Token"}
	if o := w.run.environment.Operator; o != nil && o.Header != "" && r.operation == ags.GetSessionToken {
		names = append(names, o.Header)
	}
	for _, name := range names {
		if v := bearerless(r.headerValue(name)); len(v) >= 8 {
			secrets = append(secrets, v)
		}
	}
	return secrets
}

// secretParameter tells whether the value of a parameter is a secret; everything is but the name of a user.
func secretParameter(name string) bool { return !strings.EqualFold(name, "username") }

func bearerless(value string) string {
	if len(value) > 7 && strings.EqualFold(value[:7], "bearer ") {
		return value[7:]
	}
	return value
}

// keepSecret takes more for a secret than submitted does: what is kept out of reports for no reason does no harm.
func (w *world) keepSecret(r *request) {
	for _, p := range r.parameters() {
		if secretParameter(p.Name) && len(p.Value) >= 4 {
			w.run.keep(p.Value)
		}
	}
	for _, s := range w.submitted(r) {
		w.run.keep(s)
	}
}

func (w *world) keepAnswerSecret(x *exchange) {
	if x.Status == 0 || len(x.Body) == 0 {
		return
	}
	var answer struct {
		Access  any `json:"access_token"`
		Refresh any `json:"refresh_token"`
		Session any `json:"sessionToken"`
	}
	if json.Unmarshal(x.Body, &answer) != nil {
		return
	}
	for _, v := range []any{answer.Access, answer.Refresh, answer.Session} {
		if s, ok := v.(string); ok {
			w.run.keep(s)
		}
	}
}

// last is the exchange that a Then step speaks of.
func (w *world) last() (*exchange, error) {
	if len(w.exchanges) == 0 {
		return nil, unknownf("nothing was sent before this step; a step that begins with When has to come first")
	}
	return w.exchanges[len(w.exchanges)-1], nil
}

// observe records what the service does, for the report.
func (w *world) observe(format string, args ...any) {
	w.observed = append(w.observed, fmt.Sprintf(format, args...))
}

// errorText says why no whole answer came, without a part of one.
func errorText(err error) string {
	if err == nil {
		return "the connection gave nothing"
	}
	return wire.Explain(err)
}
