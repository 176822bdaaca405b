#!/usr/bin/env bash
# github.com/lestrrat-go/jwx/v3 v3.4.0: a good token is refused if its key stands in the key set without "alg"; go-jose and jose take it.
#
# A key of a set may say for which algorithm it is, and need not (RFC 7517 section 4.4); sign-on services of large clouds leave it out. One would
# expect the key of the token's kid to be tried with the algorithm of its header, checked against the kind of the key. jwx passes over each key
# without alg and says "no matching keys were provided", which reads as if the kid were not in the set, so that one looks at the rotation of keys.
# It works with one service and not with the next, and stops the day a service drops the member.
# Seen: with alg, all three accept; without: jwx refuses, and accepts with WithInferAlgorithmFromKey; go-jose v4.1.9 and jose 6.2.18 (npm) accept.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund jose@6.2.18 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/go-jose/go-jose/v4 v4.1.9
	github.com/lestrrat-go/jwx/v3 v3.4.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil))
	text := must(josejwt.Signed(signer).Claims(josejwt.Claims{Subject: "user", Expiry: josejwt.NewNumericDate(time.Now().Add(time.Hour))}).Serialize())
	for _, alg := range []string{"RS256", ""} {
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Use: "sig", Algorithm: alg}}}
		page := must(json.Marshal(set))
		if err := os.WriteFile("set"+alg+".json", page, 0o600); err != nil {
			panic(err)
		}
		var claims josejwt.Claims
		withJose := must(josejwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})).Claims(set, &claims)
		keys := must(jwk.Parse(page))
		_, plain := jwt.Parse([]byte(text), jwt.WithKeySet(keys))
		_, inferred := jwt.Parse([]byte(text), jwt.WithKeySet(keys, jws.WithInferAlgorithmFromKey(true)))
		fmt.Printf("alg %q: jwx %t, jwx that infers %t, go-jose %t\n", alg, plain == nil, inferred == nil, withJose == nil)
	}
	if err := os.WriteFile("token", []byte(text), 0o600); err != nil {
		panic(err)
	}
}
GO
cat > talk.mjs <<'JS'
import fs from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

for (const alg of ['RS256', '']) {
  const set = createLocalJWKSet(JSON.parse(fs.readFileSync(`set${alg}.json`, 'utf8')))
  const taken = await jwtVerify(fs.readFileSync('token', 'utf8'), set).then(() => true, () => false)
  console.log(`alg "${alg}": jose ${taken}`)
}
JS
go mod tidy >/dev/null 2>&1
seen=$(go run .; timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'alg "RS256": jwx true, jwx that infers true, go-jose true
alg "": jwx false, jwx that infers true, go-jose true
alg "RS256": jose true
alg "": jose true' ] || { echo "changed"; exit 1; }
