package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
)

// A refusal proves a rule only beside a control: the good request of the same call was accepted in this run, and where a situation of the
// environment file stands for the reason, a made-up value in its place is refused in another way. What is neither is not a pass and not a
// failure: it could not be told.

// noRoom explains an answer with which a limiter, a proxy or a gateway had no room for the call: the service has not said anything.
func noRoom(x *exchange) string {
	switch x.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Sprintf("status %d came, %s: there was no room for the call, which says nothing about it; load.maxRate in the environment file slows a run down",
			x.Status, plural(len(x.Attempts)+1, "time"))
	case http.StatusProxyAuthRequired:
		return "status 407 came: a proxy wants a user name and password, and the service was not asked"
	case http.StatusRequestTimeout:
		return "status 408 came: the request did not arrive in time, and the service was not asked"
	}
	return ""
}

// unproven tells why a refusal shows nothing of the rule that it is to show, and is empty where it does.
func (w *world) unproven(x *exchange) string {
	status := effectiveStatus(x)
	if status/100 != 4 {
		return ""
	}
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		return fmt.Sprintf("status %d came: the request was too long for something on the way, which is no answer to what it asks", status)
	case http.StatusMethodNotAllowed:
		if o, ok := ags.OperationByName(x.request.operation); ok && o.Method == x.request.method {
			return fmt.Sprintf("status 405 came to %s %s: the route does not take the documented method, so nothing of the call was looked at", x.request.method, x.request.path)
		}
	}
	if x.uncontrolled == "" {
		w.run.rely(w.scenario.id, x)
	}
	return x.uncontrolled
}

