package check

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"agstest/ags"
	"agstest/internal/redact"
	"agstest/internal/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good are answers that conform, with what the caller knows of them and what must be held and observed.
var good = []struct {
	name, file, operation string
	known                 Known
	held                  string
	observed              string
}{
	{"sign-on with a session token", "signOnWithSessionToken-201", ags.SignOnWithSessionToken,
		Known{Tenant: "orange-tv", ClientID: "TV_17", AccountID: "2342", Skew: time.Second},
		"ERR-09 SOST-24 GW-02 GW-05 SOST-03 SOST-04 TOK-18 TOK-22 GW-06 TOK-25 TOK-27 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10 TOK-19 TOK-20 TOK-11 TOK-12 TOK-14 TOK-17 TOK-13 TOK-15 TOK-16 SOST-23 SOST-20 SOST-22", ""},
	{"sign-on with credentials and a device class", "signOn-201", ags.SignOn,
		Known{Tenant: "orange-tv", ClientID: "TV_17", AccountID: "2342", DeviceClass: "mobileDevice"},
		"ERR-09 GW-02 GW-05 SSO-01 TOK-18 TOK-22 TOK-25 TOK-27 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10 TOK-19 TOK-20 TOK-11 TOK-12 TOK-14 TOK-17 TOK-13 TOK-15 TOK-16 SOST-23 TOK-23 SSO-11 SSO-01", "GW-06"},
	{"sign-on for a picked account", "subsequentSignOn-201", ags.SubsequentSignOn,
		Known{Tenant: "orange-tv", ClientID: "TV_18", AccountID: "2343"},
		"ERR-09 GW-02 GW-05 SUB-01 TOK-18 TOK-22 GW-06 TOK-25 TOK-27 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10 TOK-19 TOK-20 TOK-11 TOK-12 TOK-14 TOK-17 TOK-13 TOK-15 TOK-16 SOST-23 DEV-02 SUB-04", ""},
	{"refresh", "refresh-200", ags.Refresh,
		Known{Tenant: "orange-tv", ClientID: "TV_17", AccountID: "2342", Previous: previous, Since: time.Minute},
		"ERR-09 GW-02 GW-05 REF-02 REF-03 TOK-18 TOK-22 GW-06 TOK-25 TOK-27 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10 TOK-19 TOK-20 TOK-11 TOK-12 TOK-14 TOK-17 REF-09 TOK-13 REF-10 REF-11 TOK-15 TOK-16 REF-12", ""},
	{"session token", "getSessionToken-200", ags.GetSessionToken, Known{}, "ERR-09 GW-02 GW-05 GST-02", ""},
	{"discovery", "servicediscovery-200", ags.ServiceDiscovery, Known{}, "ERR-09 GW-02 GW-05 DISC-04 DISC-05 DISC-06 DISC-07 DISC-08", ""},
	{"choice of accounts", "signOn-300", ags.SignOn, Known{}, "ERR-09 SSO-06 GW-05 SSO-03 SSO-04 SSO-05", ""},
	{"choice of accounts at registration", "register-300", ags.Register, Known{}, "ERR-09 SSO-06 GW-05 REG-02 SSO-03 SSO-04 SSO-05", ""},
	{"registration", "register-201", ags.Register, Known{}, "ERR-09", "REG-05"},
	{"sign-out", "signOut-200", ags.SignOut, Known{}, "ERR-09", "OUT-10"},
	{"refusal with sub-code", "refusal-403", ags.SignOnWithSessionToken, Known{Secrets: []string{"s7v1q9k3x5m2"}}, "ERR-08 ERR-09 ERR-07 ERR-10 GW-05 ERR-04 ERR-05", "ERR-06"},
	{"refusal without body", "refusal-401", ags.Refresh, Known{}, "ERR-08 ERR-09 ERR-07", "ERR-11"},
	{"refusal of the gateway", "gateway-403", ags.Refresh, Known{}, "ERR-08 ERR-09 ERR-07 GW-05", ""},
	{"nothing given away", "getSessionToken-200", ags.GetSessionToken, Known{Guarded: []string{"k3y-of-the-operator"}}, "ERR-09 ERR-14 GW-02 GW-05 GST-02", ""},
	{"nothing there, in HTML", "missing-404", ags.SignOn, Known{}, "ERR-08 ERR-09 ERR-07", ""},
}

// previous is what the client held before the refresh in testdata.
var previous = &Pair{
	AccessToken: "before", ExpiresIn: 1800, RefreshExpiresIn: 86400, FixedRefreshExpiresIn: 1209600, Issued: issued,
	Access: Claims{Tenant: "orange-tv", Account: "2342", User: "u-2342", Device: "TV_17", Exp: issued.Unix() + 1800, FixedExp: issued.Unix() + 1209600},
}

func TestJudgeHoldsGoodAnswers(t *testing.T) {
	for _, c := range good {
		t.Run(c.name, func(t *testing.T) {
			findings := Judge(recorded(t, c.file, c.operation).exchange(), c.known)
			misses, held, observed := outcomes(findings)
			assert.Empty(t, misses, "%+v", findings)
			assert.Equal(t, c.held, strings.Join(held, " "))
			assert.Equal(t, c.observed, strings.Join(observed, " "))
		})
	}
}

// The sample of the page is where most rules come from, so it must pass them all.
func TestJudgeHoldsThePagesSample(t *testing.T) {
	a := recorded(t, "page-sample-201", ags.SignOnWithSessionToken)
	a.sent = time.Date(2022, 6, 10, 15, 4, 53, 0, time.UTC)
	misses, held, _ := outcomes(Judge(a.exchange(), Known{Tenant: "nagra", ClientID: "PUB_989", AccountID: "1663"}))
	assert.Empty(t, misses)
	assert.Len(t, held, 32)
}

type fault struct {
	name      string
	file      string
	operation string
	change    func(a *answer)
	known     Known
	want      string // exactly these misses; "soft" and "unknown" follow the id
}

const (
	sost    = "signOnWithSessionToken-201"
	refresh = "refresh-200"
)

func number(s string) json.Number { return json.Number(s) }

// member changes a member of the body, claim a claim of one token, claims one of both.
func member(name string, value any) func(*answer) {
	return func(a *answer) { a.body[name] = value }
}

func without(name string) func(*answer) { return func(a *answer) { delete(a.body, name) } }

func accessClaim(name string, value any) func(*answer) {
	return func(a *answer) { a.access.claims[name] = value }
}

func refreshClaim(name string, value any) func(*answer) {
	return func(a *answer) { a.refresh.claims[name] = value }
}

func bothClaims(name string, value any) func(*answer) {
	return func(a *answer) { a.access.claims[name], a.refresh.claims[name] = value, value }
}

// properties are the only parameters that the first service of a discovery answer lists.
func properties(list ...any) func(*answer) {
	return func(a *answer) {
		service := a.body["availableServices"].([]any)[0].(map[string]any)
		service["endpoints"].([]any)[0].(map[string]any)["parameterProperties"] = list
	}
}

func withoutClaim(name string, access, refresh bool) func(*answer) {
	return func(a *answer) {
		if access {
			delete(a.access.claims, name)
		}
		if refresh {
			delete(a.refresh.claims, name)
		}
	}
}

func bothHeaders(name string, value any) func(*answer) {
	return func(a *answer) { a.access.header[name], a.refresh.header[name] = value, value }
}

func body(text string) func(*answer) { return func(a *answer) { a.raw = []byte(text) } }

func status(code int) func(*answer) { return func(a *answer) { a.status = code } }

func head(name, value string) func(*answer) {
	return func(a *answer) {
		a.header.Set(name, value)
		if value == "" {
			a.header.Del(name)
		}
	}
}

func all(changes ...func(*answer)) func(*answer) {
	return func(a *answer) {
		for _, c := range changes {
			c(a)
		}
	}
}

// keptRefresh gives the refresh token of the request back, which was issued 20 minutes before, with this lifetime.
func keptRefresh(told int64) func(*answer) {
	return func(a *answer) {
		later("exp", false, true, -1200)(a)
		a.body["refresh_expires_in"] = told
		a.request.Header = http.Header{"Authorization": {"Bearer " + a.refresh.sign()}}
	}
}

func later(claim string, access, refresh bool, seconds int64) func(*answer) {
	return func(a *answer) {
		for _, t := range []struct {
			on bool
			j  *jwt
		}{{access, a.access}, {refresh, a.refresh}} {
			if t.on {
				n, _ := t.j.claims[claim].(json.Number).Int64()
				t.j.claims[claim] = n + seconds
			}
		}
	}
}

