package words

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// oddity is one odd but legal thing about a documented request: the service reads it without a fault of its own,
// answers it in the documented form, and lets nobody in by it.
type oddity struct {
	how string
	put func(w *scene.World, r *talk.Request)
	// breaks is the requirement that is missed if the service accepts the request; empty: the request still shows a
	// good token or password.
	breaks string
	// wrong: the password is not the user's.
	wrong bool
	// stays means that a device that it makes or loses on a live service stays made or lost.
	stays bool
	// device: it may be taken for a first-time sign-on.
	device bool
}

// longText is longer than any id, and short enough for a header of a gateway.
const longText = 3000

// otherScripts is a text that needs more than one byte for most of its letters, and two units of UTF-16 for some.
const otherScripts = "Überprüfung-пользователь-ユーザー-مستخدم-𝔘𝔰𝔢𝔯"

// quoting is text that readers of other languages than JSON would take for the end of a text.
const quoting = `' OR '1'='1' -- "<x>${1}`

// oddKinds are values of other kinds in place of a text. Whether a service reads a number as a text is not documented;
// a good token it is not.
var oddKinds = []struct{ how, value string }{
	{"is a number", `17`},
	{"is true", `true`},
	{"is null", `null`},
	{"is an array", `[]`},
	{"is an object", `{"$ne":""}`},
}

// oddTexts are texts that nobody has for a value. The right one is given, for those that begin with it.
var oddTexts = []struct {
	how  string
	text func(right string) string
}{
	{"holds quotes", func(string) string { return quoting }},
	{"has a NUL and more behind it", func(right string) string { return right + "\x00x" }},
	{"is very long", func(string) string { return strings.Repeat("A", longText) }},
	{"is in letters of other scripts", func(string) string { return otherScripts }},
}

