package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// EffectiveStatus is the status that an answer means: the gateway of legacy set-ups refuses with 200 (ambiguity 7.27),
// and so do some firewalls.
func EffectiveStatus(x *talk.Exchange) int {
	if x.Status != http.StatusOK && x.Status != http.StatusCreated {
		return x.Status
	}
	if bytes.HasPrefix(bytes.TrimSpace(x.Body[:min(len(x.Body), 64)]), []byte("<")) && wire.BarredBy(x.Exchange) != "" {
		return http.StatusForbidden
	}
	if !bytes.Contains(x.Body, []byte("resultCode")) && bytes.IndexByte(x.Body, '\\') < 0 {
		return x.Status // no such member, not even one with escapes in its name
	}
	body, _ := strictjson.Parse(x.Body)
	if code := body.Get("resultCode").String(); strings.HasPrefix(code, "99999:") {
		if n, err := strconv.Atoi(strings.TrimPrefix(code, "99999:")); err == nil && n >= 400 && n < 600 {
			return n
		}
		return http.StatusForbidden
	}
	return x.Status
}

// Describe says in a few words what came, without a secret.
func (w *World) Describe(x *talk.Exchange) string {
	if x.Status == 0 {
		return "no answer: " + ErrorText(x.Err)
	}
	text := fmt.Sprintf("status %d", x.Status)
	if effective := EffectiveStatus(x); effective != x.Status {
		text += fmt.Sprintf(" that means %d (resultCode)", effective)
	}
	if code, ok := check.SubCode(x.Exchange); ok && x.Status >= 400 && code != x.Status {
		text += fmt.Sprintf(" with sub-code %d", code)
	}
	if HasTokens(x) {
		text += " with tokens"
	}
	return text
}

func HasTokens(x *talk.Exchange) bool {
	body, _ := strictjson.Parse(x.Body)
	return FindsTokens(body)
}

func FindsTokens(v *strictjson.Value) bool {
	if v == nil {
		return false
	}
	for _, m := range v.Members {
		if m.Name == "access_token" || m.Name == "refresh_token" || FindsTokens(m.Value) {
			return true
		}
	}
	return slices.ContainsFunc(v.Items, FindsTokens)
}

func NoTokens(x *talk.Exchange) error {
	if HasTokens(x) {
		return talk.Missf("no access_token and no refresh_token", "an answer with status %d that holds some", x.Status)
	}
	return nil
}

// Member finds a value by its path, dots between the names.
func (w *World) Member(path string) (*strictjson.Value, error) {
	x, err := w.Last()
	if err != nil {
		return nil, err
	}
	v, err := strictjson.Parse(x.Body)
	if v == nil {
		return nil, talk.Missf("a JSON body", "%s whose body is no JSON: %v", w.Describe(x), err)
	}
	for name := range strings.SplitSeq(path, ".") {
		v = v.Get(name)
	}
	return v, nil
}

func ReadPair(x *talk.Exchange) (*check.Pair, error) {
	if EffectiveStatus(x)/100 != 2 {
		return nil, fmt.Errorf("status %d", x.Status)
	}
	return check.ReadPair(x.Exchange)
}

func ReadSessionToken(x *talk.Exchange) (string, error) {
	if EffectiveStatus(x)/100 != 2 {
		return "", fmt.Errorf("status %d", x.Status)
	}
	return check.ReadSessionToken(x.Exchange)
}

func Granted(x *talk.Exchange) bool {
	status := EffectiveStatus(x)
	return status/100 == 2 || status == http.StatusMultipleChoices
}

// A page says nothing of a rule where the service itself does not answer with pages: something on the way has sent it.

// Barred explains an answer that is a gateway's own page: the call was not passed on, and the service has not said
// anything.
func Barred(x *talk.Exchange) string {
	maker := wire.BarredBy(x.Exchange)
	if maker == "" {
		return ""
	}
	title, _ := wire.GatewayPage(x.Exchange)
	return fmt.Sprintf("status %d came with a page of %s, “%s”: a firewall or another rule there refused the call, and "+
		"the service was not asked", x.Status, maker, title)
}

