package steps

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// diagnosis checks before the suite, with about a dozen requests, whether the environment file is true of the service.
// It runs on live services alone. It calls a line wrong only if the service itself shows it: the service answers the
// value of the file like a made-up one, or does not list it and does not know it either. The suite finds the rest.
// Session tokens of the file, which may be good for one use, are never sent.
type diagnosis struct {
	w     *scene.World
	first *talk.Exchange // discovery
	known bool           // the address was looked at
}

// diagnose returns an error of the kind failure.Setup that names the line of the environment file that is wrong.
func (r *run) diagnose(ctx context.Context, discovery *talk.Exchange) error {
	if r.Control != nil || discovery == nil || !r.needsTenant() {
		return nil
	}
	d := &diagnosis{w: scene.New(r.Stage, &script.Scenario{ID: "diagnosis"}), first: discovery}
	d.parameter(ctx)
	works, err := d.signOn(ctx)
	if works || err != nil || ctx.Err() != nil {
		return r.Environment.Located(err)
	}
	return r.Environment.Located(d.address(ctx))
}

// address looks at what all calls need: path, tenant, service.
func (d *diagnosis) address(ctx context.Context) error {
	if d.known {
		return nil
	}
	d.known = true
	for _, look := range []func(context.Context) error{d.shut, d.path, d.tenant, d.service} {
		if err := look(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// needsTenant tells whether the run asks for more than discovery; if not, the answer of discovery is itself to be
// judged.
func (r *run) needsTenant() bool {
	for id := range r.selection.asked {
		if !strings.HasPrefix(id, "DISC-") {
			return true
		}
	}
	return false
}

// ask sends a request of the diagnosis. It is in no transcript and judges nothing.
func (d *diagnosis) ask(ctx context.Context, request *talk.Request) *talk.Exchange {
	d.w.KeepSecret(request)
	if d.w.Stage.Pace(ctx) != nil {
		return &talk.Exchange{Exchange: &wire.Exchange{}, Request: request}
	}
	x, _ := d.w.Say(ctx, request, 0)
	d.w.KeepAnswerSecret(x)
	return x
}

// refused tells whether a refusal is the service's own: neither a limiter's, nor a gateway's page, nor a service's own
// trouble.
func refused(x *talk.Exchange) bool {
	status := scene.EffectiveStatus(x)
	if _, page := wire.GatewayPage(x.Exchange); page || x.Turned != "" {
		return false
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
		http.StatusGone, http.StatusUnprocessableEntity:
		return x.Err == nil
	}
	return false
}

// same tells that two refusals cannot be told apart.
func same(a, b *talk.Exchange) bool {
	return refused(a) && refused(b) && scene.Likeness(a, true) == scene.Likeness(b, true)
}

// unknownSignOn is a sign-on with a session token and a device that nobody made.
func (d *diagnosis) unknownSignOn() *talk.Request {
	return d.signOnWith(d.w.Stage.SessionParameter(d.w.Service), "agstest-"+d.w.Invented(24),
		d.w.UnknownClientID())
}

// signOnWith is a sign-on with a session token, in a parameter of this name beside those that the file gives, and a
// device.
func (d *diagnosis) signOnWith(parameter, token, clientID string) *talk.Request {
	request := d.w.Prepare(ags.SignOnWithSessionToken)
	request.Set("parameters", talk.JSON(talk.WithGiven(talk.Parameter{Name: parameter, Value: token},
		d.w.Stage.Environment.SignOn.Parameters)))
	request.Set("clientId", talk.JSON(clientID))
	return request
}

// goodAgain is how often a good OperatorAuthToken that was refused is shown again before the file is blamed: a limiter,
// or one of several nodes, may refuse good ones now and then.
const goodAgain = 2

// mintGood asks for a session token with the documented OperatorAuthToken.
func mintGood(mint func(func(*talk.OperatorToken) error) (*talk.Exchange, error)) (*talk.Exchange, error) {
	good, err := mint(nil)
	for n := 0; n < goodAgain && err == nil && refused(good); n++ {
		good, err = mint(nil)
	}
	return good, err
}

// signOn tries the operator's secret and account, and the device of the situation active, where the file gives them. It
// tells whether a sign-on was granted: then path, tenant, service and the name of the parameter are right.
func (d *diagnosis) signOn(ctx context.Context) (works bool, err error) {
	w, e := d.w, d.w.Stage.Environment
	active, given := e.Situations["active"]
	if e.Operator == nil || !given || active.HasSessionToken() || active.Tenant != "" || active.Service != "" ||
		active.Proxy != "" {
		return false, nil
	}
	if err := w.UseAccount(ctx, "active", 0); err != nil {
		return false, nil //nolint:nilerr // the scenarios say what they lack
	}
	mint := func(change func(*talk.OperatorToken) error) (*talk.Exchange, error) {
		w.Operator = nil
		if change != nil {
			w.Operator = append(w.Operator, change)
		}
		request, err := w.HeadEndRequest()
		if err != nil {
			return nil, err
		}
		return d.ask(ctx, request), nil
	}
	good, err := mintGood(mint)
	if err != nil {
		return false, nil //nolint:nilerr // the scenarios say what they lack
	}
	w.Stage.Answered(good)
	if err := w.Stage.ReachHeadEnd(ctx, good); err != nil {
		return false, err
	}
	if refused(good) {
		return false, d.operator(ctx, good, active.AccountID != "", mint)
	}
	token, err := scene.ReadSessionToken(good)
	if err != nil || active.ClientID == "" {
		return false, nil //nolint:nilerr // a wrong answer is for the suite to find
	}
	if err := d.clock(good); err != nil {
		return false, err
	}
	x := d.ask(ctx, d.signOnWith(w.Stage.SessionParameter(w.Service), token, active.ClientID))
	w.Stage.Answered(x)
	if x.Status/100 == 2 && scene.EffectiveStatus(x) == x.Status {
		return true, nil
	}
	return false, d.device(ctx, x, active.ClientID, mint)
}

// operator looks why getSessionToken refuses the operator of the environment file: for the key, or for the account.
func (d *diagnosis) operator(ctx context.Context, good *talk.Exchange, named bool,
	mint func(func(*talk.OperatorToken) error) (*talk.Exchange, error)) error {
	w := d.w
	if err := d.address(ctx); err != nil {
		return err
	}
	bad, err := mint(func(t *talk.OperatorToken) (err error) {
		t.Key, err = t.Key.Other("agstest-" + w.Invented(32))
		return err
	})
	if err == nil && same(good, bad) && same(good, d.nowhere(ctx)) {
		return wire.Blame("operator.secret",
			"getSessionToken refuses the operator of the environment file (%s) just as one whose secret is made up, and as a "+
				"call that does not exist is refused: check operator.secret or operator.key, and operator.kid and tenant; or "+
				"nothing passes the call on: check url, prefix and operator.url", w.Describe(good))
	}
	if err == nil && same(good, bad) {
		return wire.Blame("operator.secret",
			"getSessionToken refuses the operator of the environment file (%s) just as one whose secret is made up: check "+
				"operator.secret or operator.key, and operator.kid and tenant", w.Describe(good))
	}
	stranger, err := mint(func(t *talk.OperatorToken) error {
		t.Set(ags.OperatorToken.Account, "agstest"+w.Invented(12))
		return nil
	})
	key := "operator.account"
	if named {
		key = "situations.active.accountId"
	}
	if err == nil && same(good, stranger) && scene.EffectiveStatus(good) != http.StatusBadRequest {
		return wire.Blame(key, "getSessionToken knows no account %q (%s), just as it knows no made-up one: check %s",
			w.Account.ID, w.Describe(good), key)
	}
	return nil
}

// device checks whether a clientId is refused just as a made-up one, while a made-up session token gets another answer.
func (d *diagnosis) device(ctx context.Context, known *talk.Exchange, id string,
	mint func(func(*talk.OperatorToken) error) (*talk.Exchange, error)) error {
	if code, ok := check.SubCode(known.Exchange); ok && code/1000 == 20 && code != 20003 {
		return d.standing(known, id, code)
	}
	good, err := mint(nil)
	if err != nil {
		return nil //nolint:nilerr // nothing can be told
	}
	token, err := scene.ReadSessionToken(good)
	if err != nil {
		return nil //nolint:nilerr // nothing can be told
	}
	x := d.ask(ctx, d.signOnWith(d.w.Stage.SessionParameter(d.w.Service), token, d.w.UnknownClientID()))
	if same(known, x) && !same(known, d.ask(ctx, d.unknownSignOn())) {
		return wire.Blame("situations.active.clientId",
			"signOnWithSessionToken refuses the clientId %q of situations.active (%s) just as a made-up one: check that it is "+
				"a device of that account", id, d.w.Describe(known))
	}
	return nil
}

// standing returns an error if a refusal names the state of the account or the device: the file says that both are in
// good standing, and everything else starts from them. Other reasons, such as the place of the caller, are left to the
// suite.
func (d *diagnosis) standing(known *talk.Exchange, id string, code int) error {
	if !refused(known) {
		return nil
	}
	switch code {
	case 20001, 20002:
		return wire.Blame("situations.active",
			"signOnWithSessionToken refuses the account of situations.active (%s): %s; name an account in good standing, or "+
				"have this one reactivated",
			d.w.Describe(known), ags.SubCodeMeaning(code))
	case 20004:
		return wire.Blame("situations.active.clientId",
			"signOnWithSessionToken refuses the clientId %q of situations.active (%s): %s; name a device in good standing, or "+
				"have this one enabled",
			id, d.w.Describe(known), ags.SubCodeMeaning(code))
	}
	return nil
}

// clock compares the Date of two answers with this machine's clock. An answer from a cache tells of another time.
func (d *diagnosis) clock(second *talk.Exchange) error {
	skew := max(d.w.Stage.Environment.ClockSkew, 2*time.Minute)
	var off time.Duration
	for _, x := range []*talk.Exchange{d.first, second} {
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
	return wire.Blame("clockSkew",
		"the clock of the service (header Date) is %s %s this machine's, more than %s: set the clock, or raise clockSkew, "+
			"which is %s",
		off.Abs().Round(time.Second), way, skew, d.w.Stage.Environment.ClockSkew)
}

// parameter notes what the service calls the session token: where discovery lists no sessionToken but one other
// mandatory parameter, and the service misses it (400) in a request that has a sessionToken and not in one that has the
// other.
func (d *diagnosis) parameter(ctx context.Context) {
	const usual = "sessionToken"
	r := d.w.Stage
	name := r.SessionParameter(r.Service)
	if r.Environment.SignOn.Parameter != "" || strings.EqualFold(name, usual) {
		return
	}
	ours := d.ask(ctx, d.signOnWith(usual, "agstest-"+d.w.Invented(24), d.w.UnknownClientID()))
	theirs := d.ask(ctx, d.unknownSignOn())
	if refused(ours) && scene.EffectiveStatus(ours) == http.StatusBadRequest && refused(theirs) &&
		scene.EffectiveStatus(theirs) != http.StatusBadRequest {
		r.Notes = append(r.Notes,
			fmt.Sprintf("the session token is sent as the parameter %q, as servicediscovery tells: the service misses it "+
				"(400) where it is called %s", name, usual))
	}
}

// nowhere asks for a call that does not exist.
func (d *diagnosis) nowhere(ctx context.Context) *talk.Exchange {
	request := d.w.Prepare(ags.SignOnWithSessionToken)
	request.Path = "/ags/agstest-" + d.w.Invented(8)
	return d.ask(ctx, request)
}

// shut checks whether everything is refused alike, whatever it asks, as by a gateway that wants a key.
func (d *diagnosis) shut(ctx context.Context) error {
	status := scene.EffectiveStatus(d.first)
	if !refused(d.first) || status != http.StatusUnauthorized && status != http.StatusForbidden {
		return nil
	}
	if !same(d.first, d.ask(ctx, d.unknownSignOn())) || !same(d.first, d.nowhere(ctx)) {
		return nil
	}
	return wire.Blame("url",
		"servicediscovery, signOnWithSessionToken and a call that does not exist are all refused alike (%s): something "+
			"before the service, such as a gateway that wants a key, may refuse whatever is sent; check url, headers, tls and "+
			"tenant, and ask who runs it", d.w.Describe(d.first))
}

// path checks whether all calls are answered like one that does not exist.
func (d *diagnosis) path(ctx context.Context) error {
	routeless := func(x *talk.Exchange) bool {
		return x.Err == nil && (scene.EffectiveStatus(x) == http.StatusNotFound ||
			scene.EffectiveStatus(x) == http.StatusMethodNotAllowed)
	}
	if !routeless(d.first) {
		return nil
	}
	signOn := d.ask(ctx, d.unknownSignOn())
	none := d.nowhere(ctx)
	if !routeless(signOn) || !routeless(none) || scene.Likeness(signOn, true) != scene.Likeness(none, true) {
		return nil
	}
	title, _ := wire.GatewayPage(none.Exchange)
	if title != "" {
		title = fmt.Sprintf(" with the page “%s”", d.w.Stage.Secrets.Text(title))
	}
	return wire.Blame("url",
		"servicediscovery and signOnWithSessionToken are answered like a call that does not exist (status %d)%s: check the "+
			"path in url, and prefix", none.Status, title)
}

// tenant checks whether discovery answers for the tenant just as for a made-up one.
func (d *diagnosis) tenant(ctx context.Context) error {
	w := d.w
	if w.Tenant == "" || len(w.Stage.Services) > 0 || !refused(d.first) &&
		scene.EffectiveStatus(d.first) != http.StatusOK {
		return nil
	}
	request := w.Prepare(ags.ServiceDiscovery)
	request.SetHeader(ags.HeaderTenant, "agstest-"+w.Invented(8))
	x := d.ask(ctx, request)
	alike := scene.Likeness(x, true) == scene.Likeness(d.first, true) && x.Err == nil &&
		(refused(x) || scene.EffectiveStatus(x) == http.StatusOK)
	// Where a sign-on for the tenant is answered otherwise than for the made-up one, the tenant is known and discovery
	// alone is wrong.
	if !alike {
		return nil
	}
	ours := d.ask(ctx, d.unknownSignOn())
	other := d.unknownSignOn()
	other.SetHeader(ags.HeaderTenant, "agstest-"+w.Invented(8))
	if !same(ours, d.ask(ctx, other)) {
		return nil
	}
	return wire.Blame("tenant",
		"servicediscovery and signOnWithSessionToken answer for the tenant %q (%s) just as for a made-up one: check tenant",
		w.Tenant, w.Describe(d.first))
}

// service looks whether the service of the file is neither listed nor known.
func (d *diagnosis) service(ctx context.Context) error {
	w := d.w
	wanted := w.Stage.Environment.Service
	var listed []string
	for _, s := range w.Stage.Services {
		if s.Name == "" {
			return nil
		}
		listed = append(listed, s.Name)
		if s.Name == wanted {
			return nil
		}
	}
	if wanted == "" || len(listed) == 0 {
		return nil
	}
	ours := d.ask(ctx, d.unknownSignOn())
	other := d.unknownSignOn()
	other.SetHeader(ags.HeaderService, "agstest-"+w.Invented(8))
	if !same(ours, d.ask(ctx, other)) {
		return nil
	}
	advice := "it lists " + quotedList(listed)
	if near := failure.Nearest(wanted, listed); near != "" {
		advice += fmt.Sprintf("; did you mean %q?", near)
	}
	return wire.Blame("service",
		"servicediscovery lists no service %q, and signOnWithSessionToken answers for it just as for a made-up one: %s",
		wanted, advice)
}

func quotedList(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return figures.Some(quoted, 8, ", ")
}
