// Package scene holds the actors of a scenario. A [World] has an account, clients and tokens, and sends requests as the
// environment file says. All worlds of a run share the [Stage]: the service, the means to change its states, and what
// the run learnt of it.
//
// Start with World.Send: it paces, sends, lets the judge look, and keeps secrets. World.Call is Send with the changes
// that sentences asked for. Call also doubts refusals: one proves a rule only beside a control, a good request of the
// same call that was accepted in the run (proof.go), and proves a situation of the environment file only if a made-up
// value in its place is refused otherwise.
//
// With the control interface of a mock each scenario has an account of its own. On a live service scenarios share
// accounts and devices (owndevices.go), so that a run makes few devices, and actions change states and put them back
// (actions.go).
package scene

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
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// World is the state of one scenario: its actors, their requests and the answers. Each scenario has its own; only the
// account it uses may be shared, on a live service.
type World struct {
	Stage    *Stage
	Scenario *script.Scenario
	Random   *rand.Rand // from the seed of the run and the id of the scenario, so that a replay is the same

	Tenant      string
	Service     string
	Correlation string       // of every request of the scenario; empty: each has its own
	header      []talk.Field // sent with every request of the scenario, such as the apparent place of the caller
	proxy       *url.URL     // through which the caller reaches the service

	Account  *talk.Account
	Client   *talk.Client   // the acting one
	Clients  []*talk.Client // all that were seen, in order
	Offers   []talk.Offer   // accounts of the last answer 300
	Foreign  string         // clientId of a device of another account
	Owner    string         // accountId of that device; empty: not known
	Services []talk.Service // of the last answer of servicediscovery

	SessionToken string // the next sign-ons use; empty: a fresh one for each
	Operator     []func(*talk.OperatorToken) error
	Changes      []func(*talk.Request) error
	Ahead        time.Duration  // by how much the clock of the account was moved
	DeviceCount  int            // at the last count
	Issued       []string       // session tokens that getSessionToken answered with
	Refusal      bool           // the scenario wants the next sign-ons to be refused
	namedRefused bool           // for the device that they name, so not where they name none
	afresh       bool           // a sign-on is sent again with a fresh session token
	minted       string         // session token that was had last for the account
	firsts       map[string]int // how many of the first-time sign-ons that scenarios share this one has looked at
	Sharing      bool           // the requests are for all scenarios
	Registration string         // the type of register/{type}
	Companion    companion
	Explored     error          // what exploring found; before any, that there was none
	Broken       []Broken       // answers to broken bodies
	Subject      *Subject       // a situation of the environment file that stands for the refusals to come
	Precise      bool           // requests are right but for one thing, so that few succeed
	jar          http.CookieJar // of the scenario, if the environment file says that cookies are kept; nil: none
	acted        bool           // it has changed states by actions
	alone        []madeDevice   // devices that no other scenario uses
	Counting     bool           // the devices of the account are counted
	limited      bool           // the account was given a limit by an action
	PickAs       string         // the device as which an account is picked again; empty: as a new one
	bare         bool           // a pick names no device, which stands in the sign-on before
	pickedAgain  bool           // an account was picked again as the device that it got
	OddMade      int            // devices that odd requests have made
	OddLost      bool           // an odd request has signed the client out for good
	Control      bool           // a world beside a scenario, whose requests are only compared with
	Disturbed    bool           // a limiter or a lost connection kept a control from being accepted
	Situations   []string       // of the environment file that the scenario stands on

	sentBefore int // by lanes and before them, so that correlation ids count on
	Exchanges  []*talk.Exchange
	Findings   []talk.Finding
	Setup      bool // a Given step acts: what does not work here judges nothing
	Step       int
	Observed   []string // observations of the current step
	Text       string   // of the current step
	Came       string   // which of several right answers came last
	Tampering  []string // the steps that asked for the changes of the next request
	AnswersOf  int      // exchanges before the last When step
}

func New(r *Stage, s *script.Scenario) *World {
	h := fnv.New64a()
	h.Write([]byte(s.ID))
	if r.Repetition > 0 {
		fmt.Fprintf(h, " repetition %d", r.Repetition)
	}
	w := &World{Stage: r, Scenario: s, Random: rand.New(rand.NewPCG(r.Options.Seed, h.Sum64())),
		Tenant: r.Environment.Tenant, Service: r.Service,
		Explored: talk.Unknownf("nothing was sent before that this sentence looks at; write first what is sent, " +
			"such as: When near misses of the session token are sent to signOnWithSessionToken")}
	if r.Environment.Cookies == "keep" {
		w.jar, _ = cookiejar.New(nil) // without a list it never fails
	}
	return w
}