// oddTokens have the form of a JWT, and say nothing that a token says (RFC 7519 section 7.2), or are what programs send
// that have none.
var oddTokens = []struct{ how, token string }{
	{"is the word null", "null"},
	{"is the word undefined", "undefined"},
	{"is two dots", ".."},
	{"is three letters between dots", "a.b.c"},
	{"is a JWT of empty objects", "e30.e30.e30"},
	{"is a JWT of the texts null", "bnVsbA.bnVsbA.bnVsbA"},
	{"is a JWT whose parts are no base64", "!!!.***.???"},
	{"is a JWT whose parts are no UTF-8", "_w._w._w"},
	{"is a JWT whose alg is a number", encoded(`{"alg":1,"typ":"JWT"}`) + "." + encoded(`{"exp":"never"}`) + ".AA"},
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// letIn are the requirements that forbid to let a caller in, by call and value. A tenant that nobody knows does harm
// where tokens are given out for it: the tokens in refresh and signOut requests name their own tenant.
var letIn = map[string]map[string]string{
	ags.SignOnWithSessionToken: {"session token": "SOST-14", "clientId": "SOST-19", "parameters": "SOST-09",
		"tenant": "FLOW-11"},
	ags.SignOn: {"password": "SSO-08", "user name": "SSO-08", "clientId": "SSO-10",
		"parameters": "SSO-07", "tenant": "FLOW-11"},
	ags.SubsequentSignOn:   {"User-Token": "SUB-03", "tenant": "FLOW-11"},
	ags.GetSessionToken:    {"OperatorAuthToken": "GST-04", "parameters": "GST-03", "tenant": "GST-10"},
	ags.Refresh:            {"token": "REF-05", "no token": "REF-04"},
	ags.SignOut:            {"token": "OUT-03", "no token": "OUT-02"},
	ags.Register:           {"password": "REG-03", "user name": "REG-03", "parameters": "REG-03"},
	ags.SubsequentRegister: {"User-Token": "REG-07"},
}

// odditiesOf lists the oddities of a call; ask is its documented request.
func odditiesOf(w *scene.World, ask *talk.Request) []oddity {
	list := oddHeaders(ask)
	if ask.Method == "GET" {
		return list
	}
	guards := letIn[ask.Operation]
	for _, k := range oddKinds {
		list = append(list, oddity{how: "the member parameters " + k.how, breaks: guards["parameters"],
			put: func(_ *scene.World, r *talk.Request) { r.Set("parameters", json.RawMessage(k.value)) }})
	}
	for _, k := range oddKinds {
		list = append(list, oddity{how: "an entry of parameters " + k.how, breaks: guards["parameters"],
			put: func(_ *scene.World, r *talk.Request) {
				r.Set("parameters", json.RawMessage(`[`+k.value+`]`))
			}})
	}
	for _, what := range []string{"session token", "OperatorAuthToken", "user name", "password"} {
		if breaks := guards[what]; breaks != "" && matching[what].right(w, ask) != "" {
			list = append(list, oddParameter(w, what, breaks)...)
		}
	}
	if len(ask.Parameters()) > 0 {
		list = append(list,
			oddity{how: "each parameter stands twice", put: func(_ *scene.World, r *talk.Request) {
				r.Set("parameters", talk.JSON(append(r.Parameters(), r.Parameters()...)))
			}},
			oddity{how: "the name of each parameter is a number", breaks: guards["parameters"],
				put: func(_ *scene.World, r *talk.Request) {
					r.Set("parameters", json.RawMessage(`[{"name":17,"value":"x"}]`))
				}})
	}
	switch ask.Operation {
	case ags.SignOn, ags.SignOnWithSessionToken:
		list = append(list, oddDevices(guards["clientId"])...)
	case ags.Refresh, ags.SignOut:
		list = append(list, oddAuthorizations(guards)...)
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		for _, t := range append(oddTokens[:len(oddTokens):len(oddTokens)],
			struct{ how, token string }{"holds quotes", quoting}, struct{ how, token string }{"is very long",
				strings.Repeat("A", longText)}) {
			list = append(list, oddity{how: "User-Token " + t.how, breaks: guards["User-Token"],
				put: func(_ *scene.World, r *talk.Request) { r.SetHeader(ags.HeaderUserToken, t.token) }})
		}
	}
	return list
}

// oddParameter are the oddities of the value of a parameter that lets somebody in.
func oddParameter(w *scene.World, what, breaks string) []oddity {
	place := matching[what]
	var list []oddity
	add := func(how string, put func(w *scene.World, r *talk.Request)) {
		list = append(list, oddity{how: "the " + what + " " + how, breaks: breaks, put: put, wrong: what == "password"})
	}
	for _, k := range oddKinds {
		add(k.how, func(w *scene.World, r *talk.Request) { replaceText(r, place.right(w, r), k.value) })
	}
	for _, t := range oddTexts {
		add(t.how, func(w *scene.World, r *talk.Request) { place.put(w, r, t.text(place.right(w, r))) })
	}
	if what == "session token" || what == "OperatorAuthToken" {
		for _, t := range oddTokens {
			add(t.how, func(w *scene.World, r *talk.Request) { place.put(w, r, t.token) })
		}
	}
	return list
}

// replaceText puts other JSON in the place of the value of a parameter.
func replaceText(r *talk.Request, right, other string) {
	r.Set("parameters", json.RawMessage(strings.Replace(string(r.Get("parameters")),
		`"value":`+string(talk.JSON(right)), `"value":`+other, 1)))
}

// oddDevices returns oddities of the device's identity.
func oddDevices(breaks string) []oddity {
	var list []oddity
	add := func(how, breaks, member, value string) {
		list = append(list, oddity{how: how, breaks: breaks, device: true, put: func(_ *scene.World, r *talk.Request) {
			r.Drop("clientId")
			r.Set(member, json.RawMessage(value))
		}})
	}
	for _, k := range oddKinds {
		if k.value != `null` { // which means as much as none
			add("clientId "+k.how, breaks, "clientId", k.value)
		}
		add("deviceInformation "+k.how, "", "deviceInformation", k.value)
		add("the device in deviceInformation "+k.how, "", "deviceInformation",
			`{"device":`+k.value+`,"playoutDeviceClass":`+k.value+`}`)
	}
	for _, t := range oddTexts {
		if t.text("") != "\x00x" {
			add("clientId "+t.how, breaks, "clientId", string(talk.JSON(t.text(""))))
		}
		add("the class of the device "+t.how, "", "deviceInformation",
			`{"playoutDeviceClass":`+string(talk.JSON(t.text("mobileDevice")))+`}`)
	}
	return list
}

// oddAuthorizations returns other schemes, schemes without a token, and values that have only the form of a token.
func oddAuthorizations(guards map[string]string) []oddity {
	var list []oddity
	add := func(how, breaks string, value func(token string) string) {
		list = append(list, oddity{how: "Authorization " + how, breaks: breaks, put: func(_ *scene.World, r *talk.Request) {
			r.SetHeader(ags.HeaderAuthorization, value(scene.Bearerless(r.HeaderValue(ags.HeaderAuthorization))))
		}})
	}
	for _, scheme := range []string{"Bearer", "Bearer ", "bearer", "Basic", "Digest"} {
		add("is "+string(talk.JSON(scheme))+" without a token", guards["no token"],
			func(string) string { return scheme })
	}
	add("has "+quoting+" for a token", guards["token"], func(string) string { return "Bearer " + quoting })
	add("has the scheme Basic before letters that no user has", guards["token"],
		func(string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte("agstest:agstest")) })
	add("has the scheme Digest before the token", "", func(token string) string { return "Digest " + token })
	add("has two blanks before the token", "", func(token string) string { return "Bearer  " + token })
	add("has the token twice", "", func(token string) string { return "Bearer " + token + ", Bearer " + token })
	for _, t := range oddTokens {
		add(t.how, guards["token"], func(string) string { return "Bearer " + t.token })
	}
	add("has a very long token", guards["token"],
		func(string) string { return "Bearer " + strings.Repeat("A", longText) })
	return list
}

