// Package dumb has servers that are no AGS, or none that can be relied on, for tests: a suite that says of one of them
// that all is well is hollow.
//
// All lists them, each with a name and a Handler, which is given a right service to stand on. TestDumbServers of steps
// runs the whole suite against each. Faults of the mock are the other half: a service that is right but for one thing.
//
//	for _, s := range dumb.All() {
//		server := httptest.NewServer(s.Handler(mock.New(mock.Config{})))
//
// Handlers take requests at the same time.
package dumb

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"agstest/ags"
)

// Server is a server that is no AGS, or none that can be relied on. Run against it a suite must not say that all is
// well.
type Server struct {
	Name    string
	Summary string
	// Handler makes the server. Those that stand on a right service, such as a mock, stand on the one given; its
	// environment fits all of them.
	Handler func(behind http.Handler) http.Handler
}

// All are twelve kinds of them.
func All() []Server {
	fixed := func(status int, media, body string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", media)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
		}
	}
	return []Server{
		{"empty-object", "200 and {} to everything", fixed(http.StatusOK, "application/json", "{}")},
		{"all-401", "401 to everything", fixed(http.StatusUnauthorized, "application/json", `{"message":"unauthorised","code":401}`)},
		{"all-500", "500 to everything", fixed(http.StatusInternalServerError, "application/json", `{"message":"internal error","code":500}`)},
		{"replay", "the first good answer of each call, again and again", func(behind http.Handler) http.Handler { return replay(behind, "") }},
		{"first-user", "the first user's tokens for everybody", func(behind http.Handler) http.Handler { return replay(behind, "access_token") }},
		{"random-tokens", "the right members with random texts as tokens", randomTokens},
		{"captive-portal", "200 and a login page to everything", fixed(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><body><form>Welcome. Please sign in to the network.</form></body></html>")},
		{"echo", "200 and the request's own body to everything", echo},
		{"static-mock", "a static mock with the samples of the documentation's kind", staticMock},
		{"redirect-loop", "a redirect to itself to everything", redirectLoop},
		{"closed", "every connection is closed without an answer", closedConnections},
		{"flaky", "a right service with 2 % random 500", randomErrors},
	}
}

// replay answers each call with the first success that the mock gave to it. With a member given, only answers that hold
// it are kept, and what fails at the mock fails here.
func replay(behind http.Handler, member string) http.Handler {
	var mutex sync.Mutex
	kept := map[string]*httptest.ResponseRecorder{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		a := kept[r.URL.Path]
		if a == nil || member != "" {
			fresh := httptest.NewRecorder()
			behind.ServeHTTP(fresh, r)
			good := fresh.Code < http.StatusBadRequest &&
				(member == "" || bytes.Contains(fresh.Body.Bytes(), []byte(member)))
			switch {
			case !good:
				a = fresh
			case a == nil:
				a, kept[r.URL.Path] = fresh, fresh
			}
		}
		maps.Copy(w.Header(), a.Header())
		w.WriteHeader(a.Code)
		_, _ = w.Write(a.Body.Bytes())
	})
}

// discoverySample is the answer of a static mock to discovery.
const discoverySample = `{"availableServices":[{"authServiceName":"Operator SSO","displayAttributes":{"logo":"https://assets.example.com/operator.png","name":"Operator"},` +
	`"endpoints":[{"name":"SIGNON","path":"/signOn","parameterProperties":[{"name":"username","mandatory":true,"isPassword":false},{"name":"password","mandatory":true,"isPassword":true}]},` +
	`{"name":"SIGNONWITHSESSIONTOKEN","path":"/signOnWithSessionToken","parameterProperties":[{"name":"sessionToken","mandatory":true,"isPassword":true}]}]}]}`

// sampleTokenBody is a token body with the members of the page's sample; the tokens come in.
func sampleTokenBody(access, refresh string) map[string]any {
	return map[string]any{"access_token": access, "refresh_token": refresh, "client_id": "PUB_989", "accountId": "1663",
		"token_type": "bearer",
		"expires_in": 3600, "refresh_expires_in": 172800, "fixed_refresh_expires_in": 2592000}
}

// successes answers every call with its documented success and the token body given.
func successes(tokens func() map[string]any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		path := strings.TrimPrefix(r.URL.Path, "/ags/")
		for _, operation := range ags.Operations {
			if path != operation.Name && (operation.Name != ags.Register || !strings.HasPrefix(path, "register/")) {
				continue
			}
			w.WriteHeader(operation.Success[0])
			switch operation.Body {
			case ags.DiscoveryBody:
				_, _ = io.WriteString(w, discoverySample)
			case ags.TokenBody:
				_ = json.NewEncoder(w).Encode(tokens())
			case ags.SessionTokenBody:
				_, _ = io.WriteString(w, `{"sessionToken":"sample1session2token3"}`)
			}
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"no example"}`)
	})
}

func randomTokens(http.Handler) http.Handler {
	random := rand.New(rand.NewPCG(1, 2))
	var mutex sync.Mutex
	text := func() string {
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		b := make([]byte, 120)
		for i := range b {
			b[i] = letters[random.IntN(len(letters))]
		}
		b[40], b[90] = '.', '.'
		return string(b)
	}
	return successes(func() map[string]any {
		mutex.Lock()
		defer mutex.Unlock()
		return sampleTokenBody(text(), text())
	})
}

// The claims of the sample tokens: of the 10th of June 2024, an hour, two days and thirty days long.
const (
	sampleAccess = `{"accountProfileId":"DEFAULT","tenantId":"nagra","filteringInformation":{},"blockingInformation":{},"accountId":"1663","userId":"1663","ver":"1.0",` +
		`"geoBlockExempt":false,"parentalControl":null,"typ":"DevAuthN","jti":"4600000000000000001","playoutDeviceClass":null,"deviceId":"PUB_989","exp":1718035493,` +
		`"fixed_exp":1720623893,"onNetwork":true,"sessionControl":{"maxSessions":3,"sessionControlEnabled":true},"billingCountryCode":"EmptyCountry"}`
	sampleRefresh = `{"accountProfileId":"DEFAULT","tenantId":"nagra","accountId":"1663","userId":"1663","ver":"1.0","typ":"RefreshAuthN","jti":"4600000000000000001",` +
		`"deviceId":"PUB_989","exp":1718204693,"fixed_exp":1720623893,"sessionControl":{"maxSessions":3,"sessionControlEnabled":true}}`
)

// staticMock gives one well-formed sample for each call, as mocks do that are made from a description of an API.
func staticMock(http.Handler) http.Handler {
	access, refresh := signed(sampleAccess), signed(sampleRefresh)
	return successes(func() map[string]any { return sampleTokenBody(access, refresh) })
}

// signed is a compact JWS (RFC 7515) of claims, with HS256.
func signed(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"kid":"100001","alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	hash := hmac.New(sha256.New, []byte("a key that a static sample was signed with"))
	hash.Write([]byte(text))
	return text + "." + encode(hash.Sum(nil))
}

func echo(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, io.LimitReader(r.Body, 1<<20))
	})
}

func redirectLoop(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

func closedConnections(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// randomErrors fails 2 % of the calls, the same ones in every run.
func randomErrors(behind http.Handler) http.Handler {
	var mutex sync.Mutex
	random := rand.New(rand.NewPCG(2, 50))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		fails := random.IntN(50) == 0
		mutex.Unlock()
		if fails {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		behind.ServeHTTP(w, r)
	})
}