// Invented is a text nobody issued.
func (w *World) Invented(length int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, length)
	for i := range b {
		b[i] = letters[w.Random.IntN(len(letters))]
	}
	return string(b)
}

// Prepare makes the request of an operation in its documented form, without its body.
func (w *World) Prepare(name string) *talk.Request {
	o, ok := ags.OperationByName(name)
	if !ok {
		panic("no operation " + name)
	}
	r := &talk.Request{Operation: o.Name, Method: o.Method, Path: o.Path, Proxy: w.proxy, Cookies: w.jar}
	r.Header = append(r.Header, w.header...)
	r.SetHeader("Accept", "application/json")
	if o.Method == http.MethodPost {
		r.SetHeader("Content-Type", "application/json")
		r.SetHeader("x-auth-service-id", w.Service)
	}
	if w.Tenant != "" {
		r.SetHeader("nv-tenant-id", w.Tenant)
	}
	r.SetHeader("x-correlation-id",
		cmp.Or(w.Correlation, fmt.Sprintf("agstest-%s-%d", w.Invented(8), w.sentBefore+len(w.Exchanges))))
	return r
}

// Authorize adds the token the way the environment says.
func (w *World) Authorize(r *talk.Request, token string) {
	if w.Stage.Environment.Authorization == wire.Raw {
		r.SetHeader("Authorization", token)
		return
	}
	r.SetHeader("Authorization", "Bearer "+token)
}

// Call applies the changes that the steps asked for, sends the request and judges the answer.
func (w *World) Call(ctx context.Context, r *talk.Request) (*talk.Exchange, error) {
	changed := len(w.Changes) > 0
	changes := w.Changes
	w.Changes = nil
	for _, change := range changes {
		if err := change(r); err != nil {
			return nil, err
		}
	}
	if changed {
		w.withoutOperator(r)
	}
	tampering := w.Tampering
	x, err := w.Send(ctx, r, changed)
	if err == nil && w.Watched(x) != "" { // no limiter counts to one
		w.Tampering = tampering
		x, err = w.Send(ctx, r, changed)
	}
	if err != nil {
		return nil, err
	}
	if err := w.doubt(ctx, x, changed); err != nil {
		return x, err
	}
	return x, w.refusedAgain(ctx, x, changed)
}

// noteAnswer keeps what an answer tells besides: of a request that was changed on purpose, whether the service went
// away at it; of a good one, whether a gateway reached the service.
func (w *World) noteAnswer(r *talk.Request, x *talk.Exchange, changed bool) {
	if changed {
		w.NoteEnd(x)
	} else if !w.mayBeRefused(r) {
		w.Stage.unreachable.count(x)
	}
}

// Send sends a request when its turn comes, and judges how it was answered: whether the service, or what is before it,
// answered at all. Changed tells that it was altered on purpose.
func (w *World) Send(ctx context.Context, r *talk.Request, changed bool) (*talk.Exchange, error) {
	makes, err := w.guardDevices(r)
	if err != nil {
		return nil, err
	}
	w.KeepSecret(r)
	if err := w.MaySend(r, changed); err != nil {
		return nil, err
	}
	kind := KindOf(r, changed, w.Refusal)
	if err := w.Stage.Pace(ctx); err != nil {
		return nil, err
	}
	if err := w.Stage.Silent(ctx, kind); err != nil {
		return nil, err
	}
	r.Good = !changed && !w.mayBeRefused(r)
	x, unsent := w.SayInTurn(ctx, r, 0)
	w.Stage.Heard(kind, x, false) // also of one that was ended: others of its kind wait until it is under way no more
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if unsent != nil {
		return nil, unsent
	}
	w.noteAnswer(r, x, changed)
	if x.Away != "" && (!changed || SaysNothing(x)) { // a changed request may be the reason
		return nil, talk.Passingf("%s", x.Away)
	}
	if RanOut(x) {
		w.Stage.HungIn(w.Scenario)
	}
	w.NoteSignOut(x)
	if changed {
		x.Tampered = strings.Join(append(w.Tampering, w.Text), "; ")
		w.Tampering = nil
	}
	if changed || w.isForRefusal(r) {
		x.Stray = w.Stray(ctx, x)
	}
	w.record(x, w.knownOf(x, changed), changed)
	if w.Control {
		w.Stage.Aside(x)
	}
	if makes {
		w.Count(x, false)
	}
	if err := w.unanswered(x); err != nil {
		return x, err
	}
	if len(x.Attempts) > 0 && EffectiveStatus(x)/100 == 4 {
		return w.sendAfresh(ctx, r, x, changed)
	}
	return x, nil
}

// SaysNothing tells of an answer in an outage that it has nothing to do with its request: the outage was known before,
// or the answer is a page or a redirect that others get too.
func SaysNothing(x *talk.Exchange) bool {
	return x.LongAway || x.Away != "" && wire.StandIn(x.Exchange) != ""
}

