#!/usr/bin/env bash
# golang.org/x/oauth2 v0.38.0: a sign-on whose answer says "expires_in": 3600.0 fails, though the service accepted it; ajv 8.20.0 (npm) calls it an integer.
#
# JSON knows one kind of number, and a JSON Schema's integer is any number without a fraction, written with a point or not. Services whose language
# keeps seconds as floating point write 3600.0, and one that tells what is left writes 3599.5. Schema checks, and clients in JavaScript, see
# nothing strange. oauth2 reads the digits as an integer of Go, and all of the answer is lost with them: the user has a session that no
# client holds, and each new try makes one more. A text, "3600", which RFC 6749 does not allow, it reads.
# Seen: 3600 and "3600": signed on; 3600.0, 3.6e3 and 3599.5: "cannot parse json"; ajv: 3600.0 and 3.6e3 are integers.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund ajv@8.20.0 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require golang.org/x/oauth2 v0.38.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"golang.org/x/oauth2"
)

func main() {
	for _, lifetime := range []string{`3600`, `"3600"`, `3600.0`, `3.6e3`, `3599.5`} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"a","token_type":"Bearer","expires_in":%s}`, lifetime)
		}))
		endpoint := oauth2.Endpoint{TokenURL: service.URL, AuthStyle: oauth2.AuthStyleInParams}
		_, err := (&oauth2.Config{Endpoint: endpoint}).PasswordCredentialsToken(context.Background(), "u", "p")
		said := "signed on"
		if err != nil {
			said, _, _ = strings.Cut(err.Error(), ": strconv")
		}
		fmt.Printf("%s: %s\n", lifetime, said)
		service.Close()
	}
}
GO
cat > check.mjs <<'JS'
import Ajv from 'ajv'

const integer = new Ajv().compile({ type: 'integer' })
for (const text of ['3600.0', '3.6e3', '3599.5']) console.log(`ajv ${text}: ${integer(JSON.parse(text))}`)
JS
go mod tidy >/dev/null 2>&1
seen=$(go run .; node check.mjs); echo "$seen"
[ "$seen" = '3600: signed on
"3600": signed on
3600.0: oauth2: cannot parse json
3.6e3: oauth2: cannot parse json
3599.5: oauth2: cannot parse json
ajv 3600.0: true
ajv 3.6e3: true
ajv 3599.5: false' ] || { echo "changed"; exit 1; }
