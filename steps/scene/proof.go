package scene

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// A refusal proves a rule only beside a control: the good request of the same call was accepted in this run. If a
// situation of the environment file is the reason, a made-up value in its place must also be refused in another way.
// Without these a refusal is neither a pass nor a failure: it could not be told.

// NoRoom explains an answer with which a limiter, a proxy or a gateway had no room for the call: the service has not
// said anything.
func NoRoom(x *talk.Exchange) string {
	if x.Turned != "" {
		return x.Turned
	}
	switch {
	case wire.SaysTooMany(x.Exchange):
		page, who := "", ""
		if title, _ := wire.GatewayPage(x.Exchange); title != "" {
			page, who = " with a page “"+title+"”", ", or ask who runs what gave the page"
		}
		return fmt.Sprintf("status %d came, %s%s: there was no room for the call, which says nothing about it; load.maxRate "+
			"in the environment file slows a run down%s",
			x.Status, figures.Plural(len(x.Attempts)+1, "time"), page, who)
	case x.Status == http.StatusProxyAuthRequired:
		return "status 407 came: a proxy wants a user name and password, and the service was not asked"
	case x.Status == http.StatusRequestTimeout:
		return "status 408 came: the request did not arrive in time, and the service was not asked"
	}
	return ""
}

// WantsToken explains a refusal of servicediscovery for want of a token. That none may be wanted is a rule of its own,
// DISC-03, which fails; nothing else can be told of the list then.
func (w *World) WantsToken(x *talk.Exchange) string {
	status := EffectiveStatus(x)
	if x.Request.Operation != ags.ServiceDiscovery || x.Request.HeaderValue("token") != "" ||
		w.Scenario.Tagged("@DISC-03") ||
		status != http.StatusUnauthorized && status != http.StatusForbidden {
		return ""
	}
	return fmt.Sprintf("servicediscovery is refused without a token (status %d), which is a matter of DISC-03; what it "+
		"lists could not be told", status)
}

// Unproven returns why a refusal shows nothing about its rule, and is empty if it does.
func (w *World) Unproven(x *talk.Exchange) string {
	if why := Barred(x); why != "" {
		return why
	}
	status := EffectiveStatus(x)
	if status/100 != 4 {
		return ""
	}
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		return fmt.Sprintf(
			"status %d came: the request was too long for something on the way, which is no answer to what it asks",
			status)
	case http.StatusMethodNotAllowed:
		if o, ok := ags.OperationByName(x.Request.Operation); ok && o.Method == x.Request.Method {
			return fmt.Sprintf("status 405 came to %s %s: the route does not take the documented method, so nothing of the "+
				"call was looked at",
				x.Request.Method, x.Request.Path)
		}
	}
	if x.Uncontrolled == "" {
		w.Stage.rely(w.Scenario.ID, x)
	}
	return x.Uncontrolled
}

// rely keeps a refusal that a scenario takes for the service's.
func (r *Stage) rely(scenario string, x *talk.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Relied[scenario] = append(r.Relied[scenario], x)
}

// granted counts an accepted call whose request was as documented: the control of refusals of the same call.
func (r *Stage) granted(x *talk.Exchange, changed bool) {
	o := x.Request.Operation
	if status := EffectiveStatus(x); changed || o == "" || status/100 != 2 && status != http.StatusMultipleChoices ||
		wire.StandIn(x.Exchange) != "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.grants[o]++
	if o == ags.SignOn || o == ags.Register {
		r.users[userOf(x.Request)] = true
	}
	// a list of accounts made no device
	r.deviceKnown = r.deviceKnown || EffectiveStatus(x)/100 == 2 && describesOurs(x)
}

