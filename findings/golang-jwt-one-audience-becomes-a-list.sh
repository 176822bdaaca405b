#!/usr/bin/env bash
# github.com/golang-jwt/jwt/v5 v5.3.1: a token whose aud is one text comes out with a list when its claims are signed again.
#
# RFC 7519 section 4.1.3 lets aud be one text or a list, and a service may compare it with one text, as the page of the OperatorAuthToken
# shows it ("aud": "ags"). RegisteredClaims reads the text and writes ["ags"]. A head-end that reads a token, changes its expiry and signs it
# again sends another form, and a service that wants the text refuses it. A package variable (MarshalSingleStringAsArray) turns it off for the whole program.
# Seen: {"aud":"ags","exp":1735084800} becomes {"aud":["ags"],"exp":1735084800}.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/golang-jwt/jwt/v5 v5.3.1
MOD
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	const was = `{"aud":"ags","exp":1735084800}`
	var claims jwt.RegisteredClaims
	if err := json.Unmarshal([]byte(was), &claims); err != nil {
		panic(err)
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("a key of this script alone, 32 bytes"))
	if err != nil {
		panic(err)
	}
	_, parts, err := jwt.NewParser().ParseUnverified(signed, jwt.MapClaims{})
	if err != nil {
		panic(err)
	}
	payload, err := jwt.NewParser().DecodeSegment(parts[1])
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s becomes %s\n", was, payload)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '{"aud":"ags","exp":1735084800} becomes {"aud":["ags"],"exp":1735084800}' ] || { echo "changed"; exit 1; }