func services(change func(first map[string]any)) func(*answer) {
	return func(a *answer) { change(a.body["availableServices"].([]any)[0].(map[string]any)) }
}

func endpoint(change func(first map[string]any)) func(*answer) {
	return services(func(s map[string]any) { change(s["endpoints"].([]any)[0].(map[string]any)) })
}

func parameter(name string, value any) func(*answer) {
	return endpoint(func(e map[string]any) { e["parameterProperties"].([]any)[0].(map[string]any)[name] = value })
}

func account(change func(second map[string]any)) func(*answer) {
	return func(a *answer) { change(a.body["accounts"].([]any)[1].(map[string]any)) }
}

var who = Known{Tenant: "orange-tv", ClientID: "TV_17", AccountID: "2342", Skew: time.Second}

// One change each, and exactly the requirements that it breaks.
var faults = []fault{
	// statuses
	{"undocumented status", sost, ags.SignOnWithSessionToken, status(418), who, "ERR-09 soft ERR-07 ERR-05 soft"},
	{"200 where 201 is documented", sost, ags.SignOnWithSessionToken, status(200), who, "ERR-09"},
	{"202", "getSessionToken-200", ags.GetSessionToken, status(202), Known{}, "ERR-09"},
	{"redirect", "refusal-401", ags.SignOn, all(status(302), head("Location", "https://login.example.com/")), Known{}, "ERR-09"},
	{"404 from refresh", "refusal-401", ags.Refresh, status(404), Known{}, "ERR-09 soft"},
	{"server error", "refusal-401", ags.Refresh, status(500), Known{}, "ERR-08 ERR-09"},
	{"server error to a body that is no JSON object", "refusal-401", ags.Refresh, all(status(500), func(a *answer) { a.request.Body = []byte("[]") }), Known{}, "ERR-08 soft ERR-09 soft"},
	{"server error to another method", "refusal-401", ags.Refresh, all(status(500), func(a *answer) { a.request.Method = "OPTIONS" }), Known{}, "ERR-08 soft"},
	{"503 without Retry-After", "refusal-401", ags.Refresh, status(503), Known{}, "ERR-08 unknown ERR-09 unknown"},
	{"529 without Retry-After", "refusal-401", ags.Refresh, status(529), Known{}, "ERR-08 unknown ERR-09 unknown"},
	{"503 first, in which nothing tells of a limit", "refusal-401", ags.Refresh, func(a *answer) { a.attempts = []wire.Attempt{{Status: 503}} }, Known{}, "ERR-08 soft"},
	{"500 first, in an outage that ended", "refusal-401", ags.Refresh, func(a *answer) { a.attempts = []wire.Attempt{{Status: 500}} }, Known{}, "ERR-08 soft"},
	{"503 with Retry-After tells nothing", "refusal-401", ags.Refresh, all(status(503), head("Retry-After", "5")), Known{}, "ERR-08 unknown ERR-09 unknown"},
	{"429 with Retry-After tells nothing", "throttled-429", ags.Refresh, nil, Known{}, "ERR-09 unknown"},
	{"429 without Retry-After", "throttled-429", ags.Refresh, head("Retry-After", ""), Known{}, "ERR-09 unknown"},
	{"407 tells nothing", "refusal-401", ags.Refresh, status(407), Known{}, "ERR-09 unknown"},
	{"408 tells nothing", "refusal-401", ags.Refresh, status(408), Known{}, "ERR-09 unknown"},
	{"415 for JSON", "refusal-401", ags.SignOn, status(415), Known{}, "ERR-09 soft"},
	{"413 for a short body", "refusal-401", ags.SignOn, status(413), Known{}, "ERR-09 soft"},
	{"300 for a session token", "signOn-300", ags.SignOnWithSessionToken, nil, Known{}, "ERR-09 SOST-24"},
	{"legacy refusal", "gateway-legacy-200", ags.Refresh, nil, Known{}, "GW-02"},

	// errors
	{"tokens in a refusal", sost, ags.SignOnWithSessionToken, status(403), Known{}, "ERR-07 ERR-05 soft"},
	{"a token deep in a refusal", "refusal-403", ags.SignOn, body(`{"message":"m","code":20002,"data":[{"refresh_token":"opaque"}]}`), Known{}, "ERR-07"},
	{"a token as text in a refusal", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.status, a.raw = 404, []byte("<p>"+a.access.sign()+"</p>")
	}, Known{}, "ERR-07"},
	{"a token in a header of a refusal", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.status, a.raw = 404, []byte{}
		a.header.Set("Location", "/?t="+a.access.sign())
	}, Known{}, "ERR-07"},
	{"tokens beside accounts", "signOn-300", ags.SignOn, member("access_token", "x.y.z"), Known{}, "SSO-06"},
	{"the session token comes back", "refusal-403", ags.SignOnWithSessionToken, body(`{"message":"bad token s7v1q9k3x5m2","code":20002}`),
		Known{Secrets: []string{"s7v1q9k3x5m2"}}, "ERR-10"},
	{"the session token comes back in base64", "refusal-403", ags.SignOnWithSessionToken, body(`{"message":"c3ViamVjdCBzN3YxcTlrM3g1bTI=","code":20002}`),
		Known{Secrets: []string{"s7v1q9k3x5m2"}}, "ERR-10"},
	{"the refresh token comes back", "refusal-401", ags.Refresh, func(a *answer) {
		token := signed(`{"alg":"HS256"}`, `{"typ":"RefreshAuthN","exp":1}`, nil)
		a.request.Header.Set("Authorization", "Bearer "+token)
		a.raw = []byte("cannot use " + token)
	}, Known{}, "ERR-10"},
	{"a Java stack trace", "refusal-401", ags.SignOn, body("java.lang.NullPointerException\n\tat com.example.ags.SignOn.handle(SignOn.java:88)\n"), Known{}, "ERR-10"},
	{"a Java stack trace in JSON", "refusal-403", ags.SignOn, body(`{"message":"java.lang.IllegalStateException: no\n\tat com.example.ags.SignOn.handle(SignOn.java:42)","code":20002}`), Known{}, "ERR-10"},
	{"a Java stack trace with slashes escaped", "refusal-403", ags.SignOn, body(`{"message":"no","code":20002,"trace":["\u0061t com.example.ags.SignOn.handle(SignOn.java:42)"]}`), Known{}, "ERR-10"},
	{"a Go stack trace", "refusal-401", ags.SignOn, body("panic: x\n\ngoroutine 17 [running]:\nmain.main()"), Known{}, "ERR-10"},
	{"a Python stack trace", "refusal-401", ags.SignOn, body("Traceback (most recent call last):\n  File"), Known{}, "ERR-10"},
	{"a JavaScript stack trace", "refusal-401", ags.SignOn, body("TypeError: x\n    at handle (/srv/app/signOn.js:10:5)"), Known{}, "ERR-10"},
	{"a .NET stack trace", "refusal-401", ags.SignOn, body(`   at Ags.SignOn.Handle(String s) in C:\ags\SignOn.cs:line 12`), Known{}, "ERR-10"},
	{"an SQL error", "refusal-401", ags.SignOn, body("ORA-00942: table or view does not exist"), Known{}, "ERR-10"},
	{"sub-code elsewhere than in code", "refusal-403", ags.SignOn, body(`{"message":"m","errorCode":20002}`), Known{}, "ERR-04 soft"},
	{"no message", "refusal-403", ags.SignOn, body(`{"code":20002}`), Known{}, "ERR-05 soft"},
	{"message that is no text", "refusal-403", ags.SignOn, body(`{"code":20002,"message":7}`), Known{}, "ERR-05 soft"},
	{"JSON error without its type", "refusal-403", ags.SignOn, head("Content-Type", "text/plain"), Known{}, "GW-05 soft"},

	// transport of a good answer
	{"wrong content type", sost, ags.SignOnWithSessionToken, head("Content-Type", "text/html"), who, "GW-05"},
	{"tokens for all caches", sost, ags.SignOnWithSessionToken, head("Cache-Control", "Public"), who, "GW-06"},
	{"tokens for caches, for a time", sost, ags.SignOnWithSessionToken, head("Cache-Control", "must-revalidate, max-age=60"), who, "GW-06"},
	{"tokens for caches of others", sost, ags.SignOnWithSessionToken, head("Cache-Control", "s-maxage=5"), who, "GW-06"},
	{"no content type", sost, ags.SignOnWithSessionToken, head("Content-Type", ""), who, "GW-05"},
	{"cut", sost, ags.SignOnWithSessionToken, func(a *answer) { a.raw, a.err = []byte(`{"access_token":"ey`), io.ErrUnexpectedEOF }, who, "SOST-03 SOST-04"},
	{"endless", sost, ags.SignOnWithSessionToken, func(a *answer) { a.raw, a.truncated = []byte(`{"access_token":"ey`), true }, who, "SOST-03 SOST-04"},
	{"empty", sost, ags.SignOnWithSessionToken, body(""), who, "SOST-03 SOST-04"},
	{"portal page", sost, ags.SignOnWithSessionToken, all(body("<html><script>alert(1)</script></html>"), head("Content-Type", "text/html")), who, "GW-05 SOST-03 SOST-04"},
	{"array", sost, ags.SignOnWithSessionToken, body("[]"), who, "SOST-03 SOST-04"},
	{"doubly encoded", sost, ags.SignOnWithSessionToken, body(`"{}"`), who, "SOST-03 SOST-04"},
	{"empty object", sost, ags.SignOnWithSessionToken, body("{}"), Known{}, "SOST-03 SOST-04 TOK-18"},
	{"single quotes", sost, ags.SignOnWithSessionToken, body("{'access_token':'a'}"), who, "SOST-03 SOST-04"},
	{"a member twice", sost, ags.SignOnWithSessionToken, func(a *answer) {
		x := a.exchange()
		a.raw = []byte(strings.Replace(string(x.Body), `"accountId":`, `"accountId":"2342","accountId":`, 1))
	}, who, "SOST-04"},
	{"text behind the end", sost, ags.SignOnWithSessionToken, func(a *answer) { a.raw = append(a.exchange().Body, "{}"...) }, who, "SOST-04"},
	{"byte order mark", sost, ags.SignOnWithSessionToken, func(a *answer) { a.raw = append([]byte("\xef\xbb\xbf"), a.exchange().Body...) }, who, "SOST-03 SOST-04"},

	{"invalid UTF-8", sost, ags.SignOnWithSessionToken, body("{\"access_token\":\"\xff\"}"), who, "SOST-03 SOST-04"},
	{"nested without end", sost, ags.SignOnWithSessionToken, body(strings.Repeat(`{"a":`, 100000)), who, "SOST-03 SOST-04"},
	{"members without end", sost, ags.SignOnWithSessionToken, body("[" + strings.Repeat("0,", 400000) + "0]"), who, "SOST-03 SOST-04"},

	// members of the token body
	{"no access token", sost, ags.SignOnWithSessionToken, without("access_token"), Known{}, "SOST-03 SOST-04"},
	{"no refresh token", sost, ags.SignOnWithSessionToken, without("refresh_token"), Known{}, "SOST-03 SOST-04"},
	{"member renamed", sost, ags.SignOnWithSessionToken, func(a *answer) { a.body["account_id"] = a.body["accountId"]; delete(a.body, "accountId") }, who, "SOST-04"},
	{"member in another case", sost, ags.SignOnWithSessionToken, func(a *answer) { a.body["Token_Type"] = a.body["token_type"]; delete(a.body, "token_type") }, who, "SOST-04 TOK-18"},
	{"token that is an object", sost, ags.SignOnWithSessionToken, func(a *answer) { a.body["access_token"] = a.access.claims; a.access = nil }, who, "SOST-03 SOST-04 TOK-01"},
	{"accountId null", sost, ags.SignOnWithSessionToken, member("accountId", nil), Known{}, "SOST-04"},
	{"accountId a number", sost, ags.SignOnWithSessionToken, member("accountId", number("2342")), Known{}, "SOST-04"},
	{"accountId empty", sost, ags.SignOnWithSessionToken, member("accountId", ""), Known{}, "SOST-04"},
	{"lifetime as text", sost, ags.SignOnWithSessionToken, member("expires_in", "1800"), Known{}, "SOST-04 TOK-22"},
	{"lifetime with a fraction", sost, ags.SignOnWithSessionToken, member("expires_in", number("1799.7")), Known{}, "SOST-04 TOK-22"},
	{"lifetime zero", sost, ags.SignOnWithSessionToken, member("expires_in", number("0")), Known{}, "TOK-22"},
	{"lifetime negative", sost, ags.SignOnWithSessionToken, member("refresh_expires_in", number("-5")), Known{}, "TOK-22"},
	{"lifetime beyond every date", sost, ags.SignOnWithSessionToken, member("refresh_expires_in", number("4294967296")), Known{}, "TOK-22"},
	{"lifetime as long as dates go", sost, ags.SignOnWithSessionToken, member("refresh_expires_in", number("4294967295")), Known{}, "TOK-11 TOK-12 TOK-14 TOK-27"},
	{"lifetime beyond all numbers", sost, ags.SignOnWithSessionToken, member("refresh_expires_in", number("1e999999999")), Known{}, "SOST-04 TOK-22"},
	{"not good for an hour", sost, ags.SignOnWithSessionToken, accessClaim("nbf", number("1700003600")), who, "TOK-17"},
	{"lifetimes in milliseconds", sost, ags.SignOnWithSessionToken,
		all(member("expires_in", number("1800000")), member("refresh_expires_in", number("86400000")), member("fixed_refresh_expires_in", number("1209600000"))), who, "TOK-11 TOK-12 TOK-17 TOK-25 TOK-27"},
	{"token type Basic", sost, ags.SignOnWithSessionToken, member("token_type", "Basic"), Known{}, "TOK-18"},
	{"token type a list", sost, ags.SignOnWithSessionToken, member("token_type", []any{"bearer"}), Known{}, "SOST-04 TOK-18"},
	{"first sign-on without client_id", sost, ags.SignOnWithSessionToken, without("client_id"), Known{FirstTime: true}, "SOST-04 SOST-21"},
	{"first sign-on with the client_id of another", sost, ags.SignOnWithSessionToken, member("client_id", "TV_17"), Known{FirstTime: true, Taken: true}, "DEV-01"},
	{"first sign-on with credentials without client_id", "signOn-201", ags.SignOn, without("client_id"), Known{FirstTime: true}, "SSO-01 SSO-12"},
	{"sign-on without a lifetime", "signOn-201", ags.SignOn, without("expires_in"), Known{}, "SSO-01"},
	{"picked account without a lifetime", "subsequentSignOn-201", ags.SubsequentSignOn, without("expires_in"), Known{}, "SUB-01"},
	{"sign-on with an empty body", "signOn-201", ags.SignOn, body(""), Known{}, "SSO-01"},
	{"session token missing", "getSessionToken-200", ags.GetSessionToken, without("sessionToken"), Known{}, "GST-02"},
	{"session token empty", "getSessionToken-200", ags.GetSessionToken, member("sessionToken", ""), Known{}, "GST-02"},
	{"session token a number", "getSessionToken-200", ags.GetSessionToken, member("sessionToken", number("7")), Known{}, "GST-02"},
	{"session token twice", "getSessionToken-200", ags.GetSessionToken, body(`{"sessionToken":"a","sessionToken":"b"}`), Known{}, "GST-02"},
	{"session token page", "getSessionToken-200", ags.GetSessionToken, body(`<p>`), Known{}, "GST-02"},

	// structure of tokens
	{"opaque tokens", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.access.compact, a.refresh.compact = "b81f6c2a9d7e4f10", "0c9a7e5d3b1f2468"
	}, who, "TOK-01"},
	{"a password that is not called one", "servicediscovery-200", ags.ServiceDiscovery, properties(map[string]any{"name": "Pin-Code", "mandatory": true, "isPassword": false}), Known{}, "DISC-08 soft"},
	{"a parameter that stands twice", "servicediscovery-200", ags.ServiceDiscovery, properties(map[string]any{"name": "login", "mandatory": true, "isPassword": false},
		map[string]any{"name": "login", "mandatory": false, "isPassword": false}), Known{}, "DISC-08 soft"},
	{"an opaque refresh token", sost, ags.SignOnWithSessionToken, func(a *answer) { a.refresh.compact = "8c1d0b6fa7e94c55" }, who, "TOK-01 soft"},
	{"an opaque access token", sost, ags.SignOnWithSessionToken, func(a *answer) { a.access.compact = "8c1d0b6fa7e94c55" }, who, "TOK-01"},
	{"a refresh token that is cut off behind its header", sost, ags.SignOnWithSessionToken, func(a *answer) { a.refresh.compact = strings.Split(a.refresh.sign(), ".")[0] }, who, "TOK-01"},
	{"the key of the operator in a member", "servicediscovery-200", ags.ServiceDiscovery, member("settings", map[string]any{"key": "k3y-of-the-operator"}),
		Known{Guarded: []string{"k3y-of-the-operator"}}, "ERR-14"},
	{"the key of the operator in a header, in base64", "servicediscovery-200", ags.ServiceDiscovery, func(a *answer) { a.header.Set("X-Debug", "aGVhZDprM3ktb2YtdGhlLW9wZXJhdG9y") },
		Known{Guarded: []string{"k3y-of-the-operator"}}, "ERR-14"},
	{"a password in an unreadable body", "missing-404", ags.SignOn, body("<p>k3y-of-the-operator</p>"), Known{Guarded: []string{"k3y-of-the-operator"}}, "ERR-14"},
	{"a password in a claim", "signOn-201", ags.SignOn, refreshClaim("credential", map[string]any{"entered": "Fjord \"22\" ü"}),
		Known{Guarded: []string{"Fjord \"22\" ü"}}, "ERR-14"},
	{"the MD5 of a password in a claim", "signOn-201", ags.SignOn, accessClaim("pwh", "3bf1114a986ba87ed28fc1b5884fc2f8"), Known{Passwords: []string{"shadow"}}, "ERR-14"},
	{"its SHA-1 in capitals in the other token", "signOn-201", ags.SignOn, refreshClaim("pwh", "{SHA}ED9D3D832AF899035363A69FD53CD3BE8F71501C"), Known{Passwords: []string{"shadow"}}, "ERR-14"},
	{"its SHA-256 in base64 in a header", "missing-404", ags.SignOn, func(a *answer) { a.header.Set("X-Debug", "C7CdgGAO7D6513k6b4Wb7d4qLYOJm3C9eOlh7WdLMvQ=") },
		Known{Passwords: []string{"shadow"}}, "ERR-14"},
	{"the MD5 of a user name and a password in a claim", "signOn-201", ags.SignOn, accessClaim("basic", "25b1e4d9a8f11bd30d468a8f67ba677c"), Known{Credentials: []string{"dave:shadow"}}, "ERR-14"},
	{"its SHA-512 in a member", "servicediscovery-200", ags.ServiceDiscovery, member("settings", map[string]any{"of": "81599EC77AC571E7DFC863414BE4870FDAAACC34AC970EC7D5A91C160ADCA3B49960D98E31E317F58FFFD231FBA2965CA8090E8CDAB10000F6E3E8CE0BEF02BA"}), Known{Passwords: []string{"shadow"}}, "ERR-14"},
	{"two segments", sost, ags.SignOnWithSessionToken, func(a *answer) { s := a.access.sign(); a.access.compact = s[:strings.LastIndexByte(s, '.')] }, who, "TOK-01"},
	{"four segments", sost, ags.SignOnWithSessionToken, func(a *answer) { a.refresh.compact = a.refresh.sign() + ".AAAA" }, who, "TOK-01"},
	{"padded", sost, ags.SignOnWithSessionToken, func(a *answer) { a.access.compact = a.access.sign() + "=" }, who, "TOK-01"},
	{"claim twice", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.refresh.compact = signed(`{"alg":"HS256","typ":"JWT","kid":"1"}`, `{"typ":"RefreshAuthN","exp":1,"exp":2}`, nil)
	}, who, "TOK-01"},
	{"payload no object", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.refresh.compact = signed(`{"alg":"HS256","typ":"JWT","kid":"1"}`, `"x"`, nil)
	}, who, "TOK-01"},
	{"critical extension", sost, ags.SignOnWithSessionToken, bothHeaders("crit", []any{"b64"}), who, "TOK-01"},
	{"alg none", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.access.header["alg"] = "none"
		a.access.signature = []byte{}
	}, who, "TOK-03"},
	{"alg None with a signature", sost, ags.SignOnWithSessionToken, bothHeaders("alg", "NoNe"), who, "TOK-03"},
	{"no signature", sost, ags.SignOnWithSessionToken, func(a *answer) { a.access.signature = []byte{} }, who, "TOK-03"},
	{"short signature", sost, ags.SignOnWithSessionToken, func(a *answer) { a.access.signature = make([]byte, 31) }, who, "TOK-03"},
	{"a signature of nothing but zeros", sost, ags.SignOnWithSessionToken, func(a *answer) { a.access.signature = make([]byte, 32) }, who, "TOK-03"},
	{"one signature for both", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.access.signature = []byte("the very same bytes beneath both")
		a.refresh.signature = a.access.signature
	}, who, "TOK-03"},
	{"another algorithm", sost, ags.SignOnWithSessionToken, all(bothHeaders("alg", "RS256"), func(a *answer) { a.access.signature = make([]byte, 256) }), who, "TOK-03 soft"},
	{"another algorithm without a signature", sost, ags.SignOnWithSessionToken, all(bothHeaders("alg", "RS256"), func(a *answer) { a.access.signature = []byte{} }), who, "TOK-03"},
	{"no alg", sost, ags.SignOnWithSessionToken, func(a *answer) { delete(a.access.header, "alg") }, who, "TOK-02 TOK-03"},
	{"header typ missing", sost, ags.SignOnWithSessionToken, func(a *answer) { delete(a.refresh.header, "typ") }, who, "TOK-02"},
	{"header typ other", sost, ags.SignOnWithSessionToken, bothHeaders("typ", "JOSE"), who, "TOK-02"},
	{"no kid", sost, ags.SignOnWithSessionToken, func(a *answer) { delete(a.access.header, "kid") }, who, "TOK-02 soft"},
	{"kid a number", sost, ags.SignOnWithSessionToken, bothHeaders("kid", number("481516")), who, "TOK-02 soft"},

	// claims
	{"access token that calls itself a refresh token", sost, ags.SignOnWithSessionToken, accessClaim("typ", "RefreshAuthN"), who, "TOK-04"},
	{"refresh token that calls itself an access token", sost, ags.SignOnWithSessionToken, refreshClaim("typ", "DevAuthN"), who, "TOK-05"},
	{"no typ", sost, ags.SignOnWithSessionToken, withoutClaim("typ", true, false), who, "TOK-04 TOK-07"},
	{"no typ in the refresh token", sost, ags.SignOnWithSessionToken, withoutClaim("typ", false, true), who, "TOK-05 TOK-08"},
	{"other version", sost, ags.SignOnWithSessionToken, bothClaims("ver", "2.0"), who, "TOK-06 soft"},
	{"version a number", sost, ags.SignOnWithSessionToken, bothClaims("ver", number("1.0")), who, "TOK-06 soft TOK-07 soft TOK-08 soft"},
	{"access token without account", sost, ags.SignOnWithSessionToken, withoutClaim("accountId", true, false), who, "TOK-07"},
	{"refresh token without device", sost, ags.SignOnWithSessionToken, withoutClaim("deviceId", false, true), who, "TOK-08"},
	{"access token without tenant", sost, ags.SignOnWithSessionToken, withoutClaim("tenantId", true, false), who, "TOK-07"},
	{"access token without profile", sost, ags.SignOnWithSessionToken, withoutClaim("accountProfileId", true, false), who, "TOK-07 soft"},
	{"geoBlockExempt as text", sost, ags.SignOnWithSessionToken, accessClaim("geoBlockExempt", "false"), who, "TOK-07 soft"},
	{"parentalControl a boolean", sost, ags.SignOnWithSessionToken, accessClaim("parentalControl", false), who, "TOK-07 soft"},
	{"refresh token without user", sost, ags.SignOnWithSessionToken, withoutClaim("userId", false, true), who, "TOK-08 soft"},
	{"refresh token with access claims", sost, ags.SignOnWithSessionToken, refreshClaim("onNetwork", true), who, "TOK-09 soft"},
	{"exp as text", sost, ags.SignOnWithSessionToken, accessClaim("exp", "1700001800"), Known{}, "TOK-07 TOK-10"},
	{"exp with a fraction", sost, ags.SignOnWithSessionToken, accessClaim("exp", number("1700001800.5")), Known{}, "TOK-07 TOK-10"},
	{"exp in milliseconds", sost, ags.SignOnWithSessionToken, accessClaim("exp", number("1700001800000")), Known{}, "TOK-10"},
	{"fixed_exp negative", sost, ags.SignOnWithSessionToken, bothClaims("fixed_exp", number("-1")), Known{}, "TOK-10"},
	{"fixed_exp too large", sost, ags.SignOnWithSessionToken, refreshClaim("fixed_exp", number("99999999999999999999")), Known{}, "TOK-10"},
	{"no exp", sost, ags.SignOnWithSessionToken, withoutClaim("exp", true, false), Known{}, "TOK-07 TOK-10"},
	{"jti a number", sost, ags.SignOnWithSessionToken, bothClaims("jti", number("6120384756102938475")), Known{}, "TOK-07 soft TOK-08 soft TOK-19"},
	{"maxSessions as text", sost, ags.SignOnWithSessionToken, bothClaims("sessionControl", map[string]any{"maxSessions": "5", "sessionControlEnabled": true}), who, "TOK-20"},
	{"maxSessions negative", sost, ags.SignOnWithSessionToken, bothClaims("sessionControl", map[string]any{"maxSessions": -1, "sessionControlEnabled": true}), who, "TOK-20 soft"},
	{"sessionControlEnabled as text", sost, ags.SignOnWithSessionToken, bothClaims("sessionControl", map[string]any{"maxSessions": 5, "sessionControlEnabled": "true"}), who, "TOK-20"},

	// numbers
	{"access token 3 s late", sost, ags.SignOnWithSessionToken, later("exp", true, false, 3), who, "TOK-11 TOK-12"},
	{"refresh token 3 s late", sost, ags.SignOnWithSessionToken, later("exp", false, true, 3), who, "TOK-11 TOK-12"},
	{"fixed end 3 s late", sost, ags.SignOnWithSessionToken, later("fixed_exp", true, true, 3), who, "TOK-11 TOK-12"},
	{"refresh token 3 s early", sost, ags.SignOnWithSessionToken, later("exp", false, true, -3), who, "TOK-11 TOK-12"},
	{"fixed end 3 s early", sost, ags.SignOnWithSessionToken, later("fixed_exp", true, true, -3), who, "TOK-11 TOK-12"},
	{"fixed ends differ the other way", sost, ags.SignOnWithSessionToken, later("fixed_exp", false, true, -3), who, "TOK-13"},
	{"fixed ends differ", sost, ags.SignOnWithSessionToken, later("fixed_exp", false, true, 3), who, "TOK-13"},
	{"refresh token beyond the fixed end", sost, ags.SignOnWithSessionToken,
		all(later("exp", false, true, 2000000), member("refresh_expires_in", number("2086400"))), who, "TOK-14"},
	{"refresh token as short as the access token", sost, ags.SignOnWithSessionToken,
		all(later("exp", false, true, 1800-86400), member("refresh_expires_in", number("1800"))), who, "TOK-14"},
	{"issued an hour ahead", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent = a.sent.Add(-time.Hour) }, who, "TOK-17"},
	{"issued years ago", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent = a.sent.AddDate(5, 0, 0) }, who, "TOK-17"},
	{"issued five seconds ago", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent = a.sent.Add(5 * time.Second) }, who, "TOK-17"},
	{"jti differs in the pair", sost, ags.SignOnWithSessionToken, refreshClaim("jti", "x"), who, "TOK-15 soft"},
	{"profile differs in the pair", sost, ags.SignOnWithSessionToken, refreshClaim("accountProfileId", "SILVER"), who, "TOK-15 soft"},
	{"session control differs in the pair", sost, ags.SignOnWithSessionToken,
		refreshClaim("sessionControl", map[string]any{"maxSessions": 6, "sessionControlEnabled": true}), who, "TOK-15 soft"},
	{"user differs in the pair", sost, ags.SignOnWithSessionToken, refreshClaim("userId", "u-1"), who, "TOK-15"},
	{"account differs in the pair", sost, ags.SignOnWithSessionToken, refreshClaim("accountId", "1"), who, "TOK-15 TOK-16"},

	// identity
	{"another client", sost, ags.SignOnWithSessionToken, nil, Known{ClientID: "TV_1"}, "SOST-20"},
	{"another account", sost, ags.SignOnWithSessionToken, nil, Known{AccountID: "1"}, "SOST-22"},
	{"another tenant", sost, ags.SignOnWithSessionToken, nil, Known{Tenant: "lemon"}, "SOST-23"},
	{"another tenant in the refresh token alone", sost, ags.SignOnWithSessionToken, refreshClaim("tenantId", "lemon"), who, "TOK-15 SOST-23"},
	{"body names another device than the tokens", sost, ags.SignOnWithSessionToken, member("client_id", "TV_1"), Known{}, "TOK-16"},
	{"body names another account than the tokens", sost, ags.SignOnWithSessionToken, member("accountId", "1"), Known{}, "TOK-16"},
	{"sign-on of another client", "signOn-201", ags.SignOn, nil, Known{ClientID: "TV_1"}, "SSO-11"},
	{"sign-on of another account", "signOn-201", ags.SignOn, nil, Known{AccountID: "1"}, "SSO-01"},
	{"other account than picked", "subsequentSignOn-201", ags.SubsequentSignOn, nil, Known{AccountID: "2342"}, "SUB-04"},
	{"other device than that of the sign-on", "subsequentSignOn-201", ags.SubsequentSignOn, nil, Known{ClientID: "TV_17"}, "DEV-02"},
	{"other device class", "signOn-201", ags.SignOn, nil, Known{DeviceClass: "tv"}, "TOK-23 soft"},
	{"no device class", sost, ags.SignOnWithSessionToken, nil, Known{DeviceClass: "tv"}, "TOK-23 soft"},

	// refresh
	{"refresh without tokens", refresh, ags.Refresh, body("{}"), Known{}, "REF-02 REF-03 TOK-18"},
	{"refresh that is empty", refresh, ags.Refresh, body(""), Known{}, "REF-02 REF-03"},
	{"refresh without refresh token", refresh, ags.Refresh, without("refresh_token"), Known{}, "REF-02 REF-03"},
	{"refresh without account", refresh, ags.Refresh, without("accountId"), Known{}, "REF-03"},
	{"refresh gives the old access token", refresh, ags.Refresh, func(a *answer) {
		a.access.compact = previousToken
		a.sent = issued.Add(20 * time.Minute)
	}, Known{Previous: &Pair{AccessToken: previousToken, Issued: issued}}, "REF-02 TOK-11 TOK-12 TOK-17 REF-09 TOK-15 soft"},
	{"refresh slides the fixed end", refresh, ags.Refresh,
		all(later("fixed_exp", true, true, 1200), member("fixed_refresh_expires_in", number("1209600"))), Known{Previous: previous}, "REF-10"},
	{"refresh slides the fixed end of the refresh token alone", refresh, ags.Refresh, later("fixed_exp", false, true, 1200), Known{Previous: previous}, "TOK-13 REF-10"},
	{"refresh token passes the fixed end", refresh, ags.Refresh,
		all(later("exp", false, true, 1300000), member("refresh_expires_in", number("1386400"))), Known{}, "TOK-14 REF-11"},
	{"refresh for another device", refresh, ags.Refresh, all(bothClaims("deviceId", "TV_1"), member("client_id", "TV_1")), Known{Previous: previous}, "REF-12"},
	{"refresh for another account", refresh, ags.Refresh, all(bothClaims("accountId", "1"), member("accountId", "1")), Known{AccountID: "2342"}, "REF-12"},
	{"refresh for another user", refresh, ags.Refresh, bothClaims("userId", "u-1"), Known{Previous: previous}, "REF-12"},
	{"refresh for another tenant", refresh, ags.Refresh, bothClaims("tenantId", "lemon"), Known{Tenant: "orange-tv"}, "REF-12"},
	{"refresh shortens the life", refresh, ags.Refresh, nil, Known{Previous: longer}, "REF-09"},
	{"refresh does not move exp", refresh, ags.Refresh, nil, Known{Previous: &Pair{ExpiresIn: 1800, Access: Claims{Exp: 1700003000}}, Since: 4 * time.Second}, "REF-09"},
	{"refresh moves the fixed end by seconds", refresh, ags.Refresh, all(later("fixed_exp", true, true, 4), member("fixed_refresh_expires_in", number("1209600"))), Known{Previous: previous, Since: 4 * time.Second}, "REF-10"},
	{"refresh gives the old token back and tells its lifetime anew", refresh, ags.Refresh, keptRefresh(86400), Known{Since: 4 * time.Second, Previous: previous}, "TOK-11 TOK-12"},
	{"refresh dated ahead", refresh, ags.Refresh, func(a *answer) { a.sent = issued }, Known{}, "TOK-17 REF-09"},
	{"refresh with a strange lifetime to the fixed end", refresh, ags.Refresh, member("fixed_refresh_expires_in", number("1210000")), Known{Previous: previous}, "TOK-11 TOK-12"},
	{"refresh with a lifetime shorter than what remains", refresh, ags.Refresh, member("fixed_refresh_expires_in", number("1000000")), Known{}, "TOK-11 TOK-12"},

	{"refresh token that ends before the access token", refresh, ags.Refresh,
		all(later("exp", false, true, 600-86400), member("refresh_expires_in", number("600"))), Known{}, "TOK-14"},
	{"refresh token without its fixed end", refresh, ags.Refresh, withoutClaim("fixed_exp", false, true), Known{}, "TOK-08 TOK-10"},
	{"refresh cut short, told with a strange lifetime", refresh, ags.Refresh, func(a *answer) { nearTheEnd(a, "5000") }, Known{Previous: previous}, "TOK-11 TOK-12"},
	{"refresh token far from the fixed end, told with a longer lifetime", refresh, ags.Refresh, member("refresh_expires_in", number("90000")), Known{}, "TOK-11 TOK-12"},

	// discovery
	{"no list of services", "servicediscovery-200", ags.ServiceDiscovery, without("availableServices"), Known{}, "DISC-04"},
	{"services an object", "servicediscovery-200", ags.ServiceDiscovery, member("availableServices", map[string]any{}), Known{}, "DISC-04"},
	{"services twice", "servicediscovery-200", ags.ServiceDiscovery, body(`{"availableServices":[{"authServiceName":"a","endpoints":[]}],"availableServices":[]}`), Known{}, "DISC-04"},
	{"discovery page", "servicediscovery-200", ags.ServiceDiscovery, all(body("<!doctype html>"), head("Content-Type", "text/html")), Known{}, "GW-05 DISC-04"},
	{"no service under 200", "servicediscovery-200", ags.ServiceDiscovery, member("availableServices", []any{}), Known{}, "DISC-02"},
	{"service without a name", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { delete(s, "authServiceName") }), Known{}, "DISC-05"},
	{"service with an empty name", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { s["authServiceName"] = "" }), Known{}, "DISC-05"},
	{"a name twice", "servicediscovery-200", ags.ServiceDiscovery, func(a *answer) {
		list := a.body["availableServices"].([]any)
		a.body["availableServices"] = append(list, list[0])
	}, Known{}, "DISC-05 soft"},
	{"service that is a text", "servicediscovery-200", ags.ServiceDiscovery, member("availableServices", []any{"Operator SSO"}), Known{}, "DISC-05 DISC-07 soft"},
	{"logo a number", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { s["displayAttributes"] = map[string]any{"logo": 1} }), Known{}, "DISC-06 soft"},
	{"displayAttributes a text", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { s["displayAttributes"] = "x" }), Known{}, "DISC-06 soft"},
	{"service without endpoints", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { delete(s, "endpoints") }), Known{}, "DISC-07 soft"},
	{"endpoint without a name", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { delete(e, "name") }), Known{}, "DISC-07 soft"},
	{"path without a slash", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { e["path"] = "signOn" }), Known{}, "DISC-07 soft"},
	{"path with a host", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { e["path"] = "https://b.example.com/ags/signOn" }), Known{}, "DISC-07 soft"},
	{"name of an endpoint a number", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { e["name"] = 7 }), Known{}, "DISC-07"},
	{"isPassword left out", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) {
		delete(e["parameterProperties"].([]any)[0].(map[string]any), "isPassword")
	}), Known{}, "DISC-08 soft"},
	{"parameters an object", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { e["parameterProperties"] = map[string]any{} }), Known{}, "DISC-08"},
	{"parameter without a name", "servicediscovery-200", ags.ServiceDiscovery, parameter("name", nil), Known{}, "DISC-08"},
	{"mandatory as text", "servicediscovery-200", ags.ServiceDiscovery, parameter("mandatory", "true"), Known{}, "DISC-08"},
	{"isPassword a number", "servicediscovery-200", ags.ServiceDiscovery, parameter("isPassword", 0), Known{}, "DISC-08"},

	// choice of accounts
	{"accounts missing", "signOn-300", ags.SignOn, without("accounts"), Known{}, "SSO-03"},
	{"accounts missing at registration", "register-300", ags.Register, without("accounts"), Known{}, "REG-02 SSO-03"},
	{"one account", "signOn-300", ags.SignOn, func(a *answer) { a.body["accounts"] = a.body["accounts"].([]any)[:1] }, Known{}, "SSO-03"},
	{"accounts empty", "signOn-300", ags.SignOn, member("accounts", []any{}), Known{}, "SSO-03"},
	{"accounts without a body", "signOn-300", ags.SignOn, body(""), Known{}, "SSO-03"},
	{"information an object", "signOn-300", ags.SignOn, account(func(s map[string]any) { s["accountInformation"] = map[string]any{} }), Known{}, "SSO-04 soft"},
	{"information twice in quotes", "signOn-300", ags.SignOn, account(func(s map[string]any) { s["accountInformation"] = `"{}"` }), Known{}, "SSO-04 soft"},
	{"information no JSON", "signOn-300", ags.SignOn, account(func(s map[string]any) { s["accountInformation"] = "Roca" }), Known{}, "SSO-04 soft"},
	{"account without its token", "signOn-300", ags.SignOn, account(func(s map[string]any) { delete(s, "userAccountToken") }), Known{}, "SSO-05"},
	{"accounts with the same token", "signOn-300", ags.SignOn, account(func(s map[string]any) { s["userAccountToken"] = "uat-51c0ffee01" }), Known{}, "SSO-05 soft"},
}

