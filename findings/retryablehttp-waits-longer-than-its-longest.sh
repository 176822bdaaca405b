#!/usr/bin/env bash
# github.com/hashicorp/go-retryablehttp v0.7.8: where an answer has Retry-After, neither RetryWaitMin nor RetryWaitMax holds.
#
# The fields are called the shortest and the longest wait between tries, and one sets them so that a client neither floods a service nor sleeps.
# A Retry-After of an answer 429 or 503 takes the place of both. One refusal with Retry-After: 3600, as a page for maintenance has it, makes
# the client sit for an hour in a call that was to wait for a second at most, and one with 0, as limiters write that cut off the fraction
# of a second, makes it send all its tries at once, without any back-off.
# Seen, waits of 500 ms to 1 s, second try: no header: 1 s; Retry-After 3600: one hour; Retry-After 0: four requests within 400 ms.
# Whoever needs the bounds wraps Backoff, or gives the request a deadline.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/hashicorp/go-retryablehttp v0.7.8
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = nil, 3, 500*time.Millisecond, time.Second
	wait := func(after ...string) time.Duration {
		refusal := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": after}}
		return client.Backoff(client.RetryWaitMin, client.RetryWaitMax, 1, refusal)
	}
	requests := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer service.Close()
	began := time.Now()
	if _, err := client.Get(service.URL); err == nil {
		panic("it was not refused")
	}
	fmt.Printf("no header: %s, 3600: %s, 0: %d requests, at once %t\n", wait(), wait("3600"), requests, time.Since(began) < 400*time.Millisecond)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "no header: 1s, 3600: 1h0m0s, 0: 4 requests, at once true" ] || { echo "changed"; exit 1; }