// Controlled tells whether a good request of a call was accepted in this run. It sends one if none was yet.
func (w *World) Controlled(ctx context.Context, operation string) (bool, string) {
	r := w.Stage
	r.mu.Lock()
	accepted := r.grants[operation] > 0
	r.mu.Unlock()
	if accepted || operation == "" {
		return true, ""
	}
	r.controls.Lock()
	defer r.controls.Unlock()
	r.mu.Lock()
	accepted = r.grants[operation] > 0
	tried, why := r.Tried[operation], r.why[operation]
	r.mu.Unlock()
	if accepted {
		return true, ""
	}
	if tried >= triedControls {
		r.mu.Lock()
		w.Disturbed = w.Disturbed || r.disturbed[operation]
		r.mu.Unlock()
		return false, why
	}
	r.mu.Lock()
	r.Tried[operation]++
	r.mu.Unlock()
	accepted, why, disturbed := w.tryGood(ctx, operation)
	r.mu.Lock()
	r.why[operation], r.disturbed[operation] = why, disturbed
	r.mu.Unlock()
	w.Disturbed = w.Disturbed || disturbed
	return accepted, why
}

// NoControl says what a refusal shows if no good request was accepted.
func NoControl(operation, why string) string {
	if strings.HasPrefix(why, StrangeDevice) {
		return why // which is the same for whatever starts with it
	}
	return fmt.Sprintf("no good request of %s was accepted in this run, so that a refusal shows nothing: %s",
		operation, why)
}

// tryGood sends the documented request of a call only to see whether it is accepted, and says why it was not, and
// whether another try may well be accepted.
func (w *World) tryGood(ctx context.Context, operation string) (accepted bool, why string, disturbed bool) {
	r := w.Stage
	own := New(r, w.Scenario)
	own.Control = true
	if err := own.Equip(ctx, operation); err != nil {
		return false, figures.Unbroken(err.Error()), Passes(err)
	}
	r.mu.Lock()
	accepted = r.grants[operation] > 0 // an accepted call may have given what this call needs
	r.mu.Unlock()
	if accepted {
		return true, "", false
	}
	x, err := own.goodRequest(ctx, operation)
	if err != nil {
		return false, figures.Unbroken(err.Error()), Passes(err)
	}
	if status := EffectiveStatus(x); status/100 == 2 || status == http.StatusMultipleChoices {
		return true, "", false
	}
	if err := own.RoomForDevices(ctx, x); err != nil {
		return false, err.Error(), false
	}
	own.RefusedGood(x)
	return false, "the good one was answered with " + own.Describe(x), false
}

// Passes tells that what could not be told may well be told by another try.
func Passes(err error) bool {
	var u *talk.Unknown
	return errors.As(err, &u) && u.Passing
}

// goodRequest sends the documented request of a call, and only once where it makes a device that stays.
func (w *World) goodRequest(ctx context.Context, operation string) (*talk.Exchange, error) {
	if operation == ags.SubsequentSignOn && w.Live() {
		return w.goodPick(ctx)
	}
	ask, _, err := w.Documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	return w.Send(ctx, ask, false)
}

const triedControls = 2 // good requests of one call that are sent only to see whether it is accepted

// doubt looks at a refusal before the steps judge it: whether there is a control beside it, and whether a situation of
// the environment file does anything.
func (w *World) doubt(ctx context.Context, x *talk.Exchange, changed bool) error {
	if w.Control || EffectiveStatus(x)/100 != 4 {
		return nil
	}
	if err := w.Cautious(x, changed); err != nil {
		return err
	}
	if why, err := w.strangeUser(ctx, x, changed); err != nil || why != "" {
		return cmp.Or(err, talk.Unknownf("%s", why))
	}
	if ok, why := w.Controlled(ctx, x.Request.Operation); !ok {
		x.Uncontrolled = NoControl(x.Request.Operation, why)
	} else if changed || w.mayBeRefused(x.Request) {
		x.Uncontrolled = w.Paged(ctx, x)
	}
	x.Uncontrolled = cmp.Or(x.Uncontrolled, w.GoodNow(ctx, x))
	if w.Subject == nil || w.Stage.Control != nil {
		return ctx.Err()
	}
	if why := w.strangeDevice(x); why != "" {
		return talk.Unknownf("%s", why)
	}
	if w.Subject.mayHaveEnded && EffectiveStatus(x) == http.StatusUnauthorized {
		return talk.Unknownf("the refresh token of situations.%s is refused with %s, as one is that was revoked: whether "+
			"the account is why cannot be told",
			w.Subject.Situation, w.Describe(x))
	}
	why, err := w.toldApart(ctx, x)
	if err != nil {
		return err
	}
	if why != "" && w.Subject.Alike != "" {
		return &talk.Seen{What: fmt.Sprintf("%s, and so does a made-up one: %s", w.Describe(x), w.Subject.Alike)}
	}
	if why != "" {
		return talk.Unknownf("%s", why)
	}
	return nil
}