var longer = func() *Pair {
	p := *previous
	p.Access.Exp = issued.Unix() + 4000
	return &p
}()

var previousToken = signed(`{"alg":"HS256","typ":"JWT","kid":"1"}`, `{"accountProfileId":"GOLD","tenantId":"orange-tv","filteringInformation":{},"blockingInformation":{},"accountId":"2342","userId":"u-2342","ver":"1.0","geoBlockExempt":false,"parentalControl":null,"typ":"DevAuthN","jti":"6120384756102938475","playoutDeviceClass":null,"deviceId":"TV_17","exp":1700001800,"fixed_exp":1701209600,"onNetwork":true,"sessionControl":{"maxSessions":5,"sessionControlEnabled":true},"billingCountryCode":"EmptyCountry"}`, nil)

func (f fault) exchange(t testing.TB) *wire.Exchange {
	a := recorded(t, f.file, f.operation)
	if len(a.raw) > 0 && a.raw[0] == '{' {
		a.open(t)
	}
	if f.change != nil {
		f.change(a)
	}
	return a.exchange()
}

func TestJudgeFindsEachFault(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			findings := Judge(f.exchange(t), f.known)
			misses, _, _ := outcomes(findings)
			want := []string{}
			for w := range strings.FieldsSeq(f.want) {
				if w == "soft" || w == "unknown" {
					want[len(want)-1] += " " + w
					continue
				}
				want = append(want, w)
			}
			slices.Sort(want)
			slices.Sort(misses)
			if !assert.Equal(t, want, misses) {
				for _, f := range findings {
					if f.Outcome != Held {
						t.Logf("%+v", f)
					}
				}
			}
			for _, f := range findings {
				if f.Outcome == Broken || f.Outcome == Soft {
					assert.NotEmpty(t, f.Expected, f.Requirement)
					assert.NotEmpty(t, f.Got, f.Requirement)
				}
			}
		})
	}
}

