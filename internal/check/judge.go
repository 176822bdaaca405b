package check

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// Judge evaluates every rule that applies to an exchange, whatever the scenario wanted from it: documented status,
// error rules, shape of the answer, tokens, identity. A rule that did not apply leaves no finding; an exchange without
// an answer, or with a firewall's under status 200, has none at all. Findings come in a fixed order and hold no token
// and no secret.
func Judge(x *wire.Exchange, k Known) []Finding {
	if x == nil || x.Status == 0 {
		return nil
	}
	j := &judge{x: x, k: k, barred: wire.BarredBy(x) != ""}
	if x.Status == http.StatusOK && j.barred {
		return nil
	}
	j.findings = make([]Finding, 0, usualFindings)
	j.operation, j.known = ags.OperationByName(x.Call.Operation)
	j.body, j.bodyErr = parseBody(x)
	j.status()
	j.givesNothingAway()
	if j.refusedWithSuccess() {
		j.errors()
		return j.findings
	}
	switch {
	case x.Status/100 == 2:
		j.success()
	case x.Status == http.StatusMultipleChoices:
		j.choice()
	default:
		j.errors()
	}
	return j.findings
}

type judge struct {
	x         *wire.Exchange
	k         Known
	operation ags.Operation
	known     bool              // the operation is one of the nine
	body      *strictjson.Value // nil where bodyErr is not recoverable
	bodyErr   error
	barred    bool             // wire.BarredBy names what gave the answer in place of the service
	apart     map[string]parts // tokens of the answer that were looked at
	findings  []Finding
}

// usualFindings is room for those of an answer with tokens, which have the most.
const usualFindings = 40

func (j *judge) add(id string, o Outcome, expected, got string) {
	j.findings = append(j.findings, Finding{id, o, expected, got})
}

// rule adds Held, or Broken with the value that came instead.
func (j *judge) rule(id string, held bool, expected, got string) {
	o := Held
	if !held {
		o = Broken
	}
	j.add(id, o, expected, got)
}

// object returns the body as a JSON object; nil if it is none.
func (j *judge) object() *strictjson.Value {
	if j.body == nil || j.body.Kind != ags.Object {
		return nil
	}
	return j.body
}

// is tells whether the exchange belongs to one of the operations.
func (j *judge) is(operations ...string) bool { return slices.Contains(operations, j.x.Call.Operation) }

// Statuses that the pages do not list but that a tolerant reading allows: they do not say how discovery refuses a bad
// tenant, nor how signOut refuses a bad token (ambiguities 7.11, 7.12).
var tolerated = map[string][]int{
	ags.ServiceDiscovery: {http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden},
	ags.SignOut:          {http.StatusUnauthorized},
}

func (j *judge) status() {
	j.throttling()
	j.serverError()
	j.documentedStatus()
	if j.is(ags.SignOnWithSessionToken) && (j.x.Status == http.StatusMultipleChoices || j.x.Status/100 == 2) {
		j.rule("SOST-24", j.x.Status != http.StatusMultipleChoices, "no status 300",
			fmt.Sprintf("status %d", j.x.Status))
	}
}

// throttled: a limiter or a gateway has no room for the call, which says nothing about it, whether or not it tells when
// to come again.
func (j *judge) throttled() bool {
	return wire.SaysTooMany(j.x)
}

// PassingFault begins what came where a fault of the service passed when the same was sent again. Which call it hits is
// chance.
const PassingFault = "at first, and otherwise when the same was sent again: "

func (j *judge) throttling() {
	for _, a := range j.x.Attempts {
		if !wire.TooMany(a.Status) && !a.InWords { // an outage, which is none of the call's
			if a.Status/100 == 5 && !wire.Unreached(a.Status) && !a.Limited {
				j.add("ERR-08", Soft, "no status 5xx",
					fmt.Sprintf(PassingFault+"status %d, which came whatever was asked", a.Status))
			}
			continue
		}
		after := "without Retry-After"
		if a.RetryAfter != "" {
			after = "with Retry-After " + strictjson.Brief(a.RetryAfter)
		}
		j.add("ERR-12", Observed, "", fmt.Sprintf("status %d %s, waited out", a.Status, after))
		if a.Status/100 == 5 && !a.Limited && !j.throttled() {
			j.add("ERR-08", Soft, "no status 5xx",
				fmt.Sprintf(PassingFault+"status %d, in which nothing tells of a limit on the rate", a.Status))
		}
	}
	if j.throttled() {
		after := "without Retry-After"
		if v := j.x.Header.Get("Retry-After"); v != "" {
			after = "with Retry-After " + strictjson.Brief(v)
		}
		j.add("ERR-12", Observed, "", fmt.Sprintf("status %d %s", j.x.Status, after))
	}
}