// strangeUser returns why good credentials may be none: nobody was let in with them in this run, and a user whom nobody
// knows is refused just as the one of the environment file.
func (w *World) strangeUser(ctx context.Context, x *talk.Exchange, changed bool) (string, error) {
	r, operation := w.Stage, x.Request.Operation
	if !w.Live() || changed || w.Refusal || w.Subject != nil || w.Account == nil ||
		operation != ags.SignOn && operation != ags.Register {
		return "", nil
	}
	if operation == ags.Register && !strings.Contains(x.Request.Path, w.Registration) {
		return "", nil // a type that nobody offers is refused whoever the user is
	}
	if code, ok := check.SubCode(x.Exchange); ok && ags.IsSubCode(code) {
		return "", nil
	}
	if why := w.strangeDevice(x); why != "" { // with which a made-up user is refused too
		return why, nil
	}
	user := userOf(x.Request)
	key := "credentials " + user + " " + operation + " " + Likeness(x, true)
	r.mu.Lock()
	accepted := r.users[user]
	why, known := r.apart[key]
	r.mu.Unlock()
	if accepted {
		return "", nil
	}
	if known {
		return why, nil
	}
	o, err := w.aside(ctx, x.Request, func(q *talk.Request) bool {
		list := q.Parameters()
		for i := range list {
			list[i].Value = w.Lookalike(list[i].Value)
		}
		q.Set("parameters", talk.JSON(list))
		return len(list) > 0
	})
	if err != nil || o == nil {
		return "", err
	}
	if EffectiveStatus(o)/100 == 4 && Likeness(o, true) == Likeness(x, true) {
		why = fmt.Sprintf("could not be told apart from a user whom nobody knows: made-up parameters get the same answer "+
			"(%s), so those of situations.%s may be wrong; check them",
			w.Describe(x), w.Account.Situation)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apart[key] = why
	return why, nil
}

// userOf is who signs on by the parameters of a request.
func userOf(r *talk.Request) string {
	list := r.Parameters()
	slices.SortFunc(list, func(a, b talk.Parameter) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return r.HeaderValue(ags.HeaderTenant) + " " + string(talk.JSON(list))
}

// Subject is a situation of the environment file for which a refusal is expected, with the value that stands for it in
// a request.
type Subject struct {
	Situation string // key in the file: disabled-device
	Unknown   string // describes a made-up value in its place: an unknown device
	Codes     []int  // documented sub-codes that name the situation
	// MadeUp puts a made-up value of the same form in its place; false if the request has no such value.
	MadeUp func(w *World, r *talk.Request) bool
	// fromHere changes the request to that of a caller whom nobody shuts out: it must be accepted then. Nil: the
	// situation is another.
	fromHere func(r *talk.Request)
	// IsReal returns the reason why the situation may not be real. It is for refusals that prove nothing because the
	// refusal of a made-up value is rightly the same.
	IsReal func(ctx context.Context, w *World) (string, error)
	// Alike: a made-up value is right to get the same answer, so that then nothing is amiss and nothing is shown.
	Alike string
	// ofAccount: the state of the account is the reason.
	ofAccount bool
	// mayHaveEnded tells that the value may have ended in another way, so that a refusal with 401 shows nothing.
	mayHaveEnded bool
}

// toldApart returns the reason why a refusal cannot be told from that of a made-up value; empty if it can.
func (w *World) toldApart(ctx context.Context, x *talk.Exchange) (string, error) {
	s := w.Subject
	if code, ok := check.SubCode(x.Exchange); ok && slices.Contains(s.Codes, code) {
		return "", nil
	}
	key := s.Situation + " " + x.Request.Operation + " " + fmt.Sprint(
		x.Request.Get("deviceInformation") != nil) + " " + Likeness(x, true)
	w.Stage.mu.Lock()
	why, known := w.Stage.apart[key]
	w.Stage.mu.Unlock()
	if known {
		return why, nil
	}
	var err error
	switch {
	case s.IsReal != nil:
		why, err = s.IsReal(ctx, w)
	case s.fromHere != nil:
		why, err = w.acceptedFromHere(ctx, x)
	default:
		why, err = w.differs(ctx, x)
	}
	if err != nil {
		return "", err
	}
	w.Stage.mu.Lock()
	defer w.Stage.mu.Unlock()
	w.Stage.apart[key] = why
	if why != "" && s.Alike == "" && !slices.Contains(w.Stage.Idle, s.Situation) {
		w.Stage.Idle = append(w.Stage.Idle, s.Situation)
	}
	return why, nil
}

// differs compares the refusal with those of two made-up values. A wording counts only if it stays the same for the
// same request.
func (w *World) differs(ctx context.Context, x *talk.Exchange) (string, error) {
	s := w.Subject
	var others []*talk.Exchange
	for range 2 {
		o, err := w.aside(ctx, x.Request, func(r *talk.Request) bool { return s.MadeUp(w, r) })
		if err != nil || o == nil {
			return "", err
		}
		if EffectiveStatus(o)/100 != 4 || Likeness(o, false) != Likeness(x, false) {
			return "", nil
		}
		others = append(others, o)
	}
	if Likeness(others[0], true) == Likeness(others[1], true) && Likeness(x, true) != Likeness(others[0], true) {
		again, err := w.aside(ctx, x.Request, func(*talk.Request) bool { return true })
		if err != nil || Likeness(again, true) == Likeness(x, true) {
			return "", err
		}
	}
	if s.ofAccount {
		if about, err := w.accountMatters(ctx, x, others[0]); err != nil || about {
			return "", err
		}
	}
	if s.Situation == "expired-refresh" && w.Account != nil && w.Stage.madeByService(w.Account.Refresh, time.Now()) {
		return "", nil
	}
	advice := "give one that the service knows, or leave the situation out"
	if s.Situation == "foreign-device" {
		if w.ownerSignsOn(ctx) {
			return "", nil
		}
		advice = "give one that the service knows, with the accountId of its owner, who is seen to sign on with it then, " +
			"or leave the situation out"
	}
	return fmt.Sprintf("could not be told apart from %s: a made-up value gets the same answer (%s), so situations.%s "+
		"may do nothing; %s",
		s.Unknown, w.Describe(x), s.Situation, advice), nil
}

// madeByService tells whether a refresh token has the header of those that the service issues in this run, their
// claims, and has ended. If the service words all refusals alike, this shows that the token was good once.
func (r *Stage) madeByService(compact string, now time.Time) bool {
	r.mu.Lock()
	issued := r.issuedRefresh
	r.mu.Unlock()
	ours, err := check.ParseJWS(issued)
	if err != nil {
		return false
	}
	old, err := check.ParseJWS(compact)
	if err != nil || talk.Canonical(old.Header) != talk.Canonical(ours.Header) ||
		len(old.Signature) != len(ours.Signature) {
		return false
	}
	are, _ := ours.Claims()
	were, _ := old.Claims()
	if are == nil || were == nil || len(were.Members) != len(are.Members) {
		return false
	}
	for _, m := range are.Members {
		if were.Get(m.Name) == nil {
			return false
		}
	}
	exp, known := were.Get("exp").Int()
	return known && exp < now.Unix() && were.Get("typ").String() == are.Get("typ").String() &&
		were.Get("tenantId").String() == are.Get("tenantId").String()
}

// acceptedFromHere sends the request as a caller whom nobody shuts out.
func (w *World) acceptedFromHere(ctx context.Context, x *talk.Exchange) (string, error) {
	s := w.Subject
	// it would make a device, and the control has picked an account from here
	if x.Request.Operation == ags.SubsequentSignOn {
		return "", nil
	}
	o, err := w.aside(ctx, x.Request, func(r *talk.Request) bool {
		s.fromHere(r)
		if r.Get("deviceInformation") != nil { // a known device shows the same, and no device is made
			r.Drop("deviceInformation")
			r.Set("clientId", talk.JSON(w.Account.Device))
		}
		return r.Get("clientId") == nil || string(r.Get("clientId")) != `""`
	})
	if err != nil || o == nil {
		return "", err
	}
	if EffectiveStatus(o)/100 == 2 {
		return "", nil
	}
	return fmt.Sprintf("could not be told apart from a refusal of %s: the same request from here is refused too (%s), "+
		"so situations.%s may do nothing",
		s.Unknown, w.Describe(o), s.Situation), nil
}

// TenantIsReal returns why the service may not know the other tenant. It knows the tenant if it lists services for it,
// while a made-up tenant gets another answer, or a client of the tenant signs on there.
func TenantIsReal(ctx context.Context, w *World) (string, error) {
	s := w.Stage.Environment.Situations["other-tenant"]
	own := New(w.Stage, w.Scenario)
	own.Control, own.Tenant = true, s.Tenant
	if s.Service != "" {
		own.Service = s.Service
	}
	listed, err := own.Send(ctx, own.Prepare(ags.ServiceDiscovery), true)
	if err != nil {
		return "", err
	}
	unknown := own.Prepare(ags.ServiceDiscovery)
	unknown.SetHeader(ags.HeaderTenant, own.Lookalike(s.Tenant))
	other, err := own.Send(ctx, unknown, true)
	if err != nil {
		return "", err
	}
	if EffectiveStatus(listed) == http.StatusOK && Likeness(listed, true) != Likeness(other, true) {
		return "", nil
	}
	if s.HasSessionToken() && s.ClientID != "" {
		own.Account = &talk.Account{Situation: "other-tenant", ID: s.AccountID, Token: s.SessionToken,
			Source: s.SessionTokens, Device: s.ClientID}
		r, err := own.SignOnWithSessionToken(ctx)
		if err != nil {
			return "", err
		}
		r.Set("clientId", talk.JSON(s.ClientID))
		if x, err := own.Send(ctx, r, true); err != nil || EffectiveStatus(x)/100 == 2 {
			return "", err
		}
	}
	return "could not be told apart from an unknown tenant: servicediscovery tells of the tenant of " +
		"situations.other-tenant what it tells of a made-up one, and no client of its own signs on there", nil
}

// aside sends a request once more, changed, and with a session token of its own if fresh ones are available. It belongs
// to no step: it judges nothing and leaves the scenario as it is. It sends nothing if change returns false.
func (w *World) aside(ctx context.Context, old *talk.Request, change func(*talk.Request) bool) (*talk.Exchange, error) {
	own := New(w.Stage, w.Scenario)
	own.Control, own.Account, own.Tenant, own.Service = true, w.Account, w.Tenant, w.Service
	r := *old
	r.Header, r.Members = slices.Clone(old.Header), slices.Clone(old.Members)
	if r.Operation == ags.SignOnWithSessionToken && w.SessionToken == "" && w.Account != nil && w.Account.Token == "" {
		fresh, err := own.FreshSessionToken(ctx)
		if err != nil {
			return nil, err
		}
		list := r.Parameters()
		for i := range list {
			if list[i].Name == w.Stage.SessionParameter(w.Service) {
				list[i].Value = fresh
			}
		}
		r.Set("parameters", talk.JSON(list))
	}
	if !change(&r) {
		return nil, ctx.Err()
	}
	return own.Send(ctx, &r, true)
}

// sendAfresh sends a good request again that was refused after an answer 429 or 503 had been waited out: the first may
// have been carried out all the same, and have used up a token that works once. Without a fresh one nothing can be
// told.
func (w *World) sendAfresh(ctx context.Context, r *talk.Request, x *talk.Exchange,
	changed bool) (*talk.Exchange, error) {
	list := r.Parameters()
	at := slices.IndexFunc(list, func(p talk.Parameter) bool { _, fresh := w.Stage.fresh.Load(p.Value); return fresh })
	if r.Operation == ags.SignOnWithSessionToken && at >= 0 && w.SessionToken == "" && w.Account != nil && !w.afresh {
		own := New(w.Stage, w.Scenario)
		own.Control, own.Account, own.Tenant, own.Service = true, w.Account, w.Tenant, w.Service
		fresh, err := own.FreshSessionToken(ctx)
		if err != nil {
			return nil, err
		}
		list[at].Value = fresh
		again := *r
		again.Header, again.Members = slices.Clone(r.Header), slices.Clone(r.Members)
		again.Set("parameters", talk.JSON(list))
		w.afresh = true
		defer func() { w.afresh = false }()
		return w.Send(ctx, &again, changed)
	}
	switch r.Operation {
	case ags.SignOnWithSessionToken, ags.SubsequentSignOn, ags.SubsequentRegister, ags.Refresh, ags.SignOut:
		if !w.Refusal && !changed {
			return x, talk.Passingf("%s came first and was waited out, and what was sent again was refused (%s): the first "+
				"may have been carried out all the same; "+
				"load.maxRate in the environment file slows a run down", statusOrNone(x.Attempts[0].Status), w.Describe(x))
		}
	}
	return x, nil
}

func statusOrNone(status int) string {
	if status == 0 {
		return "no answer"
	}
	return fmt.Sprintf("status %d", status)
}

// Likeness returns what two refusals of one kind have in common: status and sub-code, and on demand the wording,
// without the parts that may differ from answer to answer.
func Likeness(x *talk.Exchange, wording bool) string {
	code, _ := check.SubCode(x.Exchange)
	text := fmt.Sprintf("%d %d", EffectiveStatus(x), code)
	if !wording {
		return text
	}
	body, _ := strictjson.Parse(x.Body)
	if body == nil {
		return text + " " + changing.ReplaceAllString(string(x.Body), "#")
	}
	var say func(name string, v *strictjson.Value)
	say = func(name string, v *strictjson.Value) {
		if v == nil || passing.MatchString(name) {
			return
		}
		for _, m := range v.Members {
			say(m.Name, m.Value)
		}
		for _, item := range v.Items {
			say(name, item)
		}
		if v.Kind == ags.String {
			said := v.Text
			for _, p := range x.Request.Parameters() {
				if p.Value != "" {
					said = strings.ReplaceAll(said, p.Value, "#")
				}
			}
			if id := strings.Trim(string(x.Request.Get("clientId")), `"`); id != "" {
				said = strings.ReplaceAll(said, id, "#")
			}
			text += " " + name + "=" + changing.ReplaceAllString(said, "#")
		}
	}
	say("", body)
	return text
}

var (
	// changing are the parts of a text that may differ in every answer: numbers, ids, instants.
	changing = regexp.MustCompile(`[A-Za-z_-]*[0-9][A-Za-z0-9_.:+-]*`)
	// passing are members that tell of this one answer.
	passing = regexp.MustCompile(`(?i)(time|stamp|date|id|trace|span|path|instance|reference)$`)
)

// Lookalike makes up a text of the same form: letters for letters, digits for digits. The parts of a token that are not
// its signature stay.
func (w *World) Lookalike(text string) string {
	from := 0
	if parts := strings.Split(text, "."); len(parts) == 3 && len(text) > 60 {
		from = len(text) - len(parts[2])
	}
	b := []byte(text)
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			b[i] = '0' + byte(w.Random.IntN(10))
		case c >= 'a' && c <= 'f' && hexadecimal.MatchString(text):
			b[i] = 'a' + byte(w.Random.IntN(6))
		case c >= 'A' && c <= 'F' && hexadecimal.MatchString(text):
			b[i] = 'A' + byte(w.Random.IntN(6))
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + byte(w.Random.IntN(26))
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + byte(w.Random.IntN(26))
		}
	}
	if made := string(b); made != text {
		return made
	}
	return text + "0"
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f-]+$|^[0-9A-F-]+$`)

// suspects are refusals, by call and words, that good requests got too: from a limiter, or from a node that does not
// know yet what another one has issued. In these words a refusal tells nothing of its request.
type suspects struct {
	mu       sync.Mutex
	words    map[string]string // by call and words, the scenario whose good request got them
	watching bool              // scenarios are played again for them
}

// suspectKey is what refusals of one call in the same words have in common.
func suspectKey(x *talk.Exchange) string { return x.Request.Operation + " " + Likeness(x, true) }

// RefusedGood keeps the words in which a good request was refused, if it was.
func (w *World) RefusedGood(x *talk.Exchange) {
	if w.Subject != nil || x.Request.Operation == "" || EffectiveStatus(x)/100 != 4 ||
		wire.SaysTooMany(x.Exchange) || x.Turned != "" || x.Stray != "" || len(x.Attempts) > 0 || Barred(x) != "" {
		return
	}
	if code, coded := check.SubCode(x.Exchange); coded && ags.IsSubCode(code) {
		return // it names the state of an account or a device
	}
	s := &w.Stage.suspects
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.words == nil {
		s.words = map[string]string{}
	}
	if _, known := s.words[suspectKey(x)]; !known {
		s.words[suspectKey(x)] = w.Scenario.ID
	}
}

// Suspect names the scenario whose good request was refused as this one was; empty: none was.
func (r *Stage) Suspect(x *talk.Exchange) string {
	r.suspects.mu.Lock()
	defer r.suspects.mu.Unlock()
	return r.suspects.words[suspectKey(x)]
}

// Watch tells that scenarios are played again, with a good request behind each refusal in words that good requests got
// too; or not any more.
func (r *Stage) Watch(on bool) {
	r.suspects.mu.Lock()
	defer r.suspects.mu.Unlock()
	r.suspects.watching = on
}

// Watched names the scenario whose good request was refused as this one was, where that is to be looked at now.
func (w *World) Watched(x *talk.Exchange) string {
	s := &w.Stage.suspects
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.watching || x.Request.Good || EffectiveStatus(x)/100 != 4 {
		return ""
	}
	return s.words[suspectKey(x)]
}

// GoodNow returns why a refusal in words that good requests got too tells nothing; empty: a good request of the call is
// accepted right behind it.
func (w *World) GoodNow(ctx context.Context, x *talk.Exchange) string {
	whose := w.Watched(x)
	if whose == "" {
		return ""
	}
	operation := x.Request.Operation
	why := ""
	switch {
	case w.Live() && operation != ags.GetSessionToken && operation != ags.SignOnWithSessionToken &&
		operation != ags.Refresh && operation != ags.ServiceDiscovery && operation != ags.SignOn:
		why = "no other was sent, as each that is accepted makes or ends a device"
	default:
		why = w.acceptedNow(ctx, operation)
	}
	if why == "" {
		return ""
	}
	return fmt.Sprintf("status %d came to %s in the words in which a good request was refused too (%s), and %s: "+
		"a limiter on the way, or one of several nodes, may refuse whatever is asked, and whether the service refuses "+
		"is not known; load.maxRate in the environment file slows a run down", x.Status, operation, whose, why)
}

// acceptedNow sends a good request of a call, and returns why it was not accepted.
func (w *World) acceptedNow(ctx context.Context, operation string) string {
	own := New(w.Stage, w.Scenario)
	own.Control = true
	if err := own.Equip(ctx, operation); err != nil {
		return "none could be sent beside it: " + figures.Unbroken(err.Error())
	}
	x, err := own.goodRequest(ctx, operation)
	w.signOnAnew(ctx, operation)
	switch {
	case err != nil:
		return "none could be sent beside it: " + figures.Unbroken(err.Error())
	case !Granted(x):
		own.RefusedGood(x)
		return "the one behind it was answered with " + own.Describe(x)
	}
	return ""
}

// signOnAnew gives the client tokens again where the sign-on of a good request beside it may have ended its session.
func (w *World) signOnAnew(ctx context.Context, operation string) {
	if !w.Live() || w.Stage.SessionsApart || operation == ags.GetSessionToken || operation == ags.ServiceDiscovery ||
		w.Client == nil || w.Client.Pair == nil {
		return
	}
	own := w.lane(0)
	own.Control, own.Client.Pair = true, nil
	if own.EnsureTokens(ctx) == nil {
		w.Client.Pair, w.Client.Since = own.Client.Pair, own.Client.Since
	}
}
