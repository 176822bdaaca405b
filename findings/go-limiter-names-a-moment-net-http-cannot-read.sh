#!/usr/bin/env bash
# github.com/sethvargo/go-limiter v0.7.1 with net/http: the date that it puts into Retry-After ends in UTC, and http.ParseTime refuses it.
#
# A Retry-After is seconds or a date (RFC 9110 section 10.2.3), and each date of HTTP ends in GMT. This limiter writes one with Go's layout RFC1123,
# which puts the zone's own name there. http.ParseTime, made for dates of HTTP, wants the three letters GMT. Limiter and client may both
# be written in Go, and the client has no moment to wait for, and does what it does with a refusal that names none. X-RateLimit-Reset has the
# same form, where others have a number.
# Seen: 429, Retry-After and X-RateLimit-Reset alike and ending in UTC; ParseTime: an error; with GMT in its place: read.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/sethvargo/go-limiter v0.7.1
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/sethvargo/go-limiter/httplimit"
	"github.com/sethvargo/go-limiter/memorystore"
)

func main() {
	store, err := memorystore.New(&memorystore.Config{Tokens: 1, Interval: time.Hour})
	if err != nil {
		panic(err)
	}
	limit, err := httplimit.NewMiddleware(store, httplimit.IPKeyFunc())
	if err != nil {
		panic(err)
	}
	service := httptest.NewServer(limit.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})))
	defer service.Close()
	var answer *http.Response
	for range 2 {
		if answer, err = http.Get(service.URL); err != nil {
			panic(err)
		}
		answer.Body.Close()
	}
	after := answer.Header.Get("Retry-After")
	_, asWritten := http.ParseTime(after)
	_, inGMT := http.ParseTime(strings.Replace(after, "UTC", "GMT", 1))
	fmt.Printf("%d, UTC %t, both alike %t, read %t, in GMT read %t\n", answer.StatusCode, strings.HasSuffix(after, " UTC"),
		after == answer.Header.Get("X-RateLimit-Reset"), asWritten == nil, inGMT == nil)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "429, UTC true, both alike true, read false, in GMT read true" ] || { echo "changed"; exit 1; }
