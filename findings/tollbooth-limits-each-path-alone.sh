#!/usr/bin/env bash
# github.com/didip/tollbooth/v7 v7.0.2: one request per second is one per second for each path; a caller of /devices/1, /devices/2 and so on has no limit.
#
# NewLimiter(1, nil) around a whole service reads as one request per second for a caller, as with other limiters, and as its own header says,
# X-Rate-Limit-Limit: 1.00. The path is part of what it counts by, so that each identifier in a path has an allowance of its own. A test that asks one
# address three times sees its 429, and a load on one address finds the limit, while the true mix of addresses, which it was meant for, never
# meets it. The method and the query are no part of it: a client that polls one address is refused when it deletes there.
# Seen, 5 requests at once: one path: 200 and four 429; GET and POST in turn: one 200; five queries: one 200; five paths: five 200. With
# SetIgnoreURL(true), and with github.com/go-chi/httprate v0.16.1 LimitByIP: five paths: one 200.
# Whoever means callers sets SetIgnoreURL(true).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/didip/tollbooth/v7 v7.0.2
	github.com/go-chi/httprate v0.16.1
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/didip/tollbooth/v7"
	"github.com/go-chi/httprate"
)

func show(name string, handler http.Handler, each func(int) (method, path string)) {
	passed := 0
	for request := range 5 {
		method, path := each(request)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		if answer.Code == http.StatusOK {
			passed++
		}
	}
	fmt.Printf("%s: %d of 5\n", name, passed)
}

func main() {
	well := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	limited := func() http.Handler { return tollbooth.LimitHandler(tollbooth.NewLimiter(1, nil), well) }
	paths := func(request int) (string, string) { return http.MethodGet, fmt.Sprint("/devices/", request) }
	show("one path", limited(), func(int) (string, string) { return http.MethodGet, "/devices" })
	show("methods", limited(), func(request int) (string, string) {
		return []string{http.MethodGet, http.MethodPost}[request%2], "/devices"
	})
	show("queries", limited(), func(request int) (string, string) { return http.MethodGet, fmt.Sprint("/devices?page=", request) })
	show("paths", limited(), paths)
	callers := tollbooth.NewLimiter(1, nil)
	callers.SetIgnoreURL(true)
	show("paths, SetIgnoreURL", tollbooth.LimitHandler(callers, well), paths)
	show("paths, httprate", httprate.LimitByIP(1, time.Minute)(well), paths)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'one path: 1 of 5
methods: 1 of 5
queries: 1 of 5
paths: 5 of 5
paths, SetIgnoreURL: 1 of 5
paths, httprate: 1 of 5' ] || { echo "changed"; exit 1; }
