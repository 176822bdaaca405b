package mock

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"agstest/ags"
)

// oddness tells whether a request has something odd but legal.
type oddness func(c *call) bool

// odd values, as a decoder of JSON gives them.
var oddValues = []struct {
	name, words string
	is          func(v any) bool
}{
	{"number", "a number", func(v any) bool { _, is := v.(float64); return is }},
	{"true", "true", func(v any) bool { return v == true }},
	{"null", "null", func(v any) bool { return v == nil }},
	{"array", "an array", func(v any) bool { _, is := v.([]any); return is }},
	{"object", "an object", func(v any) bool { _, is := v.(map[string]any); return is }},
	{"quotes", "a text with quotes", func(v any) bool { s, _ := v.(string); return strings.Contains(s, "' OR '") }},
	{"nul", "a text with a NUL", func(v any) bool { s, _ := v.(string); return strings.Contains(s, "\x00") }},
	{"long", "a very long text", func(v any) bool { s, _ := v.(string); return len(s) > 2000 }},
	{"scripts", "a text in letters of other scripts", func(v any) bool {
		s, _ := v.(string)
		return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x400 })
	}},
}

func oddValue(name string) func(any) bool {
	for _, v := range oddValues {
		if v.name == name {
			return v.is
		}
	}
	panic("mock: no odd value " + name)
}

// read is the body as JSON, whatever was said about it.
func (c *call) read() map[string]any {
	if c.body != nil {
		return c.body
	}
	var body map[string]any
	_ = json.Unmarshal(c.raw, &body)
	return body
}

// inMember tells whether a member of the body is odd.
func inMember(name string, is func(any) bool) oddness {
	return func(c *call) bool {
		v, has := c.read()[name]
		return has && is(v)
	}
}

// inParameter tells whether the value of a parameter is odd. The name is matched without regard to case; empty: any.
func inParameter(name string, is func(any) bool) oddness {
	return func(c *call) bool {
		list, _ := c.read()["parameters"].([]any)
		for _, element := range list {
			pair, _ := element.(map[string]any)
			called, _ := pair["name"].(string)
			if v, has := pair["value"]; has && (name == "" || strings.EqualFold(called, name)) && is(v) {
				return true
			}
		}
		return false
	}
}

// inEntry tells whether an entry of parameters is odd.
func inEntry(is func(any) bool) oddness {
	return func(c *call) bool {
		list, _ := c.read()["parameters"].([]any)
		return slices.ContainsFunc(list, is)
	}
}

// inHeader tells whether the value of a header is odd.
func inHeader(name string, is func(any) bool) oddness {
	return func(c *call) bool { return is(c.header(name)) }
}

// inText tells whether the body contains a text.
func inText(part string) oddness {
	return func(c *call) bool { return bytes.Contains(c.raw, []byte(part)) }
}

func lacksHeader(name string) oddness {
	return func(c *call) bool { return c.request.Header[http.CanonicalHeaderKey(name)] == nil }
}

func hasHeader(name string) oddness {
	return func(c *call) bool { return c.header(name) != "" }
}

// likeJWT tells whether a value has the form of a token and is too short for one.
func likeJWT(v any) bool {
	s, _ := v.(string)
	return strings.Count(s, ".") == 2 && len(s) < 64
}

