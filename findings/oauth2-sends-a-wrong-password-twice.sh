#!/usr/bin/env bash
# golang.org/x/oauth2 v0.38.0: until a token endpoint has said yes once, each refused sign-on is sent twice.
#
# OAuth clients tell who they are in a header or in the form, and AuthStyle, left at its zero, finds out which: it tries the header, and the
# form if that fails. What failed it does not ask: invalid_grant, for a wrong password or a spent refresh token, says that the client was
# known, and is tried again all the same, for nothing is learnt from a refusal. A service that locks a user after 5 wrong passwords does so at
# the third, one that limits tries counts double, and one that spends refresh tokens sees each spent one come back twice.
# Seen: 3 wrong passwords: 6 requests; with AuthStyleInParams: 3; after one good sign-on: 3.
# Whoever knows the endpoint sets AuthStyle.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
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

	"golang.org/x/oauth2"
)

func main() {
	requests := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("password") == "right" {
			fmt.Fprint(w, `{"access_token":"a","token_type":"Bearer","expires_in":3600}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
	}))
	defer service.Close()
	client := func(style oauth2.AuthStyle) *oauth2.Config {
		return &oauth2.Config{ClientID: "c", ClientSecret: "s", Endpoint: oauth2.Endpoint{TokenURL: service.URL, AuthStyle: style}}
	}
	threeWrong := func(c *oauth2.Config) int {
		requests = 0
		for range 3 {
			if _, err := c.PasswordCredentialsToken(context.Background(), "u", "wrong"); err == nil {
				panic("a wrong password was taken")
			}
		}
		return requests
	}
	unset, set, known := threeWrong(client(oauth2.AuthStyleAutoDetect)), threeWrong(client(oauth2.AuthStyleInParams)), client(oauth2.AuthStyleAutoDetect)
	if _, err := known.PasswordCredentialsToken(context.Background(), "u", "right"); err != nil {
		panic(err)
	}
	fmt.Printf("3 wrong passwords: %d requests, style set: %d, after a good one: %d\n", unset, set, threeWrong(known))
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "3 wrong passwords: 6 requests, style set: 3, after a good one: 3" ] || { echo "changed"; exit 1; }