// Stray explains a page or a redirect that came to a request which a service may refuse: neither lets anybody in, and
// neither refuses. Where good requests of the call are answered as documented, something on the way may have given it.
func (w *World) Stray(ctx context.Context, x *talk.Exchange) string {
	instead := wire.StandIn(x.Exchange)
	if instead == "" || x.Request.Operation == "" || wire.BarredBy(x.Exchange) != "" {
		return ""
	}
	if w.Control {
		w.Stage.mu.Lock()
		defer w.Stage.mu.Unlock()
		if w.Stage.grants[x.Request.Operation] == 0 {
			return ""
		}
	} else if ok, _ := w.Controlled(ctx, x.Request.Operation); !ok {
		return ""
	}
	return w.Stage.Secrets.Text(fmt.Sprintf("%s came to %s, whose good requests are answered as documented: a firewall, "+
		"a login or a portal may have given it, and what the service says is not known; ask who runs the gateway",
		instead, x.Request.Operation))
}

// Paged explains a page that refuses a request of the documented form. Nobody knows whether the service would refuse
// it, where it refuses a credential that nobody has with something else than that page: then the page may be of a
// gateway that minds how long the request is, or of a firewall. Status 401 is no such page: a gateway may be the one
// that looks at tokens.
func (w *World) Paged(ctx context.Context, x *talk.Exchange) string {
	title, page := wire.GatewayPage(x.Exchange)
	if !page || EffectiveStatus(x)/100 != 4 || x.Status == http.StatusUnauthorized || wire.BarredBy(x.Exchange) != "" ||
		!w.presents(x.Request) {
		return ""
	}
	r := w.Stage
	key := "page " + x.Request.Operation + " " + Likeness(x, true)
	r.mu.Lock()
	usual, known := r.apart[key]
	r.mu.Unlock()
	if !known {
		other, err := w.aside(ctx, x.Request, func(q *talk.Request) bool { w.makeUp(q); return true })
		if err != nil || EffectiveStatus(other)/100 != 4 {
			return ""
		}
		if _, paged := wire.GatewayPage(other.Exchange); !paged {
			usual = w.Describe(other)
		}
		r.mu.Lock()
		r.apart[key] = usual
		r.mu.Unlock()
	}
	if usual == "" {
		return ""
	}
	if title != "" {
		title = " “" + title + "”"
	}
	return r.Secrets.Text(fmt.Sprintf("status %d came to %s with a page%s, and a credential that nobody has is refused "+
		"without one there (%s): a gateway or a firewall may have given the page, and whether the service refuses is not "+
		"known", x.Status, x.Request.Operation, title, usual))
}

// presents tells that a request has the documented form and presents something that lets in, good or not.
func (w *World) presents(r *talk.Request) bool {
	var list []talk.Parameter
	if r.Body != nil || json.Unmarshal(r.Get("parameters"), &list) != nil || r.HeaderValue(ags.HeaderService) == "" ||
		r.HeaderValue("Content-Type") != "application/json" {
		return false // what reads requests, and not what knows credentials, may have refused it
	}
	named := len(list) > 0 && !slices.ContainsFunc(list,
		func(p talk.Parameter) bool { return p.Name == "" || p.Value == "" })
	switch r.Operation {
	case ags.Refresh, ags.SignOut:
		return r.HeaderValue(ags.HeaderAuthorization) != ""
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		return r.HeaderValue(ags.HeaderUserToken) != ""
	case ags.GetSessionToken:
		return w.PresentedOperator(r) != ""
	case ags.SignOn, ags.SignOnWithSessionToken:
		var id string
		json.Unmarshal(r.Get("clientId"), &id)
		return named && (id == "") == (r.Get("deviceInformation") != nil)
	}
	return named && r.Operation == ags.Register
}

// makeUp puts what nobody has in the place of all that lets in, and short: that of a device too, so that none is made.
func (w *World) makeUp(r *talk.Request) {
	strange := func() string { return "agstest-" + w.Invented(12) }
	headers := []string{ags.HeaderUserToken}
	if o := w.Stage.Environment.Operator; o != nil {
		headers = append(headers, o.Header)
	}
	if r.HeaderValue(ags.HeaderAuthorization) != "" {
		w.Authorize(r, strange())
	}
	for _, name := range headers {
		if r.HeaderValue(name) != "" {
			r.SetHeader(name, strange())
		}
	}
	list := r.Parameters()
	for i := range list {
		list[i].Value = strange()
	}
	if len(list) > 0 {
		r.Set("parameters", talk.JSON(list))
	}
	if r.Get("deviceInformation") != nil {
		r.Drop("deviceInformation")
		r.Set("clientId", talk.JSON(w.UnknownClientID()))
	}
}
