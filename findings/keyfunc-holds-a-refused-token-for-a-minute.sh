#!/usr/bin/env bash
# github.com/MicahParks/keyfunc/v3 v3.9.2 (NewDefault): one token of an unknown key keeps fresh keys out for four minutes, and then holds a refused request for up
# to a minute.
#
# A token whose key is not in the set is a reason to fetch the set, and a bound on that is wise: keyfunc fetches once in five minutes. One would expect the other
# tokens to be refused at once. They are, while more than a minute is left; whoever comes in the last one waits for its end, without an answer.
# A test with one bad token is quick, a second run of it four minutes later times out, and the run after that is
# quick again. A gateway of Go so turns a stray token into a request of a minute, and tokens of a key that was added meanwhile into 401.
# Seen, by a clock of its own (testing/synctest): unknown key at 0 s: 0 s; at 3 min: 0 s; at 4 min 10 s: 50 s; a good token of a key that was added at 1 s: refused
# at 3 min, taken at 4 min 10 s, after 50 s.
# Whoever uses it sets RateLimitWaitMax to a second or so.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/MicahParks/jwkset v0.11.4
	github.com/MicahParks/keyfunc/v3 v3.9.2
	github.com/golang-jwt/jwt/v5 v5.3.1
)
MOD
cat > finding_test.go <<'GO'
package finding

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// set answers with a set of keys, as a service would, without a network, so that the clock can be one of the test.
type set struct{ keys []jwkset.JWKMarshal }

func (s *set) RoundTrip(request *http.Request) (*http.Response, error) {
	text, err := json.Marshal(jwkset.JWKSMarshal{Keys: s.keys})
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(text))), Request: request}, err
}

func signed(t *testing.T, kid string) (string, jwkset.JWKMarshal) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{})
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
	if err != nil {
		t.Fatal(err)
	}
	return text, public.Marshal()
}

func TestFinding(t *testing.T) {
	stray, _ := signed(t, "stray")
	good, added := signed(t, "added")
	for _, late := range []string{stray, good} {
		synctest.Test(t, func(t *testing.T) {
			service := &set{}
			http.DefaultTransport = service
			keys, err := keyfunc.NewDefaultCtx(t.Context(), []string{"https://keys.test/set"})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			ask := func(token string, at time.Duration) {
				time.Sleep(at - time.Since(start))
				asked := time.Now()
				_, err := jwt.Parse(token, keys.Keyfunc)
				fmt.Printf("at %v: good %t after %v\n", at, err == nil, time.Since(asked).Round(time.Second))
			}
			ask(stray, 0)
			service.keys = append(service.keys, added)
			ask(late, 3*time.Minute)
			ask(late, 4*time.Minute+10*time.Second)
		})
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go test -v . | grep '^at '); echo "$seen"
[ "$seen" = 'at 0s: good false after 0s
at 3m0s: good false after 0s
at 4m10s: good false after 50s
at 0s: good false after 0s
at 3m0s: good false after 0s
at 4m10s: good true after 50s' ] || { echo "changed"; exit 1; }