// choices are what a conforming service may do otherwise than the samples.
var choices = []fault{
	{"more members, other order, pretty", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.body["zone"], a.body["nested"] = "a", map[string]any{"deep": []any{map[string]any{"x": nil}}}
		text, _ := json.MarshalIndent(func() any { a.exchange(); return a.body }(), "", "\t")
		a.raw = append([]byte("\r\n "), append(text, " \n"...)...)
	}, who, ""},
	{"more claims and headers", sost, ags.SignOnWithSessionToken, all(bothHeaders("x5t", "a"), accessClaim("deviceProfileFeatures", []any{"4K"}),
		bothClaims("iat", number("1700000000")), bothClaims("aud", []any{"a", "b"})), who, ""},
	{"escapes in strings", sost, ags.SignOnWithSessionToken, func(a *answer) {
		a.raw = []byte(strings.ReplaceAll(string(a.exchange().Body), `"TV_17"`, `"\u0054V_1\u0037"`))
	}, who, ""},
	{"integers with a fraction of zero", sost, ags.SignOnWithSessionToken, all(member("expires_in", number("1800.0")), member("refresh_expires_in", number("8.64e4")),
		accessClaim("exp", number("1700001800.0"))), who, ""},
	{"Bearer", sost, ags.SignOnWithSessionToken, member("token_type", "Bearer"), who, ""},
	{"a gateway has no room for headers", "refusal-401", ags.Refresh, all(status(502), head("Content-Type", "text/html"), func(a *answer) {
		a.request.Header.Set("X-Large", strings.Repeat("a", 4<<10))
		a.raw = []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>")
	}), Known{}, ""},
	{"good at once", sost, ags.SignOnWithSessionToken, accessClaim("nbf", number("1700000000")), who, ""},
	{"tokens for the client's cache", sost, ags.SignOnWithSessionToken, head("Cache-Control", "private, max-age=60"), who, ""},
	{"tokens for no time", sost, ags.SignOnWithSessionToken, head("Cache-Control", "max-age=0"), who, ""},
	{"tokens for no cache, though public", sost, ags.SignOnWithSessionToken, head("Cache-Control", "public, no-store"), who, ""},
	{"nothing said of caches", sost, ags.SignOnWithSessionToken, head("Cache-Control", ""), who, ""},
	{"charset and case of the content type", sost, ags.SignOnWithSessionToken, head("Content-Type", `Application/JSON ; Charset="utf-8"`), who, ""},
	{"content type with a suffix", sost, ags.SignOnWithSessionToken, head("Content-Type", "application/vnd.ags.v1+json"), who, ""},
	{"typ in lower case", sost, ags.SignOnWithSessionToken, bothHeaders("typ", "jwt"), who, ""},
	{"tokens minted in neighbouring seconds", sost, ags.SignOnWithSessionToken, later("exp", false, true, 1), who, ""},
	{"refresh token 2 s late", sost, ags.SignOnWithSessionToken, later("exp", false, true, 2), who, ""},
	{"refresh token 2 s early", sost, ags.SignOnWithSessionToken, later("exp", false, true, -2), who, ""},
	{"fixed end minted in the next second", sost, ags.SignOnWithSessionToken, later("fixed_exp", false, true, 1), who, ""},
	{"issued within the skew", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent = a.sent.Add(-90 * time.Second) }, Known{Skew: 120 * time.Second}, ""},
	{"issued within the skew, behind", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent = a.sent.Add(90 * time.Second) }, Known{Skew: 120 * time.Second}, ""},
	{"slow", sost, ags.SignOnWithSessionToken, func(a *answer) { a.sent, a.took = a.sent.Add(-20*time.Second), 20*time.Second }, who, ""},
	{"other lifetimes", sost, ags.SignOnWithSessionToken, all(later("exp", true, false, -1500), member("expires_in", number("300")),
		later("fixed_exp", true, true, 7776000-1209600), member("fixed_refresh_expires_in", number("7776000"))), who, ""},
	{"refresh token without jti and session control", sost, ags.SignOnWithSessionToken,
		all(withoutClaim("jti", false, true), withoutClaim("sessionControl", false, true)), who, ""},
	{"parental control set", sost, ags.SignOnWithSessionToken, accessClaim("parentalControl", map[string]any{"ratingThreshold": map[string]any{}}), who, ""},
	{"user is the account", sost, ags.SignOnWithSessionToken, bothClaims("userId", "2342"), who, ""},
	{"session control with groups", sost, ags.SignOnWithSessionToken, bothClaims("sessionControl",
		map[string]any{"maxSessions": 0, "sessionControlEnabled": false, "groupId": "null", "groups": []any{}}), who, ""},
	{"refresh without client_id", refresh, ags.Refresh, without("client_id"), Known{Previous: previous}, ""},
	{"refresh with the constant lifetime", refresh, ags.Refresh, member("fixed_refresh_expires_in", number("1209600")), Known{Previous: previous}, ""},
	{"refresh with the constant lifetime, nothing known", refresh, ags.Refresh, member("fixed_refresh_expires_in", number("1209600")), Known{}, ""},
	{"refresh gives the refresh token back that it was shown, told with its full lifetime", refresh, ags.Refresh, func(a *answer) {
		exp, err := a.refresh.claims["exp"].(json.Number).Int64()
		if err != nil {
			panic(err)
		}
		a.refresh.claims["exp"] = exp - 3000
		a.refresh.compact = a.refresh.sign()
		a.request.Header.Set("Authorization", "Bearer "+a.refresh.compact)
	}, Known{Previous: previous}, ""},
	{"refresh keeps the jti", refresh, ags.Refresh, bothClaims("jti", "6120384756102938475"), Known{Previous: previous}, ""},
	{"refresh cut short by the fixed end", refresh, ags.Refresh, func(a *answer) { nearTheEnd(a, "3600") }, Known{}, ""},
	{"refresh cut short, told with its full lifetime", refresh, ags.Refresh, func(a *answer) { nearTheEnd(a, "86400") }, Known{}, ""},
	{"the same token within the same second", refresh, ags.Refresh, nil, Known{Skew: time.Second, Previous: &Pair{AccessToken: "set below"}}, ""},
	{"tenant of a refresh not known", refresh, ags.Refresh, nil, Known{}, ""},
	{"numeric string as sub-code", "refusal-403", ags.SignOn, body(`{"message":"m","code":"20002"}`), Known{}, ""},
	{"problem+json", "refusal-403", ags.SignOn, all(body(`{"title":"Forbidden","status":403}`), head("Content-Type", "application/problem+json")), Known{}, ""},
	{"plain text error", "refusal-403", ags.SignOn, all(body("no"), head("Content-Type", "text/plain")), Known{}, ""},
	{"localised error", "refusal-403", ags.SignOn, body(`{"message":"Сервис недоступен","code":20099}`), Known{}, ""},
	{"error that mentions access_token", "refusal-403", ags.SignOn, body(`{"message":"access_token is missing","code":1,"access_token":null,"refresh_token":""}`), Known{}, ""},
	{"correlation id comes back", "refusal-403", ags.SignOn, head("X-Correlation-Id", "corr-1"), Known{Secrets: []string{"s7v1q9k3x5m2"}}, ""},
	{"a short secret by chance", "refusal-403", ags.SignOn, body(`{"message":"the pin is wrong","code":1}`), Known{Secrets: []string{"pin"}}, ""},
	{"401 at sign-out", "refusal-401", ags.SignOut, nil, Known{}, ""},
	{"400 at discovery", "refusal-401", ags.ServiceDiscovery, status(400), Known{}, ""},
	{"501 for another method", "refusal-401", ags.SignOn, all(status(501), func(a *answer) { a.request.Method = "PATCH" }), Known{}, ""},
	{"405 for another method", "refusal-401", ags.SignOn, all(status(405), func(a *answer) { a.request.Method = "GET" }), Known{}, ""},
	{"415 for another content type", "refusal-401", ags.SignOn, all(status(415), func(a *answer) { a.request.Header.Set("Content-Type", "text/plain") }), Known{}, ""},
	{"413 for a long body", "refusal-401", ags.SignOn, all(status(413), func(a *answer) { a.request.Body = make([]byte, 1<<20) }), Known{}, ""},
	{"431 for long headers", "refusal-401", ags.SignOn, all(status(431), func(a *answer) { a.request.Header.Set("X-Long", strings.Repeat("x", 9000)) }), Known{}, ""},
	{"display attributes null", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) {
		s["displayAttributes"] = map[string]any{"logo": nil}
	}), Known{}, ""},
	{"display attributes absent", "servicediscovery-200", ags.ServiceDiscovery, services(func(s map[string]any) { delete(s, "displayAttributes") }), Known{}, ""},
	{"absolute path below ags", "servicediscovery-200", ags.ServiceDiscovery, endpoint(func(e map[string]any) { e["path"] = "/ags/signOn" }), Known{}, ""},
	{"one user account token for all", "signOn-300", ags.SignOn, func(a *answer) {
		for _, x := range a.body["accounts"].([]any) {
			delete(x.(map[string]any), "userAccountToken")
		}
		a.body["userAccountToken"] = "uat-all"
	}, Known{}, ""},
	{"user account tokens that are JWTs", "signOn-300", ags.SignOn, account(func(s map[string]any) {
		s["userAccountToken"] = signed(`{"alg":"HS256"}`, `{"typ":"UserAccountAuthN"}`, nil)
	}), Known{}, ""},
	{"registration with tokens", sost, ags.Register, nil, who, ""},
	{"sign-out with text", "signOut-200", ags.SignOut, body("bye"), Known{}, ""},
	{"waited out", sost, ags.SignOnWithSessionToken, func(a *answer) { a.attempts = []wire.Attempt{{Status: 429, RetryAfter: "1", Limited: true}} }, who, ""},
	{"a gateway's words for a quota", "refusal-403", ags.SignOn, body(`{"error":"Quota exceeded"}`), Known{}, ""},
	{"an outage of a gateway waited out", sost, ags.SignOnWithSessionToken, func(a *answer) { a.attempts = []wire.Attempt{{Status: 502}, {Status: 504}} }, who, ""},
}