// mayBeRefused tells of a request that a step before has made one which a service may refuse.
func (w *World) mayBeRefused(r *talk.Request) bool { return w.Refusal || r.Forged }

// isForRefusal tells of a request that a service may refuse, or is to refuse for a situation of the environment file.
func (w *World) isForRefusal(r *talk.Request) bool { return w.mayBeRefused(r) || w.Subject != nil }

// unanswered says why the service has not answered a request; nil: it has.
func (w *World) unanswered(x *talk.Exchange) error {
	if x.Status == 0 {
		return &talk.Unknown{Reason: fmt.Sprintf("no answer came to %s %s: %s", x.Request.Method, x.Request.Path,
			w.Stage.Secrets.Text(ErrorText(x.Err))), Passing: !RanOut(x)}
	}
	if why := NoRoom(x); why != "" {
		return talk.Passingf("%s", why)
	}
	if x.Stray != "" {
		return talk.Unknownf("%s", x.Stray)
	}
	return nil
}

// record keeps an exchange and lets the judge look at it.
func (w *World) record(x *talk.Exchange, known check.Known, changed bool) {
	x.Known = known
	seen := x.Exchange
	if w.Ahead != 0 {
		later := *x.Exchange
		later.Sent, later.Received = later.Sent.Add(w.Ahead), later.Received.Add(w.Ahead)
		seen = &later
	}
	index := len(w.Exchanges)
	w.Exchanges = append(w.Exchanges, x)
	if x.Stray == "" && x.Turned == "" {
		x.Judged = check.Judge(seen, known)
	}
	for _, f := range x.Judged {
		w.Findings = append(w.Findings, talk.Finding{Requirement: f.Requirement, Outcome: f.Outcome,
			Expected: f.Expected, Got: f.Got, Exchange: index})
	}
	w.credit(x, changed)
	w.Stage.granted(x, changed)
	w.KeepAnswerSecret(x)
}

// credit counts a good answer to a documented request for the requirement that demands it, whatever the scenario is
// about.
func (w *World) credit(x *talk.Exchange, changed bool) {
	id := ""
	switch o := x.Request.Operation; {
	case changed || w.Refusal || wire.StandIn(x.Exchange) != "":
	case o == ags.SignOnWithSessionToken && x.Status == http.StatusCreated && x.Known.ClientID != "":
		id = "SOST-01"
	case o == ags.SignOnWithSessionToken && x.Status == http.StatusCreated && x.Known.FirstTime:
		id = "SOST-02"
	case o == ags.GetSessionToken && EffectiveStatus(x) == http.StatusOK:
		id = "GST-01"
	case o == ags.Refresh && EffectiveStatus(x) == http.StatusOK:
		id = "REF-01"
	}
	if id != "" {
		w.Findings = append(w.Findings, talk.Finding{Requirement: id, Outcome: check.Held,
			Exchange: len(w.Exchanges) - 1})
	}
}

// knownOf returns what the judge may take for granted about an exchange. A request that was changed on purpose may lack
// parts of it.
func (w *World) knownOf(x *talk.Exchange, changed bool) check.Known {
	r := x.Request
	guarded, passwords := w.Guarded()
	k := check.Known{Tenant: r.HeaderValue(ags.HeaderTenant), Skew: w.Stage.Environment.ClockSkew,
		Secrets: w.Submitted(r), Guarded: guarded, Passwords: passwords, Credentials: w.credentialsOf(r)}
	if w.Account != nil && !w.Account.Guessed {
		k.AccountID = w.Account.ID
	}
	var id string
	json.Unmarshal(r.Get("clientId"), &id)
	device := r.Get("deviceInformation")
	switch {
	case r.Operation == ags.Refresh: // it names no device, but by its token
	case namesTwo(r): // either may be the one that signs on
	case id != "" && device == nil:
		k.ClientID = id
		for _, c := range w.Clients {
			if c.ID == id {
				k.DeviceClass = c.Class
			}
		}
	case id == "" && device != nil:
		k.FirstTime, k.Taken = true, w.Stage.Own.taken(x)
		k.DeviceClass = ClassOf(device)
	}
	if r.Operation == ags.SubsequentSignOn {
		k.AccountID, k.FirstTime = "", false // the device is the one of the sign-on before
	}
	if r.Operation == ags.Refresh && w.Client != nil && w.Client.Pair != nil && !changed {
		k.Previous, k.ClientID, k.DeviceClass = w.Client.Pair, w.Client.ID, w.Client.Class
		if !w.Client.Since.IsZero() && w.waits() {
			k.Since = x.Sent.Add(w.Ahead).Sub(w.Client.Since)
		}
	}
	return k
}

