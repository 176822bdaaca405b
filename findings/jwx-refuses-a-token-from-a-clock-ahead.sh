#!/usr/bin/env bash
# github.com/lestrrat-go/jwx/v3 v3.4.0: a token that was issued a few seconds ahead of the reader's clock is refused; go-jose takes one that was over
# 50 s ago, and golang-jwt does neither.
#
# RFC 7519 says of iat only when a token was issued, and gives nobody a reason to refuse by it; some leeway for exp it leaves to the reader. Three
# libraries of Go, each with what it does unasked, judge one token three ways. Where the sign-on service's clock is 5 s before that of a gateway
# with jwx, each token is refused for its first 5 s: just after sign-on and refresh, never later, and never on one machine. And a test
# that sends a token right after its exp finds a service with go-jose wrong, which has a leeway of one minute.
# Seen: iat 30 s ahead: jwx refuses, golang-jwt v5.3.1 and go-jose v4.1.9 accept. exp 20 s ago: jwx and golang-jwt refuse, go-jose accepts.
# Whoever uses jwx gives WithAcceptableSkew; whoever tests expiry waits a minute more.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/go-jose/go-jose/v4 v4.1.9
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/lestrrat-go/jwx/v3 v3.4.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	golangjwt "github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwa"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
)

var key = []byte("a key of this script alone, 32 bytes")

func withJose(text string) error {
	token, err := josejwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return err
	}
	var claims josejwt.Claims
	if err := token.Claims(key, &claims); err != nil {
		return err
	}
	return claims.Validate(josejwt.Expected{Time: time.Now()})
}

func main() {
	now := time.Now().Unix()
	for _, one := range []struct {
		name   string
		claims golangjwt.MapClaims
	}{
		{"good", golangjwt.MapClaims{"iat": now - 10, "exp": now + 3600}},
		{"iat in 30 s", golangjwt.MapClaims{"iat": now + 30, "exp": now + 3600}},
		{"exp 20 s ago", golangjwt.MapClaims{"iat": now - 3600, "exp": now - 20}},
	} {
		text, err := golangjwt.NewWithClaims(golangjwt.SigningMethodHS256, one.claims).SignedString(key)
		if err != nil {
			panic(err)
		}
		_, golang := golangjwt.Parse(text, func(*golangjwt.Token) (any, error) { return key, nil })
		_, jwx := jwxjwt.Parse([]byte(text), jwxjwt.WithKey(jwa.HS256(), key))
		fmt.Printf("%s: jwx %t, golang-jwt %t, go-jose %t\n", one.name, jwx == nil, golang == nil, withJose(text) == nil)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'good: jwx true, golang-jwt true, go-jose true
iat in 30 s: jwx false, golang-jwt true, go-jose true
exp 20 s ago: jwx false, golang-jwt false, go-jose true' ] || { echo "changed"; exit 1; }