func nearTheEnd(a *answer, told string) {
	end := issued.Unix() + 1209600
	at := end - 3600
	a.sent = time.Unix(at, 0)
	a.access.claims["exp"], a.refresh.claims["exp"] = at+1800, end
	a.body["refresh_expires_in"], a.body["fixed_refresh_expires_in"] = number(told), number("3600")
}

func TestJudgeLeavesChoicesInPeace(t *testing.T) {
	for _, f := range choices {
		t.Run(f.name, func(t *testing.T) {
			x := f.exchange(t)
			if p := f.known.Previous; p != nil && p.AccessToken == "set below" {
				held, err := ReadPair(x)
				require.NoError(t, err)
				f.known.Previous = held
			}
			misses, held, _ := outcomes(Judge(x, f.known))
			assert.Empty(t, misses)
			assert.NotEmpty(t, append(held, "405 is no statement about the documented method"))
		})
	}
}

// Every requirement that Judge can report as held is also reported as missed by a fault: no rule is constant.
func TestNoRuleIsConstant(t *testing.T) {
	held, missed := map[string]bool{}, map[string]bool{}
	for _, c := range good {
		_, h, _ := outcomes(Judge(recorded(t, c.file, c.operation).exchange(), c.known))
		for _, id := range h {
			held[id] = true
		}
	}
	for _, f := range append(slices.Clone(faults), choices...) {
		for _, finding := range Judge(f.exchange(t), f.known) {
			switch finding.Outcome {
			case Held:
				held[finding.Requirement] = true
			case Broken, Soft:
				missed[finding.Requirement] = true
			}
		}
	}
	for id := range held {
		assert.True(t, missed[id], "nothing breaks %s", id)
	}
	assert.GreaterOrEqual(t, len(held), 45)
	for id := range missed {
		_, ok := ags.RequirementByID(id)
		assert.True(t, ok, id)
	}
}