// namesTwo tells of a request in which two members name a device.
func namesTwo(r *talk.Request) bool {
	named := 0
	for _, m := range r.Members {
		if m.Name == "clientId" {
			named++
		}
	}
	return named > 1
}

// waits tells whether the scenario may look at what only time shows: the clock of a mock was moved, or --patience is
// long enough to wait. Otherwise a slow machine would judge what a fast one cannot.
func (w *World) waits() bool { return w.Ahead > 0 || w.Stage.Options.Patience >= latest }

// commonWords stand in answers whatever was asked, so that one which comes back repeats nothing.
var commonWords = []string{"null", "true", "false", "undefined", "password", "username", "user", "account", "device",
	"token", "session", "client", "tenant", "wrong", "invalid", "incorrect", "missing", "unknown", "secret", "login",
	"access", "refresh", "error", "failed", "test", "demo", "guest", "admin", "customer", "operator", "service"}

// foundByChance tells of a value that answers may well hold though it was not given away: a word that they are made of,
// or so short that it stands in a time, an id or a token by chance.
func foundByChance(value string) bool {
	shortest := 6
	if strings.Trim(value, "0123456789") == "" {
		shortest = 9
	}
	return len(value) < shortest || slices.Contains(commonWords, strings.ToLower(value))
}

// Submitted lists the secrets in a request that no error may echo. Of the credentials of a user these are the ones that
// the environment takes for secrets: a service may well say which user it does not know.
func (w *World) Submitted(r *talk.Request) []string {
	var secrets []string
	for _, p := range r.Parameters() {
		secret := SecretParameter(p.Name)
		if r.Operation == ags.SignOn || r.Operation == ags.Register {
			secret = w.Account != nil && (w.IsPassword(r.Operation, p.Name) ||
				w.Stage.Environment.SecretParameter(w.Account.Situation, p.Name))
		}
		if secret && !foundByChance(p.Value) {
			secrets = append(secrets, p.Value)
		}
	}
	secrets = append(secrets, r.Ciphers...)
	names := []string{"Authorization", "User-Token"}
	if o := w.Stage.Environment.Operator; o != nil && o.Header != "" && r.Operation == ags.GetSessionToken {
		names = append(names, o.Header)
	}
	for _, name := range names {
		if v := Bearerless(r.HeaderValue(name)); len(v) >= 8 {
			secrets = append(secrets, v)
		}
	}
	return secrets
}

// SecretParameter tells whether the value of a parameter is a secret; everything is but the name of a user.
func SecretParameter(name string) bool { return !strings.EqualFold(name, "username") }

func Bearerless(value string) string {
	if len(value) > 7 && strings.EqualFold(value[:7], "bearer ") {
		return value[7:]
	}
	return value
}

// KeepSecret takes more for a secret than Submitted does: to keep a value out of reports needlessly does no harm.
func (w *World) KeepSecret(r *talk.Request) {
	for _, p := range r.Parameters() {
		if SecretParameter(p.Name) && len(p.Value) >= 4 {
			w.Stage.Keep(p.Value)
		}
	}
	for _, s := range w.Submitted(r) {
		w.Stage.Keep(s)
	}
}

func (w *World) KeepAnswerSecret(x *talk.Exchange) {
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
			w.Stage.Keep(s)
		}
	}
}

// Last is the exchange that a Then step speaks of.
func (w *World) Last() (*talk.Exchange, error) {
	if len(w.Exchanges) == 0 {
		return nil, talk.Unknownf("nothing was sent before this step; a step that begins with When has to come first")
	}
	return w.Exchanges[len(w.Exchanges)-1], nil
}

// Observe records the behaviour of the service for the report.
func (w *World) Observe(format string, args ...any) {
	w.Observed = append(w.Observed, fmt.Sprintf(format, args...))
}

// InPart tells that a part of what the scenario is about was not checked, and why; the rest counts.
func (w *World) InPart(why string) {
	for _, id := range w.Scenario.Requirements {
		w.Findings = append(w.Findings, talk.Finding{Requirement: id, Skipped: true, Got: why, Exchange: -1})
	}
}

// ErrorText says why no whole answer came, without a part of one.
func ErrorText(err error) string {
	if err == nil {
		return "the connection gave nothing"
	}
	return wire.Explain(err)
}

// BrokenBody is a body that was right but for one thing. A harmless one is taken by readers of JSON, though nobody
// should send it.
type BrokenBody struct {
	How      string
	Make     func(right []byte, r *talk.Request) []byte
	Harmless bool
}

// Broken is an answer to a broken body.
type Broken struct {
	Body     BrokenBody
	Exchange *talk.Exchange
}