// gatewaysOwn tells the answer of a gateway to a request that it does not pass on, or to an answer that it cannot: a
// page that is no JSON, for a request that has more than 2 kB of headers, or the page of a known program that bars it.
// nginx has 4 kB of room for the headers of an answer (502), and most gateways for 8 kB of a request.
func (j *judge) gatewaysOwn() bool {
	if j.barred {
		return true
	}
	length := 0
	for name, values := range j.x.Call.Header {
		for _, v := range values {
			length += len(name) + len(v)
		}
	}
	if length <= 2<<10 || len(j.x.Body) == 0 || json.Valid(j.x.Body) {
		return false
	}
	_, page := wire.GatewayPage(j.x)
	return page
}

func (j *judge) serverError() {
	switch {
	case j.barred: // the service's own answer is not known
	case j.gatewaysOwn():
		j.add("GW-07", Observed, "",
			fmt.Sprintf("status %d of what looks like a gateway to a request with large headers", j.x.Status))
	case wire.LimitsRequests(j.x.Status), j.throttled() && !wire.TooMany(j.x.Status):
	case j.throttled():
		j.add("ERR-08", Unknown, "no status 5xx", fmt.Sprintf("status %d says that there was no room for the call",
			j.x.Status))
	case j.x.Status == http.StatusNotImplemented && (!j.known || j.x.Call.Method != j.operation.Method):
		// HTTP's own for a method that a server does not know at all (RFC 9110 section 15.6.2)
	case j.x.Status/100 == 5 && j.otherMethod():
		j.add("ERR-08", Soft, "no status 5xx", fmt.Sprintf("status %d to %s, which is not the method of the call",
			j.x.Status, j.x.Call.Method))
	case j.x.Status/100 == 5 && j.oddForm():
		j.add("ERR-08", Soft, "no status 5xx",
			fmt.Sprintf("status %d to a request that is no JSON object in JSON's media type", j.x.Status))
	case j.x.Status/100 == 5:
		j.add("ERR-08", Broken, "no status 5xx", fmt.Sprintf("status %d", j.x.Status))
	case j.x.Status/100 == 4:
		j.add("ERR-08", Held, "no status 5xx", fmt.Sprintf("status %d", j.x.Status))
	}
}

func (j *judge) documentedStatus() {
	if !j.known || j.x.Call.Method != j.operation.Method {
		return // another method on the path is a question of its own (SOST-30)
	}
	s := j.x.Status
	expected := "one of " + joinInts(j.operation.Statuses)
	got := fmt.Sprintf("status %d", s)
	switch {
	case slices.Contains(j.operation.Statuses, s):
		j.add("ERR-09", Held, expected, got)
	case slices.Contains(tolerated[j.operation.Name], s):
		j.add("ERR-09", Held, expected+", or another refusal where the page is silent", got)
	case j.gatewaysOwn(): // the service's own answer is not known
	case j.throttled():
		j.add("ERR-09", Unknown, expected, got+" says that there was no room for the call")
	case s == http.StatusProxyAuthRequired, s == http.StatusRequestTimeout, j.tooLongForAGateway():
		j.add("ERR-09", Unknown, expected, got+" is of something on the way to the service")
	case j.refusesForm():
		// HTTP itself has a status for a request that is too long or in another media type.
	case s/100 == 4, s/100 == 5 && j.oddForm():
		// Which 4xx a refusal has is up to the plug-in that a customer has; where the page's sentence names the case, its own
		// requirement says so.
		j.add("ERR-09", Soft, expected, got)
	default:
		j.add("ERR-09", Broken, expected, got)
	}
}

// otherMethod tells whether the path is that of a call whose method is another.
func (j *judge) otherMethod() bool {
	path, _, _ := strings.Cut(j.x.Call.Path, "?")
	return slices.ContainsFunc(ags.Operations, func(o ags.Operation) bool {
		fixed, _, _ := strings.Cut(o.Path, "{")
		return o.Method != j.x.Call.Method && (path == o.Path || fixed != o.Path && strings.HasPrefix(path, fixed))
	})
}

// oddForm tells whether a service could understand nothing in the request: its media type is another, or its body is no
// JSON object.
func (j *judge) oddForm() bool {
	if j.x.Call.Method == http.MethodGet {
		return false
	}
	if kind := requestHeader(j.x.Call.Header, "Content-Type"); !isJSON(kind) && (kind != "" || len(j.x.Call.Body) > 0) {
		return true
	}
	if len(j.x.Call.Body) == 0 {
		return false
	}
	body, err := strictjson.Parse(j.x.Call.Body)
	return err != nil && !strictjson.Recoverable(err) || body.Kind != ags.Object
}

// refusesForm tells whether the status is HTTP's own for the unusual form of this request.
func (j *judge) refusesForm() bool {
	length := 0
	for name, values := range j.x.Call.Header {
		for _, v := range values {
			length += len(name) + len(v)
		}
	}
	switch j.x.Status {
	case http.StatusRequestEntityTooLarge:
		return len(j.x.Call.Body) > 8<<10
	case http.StatusRequestHeaderFieldsTooLarge:
		return length > 4<<10
	case http.StatusRequestURITooLong:
		return len(j.x.Call.Path) > 1<<10
	case http.StatusUnsupportedMediaType:
		return !isJSON(requestHeader(j.x.Call.Header, "Content-Type"))
	case http.StatusNotAcceptable:
		return requestHeader(j.x.Call.Header, "Accept") != ""
	}
	return false
}