func twice(c *call) bool {
	list, _ := c.read()["parameters"].([]any)
	seen := map[string]bool{}
	for _, element := range list {
		pair, _ := element.(map[string]any)
		name, _ := pair["name"].(string)
		if name != "" && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// authorization begins with one of these, after which nothing of a token comes.
func schemeAlone(c *call) bool {
	value := strings.TrimSpace(c.request.Header.Get(ags.HeaderAuthorization))
	return value != "" && !strings.ContainsAny(value, " .") && len(value) < 8
}

func withScheme(scheme string) oddness {
	return func(c *call) bool { return strings.HasPrefix(c.request.Header.Get(ags.HeaderAuthorization), scheme) }
}

func tokenIs(is func(any) bool) oddness {
	return func(c *call) bool {
		return is(strings.TrimSpace(strings.TrimPrefix(c.request.Header.Get(ags.HeaderAuthorization), "Bearer")))
	}
}

// oddFaults stumble over odd but legal input, let somebody in by it, or mind how a good request is written.
func oddFaults() []Fault {
	return append(stumblingFaults(), append(takenInFaults(), mindingFaults()...)...)
}

// stumblingFaults answer odd input with 500.
func stumblingFaults() []Fault {
	var all []Fault
	add := func(name, words, operation string, is oddness) {
		all = append(all, Fault{Name: "odd-" + name + "-500", Requirement: "ERR-08",
			Summary: operation + " answers 500 to " + words, operations: on(operation),
			reply: func(c *call, r *reply) {
				if is(c) {
					*r = emptyReply(http.StatusInternalServerError)
				}
			}})
	}
	turn := []string{ags.SignOnWithSessionToken, ags.SignOn, ags.GetSessionToken, ags.Refresh, ags.SignOut, ags.Register,
		ags.SubsequentSignOn, ags.SubsequentRegister}
	for i, v := range oddValues[:5] {
		add("parameters-"+v.name, v.words+" for parameters", turn[i], inMember("parameters", v.is))
		if v.name != "object" {
			add("entry-"+v.name, v.words+" among parameters", turn[(i+4)%len(turn)], inEntry(v.is))
		}
	}
	for i, v := range oddValues {
		at := []struct{ operation, parameter string }{{ags.SignOnWithSessionToken, "sessionToken"}, {ags.SignOn, "username"},
			{ags.GetSessionToken, operatorParameter}, {ags.Register, "username"}}[i%4]
		add("value-"+v.name, v.words+" for "+at.parameter, at.operation, inParameter(at.parameter, v.is))
		if v.name != "null" && v.name != "nul" {
			add("client-"+v.name, v.words+" for clientId", turn[i%2], inMember("clientId", v.is))
		}
	}
	for _, v := range oddValues[:5] {
		add("device-"+v.name, v.words+" for deviceInformation", ags.SignOnWithSessionToken, func(c *call) bool {
			d, has := c.read()["deviceInformation"]
			inner, _ := d.(map[string]any)
			_, described := inner["device"]
			return has && v.is(d) && !described
		})
	}
	for i, v := range []string{"quotes", "long", "scripts"} {
		add("correlation-"+v, "an odd x-correlation-id ("+v+")", turn[i], inHeader(ags.HeaderCorrelation, oddValue(v)))
		add("service-"+v, "an odd x-auth-service-id ("+v+")", turn[i+3], inHeader(ags.HeaderService, oddValue(v)))
		add("user-token-"+v, "an odd User-Token ("+v+")", turn[6+i%2],
			inHeader(ags.HeaderUserToken,
				func(text any) bool { return v != "scripts" && oddValue(v)(text) || v == "scripts" && likeJWT(text) }))
	}
	add("discovery-tenant", "an odd nv-tenant-id", ags.ServiceDiscovery, inHeader(ags.HeaderTenant, oddValue("scripts")))
	add("discovery-correlation", "a very long x-correlation-id", ags.ServiceDiscovery,
		inHeader(ags.HeaderCorrelation, oddValue("long")))
	add("no-accept", "a request without Accept", ags.ServiceDiscovery, lacksHeader("Accept"))
	add("twice", "a parameter that stands twice", ags.SignOnWithSessionToken, twice)
	add("scheme-alone", "a scheme without a token", ags.Refresh, schemeAlone)
	add("basic", "the scheme Basic", ags.SignOut, withScheme("Basic "))
	add("digest", "the scheme Digest", ags.Refresh, withScheme("Digest "))
	add("token-like-jwt", "what has the form of a JWT alone", ags.SignOut, tokenIs(likeJWT))
	add("session-like-jwt", "a session token that has the form of a JWT", ags.SignOnWithSessionToken,
		inParameter("sessionToken", likeJWT))
	return append(all, lateFaults()...)
}

// lateFaults answer odd input with 500 where token or password are good: those are looked at first.
func lateFaults() []Fault {
	var all []Fault
	add := func(name, words, operation string, is oddness) {
		all = append(all, Fault{Name: "odd-late-" + name + "-500", Requirement: "ERR-08",
			Summary: operation + " answers 500 to " + words + " beside what lets in", operations: on(operation),
			reply: func(c *call, r *reply) {
				if is(c) && c.holdsGood() {
					*r = emptyReply(http.StatusInternalServerError)
				}
			}})
	}
	for _, at := range []struct{ name, operation string }{{"session", ags.SignOnWithSessionToken},
		{"sign-on", ags.SignOn}} {
		for _, v := range []string{"number", "true", "array", "object", "quotes", "long"} {
			add(at.name+"-client-"+v, "a clientId that is odd ("+v+")", at.operation, inMember("clientId", oddValue(v)))
		}
	}
	for _, v := range []string{"number", "array"} {
		add("sign-out-parameters-"+v, "odd parameters ("+v+")", ags.SignOut, inMember("parameters", oddValue(v)))
	}
	add("sign-out-correlation", "a very long x-correlation-id", ags.SignOut,
		inHeader(ags.HeaderCorrelation, oddValue("long")))
	return all
}

// holdsGood tells that a request holds a session token, a password or an access token that is good.
func (c *call) holdsGood() bool {
	switch c.operation {
	case ags.SignOnWithSessionToken, ags.SignOn:
		list, _ := c.read()["parameters"].([]any)
		values := map[string]string{}
		for _, element := range list {
			pair, _ := element.(map[string]any)
			name, _ := pair["name"].(string)
			values[strings.ToLower(name)], _ = pair["value"].(string)
		}
		st := &c.server.state
		st.mutex.Lock()
		defer st.mutex.Unlock()
		if c.operation == ags.SignOnWithSessionToken {
			_, _, _, known := st.session(c.tenant, values["sessiontoken"])
			return known
		}
		u, known := st.tenants[firstTenant].users[values["username"]]
		return known && u.password == values["password"]
	}
	if c.tenant == nil {
		return false
	}
	_, refused := c.server.verify(c, c.authorization(), ags.AccessType, http.StatusUnauthorized)
	return refused == nil
}

// takenInFaults let somebody in by odd input.
func takenInFaults() []Fault {
	var all []Fault
	add := func(name, requirement, words, operation string, is oddness) {
		all = append(all, Fault{Name: "odd-" + name, Requirement: requirement,
			Summary: operation + " lets in who sends " + words, operations: on(operation),
			reply: func(c *call, r *reply) {
				if r.refused != "" && is(c) {
					*r = c.pretend()
				}
			}})
	}
	for _, at := range []struct{ name, requirement, operation, parameter string }{
		{"session", "SOST-14", ags.SignOnWithSessionToken, "sessionToken"}, {"password", "SSO-08", ags.SignOn, "password"},
		{"user", "SSO-08", ags.SignOn, "username"},
		{"operator", "GST-04", ags.GetSessionToken, operatorParameter}, {"registration", "REG-03", ags.Register, "username"},
	} {
		for _, v := range oddValues {
			if at.name == "password" && v.name != "number" && v.name != "true" && v.name != "null" ||
				v.name == "number" && at.name != "password" {
				continue // on a live service few wrong passwords are sent
			}
			add(at.name+"-"+v.name+"-taken", at.requirement, v.words+" for "+at.parameter, at.operation,
				inParameter(at.parameter, v.is))
		}
	}
	for _, at := range []struct{ name, requirement, operation string }{
		{"session", "SOST-09", ags.SignOnWithSessionToken}, {"sign-on", "SSO-07", ags.SignOn},
		{"operator", "GST-03", ags.GetSessionToken}, {"registration", "REG-03", ags.Register},
	} {
		add(at.name+"-parameters-number-taken", at.requirement, "a number for parameters", at.operation,
			inMember("parameters", oddValue("number")))
		add(at.name+"-entry-true-taken", at.requirement, "true among parameters", at.operation, inEntry(oddValue("true")))
	}
	for _, at := range []struct{ name, none, some, operation string }{{"refresh", "REF-04", "REF-05", ags.Refresh},
		{"sign-out", "OUT-02", "OUT-03", ags.SignOut}} {
		add(at.name+"-scheme-alone-taken", at.none, "a scheme without a token", at.operation, schemeAlone)
		add(at.name+"-basic-taken", at.some, "the scheme Basic", at.operation, withScheme("Basic "))
		add(at.name+"-like-jwt-taken", at.some, "what has the form of a JWT alone", at.operation, tokenIs(likeJWT))
		add(at.name+"-quotes-taken", at.some, "a token with quotes", at.operation, tokenIs(oddValue("quotes")))
		add(at.name+"-word-taken", at.some, "the word undefined for a token", at.operation,
			tokenIs(func(v any) bool { return v == "undefined" }))
	}
	for _, at := range []struct{ name, requirement, operation string }{{"pick", "SUB-03", ags.SubsequentSignOn},
		{"pick-at-register", "REG-07", ags.SubsequentRegister}} {
		add(at.name+"-like-jwt-taken", at.requirement, "a User-Token that has the form of a JWT alone", at.operation,
			inHeader(ags.HeaderUserToken, likeJWT))
		add(at.name+"-quotes-taken", at.requirement, "a User-Token with quotes", at.operation,
			inHeader(ags.HeaderUserToken, oddValue("quotes")))
		add(at.name+"-null-taken", at.requirement, "the word null for a User-Token", at.operation,
			inHeader(ags.HeaderUserToken, func(v any) bool { return v == "null" }))
	}
	return all
}

// mindingFaults refuse good requests for how they are written.
func mindingFaults() []Fault {
	var all []Fault
	add := func(name, requirement, words, operation string, is oddness) {
		all = append(all, spoiledSuccess("minds-"+name, requirement, operation+" refuses "+words, on(operation),
			func(c *call, r *reply) {
				if is(c) {
					*r = c.refuse(rulePath, http.StatusBadRequest, 0, "the request is not understood")
				}
			}))
	}
	blanks, order, escapes := inText("\n"), inText(`{"value":`), inText(`\u00`)
	good := map[string]string{ags.SignOn: "SSO-11", ags.SubsequentSignOn: "SUB-01", ags.GetSessionToken: "GST-01",
		ags.SignOnWithSessionToken: "SOST-01", ags.Refresh: "REF-01",
		ags.SignOut: "OUT-01", ags.Register: "REG-01", ags.SubsequentRegister: "REG-06", ags.ServiceDiscovery: "DISC-01"}
	for _, at := range []struct{ name, operation string }{
		{"sign-on", ags.SignOn}, {"pick", ags.SubsequentSignOn}, {"get-session", ags.GetSessionToken},
		{"refresh", ags.Refresh}, {"sign-out", ags.SignOut}, {"register", ags.Register},
		{"pick-at-register", ags.SubsequentRegister}, {"discovery", ags.ServiceDiscovery},
	} {
		add(at.name+"-no-correlation", good[at.operation], "a request without x-correlation-id", at.operation,
			lacksHeader(ags.HeaderCorrelation))
		if at.operation != ags.ServiceDiscovery {
			add(at.name+"-blanks", good[at.operation], "JSON with blanks and line breaks", at.operation, blanks)
		}
	}
	add("session-blanks", "SOST-01", "JSON with blanks and line breaks", ags.SignOnWithSessionToken, blanks)
	add("session-order", "SOST-01", "members in another order", ags.SignOnWithSessionToken, order)
	add("sign-on-order", "SSO-11", "members in another order", ags.SignOn, order)
	add("get-session-order", "GST-01", "members in another order", ags.GetSessionToken, order)
	add("session-escapes", "SOST-29", "escapes in texts", ags.SignOnWithSessionToken, escapes)
	add("session-member-in-parameter", "SOST-29", "an unknown member of a parameter", ags.SignOnWithSessionToken,
		inText(`"comment"`))
	add("session-member-in-other-script", "SOST-29", "a member in letters of other scripts", ags.SignOnWithSessionToken,
		inText("пользователь"))
	add("session-tracing", "SOST-29", "headers of tracing", ags.SignOnWithSessionToken, hasHeader("traceparent"))
	add("session-apps", "SOST-29", "headers of apps", ags.SignOnWithSessionToken, hasHeader("X-App-Version"))
	add("session-charset", "SOST-29", "a Content-Type with a charset", ags.SignOnWithSessionToken,
		inHeader("Content-Type", func(v any) bool { return v == "application/json; charset=utf-8" }))
	for _, at := range []struct{ name, operation, requirement string }{{"refresh", ags.Refresh, "REF-01"},
		{"session", ags.SignOnWithSessionToken, "REF-01"}} {
		f := onceOnly(at.name, at.requirement, at.operation)
		all = append(all, f)
	}
	return all
}

// onceOnly accepts each correlation id only once.
func onceOnly(name, requirement, operation string) Fault {
	var mutex sync.Mutex
	seen := map[string]bool{}
	return spoiledSuccess("minds-"+name+"-correlation-twice", requirement,
		"a correlation id that came before is refused at "+operation, nil, func(c *call, r *reply) {
			id := c.header(ags.HeaderCorrelation)
			mutex.Lock()
			before := seen[id]
			seen[id] = id != ""
			mutex.Unlock()
			if before && c.operation == operation {
				*r = c.refuse(rulePath, http.StatusConflict, 0, "the request was sent before")
			}
		})
}