// granted counts an accepted call whose request was as documented: the control of refusals of the same call.
func (r *run) granted(x *exchange, changed bool) {
	o := x.request.operation
	if status := effectiveStatus(x); changed || o == "" || status/100 != 2 && status != http.StatusMultipleChoices {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.grants[o]++
	r.deviceKnown = r.deviceKnown || effectiveStatus(x)/100 == 2 && describesOurs(x) // a list of accounts made no device
}

// controlled tells whether a good request of a call was accepted in this run, and sends one where none was yet.
func (w *world) controlled(ctx context.Context, operation string) (bool, string) {
	r := w.run
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
	tried, why := r.tried[operation], r.why[operation]
	r.mu.Unlock()
	if accepted {
		return true, ""
	}
	if tried >= triedControls {
		r.mu.Lock()
		w.disturbed = w.disturbed || r.disturbed[operation]
		r.mu.Unlock()
		return false, why
	}
	r.mu.Lock()
	r.tried[operation]++
	r.mu.Unlock()
	accepted, why, disturbed := w.tryGood(ctx, operation)
	r.mu.Lock()
	r.why[operation], r.disturbed[operation] = why, disturbed
	r.mu.Unlock()
	w.disturbed = w.disturbed || disturbed
	return accepted, why
}

// noControl says what a refusal shows where no good request was accepted.
func noControl(operation, why string) string {
	if strings.HasPrefix(why, strangeDevice) {
		return why // which is the same for whatever starts with it
	}
	return fmt.Sprintf("no good request of %s was accepted in this run, so that a refusal shows nothing: %s", operation, why)
}

// tryGood sends the documented request of a call only to see whether it is accepted, and says why it was not, and whether another try may
// well be accepted.
func (w *world) tryGood(ctx context.Context, operation string) (accepted bool, why string, disturbed bool) {
	r := w.run
	own := newWorld(r, w.scenario)
	own.control = true
	if err := own.equip(ctx, operation); err != nil {
		return false, oneLine(err.Error()), passes(err)
	}
	r.mu.Lock()
	accepted = r.grants[operation] > 0 // what the call needs may have been got by it
	r.mu.Unlock()
	if accepted {
		return true, "", false
	}
	x, err := own.goodRequest(ctx, operation)
	if err != nil {
		return false, oneLine(err.Error()), passes(err)
	}
	if status := effectiveStatus(x); status/100 == 2 || status == http.StatusMultipleChoices {
		return true, "", false
	}
	if err := own.roomForDevices(x); err != nil {
		return false, err.Error(), false
	}
	return false, "the good one was answered with " + own.describe(x), false
}

// passes tells that what could not be told may well be told by another try.
func passes(err error) bool {
	var u *unknown
	return errors.As(err, &u) && u.passing
}

// goodRequest sends the documented request of a call, and only once where it makes a device that stays.
func (w *world) goodRequest(ctx context.Context, operation string) (*exchange, error) {
	if operation == ags.SubsequentSignOn && w.live() {
		return w.goodPick(ctx)
	}
	ask, _, err := w.documented(ctx, operation)
	if err != nil {
		return nil, err
	}
	return w.send(ctx, ask, false)
}

const triedControls = 2 // good requests of one call that are sent only to see whether it is accepted

// doubt looks at a refusal before the steps judge it: whether there is a control beside it, and whether a situation of the environment
// file does anything.
func (w *world) doubt(ctx context.Context, x *exchange, changed bool) error {
	if w.control || effectiveStatus(x)/100 != 4 {
		return nil
	}
	if err := w.cautious(x, changed); err != nil {
		return err
	}
	if ok, why := w.controlled(ctx, x.request.operation); !ok {
		x.uncontrolled = noControl(x.request.operation, why)
	}
	if w.subject == nil || w.run.control != nil {
		return ctx.Err()
	}
	if why := w.strangeDevice(x); why != "" {
		return unknownf("%s", why)
	}
	why, err := w.toldApart(ctx, x)
	if err != nil {
		return err
	}
	if why != "" && w.subject.alike != "" {
		return &seen{fmt.Sprintf("%s, and so does a made-up one: %s", w.describe(x), w.subject.alike)}
	}
	if why != "" {
		return unknownf("%s", why)
	}
	return nil
}

// subject is a situation of the environment file for which a refusal is expected, with what stands for it in a request.
type subject struct {
	situation string // key in the file: disabled-device
	unknown   string // what a made-up value in its place is: an unknown device
	codes     []int  // documented sub-codes that name the situation
	// madeUp puts a made-up value of the same form in its place; false: the request holds no such thing.
	madeUp func(w *world, r *request) bool
	// fromHere changes the request to that of a caller whom nobody shuts out: it must be accepted then. Nil: the situation is another.
	fromHere func(r *request)
	// isReal says why the situation may be none, where a refusal cannot tell because that of a made-up value is right to be the same.
	isReal func(ctx context.Context, w *world) (string, error)
	// alike: a made-up value is right to get the same answer, so that then nothing is amiss and nothing is shown.
	alike string
}

// toldApart says why a refusal cannot be told apart from that of a made-up value, and nothing where it can.
func (w *world) toldApart(ctx context.Context, x *exchange) (string, error) {
	s := w.subject
	if code, ok := check.SubCode(x.Exchange); ok && slices.Contains(s.codes, code) {
		return "", nil
	}
	key := s.situation + " " + x.request.operation + " " + fmt.Sprint(x.request.get("deviceInformation") != nil) + " " + likeness(x, true)
	w.run.mu.Lock()
	why, known := w.run.apart[key]
	w.run.mu.Unlock()
	if known {
		return why, nil
	}
	var err error
	switch {
	case s.isReal != nil:
		why, err = s.isReal(ctx, w)
	case s.fromHere != nil:
		why, err = w.acceptedFromHere(ctx, x)
	default:
		why, err = w.differs(ctx, x)
	}
	if err != nil {
		return "", err
	}
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	w.run.apart[key] = why
	if why != "" && s.alike == "" && !slices.Contains(w.run.idle, s.situation) {
		w.run.idle = append(w.run.idle, s.situation)
	}
	return why, nil
}

// differs compares the refusal with those of two made-up values. A wording counts only where it stays the same for the same request.
func (w *world) differs(ctx context.Context, x *exchange) (string, error) {
	s := w.subject
	var others []*exchange
	for range 2 {
		o, err := w.aside(ctx, x.request, func(r *request) bool { return s.madeUp(w, r) })
		if err != nil || o == nil {
			return "", err
		}
		if effectiveStatus(o)/100 != 4 || likeness(o, false) != likeness(x, false) {
			return "", nil
		}
		others = append(others, o)
	}
	if likeness(others[0], true) == likeness(others[1], true) && likeness(x, true) != likeness(others[0], true) {
		again, err := w.aside(ctx, x.request, func(*request) bool { return true })
		if err != nil || likeness(again, true) == likeness(x, true) {
			return "", err
		}
	}
	return fmt.Sprintf("could not be told apart from %s: a made-up value gets the same answer (%s), so situations.%s may do nothing; "+
		"give one that the service knows, or leave the situation out", s.unknown, w.describe(x), s.situation), nil
}

// acceptedFromHere sends the request as a caller whom nobody shuts out.
func (w *world) acceptedFromHere(ctx context.Context, x *exchange) (string, error) {
	s := w.subject
	o, err := w.aside(ctx, x.request, func(r *request) bool {
		s.fromHere(r)
		if r.get("deviceInformation") != nil { // a known device shows the same, and no device is made
			r.drop("deviceInformation")
			r.set("clientId", rawJSON(w.run.environment.Situations["active"].ClientID))
		}
		return r.get("clientId") == nil || string(r.get("clientId")) != `""`
	})
	if err != nil || o == nil {
		return "", err
	}
	if effectiveStatus(o)/100 == 2 {
		return "", nil
	}
	return fmt.Sprintf("could not be told apart from a refusal of %s: the same request from here is refused too (%s), so situations.%s may do nothing", s.unknown, w.describe(o), s.situation), nil
}

// tenantIsReal tells whether the other tenant is one that the service knows: it lists services where a made-up tenant gets another answer, or a
// client of its own signs on there.
func tenantIsReal(ctx context.Context, w *world) (string, error) {
	s := w.run.environment.Situations["other-tenant"]
	own := newWorld(w.run, w.scenario)
	own.control, own.tenant = true, s.Tenant
	if s.Service != "" {
		own.service = s.Service
	}
	listed, err := own.send(ctx, own.prepare(ags.ServiceDiscovery), true)
	if err != nil {
		return "", err
	}
	unknown := own.prepare(ags.ServiceDiscovery)
	unknown.setHeader(ags.HeaderTenant, own.lookalike(s.Tenant))
	other, err := own.send(ctx, unknown, true)
	if err != nil {
		return "", err
	}
	if effectiveStatus(listed) == http.StatusOK && likeness(listed, true) != likeness(other, true) {
		return "", nil
	}
	if s.HasSessionToken() && s.ClientID != "" {
		own.account = &account{situation: "other-tenant", id: s.AccountID, token: s.SessionToken, source: s.SessionTokens, device: s.ClientID}
		r, err := own.signOnWithSessionToken(ctx)
		if err != nil {
			return "", err
		}
		r.set("clientId", rawJSON(s.ClientID))
		if x, err := own.send(ctx, r, true); err != nil || effectiveStatus(x)/100 == 2 {
			return "", err
		}
	}
	return "could not be told apart from an unknown tenant: servicediscovery tells of the tenant of situations.other-tenant what it tells of a made-up one, " +
		"and no client of its own signs on there", nil
}

// aside sends a request once more, changed, and with a session token of its own where fresh ones can be had. It belongs to no step: it judges
// nothing and leaves the scenario as it is. It sends nothing where change says false.
func (w *world) aside(ctx context.Context, old *request, change func(*request) bool) (*exchange, error) {
	own := newWorld(w.run, w.scenario)
	own.control, own.account, own.tenant, own.service = true, w.account, w.tenant, w.service
	r := *old
	r.header, r.members = slices.Clone(old.header), slices.Clone(old.members)
	if r.operation == ags.SignOnWithSessionToken && w.sessionToken == "" && w.account != nil && w.account.token == "" {
		fresh, err := own.freshSessionToken(ctx)
		if err != nil {
			return nil, err
		}
		list := r.parameters()
		for i := range list {
			if list[i].Name == w.run.sessionParameter(w.service) {
				list[i].Value = fresh
			}
		}
		r.set("parameters", rawJSON(list))
	}
	if !change(&r) {
		return nil, ctx.Err()
	}
	return own.send(ctx, &r, true)
}

// sendAfresh sends a good request again that was refused after an answer 429 or 503 had been waited out: the first may have been carried out all
// the same, and have used up what works once. Where nothing fresh can be had, nothing can be told.
func (w *world) sendAfresh(ctx context.Context, r *request, x *exchange, changed bool) (*exchange, error) {
	list := r.parameters()
	at := slices.IndexFunc(list, func(p parameter) bool { _, fresh := w.run.fresh.Load(p.Value); return fresh })
	if r.operation == ags.SignOnWithSessionToken && at >= 0 && w.sessionToken == "" && w.account != nil && !w.afresh {
		own := newWorld(w.run, w.scenario)
		own.control, own.account, own.tenant, own.service = true, w.account, w.tenant, w.service
		fresh, err := own.freshSessionToken(ctx)
		if err != nil {
			return nil, err
		}
		list[at].Value = fresh
		again := *r
		again.header, again.members = slices.Clone(r.header), slices.Clone(r.members)
		again.set("parameters", rawJSON(list))
		w.afresh = true
		defer func() { w.afresh = false }()
		return w.send(ctx, &again, changed)
	}
	switch r.operation {
	case ags.SignOnWithSessionToken, ags.SubsequentSignOn, ags.SubsequentRegister, ags.Refresh, ags.SignOut:
		if !w.refusal && !changed {
			return x, passingf("status %d came first and was waited out, and what was sent again was refused (%s): the first may have been carried out all the same; "+
				"load.maxRate in the environment file slows a run down", x.Attempts[0].Status, w.describe(x))
		}
	}
	return x, nil
}

// likeness is what two refusals of one kind have in common: status and sub-code, and where asked for the wording, without what may differ
// from answer to answer.
func likeness(x *exchange, wording bool) string {
	code, _ := check.SubCode(x.Exchange)
	text := fmt.Sprintf("%d %d", effectiveStatus(x), code)
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
			for _, p := range x.request.parameters() {
				if p.Value != "" {
					said = strings.ReplaceAll(said, p.Value, "#")
				}
			}
			if id := strings.Trim(string(x.request.get("clientId")), `"`); id != "" {
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

// lookalike makes up a text of the same form: letters for letters, digits for digits. The parts of a token that are not its signature stay.
func (w *world) lookalike(text string) string {
	from := 0
	if parts := strings.Split(text, "."); len(parts) == 3 && len(text) > 60 {
		from = len(text) - len(parts[2])
	}
	b := []byte(text)
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			b[i] = '0' + byte(w.random.IntN(10))
		case c >= 'a' && c <= 'f' && hexadecimal.MatchString(text):
			b[i] = 'a' + byte(w.random.IntN(6))
		case c >= 'A' && c <= 'F' && hexadecimal.MatchString(text):
			b[i] = 'A' + byte(w.random.IntN(6))
		case c >= 'a' && c <= 'z':
			b[i] = 'a' + byte(w.random.IntN(26))
		case c >= 'A' && c <= 'Z':
			b[i] = 'A' + byte(w.random.IntN(26))
		}
	}
	if made := string(b); made != text {
		return made
	}
	return text + "0"
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f-]+$|^[0-9A-F-]+$`)
