#!/usr/bin/env bash
# python3-authlib 1.2.0 (Debian 12) with github.com/go-jose/go-jose/v4 v4.1.9 and github.com/lestrrat-go/jwx/v3 v3.4.0: one P-256 key of 128 is refused by
# clients in Go, and with it every key that stands beside it in the set.
#
# A service makes a fresh key, publishes it as a JWK, and one would expect any key to do. x and y must be written in full, 32 octets for P-256
# (RFC 7518 section 6.2.1.2). Authlib writes them as numbers, without zeros in front: of 256 values one begins with a zero octet and is a letter
# or two shorter. jose and Node add the zero again. go-jose (and go-oidc, which reads sets with it) and jwx refuse the whole set, so that the old, good
# key is gone too, and all tokens are refused from one rotation to the next. Nothing changed but the key, and tests never meet it.
# Seen, first such key made: x of 31 octets; jose: read; Node: read; go-jose and jwx: key refused, set of it and a good key refused.
# Whoever publishes keys with it makes another one where x, y or d is short.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq python3-authlib=1.2.0-1+deb12u2 python3-cryptography python3-cffi-backend 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
PYTHONPATH=$dir/usr/lib/python3/dist-packages timeout 300 /usr/bin/python3 - <<'PY'
import base64, json
from authlib.jose import JsonWebKey


def octets(key):
    return len(base64.urlsafe_b64decode(key["x"] + "=="))


good = short = None
while not (good and short):
    key = JsonWebKey.generate_key("EC", "P-256", is_private=False).as_dict()
    if len(key["y"]) != 43:
        continue
    if octets(key) == 32:
        good = key
    else:
        short = key
print(f"x of {octets(short)} octets")
json.dump(short, open("short.json", "w"))
json.dump({"keys": [good, short]}, open("set.json", "w"))
PY
npm init -y >/dev/null && npm install --silent --no-audit --no-fund jose@6.2.18 >/dev/null
cat > read.mjs <<'JS'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { importJWK } from 'jose'

const key = JSON.parse(readFileSync('short.json'))
console.log('jose:', (await importJWK(key, 'ES256')).type, 'Node:', createPublicKey({ key, format: 'jwk' }).type)
JS
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
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

func main() {
	key, err := os.ReadFile("short.json")
	if err != nil {
		panic(err)
	}
	set, err := os.ReadFile("set.json")
	if err != nil {
		panic(err)
	}
	var one jose.JSONWebKey
	var all jose.JSONWebKeySet
	fmt.Println("go-jose:", one.UnmarshalJSON(key) == nil, json.Unmarshal(set, &all) == nil)
	_, ofKey := jwk.ParseKey(key)
	_, ofSet := jwk.Parse(set)
	fmt.Println("jwx:", ofKey == nil, ofSet == nil)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(node read.mjs; go run .); echo "$seen"
[ "$seen" = 'jose: public Node: public
go-jose: false false
jwx: false false' ] || { echo "changed"; exit 1; }
