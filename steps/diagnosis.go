package steps

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/internal/wire"
)

// diagnosis finds out before the suite, with about a dozen requests, whether the environment file says what is true of the service. It
// runs on live services alone. It says that a line is wrong only where the service itself shows it: it answers what the file gives just
// as what nobody ever made, or does not list it and does not know it either. What it cannot tell is left to the suite. Session tokens
// of the file, which may be good for one use, are never sent.
type diagnosis struct {
	w     *world
	first *exchange // discovery
	known bool      // the address was looked at
}

// diagnose returns an error of the kind failure.Setup that names the line of the environment file that is wrong.
func (r *run) diagnose(ctx context.Context, discovery *exchange) error {
	if r.control != nil || discovery == nil || !r.needsTenant() {
		return nil
	}
	d := &diagnosis{w: newWorld(r, &scenario{id: "diagnosis"}), first: discovery}
	d.parameter(ctx)
	works, err := d.signOn(ctx)
	if works || err != nil || ctx.Err() != nil {
		return r.environment.Located(err)
	}
	return r.environment.Located(d.address(ctx))
}

// address looks at what all calls need: path, tenant, service.
func (d *diagnosis) address(ctx context.Context) error {
	if d.known {
		return nil
	}
	d.known = true
	for _, look := range []func(context.Context) error{d.path, d.tenant, d.service} {
		if err := look(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// needsTenant tells whether anything beyond discovery is asked: else what discovery shows is what is to be judged.
func (r *run) needsTenant() bool {
	for id := range r.selection.asked {
		if !strings.HasPrefix(id, "DISC-") {
			return true
		}
	}
	return false
}

// ask sends a request of the diagnosis. It is in no transcript and judges nothing.
func (d *diagnosis) ask(ctx context.Context, request *request) *exchange {
	d.w.keepSecret(request)
	if d.w.run.pace(ctx) != nil {
		return &exchange{Exchange: &wire.Exchange{}, request: request}
	}
	x := &exchange{Exchange: d.w.run.clientOf(request).Do(ctx, request.call()), request: request}
	d.w.keepAnswerSecret(x)
	return x
}

// refused tells a refusal that says something: neither a limiter's, nor a gateway's page, nor a service's own trouble.
func refused(x *exchange) bool {
	status := effectiveStatus(x)
	if _, page := wire.GatewayPage(x.Exchange); page {
		return false
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return x.Err == nil
	}
	return false
}

// same tells that two refusals cannot be told apart.
func same(a, b *exchange) bool {
	return refused(a) && refused(b) && likeness(a, true) == likeness(b, true)
}

// unknownSignOn is a sign-on with a session token and a device that nobody made.
func (d *diagnosis) unknownSignOn() *request {
	request := d.w.prepare(ags.SignOnWithSessionToken)
	request.set("parameters", rawJSON([]parameter{{d.w.run.parameterName(d.w.service, "/signOnWithSessionToken", "sessionToken"), "agstest-" + d.w.invented(24)}}))
	request.set("clientId", rawJSON("agstest_"+d.w.invented(16)))
	return request
}

// signOn tries the operator's secret and account, and the device of the situation active, where the file gives them. It tells whether a
// sign-on was granted: then path, tenant, service and the name of the parameter are right.
func (d *diagnosis) signOn(ctx context.Context) (works bool, err error) {
	w, e := d.w, d.w.run.environment
	active, given := e.Situations["active"]
	if e.Operator == nil || !given || active.HasSessionToken() || active.Tenant != "" || active.Service != "" || active.Proxy != "" {
		return false, nil
	}
	if err := w.useAccount(ctx, "active", 0); err != nil {
		return false, nil //nolint:nilerr // the scenarios say what they lack
	}
	mint := func(change func(*operatorToken) error) (*exchange, error) {
		w.operator = nil
		if change != nil {
			w.operator = append(w.operator, change)
		}
		request, err := w.headEndRequest()
		if err != nil {
			return nil, err
		}
		return d.ask(ctx, request), nil
	}
	good, err := mint(nil)
	if err != nil {
		return false, nil
	}
	if refused(good) {
		if err := d.address(ctx); err != nil {
			return false, err
		}
		bad, err := mint(func(t *operatorToken) (err error) {
			t.key, err = t.key.Other("agstest-" + w.invented(32))
			return err
		})
		if err == nil && same(good, bad) {
			return false, wire.Blame("operator.secret", "getSessionToken refuses the operator of the environment file (%s) just as one whose secret is made up: check operator.secret or operator.key, and operator.kid and tenant", w.describe(good))
		}
		stranger, err := mint(func(t *operatorToken) error { t.set(ags.OperatorToken.Account, "agstest"+w.invented(12)); return nil })
		key := "operator.account"
		if active.AccountID != "" {
			key = "situations.active.accountId"
		}
		if err == nil && same(good, stranger) && effectiveStatus(good) != http.StatusBadRequest {
			return false, wire.Blame(key, "getSessionToken knows no account %q (%s), just as it knows no made-up one: check %s", w.account.id, w.describe(good), key)
		}
		return false, nil
	}
	token, err := readSessionToken(good)
	if err != nil || active.ClientID == "" {
		return false, nil //nolint:nilerr // a wrong answer is for the suite to find
	}
	if err := d.clock(good); err != nil {
		return false, err
	}
	request := d.unknownSignOn()
	request.set("parameters", rawJSON([]parameter{{w.run.parameterName(w.service, "/signOnWithSessionToken", "sessionToken"), token}}))
	request.set("clientId", rawJSON(active.ClientID))
	x := d.ask(ctx, request)
	if x.Status/100 == 2 && effectiveStatus(x) == x.Status {
		return true, nil
	}
	return false, d.device(ctx, x, active.ClientID, mint)
}

// device looks whether a clientId is refused just as one that nobody made, where a made-up session token gets another answer.
func (d *diagnosis) device(ctx context.Context, known *exchange, id string, mint func(func(*operatorToken) error) (*exchange, error)) error {
	if code, ok := check.SubCode(known.Exchange); ok && code/1000 == 20 && code != 20003 {
		return nil // another reason, such as where the caller is or the state of the account
	}
	good, err := mint(nil)
	if err != nil {
		return nil //nolint:nilerr // nothing can be told
	}
	token, err := readSessionToken(good)
	if err != nil {
		return nil //nolint:nilerr // nothing can be told
	}
	stranger := d.unknownSignOn()
	stranger.set("parameters", rawJSON([]parameter{{d.w.run.parameterName(d.w.service, "/signOnWithSessionToken", "sessionToken"), token}}))
	x := d.ask(ctx, stranger)
	if same(known, x) && !same(known, d.ask(ctx, d.unknownSignOn())) {
		return wire.Blame("situations.active.clientId", "signOnWithSessionToken refuses the clientId %q of situations.active (%s) just as a made-up one: check that it is a device of that account", id, d.w.describe(known))
	}
	return nil
}

// clock holds the Date of two answers against this machine's clock. An answer from a cache tells of another time.
func (d *diagnosis) clock(second *exchange) error {
	skew := max(d.w.run.environment.ClockSkew, 2*time.Minute)
	var off time.Duration
	for _, x := range []*exchange{d.first, second} {
		date, err := http.ParseTime(x.Header.Get("Date"))
		if err != nil || x.Header.Get("Age") != "" {
			return nil //nolint:nilerr // nothing can be told
		}
		switch {
		case date.Sub(x.Received) > skew:
			off = date.Sub(x.Received)
		case x.Sent.Sub(date) > skew+time.Second:
			off = date.Sub(x.Sent)
		default:
			return nil
		}
	}
	way := "ahead of"
	if off < 0 {
		way = "behind"
	}
	return wire.Blame("clockSkew", "the clock of the service (header Date) is %s %s this machine's, more than clockSkew (%s) allows: set the clock, or raise clockSkew", off.Abs().Round(time.Second), way, skew)
}

// parameter finds out what the service calls the session token: where discovery lists no sessionToken but one other mandatory parameter,
// and the service misses it (400) in a request that has a sessionToken and not in one that has the other, it is that one.
func (d *diagnosis) parameter(ctx context.Context) {
	r := d.w.run
	listed := r.parametersOf(r.service, "/signOnWithSessionToken")
	sole := soleMandatory(listed)
	if sole == "" || r.parameterName(r.service, "/signOnWithSessionToken", "sessionToken") != "sessionToken" || strings.EqualFold(sole, "sessionToken") {
		return
	}
	ours := d.ask(ctx, d.unknownSignOn())
	r.tokenParameter = sole
	theirs := d.ask(ctx, d.unknownSignOn())
	if !refused(ours) || effectiveStatus(ours) != http.StatusBadRequest || !refused(theirs) || effectiveStatus(theirs) == http.StatusBadRequest {
		r.tokenParameter = ""
		return
	}
	r.notes = append(r.notes, fmt.Sprintf("the session token is sent as the parameter %q, as servicediscovery tells: the service misses it (400) where it is called sessionToken", sole))
}

// path looks whether all calls are answered as one that does not exist.
func (d *diagnosis) path(ctx context.Context) error {
	nowhere := d.w.prepare(ags.SignOnWithSessionToken)
	nowhere.path = "/ags/agstest-" + d.w.invented(8)
	routeless := func(x *exchange) bool {
		return x.Err == nil && (effectiveStatus(x) == http.StatusNotFound || effectiveStatus(x) == http.StatusMethodNotAllowed)
	}
	if !routeless(d.first) {
		return nil
	}
	signOn := d.ask(ctx, d.unknownSignOn())
	none := d.ask(ctx, nowhere)
	if !routeless(signOn) || !routeless(none) || likeness(signOn, true) != likeness(none, true) {
		return nil
	}
	title, _ := wire.GatewayPage(none.Exchange)
	if title != "" {
		title = fmt.Sprintf(" with the page “%s”", d.w.run.secrets.Text(title))
	}
	return wire.Blame("url", "servicediscovery and signOnWithSessionToken are answered like a call that does not exist (status %d)%s: check the path in url, and prefix", none.Status, title)
}

// tenant looks whether discovery answers for the tenant just as for one that nobody made.
func (d *diagnosis) tenant(ctx context.Context) error {
	w := d.w
	if w.tenant == "" || len(w.run.services) > 0 || !refused(d.first) && effectiveStatus(d.first) != http.StatusOK {
		return nil
	}
	request := w.prepare(ags.ServiceDiscovery)
	request.setHeader(ags.HeaderTenant, "agstest-"+w.invented(8))
	x := d.ask(ctx, request)
	alike := likeness(x, true) == likeness(d.first, true) && x.Err == nil && (refused(x) || effectiveStatus(x) == http.StatusOK)
	// Where a sign-on for the tenant is answered otherwise than for the made-up one, the tenant is known and discovery alone is wrong.
	if !alike {
		return nil
	}
	ours := d.ask(ctx, d.unknownSignOn())
	other := d.unknownSignOn()
	other.setHeader(ags.HeaderTenant, "agstest-"+w.invented(8))
	if !same(ours, d.ask(ctx, other)) {
		return nil
	}
	return wire.Blame("tenant", "servicediscovery and signOnWithSessionToken answer for the tenant %q (%s) just as for a made-up one: check tenant", w.tenant, w.describe(d.first))
}

// service looks whether the service of the file is neither listed nor known.
func (d *diagnosis) service(ctx context.Context) error {
	w := d.w
	wanted := w.run.environment.Service
	var listed []string
	for _, s := range w.run.services {
		if s.name == "" {
			return nil
		}
		listed = append(listed, s.name)
		if s.name == wanted {
			return nil
		}
	}
	if wanted == "" || len(listed) == 0 {
		return nil
	}
	ours := d.ask(ctx, d.unknownSignOn())
	other := d.unknownSignOn()
	other.setHeader(ags.HeaderService, "agstest-"+w.invented(8))
	if !same(ours, d.ask(ctx, other)) {
		return nil
	}
	advice := "it lists " + quotedList(listed)
	if near := failure.Nearest(wanted, listed); near != "" {
		advice += fmt.Sprintf("; did you mean %q?", near)
	}
	return wire.Blame("service", "servicediscovery lists no service %q, and signOnWithSessionToken answers for it just as for a made-up one: %s", wanted, advice)
}

func quotedList(names []string) string {
	var quoted []string
	for i, name := range names {
		if i == 8 {
			quoted = append(quoted, fmt.Sprintf("%d more", len(names)-i))
			break
		}
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return strings.Join(quoted, ", ")
}

// soleMandatory is the one parameter that discovery calls mandatory for an endpoint, where there is just one.
func soleMandatory(parameters []parameterProperty) string {
	name := ""
	for _, p := range parameters {
		if !p.mandatory {
			continue
		}
		if name != "" {
			return ""
		}
		name = p.name
	}
	return name
}
