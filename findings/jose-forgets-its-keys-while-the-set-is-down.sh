#!/usr/bin/env bash
# jose 6.2.18 (npm): once its key set is 10 minutes old and cannot be fetched, every token is refused, of the keys that it knows too.
#
# A gateway checks tokens with keys that it has, and one would expect it to go on with them while the service that publishes them is away; go-oidc
# does. createRemoteJWKSet fetches anew once cacheMaxAge is over, and where that fails, the check of the token fails, with an error that is none
# of a token. A restart of the sign-on service, which no call with a token needs, so fails all calls at those gateways whose ten minutes
# end in it, and the next test of the same restart may see none.
# Seen, cacheMaxAge 1 s, set answered 503 after the first fetch: within 1 s good, after it ERR_JOSE_GENERIC; set is back: good.
# github.com/coreos/go-oidc/v3 v3.21.0, set away after the first fetch: good, good, 1 request.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund jose@6.2.18 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { SignJWT, createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'

const { publicKey, privateKey } = await generateKeyPair('ES256')
const keys = [{ ...await exportJWK(publicKey), kid: '1', alg: 'ES256', use: 'sig' }]
const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: '1' }).setExpirationTime('1h').sign(privateKey)
let away = false
const service = http.createServer((request, answer) => {
  answer.statusCode = away ? 503 : 200
  answer.setHeader('Content-Type', 'application/json')
  answer.end(away ? '{}' : JSON.stringify({ keys }))
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const set = createRemoteJWKSet(new URL(`http://127.0.0.1:${service.address().port}/`), { cacheMaxAge: 1000 })
const check = (when) => jwtVerify(token, set).then(() => 'good', (error) => error.code).then((said) => console.log(`${when}: ${said}`))
await check('there')
away = true
await new Promise((done) => setTimeout(done, 1500))
await check('away')
away = false
await check('back')
service.close()
service.closeAllConnections()
JS
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/go-jose/go-jose/v4 v4.1.9
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "1"}}, nil))
	token := must(must(signer.Sign([]byte(`{}`))).CompactSerialize())
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}}
	requests := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Cache-Control", "max-age=1")
		if requests > 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(published); err != nil {
			panic(err)
		}
	}))
	defer service.Close()
	set := oidc.NewRemoteKeySet(context.Background(), service.URL)
	for _, when := range []string{"there", "away"} {
		_, err := set.VerifySignature(context.Background(), token)
		fmt.Printf("go-oidc, %s: %t, requests: %d\n", when, err == nil, requests)
		time.Sleep(1500 * time.Millisecond)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(timeout 50 node talk.mjs; timeout 50 go run .); echo "$seen"
[ "$seen" = 'there: good
away: ERR_JOSE_GENERIC
back: good
go-oidc, there: true, requests: 1
go-oidc, away: true, requests: 1' ] || { echo "changed"; exit 1; }
