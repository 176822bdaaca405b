#!/usr/bin/env bash
# github.com/sony/gobreaker/v2 v2.4.0: a caller that gives up counts as a failure of the service; six of them in a row close it to everybody for a minute.
#
# A circuit breaker opens when the service behind it fails. In a gateway the call runs with the context of the client's request, and ends with
# context.Canceled when the client goes away: a closed app, a set-top box that was switched off, a load tool whose run is over. For the breaker each
# error is a failure unless IsExcluded or IsSuccessful says otherwise, and nobody was there to get the error. The test that starts next meets
# a service that refuses everything, though it never failed.
# Seen: 6 calls whose callers hung up: open, and the next, good one: "circuit breaker is open"; with an IsExcluded for context.Canceled: closed, good.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/sony/gobreaker/v2 v2.4.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sony/gobreaker/v2"
)

func main() {
	came := make(chan struct{}, 1)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			came <- struct{}{}
			<-r.Context().Done()
		}
	}))
	defer service.Close()
	for _, excluded := range []func(error) bool{nil, func(err error) bool { return errors.Is(err, context.Canceled) }} {
		breaker := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{IsExcluded: excluded})
		call := func(ctx context.Context, path string) (int, error) {
			return breaker.Execute(func() (int, error) {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, service.URL+path, nil)
				if err != nil {
					return 0, err
				}
				answer, err := http.DefaultClient.Do(request)
				if err != nil {
					return 0, err
				}
				return answer.StatusCode, answer.Body.Close()
			})
		}
		for range 6 {
			ctx, hangUp := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				call(ctx, "/slow")
			}()
			<-came
			hangUp()
			<-done
		}
		state := breaker.State()
		status, err := call(context.Background(), "/")
		fmt.Printf("IsExcluded %t: %v, next: %d %v\n", excluded != nil, state, status, err)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(timeout 50 go run .); echo "$seen"
[ "$seen" = 'IsExcluded false: open, next: 0 circuit breaker is open
IsExcluded true: closed, next: 200 <nil>' ] || { echo "changed"; exit 1; }