// Soft is only said of requirements that warn, wholly or in part, and of tolerances of this package that are listed
// here.
func TestSoftFollowsTheCatalogue(t *testing.T) {
	tolerances := map[string]string{
		"GW-05":   "the form of errors is not documented",
		"SSO-05":  "one token for all accounts (ambiguity 7.21)",
		"DISC-07": "an absolute address (ambiguity 7.31)",
	}
	for _, f := range faults {
		for _, finding := range Judge(f.exchange(t), f.known) {
			if finding.Outcome != Soft {
				continue
			}
			r, _ := ags.RequirementByID(finding.Requirement)
			assert.True(t, r.Gating() == ags.Warns || r.SoftPart != "" || tolerances[r.ID] != "", "%s in %q", r.ID, f.name)
		}
	}
}

func TestFindingsHoldNoToken(t *testing.T) {
	for _, f := range append(slices.Clone(faults), choices...) {
		x := f.exchange(t)
		var secrets []string
		if p, err := ReadPair(x); err == nil && len(p.AccessToken) > 40 {
			secrets = append(secrets, p.AccessToken, p.RefreshToken)
		}
		shown := ""
		for _, finding := range Judge(x, f.known) {
			shown += finding.Expected + "\n" + finding.Got + "\n"
		}
		for _, s := range append(secrets, "s7v1q9k3x5m2", "uat-51c0ffee0") {
			assert.False(t, redact.Mentions(shown, s), "%s: %s", f.name, shown)
		}
	}
}

