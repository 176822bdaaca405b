#!/usr/bin/env bash
# github.com/prometheus/client_golang v1.25.0: a bucket of a histogram is le="5" for one reader and le="5.0" for another, who are two series for Prometheus.
#
# EnableOpenMetrics lets a reader choose between two forms of the same figures, by its Accept header. The numbers are the same, and one would expect the
# labels to be. The bound of a bucket is a label, and OpenMetrics wants a point in it. A query for the share under a bound, as le="5" of a limit of
# 5 s, finds nothing once the option is on, for Prometheus prefers the new form; what it stored before and after are two histories. Bounds that have a
# fraction anyway stay as they are, so that a part of the buckets goes on.
# Seen, bounds 0.5 and 5: as text le="0.5" and le="5"; as OpenMetrics le="0.5" and le="5.0".
# Whoever queries both writes le=~"5(\\.0)?".
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/prometheus/client_golang v1.25.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewHistogram(prometheus.HistogramOpts{Name: "answer_seconds", Help: "h", Buckets: []float64{0.5, 5}}))
	service := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	defer service.Close()
	for _, accept := range []string{"text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"} {
		request, err := http.NewRequest(http.MethodGet, service.URL, nil)
		if err != nil {
			panic(err)
		}
		request.Header.Set("Accept", accept)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", accept, regexp.MustCompile(`le="[^"]*"`).FindAll(body, -1))
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'text/plain;version=0.0.4: [le="0.5" le="5" le="+Inf"]
application/openmetrics-text;version=1.0.0: [le="0.5" le="5.0" le="+Inf"]' ] || { echo "changed"; exit 1; }
