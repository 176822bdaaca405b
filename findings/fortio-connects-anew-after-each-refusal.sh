#!/usr/bin/env bash
# fortio.org/fortio v1.75.3: each answer that is neither 2xx nor 418 makes its usual client close the connection and open another.
#
# A service keeps the connection behind a 401, a 403 or a redirect, and says so, and a load tool that keeps connections would be expected to go on
# with it. Fortio has a client of its own, quick since it reads little of an answer, and that one starts afresh whenever the status is no
# success. A load of wrong or spent tokens, to see how quickly they are refused, measures connections, with TLS handshakes; a service that
# begins to answer 503 gets its clients' handshakes on top. The option for Go's client (-stdclient) keeps the connection.
# Seen, 20 requests, one thread: 200 and 201: 1 connection; 302, 401 and 503: 20 connections; with -stdclient 1 for all.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require fortio.org/fortio v1.75.3
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
)

func main() {
	for _, std := range []bool{false, true} {
		fmt.Printf("stdclient %t:", std)
		for _, status := range []int{200, 201, 302, 401, 503} {
			var connections atomic.Int64
			service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(status)
				io.WriteString(w, "ok")
			}))
			service.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			service.Start()
			options := fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{QPS: -1, NumThreads: 1, Exactly: 20, Out: io.Discard}}
			options.URL = service.URL
			options.DisableFastClient = std
			result, err := fhttp.RunHTTPTest(&options)
			if err != nil {
				panic(err)
			}
			fmt.Printf(" %dx%d on %d", result.RetCodes[status], status, connections.Load())
			service.Close()
		}
		fmt.Println()
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run . 2>/dev/null); echo "$seen"
[ "$seen" = 'stdclient false: 20x200 on 1 20x201 on 1 20x302 on 20 20x401 on 20 20x503 on 20
stdclient true: 20x200 on 1 20x201 on 1 20x302 on 1 20x401 on 1 20x503 on 1' ] || { echo "changed"; exit 1; }