func TestJudgeSaysNothingWithoutAnAnswer(t *testing.T) {
	assert.Empty(t, Judge(nil, Known{}))
	assert.Empty(t, Judge(&wire.Exchange{Call: wire.Call{Operation: ags.SignOn}, Err: errors.New("refused")}, Known{}))
}

func TestJudgeOfOtherCalls(t *testing.T) {
	x := &wire.Exchange{Call: wire.Call{Method: "GET", Path: "/adm/v1/user/devices"}, Status: 404, Body: []byte(`{"access_token":"x"}`), Header: http.Header{}}
	misses, _, _ := outcomes(Judge(x, Known{}))
	assert.Equal(t, []string{"ERR-07", "GW-05 soft", "ERR-05 soft"}, misses)
}

func TestMillisecondsAreNamed(t *testing.T) {
	for _, f := range faults {
		if f.name == "exp in milliseconds" {
			for _, finding := range Judge(f.exchange(t), f.known) {
				if finding.Requirement == "TOK-10" {
					assert.Equal(t, "access token: exp is 1700001800000: milliseconds? It would be 2023-11-14T22:43:20Z", finding.Got)
					return
				}
			}
		}
	}
	t.Fatal("no finding")
}

// However an answer is made, judging it takes a bounded time.
func TestJudgeIsQuickOnHostileBodies(t *testing.T) {
	for _, piece := range []string{"at (", "a.", "aaaaaaaa.aaaaaaaa.", `{"a":`, `{"a":[`, `\\`, "%41", "&amp;", `"\u0061",`, "ORA-", "goroutine 1 [", "eyJhbGciOi", "\n\tat a.b(c.java:"} {
		for _, status := range []int{300, 403} {
			x := recorded(t, "refusal-403", ags.SignOn).exchange()
			x.Status, x.Body = status, []byte(strings.Repeat(piece, 1<<15/len(piece)))
			started := time.Now()
			Judge(x, Known{Secrets: []string{"s7v1q9k3x5m2", "a.a.a", "\\\\\\\\x"}})
			shape(x)
			assert.Less(t, time.Since(started), 10*time.Second, "%d %q", status, piece)
			if d := time.Since(started); d > 300*time.Millisecond {
				t.Logf("%d %q took %s", status, piece, d)
			}
		}
	}
}

