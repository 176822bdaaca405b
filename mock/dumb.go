package mock

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"agstest/ags"
)

// DumbServer is a server that is no AGS, or none that can be relied on. Run against it a suite must not say that all is well.
type DumbServer struct {
	Name    string
	Summary string
	// Handler makes the server. Those that stand on a mock stand on the one given; its environment fits all of them.
	Handler func(behind *Server) http.Handler
}

// Dumb are twelve kinds of them.
func Dumb() []DumbServer {
	fixed := func(status int, media, body string) func(*Server) http.Handler {
		return func(*Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", media)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
		}
	}
	return []DumbServer{
		{"empty-object", "200 and {} to everything", fixed(http.StatusOK, "application/json", "{}")},
		{"all-401", "401 to everything", fixed(http.StatusUnauthorized, "application/json", `{"message":"unauthorised","code":401}`)},
		{"all-500", "500 to everything", fixed(http.StatusInternalServerError, "application/json", `{"message":"internal error","code":500}`)},
		{"replay", "the first good answer of each call, again and again", func(behind *Server) http.Handler { return replay(behind, "") }},
		{"first-user", "the first user's tokens for everybody", func(behind *Server) http.Handler { return replay(behind, "access_token") }},
		{"random-tokens", "the right members with random texts as tokens", randomTokens},
		{"captive-portal", "200 and a login page to everything", fixed(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><body><form>Welcome. Please sign in to the network.</form></body></html>")},
		{"echo", "200 and the request's own body to everything", echo},
		{"static-mock", "a static mock with the samples of the documentation's kind", staticMock},
		{"redirect-loop", "a redirect to itself to everything", redirectLoop},
		{"closed", "every connection is closed without an answer", closedConnections},
		{"flaky", "a right service with 2 % random 500", randomErrors},
	}
}

// replay answers each call with the first success that the mock gave to it. With a member given, only answers that hold it are kept,
// and what fails at the mock fails here.
func replay(behind *Server, member string) http.Handler {
	var mutex sync.Mutex
	kept := map[string]*recorded{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		a := kept[r.URL.Path]
		if a == nil || member != "" {
			fresh := record(behind, r)
			good := fresh.status < http.StatusBadRequest && (member == "" || bytes.Contains(fresh.body, []byte(member)))
			switch {
			case !good:
				a = fresh
			case a == nil:
				a, kept[r.URL.Path] = fresh, fresh
			}
		}
		a.copyHeader(w)
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	})
}

// discoverySample is what a static mock would be given for discovery.
const discoverySample = `{"availableServices":[{"authServiceName":"Operator SSO","displayAttributes":{"logo":"https://assets.example.com/operator.png","name":"Operator"},` +
	`"endpoints":[{"name":"SIGNON","path":"/signOn","parameterProperties":[{"name":"username","mandatory":true,"isPassword":false},{"name":"password","mandatory":true,"isPassword":true}]},` +
	`{"name":"SIGNONWITHSESSIONTOKEN","path":"/signOnWithSessionToken","parameterProperties":[{"name":"sessionToken","mandatory":true,"isPassword":true}]}]}]}`

// sampleTokenBody is a token body with the members of the page's sample; the tokens come in.
func sampleTokenBody(access, refresh string) object {
	return object{{"access_token", access}, {"refresh_token", refresh}, {"client_id", firstDevice}, {"accountId", firstAccount}, {"token_type", "bearer"},
		{"expires_in", 3600}, {"refresh_expires_in", 172800}, {"fixed_refresh_expires_in", 2592000}}
}

// successes answers every call with its documented success and the token body given.
func successes(tokens func() object) http.Handler {
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
				_, _ = w.Write(appendJSON(nil, tokens()))
			case ags.SessionTokenBody:
				_, _ = io.WriteString(w, `{"sessionToken":"sample1session2token3"}`)
			}
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"no example"}`)
	})
}

func randomTokens(*Server) http.Handler {
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
	return successes(func() object {
		mutex.Lock()
		defer mutex.Unlock()
		return sampleTokenBody(text(), text())
	})
}

// staticMock gives one well-formed sample for each call, as mocks do that are made from a description of an API.
func staticMock(*Server) http.Handler {
	signer := newSigner("HS256", "100001", []byte("a key that a static sample was signed with"))
	g := grant{tenant: firstTenant, account: firstAccount, device: firstDevice, now: time.Date(2024, 6, 10, 15, 4, 53, 0, time.UTC)}
	issued := g.now.Unix()
	sample := &Server{}
	access := signer.sign(signer.header(), sample.accessClaims(&Behaviour{}, &g, "4600000000000000001", issued+3600, issued+2592000))
	refresh := signer.sign(signer.header(), refreshClaims(&Behaviour{}, &g, "4600000000000000001", issued+172800, issued+2592000))
	return successes(func() object { return sampleTokenBody(access, refresh) })
}

func echo(*Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, io.LimitReader(r.Body, maxBody))
	})
}

func redirectLoop(*Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

func closedConnections(*Server) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// randomErrors fails 2 % of the calls, the same ones in every run.
func randomErrors(behind *Server) http.Handler {
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