// tooLongForAGateway tells whether a page, which is no answer of the service's, says that a request was too long.
func (j *judge) tooLongForAGateway() bool {
	if s := j.x.Status; s != http.StatusRequestEntityTooLarge && s != http.StatusRequestHeaderFieldsTooLarge {
		return false
	}
	_, page := wire.GatewayPage(j.x)
	return page
}

// refusedWithSuccess recognises the legacy way of the gateway to refuse a token with status 200 (ambiguity 7.27).
func (j *judge) refusedWithSuccess() bool {
	if j.x.Status/100 != 2 || j.object() == nil {
		return false
	}
	code := j.object().Get("resultCode")
	refused := gatewayRefusal(code.String())
	got := "no resultCode"
	if code != nil {
		got = "resultCode " + strictjson.Brief(code.Text)
	}
	j.rule("GW-02", !refused, "no refusal under status "+fmt.Sprint(j.x.Status), got)
	return refused
}

// success judges the body of a 2xx answer. Another 2xx than the documented one is ERR-09's matter; its body is judged
// all the same.
func (j *judge) success() {
	if !j.known {
		return
	}
	switch j.operation.Body {
	case ags.DiscoveryBody:
		j.contentType(true)
		j.discovery()
	case ags.TokenBody:
		j.contentType(true)
		j.tokenBody()
	case ags.SessionTokenBody:
		j.contentType(true)
		j.sessionToken()
	default:
		j.contentType(false)
		j.unspecified()
	}
}

// contentType judges GW-05. Where JSON is not documented, only a body that is JSON has to say so.
func (j *judge) contentType(documented bool) {
	if len(j.x.Body) == 0 || !documented && j.object() == nil {
		return
	}
	got := j.x.Header.Get("Content-Type")
	shown := "Content-Type " + strictjson.Brief(got)
	if got == "" {
		shown = "no Content-Type"
	}
	switch {
	case isJSON(got):
		j.add("GW-05", Held, "a JSON content type", shown)
	case documented || j.x.Status/100 == 2:
		j.add("GW-05", Broken, "a JSON content type", shown)
	default:
		j.add("GW-05", Soft, "a JSON content type", shown) // the form of errors is not documented
	}
}

// isJSON knows application/json and the types with the suffix +json, in any case and with any parameter (RFC 6839
// section 3.1).
func isJSON(contentType string) bool {
	essence, _, _ := strings.Cut(contentType, ";")
	essence = strings.ToLower(strings.TrimSpace(essence))
	kind, subtype, ok := strings.Cut(essence, "/")
	return ok && (essence == "application/json" || kind != "" && len(subtype) > len("+json") &&
		strings.HasSuffix(subtype, "+json"))
}

func (j *judge) sessionToken() {
	expected := "a non-empty string sessionToken"
	if j.object() == nil {
		j.add("GST-02", Broken, expected, j.notObject())
		return
	}
	token := j.object().Get("sessionToken")
	switch {
	case token.String() == "":
		j.add("GST-02", Broken, expected, "sessionToken is "+describe(token))
	case j.bodyErr != nil:
		j.add("GST-02", Broken, "one clean JSON object", j.bodyErr.Error())
	default:
		j.add("GST-02", Held, expected, "a string of "+fmt.Sprint(len(token.Text))+" bytes")
	}
}

// unspecified observes the answers whose body no page describes, and judges the tokens of a registration that brings
// some.
func (j *judge) unspecified() {
	what := "an empty body"
	switch {
	case j.object().Get("access_token") != nil:
		what = "a token body"
	case j.body != nil:
		what = "a JSON " + string(j.body.Kind)
	case len(j.x.Body) > 0:
		what = fmt.Sprintf("%d bytes that are not JSON", len(j.x.Body))
	}
	switch {
	case j.is(ags.SignOut):
		j.add("OUT-10", Observed, "", what)
	case j.is(ags.Register):
		j.add("REG-05", Observed, "", what)
	}
	if j.is(ags.Register, ags.SubsequentRegister) && what == "a token body" {
		j.tokens(j.object())
	}
}

// notObject says what the body is instead of an object.
func (j *judge) notObject() string {
	if j.body == nil {
		return j.bodyErr.Error()
	}
	return "the body is a JSON " + string(j.body.Kind)
}

// describe shows a value without showing text that may be a secret.
func describe(v *strictjson.Value) string {
	switch {
	case v == nil:
		return "absent"
	case v.Kind == ags.String && v.Text == "":
		return "an empty string"
	case v.Kind == ags.Null:
		return "null"
	case v.Kind == ags.Integer || v.Kind == strictjson.Number:
		return "the number " + strictjson.Brief(v.Text)
	case v.Kind == ags.Boolean:
		return fmt.Sprint(v.Bool)
	case v.Kind == ags.Object || v.Kind == ags.Array:
		return "an " + string(v.Kind)
	}
	return "a string"
}

func joinInts(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

func requestHeader(h http.Header, name string) string {
	for n, values := range h {
		if strings.EqualFold(n, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
