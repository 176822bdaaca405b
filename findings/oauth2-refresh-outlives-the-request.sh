#!/usr/bin/env bash
# golang.org/x/oauth2 v0.38.0: the deadline of a request does not hold for the refresh that comes before it.
#
# A client of Config.Client gets a fresh token before it sends a request, if the old one is over. A request with a deadline would be expected
# to end at it, whatever it waits for. The refresh runs with the context that the client was made with, under a lock: each request of that
# client waits until the token endpoint answers, be its own deadline long over. A slow sign-on service so holds up callers that have set
# bounds, and their measured time-outs are those of another service.
# Seen: deadline 100 ms, token endpoint answers after 1 s: the request ends after 1 s, with "context deadline exceeded".
# Whoever needs the bound makes the client with a context that has it, or gives the token source's HTTP client a time-out.
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
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"
)

func main() {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"b","token_type":"Bearer","expires_in":3600}`)
	}))
	defer tokens.Close()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer service.Close()
	config := oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: tokens.URL, AuthStyle: oauth2.AuthStyleInParams}}
	client := config.Client(context.Background(), &oauth2.Token{AccessToken: "a", RefreshToken: "r", Expiry: time.Now().Add(-time.Hour)})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, service.URL, nil)
	if err != nil {
		panic(err)
	}
	began := time.Now()
	_, err = client.Do(request)
	fmt.Printf("deadline exceeded: %t, only once the refresh was over: %t\n", errors.Is(err, context.DeadlineExceeded), time.Since(began) >= time.Second)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "deadline exceeded: true, only once the refresh was over: true" ] || { echo "changed"; exit 1; }
