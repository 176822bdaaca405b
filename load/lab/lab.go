// Package lab is a mock service with many virtual clients behind a real server, for the tests of the rooms of load.
//
// Start with New, which gives the server and the environment that a load wants. Spoiled and RefusingSome stand before
// the mock and change its answers; TokenBody and Token make answers by hand, for a server without a mock; WithClockSet
// is a moment after the clock was set. The server ends with its test, takes requests at the same time, and its seed is
// always the same.
//
//	s := lab.New(t, mock.Config{}, lab.RefusingSome(3)) // refreshes of 3 clients of 10
//	s.NoSecretsIn(t, report)
package lab

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
)

// Service is a mock behind a real server, with its environment.
type Service struct {
	Environment *environment.Environment
	Server      *httptest.Server
	secrets     []string
}

// New starts a mock; middleware may stand before it.
func New(t testing.TB, config mock.Config, middleware func(http.Handler) http.Handler) *Service {
	t.Helper()
	config.Seed = 11
	m := mock.New(config)
	var handler http.Handler = m
	if middleware != nil {
		handler = middleware(m)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	e, err := environment.Parse(m.Environment(server.URL, "", ""), "mock.yaml", t.TempDir(),
		func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	e.Load.MaxRate = ""
	// No answer is wrong for coming late: a machine that does much else may answer more slowly than it is asked.
	e.Timeout = 10 * time.Minute
	return &Service{Environment: e, Server: server, secrets: m.Secrets()}
}

// NoSecretsIn fails a test where a text holds a secret of the service, or a token.
func (s *Service) NoSecretsIn(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, secret := range s.secrets {
			assert.NotContains(t, text, secret)
		}
		assert.NotContains(t, text, "eyJ", "no token in %q", text)
	}
}

// Spoiled puts something in the way of one path, from some hit on.
func Spoiled(path string, from int64, spoil func(n int64, w http.ResponseWriter, r *http.Request,
	next http.Handler)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var count atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, path) {
				if n := count.Add(1) - from; n > 0 {
					spoil(n, w, r, next)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// RefusingSome refuses the refreshes of the virtual clients whose number ends with a digit below the given one.
func RefusingSome(below byte) func(http.Handler) http.Handler {
	return Spoiled("/refresh", 0, func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if segments := strings.Split(r.Header.Get("Authorization"), "."); len(segments) == 3 {
			payload, _ := base64.RawURLEncoding.DecodeString(segments[1])
			_, rest, _ := strings.Cut(string(payload), `"deviceId":"`)
			device, _, _ := strings.Cut(rest, `"`)
			if device != "" && device[len(device)-1] < '0'+below {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// TokenBody is an answer to a sign-on: the refresh token names account and device, the access token those of its own.
func TokenBody(account, device, accessAccount, accessDevice, jti string) string {
	now := time.Now().Unix()
	return fmt.Sprintf(
		`{"access_token":%q,"refresh_token":%q,"client_id":%q,"accountId":%q,"token_type":"bearer","expires_in":3600,"refresh_expires_in":172800,"fixed_refresh_expires_in":2592000}`,
		Token("DevAuthN", accessAccount, accessDevice, jti, now+3600), Token("RefreshAuthN", account, device, jti,
			now+172800), device, account)
}

// Token is a compact JWS with the claims of a refresh token; the signature is made of the seed.
func Token(kind, account, device, jti string, exp int64) string {
	encode := base64.RawURLEncoding.EncodeToString
	fixed := exp + 2419200
	if kind == "DevAuthN" {
		fixed = exp + 2588400
	}
	payload := fmt.Sprintf(
		`{"ver":"1.0","tenantId":"nagra","sessionControl":{"maxSessions":3,"sessionControlEnabled":true},"accountProfileId":"DEFAULT",`+
			`"deviceId":%q,"fixed_exp":%d,"exp":%d,"accountId":%q,"jti":%q,"userId":%q,"typ":%q}`, device, fixed, exp, account,
		jti, account, kind)
	signature := sha256.Sum256([]byte(payload))
	return encode([]byte(`{"kid":"259629","alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(payload)) + "." + encode(
		signature[:])
}