// oddHeaders are oddities of headers that every call has.
func oddHeaders(ask *talk.Request) []oddity {
	var list []oddity
	set := func(how, name, value string) {
		list = append(list, oddity{how: how, put: func(_ *scene.World, r *talk.Request) { r.SetHeader(name, value) }})
	}
	drop := func(how, name string) {
		list = append(list, oddity{how: how, put: func(_ *scene.World, r *talk.Request) { r.DropHeader(name) }})
	}
	drop("there is no Accept", "Accept")
	for _, name := range []string{ags.HeaderCorrelation, ags.HeaderTenant, ags.HeaderService} {
		if ask.HeaderValue(name) == "" {
			continue
		}
		breaks := ""
		if name == ags.HeaderTenant {
			breaks = letIn[ask.Operation]["tenant"]
		}
		set(name+" is empty", name, "")
		set(name+" holds quotes", name, quoting)
		set(name+" is in letters of other scripts", name, otherScripts)
		set(name+" is very long", name, strings.Repeat("A", longText))
		for i := len(list) - 3; i < len(list); i++ { // an empty value names none
			list[i].breaks = breaks
		}
	}
	if ask.HeaderValue(ags.HeaderTenant) != "" {
		drop("there is no "+ags.HeaderTenant, ags.HeaderTenant)
	}
	if ask.Method == "GET" {
		return list
	}
	drop("there is no Content-Type", "Content-Type")
	set("Content-Type is that of a form", "Content-Type", "application/x-www-form-urlencoded")
	return list
}

// lettingIn names the requirement that is missed where somebody is let in by a request that was changed.
func lettingIn(operation string, mutations []mutation) string {
	guards := letIn[operation]
	for _, m := range mutations {
		switch on := mutationKinds[m.Kind].on; {
		case on == "parameter":
			for _, what := range []string{"session token", "OperatorAuthToken", "password"} {
				if guards[what] != "" {
					return guards[what]
				}
			}
		case m.At == "parameters" || on == "body":
			if guards["parameters"] != "" {
				return guards["parameters"]
			}
		case m.At == ags.HeaderAuthorization && m.Kind == "no header":
			return guards["no token"]
		case m.At == ags.HeaderAuthorization:
			return guards["token"]
		case m.At == ags.HeaderUserToken:
			return guards["User-Token"]
		}
	}
	return "ERR-07"
}