// A rule that had nothing to look at leaves no finding: an empty list proves nothing.
func TestRulesWithoutMatterAreSilent(t *testing.T) {
	for _, c := range []struct{ name, file, operation, body, silent string }{
		{"no parameters", "servicediscovery-200", ags.ServiceDiscovery, `{"availableServices":[{"authServiceName":"a","endpoints":[{"name":"n","path":"/p"}]}]}`, "DISC-06 DISC-08"},
		{"no endpoints", "servicediscovery-200", ags.ServiceDiscovery, `{"availableServices":[{"authServiceName":"a","endpoints":[]}]}`, "DISC-06 DISC-07 DISC-08"},
		{"no services", "servicediscovery-200", ags.ServiceDiscovery, `{"availableServices":[]}`, "DISC-05 DISC-06 DISC-07 DISC-08"},
		{"no tokens", sost, ags.SignOnWithSessionToken, `{}`, "TOK-01 TOK-02 TOK-03 TOK-07 TOK-10 TOK-11 TOK-15 TOK-16 TOK-17 TOK-19 TOK-20 TOK-22 SOST-23"},
		{"no sub-code", "refusal-403", ags.SignOn, `{"message":"m"}`, "ERR-04 ERR-06 ERR-10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := recorded(t, c.file, c.operation)
			a.raw = []byte(c.body)
			for _, f := range Judge(a.exchange(), Known{Tenant: "orange-tv"}) {
				assert.NotContains(t, strings.Fields(c.silent), f.Requirement)
			}
		})
	}
}

func TestSubCodesOutsideOf403SayNothingOfTheirPlace(t *testing.T) {
	a := recorded(t, "refusal-403", ags.SignOn)
	a.status, a.raw = 400, []byte(`{"message":"m","errorCode":20002}`)
	misses, held, _ := outcomes(Judge(a.exchange(), Known{}))
	assert.Empty(t, misses)
	assert.NotContains(t, held, "ERR-04")
}

func TestHintAtLocalTime(t *testing.T) {
	assert.Equal(t, " (off by 1h0m0s: a local time taken for UTC?)", zoneHint(3600, 0))
	assert.Equal(t, " (off by 5h45m0s: a local time taken for UTC?)", zoneHint(0, 5*3600+45*60+2))
	for _, off := range []int64{0, 2, 3, 450, 897, 903, 15*3600 - 900*3 + 5, 15 * 3600} {
		assert.Empty(t, zoneHint(off, 0), off)
	}
}
