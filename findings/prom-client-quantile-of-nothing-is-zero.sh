#!/usr/bin/env bash
# prom-client 15.1.3 (npm): the quantiles of a summary that has seen nothing are 0, where Prometheus has NaN; so are those whose time is over.
#
# A p99 of nothing is no number, and Prometheus' own client for Go says NaN, which fails every comparison and breaks the line of a graph. Here it
# is 0, the best value there can be: "p99 < 300 ms" holds while no request comes through, be it that the gateway before the service is down.
# With maxAgeSeconds it comes back to 0 after each quiet time, so that averages over time are too low, while the count goes on.
# Seen: before the first answer 0; after one of 5 s: 5; once it is too old: 0, with a count of 1. client_golang v1.25.0, the same: NaN, 5, NaN.
# Whoever judges by it asks for the rate of the count first.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund prom-client@15.1.3 >/dev/null
cat > talk.mjs <<'JS'
import client from 'prom-client'

const summary = new client.Summary({ name: 's', help: 'h', percentiles: [0.99], maxAgeSeconds: 2, ageBuckets: 2 })
const show = async (when) => {
  const text = await client.register.metrics()
  console.log(`${when}: ${text.match(/0.99"} (.*)/)[1]}, count ${text.match(/s_count (.*)/)[1]}`)
}
await show('nothing')
summary.observe(5)
await show('one')
await new Promise((done) => setTimeout(done, 5000))
await show('too old')
JS
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/prometheus/client_golang v1.25.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func main() {
	summary := prometheus.NewSummary(prometheus.SummaryOpts{
		Name: "s", Help: "h", Objectives: map[float64]float64{0.99: 0.001}, MaxAge: 2 * time.Second, AgeBuckets: 2,
	})
	show := func(when string) {
		var metric dto.Metric
		if err := summary.Write(&metric); err != nil {
			panic(err)
		}
		fmt.Printf("%s: %v, count %d\n", when, metric.Summary.Quantile[0].GetValue(), metric.Summary.GetSampleCount())
	}
	show("nothing")
	summary.Observe(5)
	show("one")
	time.Sleep(5 * time.Second)
	show("too old")
}
GO
go mod tidy >/dev/null 2>&1
seen=$(timeout 50 node talk.mjs; go run .); echo "$seen"
[ "$seen" = 'nothing: 0, count 0
one: 5, count 1
too old: 0, count 1
nothing: NaN, count 0
one: 5, count 1
too old: NaN, count 1' ] || { echo "changed"; exit 1; }
