#!/usr/bin/env bash
# github.com/hashicorp/go-metrics v0.7.0 (its Prometheus sink): the quantiles of a summary are those of the last 10 s, and a counter that rests for a
# minute is gone and begins at 0 again.
#
# Prometheus asks each 15 s or each minute, and one would expect the quantiles between to cover that time: client_golang, on which the sink
# stands, keeps 10 minutes by default. With the sink's own 10 s a p99 is one of the last sixth of each minute, or NaN if nothing came just then, and
# the slow calls of the other 50 s are in no number. Its default for what rests is to forget it: a counter of rare errors is never above
# the few of one minute, increase() sees no step from "not there" to 1, and an alert on it stays silent.
# Seen, p99 of 100 calls: at once 98 with both, after 11 s NaN with the sink and 98 with client_golang. Counter 5, at rest for longer than Expiration
# (60 s by default; here 1 s): not there, and 1 after one more; with Expiration 0: 6.
# Whoever uses it sets Expiration to 0, and counts latencies in a histogram of client_golang.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/hashicorp/go-metrics v0.7.0
	github.com/prometheus/client_golang v1.25.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/go-metrics"
	sink "github.com/hashicorp/go-metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
)

func sinkOf(expiration time.Duration) (*metrics.Metrics, *prometheus.Registry) {
	registry := prometheus.NewRegistry()
	to, err := sink.NewPrometheusSinkFrom(sink.PrometheusOpts{Registerer: registry, Expiration: expiration})
	if err != nil {
		panic(err)
	}
	config := metrics.DefaultConfig("")
	config.EnableHostname, config.EnableRuntimeMetrics = false, false
	all, err := metrics.New(config, to)
	if err != nil {
		panic(err)
	}
	return all, registry
}

func value(registry *prometheus.Registry, name string) string {
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		if counter := family.Metric[0].Counter; counter != nil {
			return fmt.Sprint(counter.GetValue())
		}
		for _, quantile := range family.Metric[0].GetSummary().Quantile {
			if quantile.GetQuantile() == 0.99 {
				return fmt.Sprint(quantile.GetValue())
			}
		}
	}
	return "not there"
}

func main() {
	fmt.Println("Expiration by default:", sink.DefaultPrometheusOpts.Expiration)
	resting, short := sinkOf(time.Second)
	kept, long := sinkOf(0)
	plain := prometheus.NewRegistry()
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "took", Objectives: map[float64]float64{0.99: 0.001}})
	plain.MustRegister(summary)
	for took := range 100 {
		kept.AddSample([]string{"took"}, float32(took))
		summary.Observe(float64(took))
	}
	for range 5 {
		resting.IncrCounter([]string{"errors"}, 1)
		kept.IncrCounter([]string{"errors"}, 1)
	}
	fmt.Println("p99 at once: sink", value(long, "took"), "client_golang", value(plain, "took"))
	time.Sleep(11 * time.Second)
	fmt.Println("p99 after 11 s: sink", value(long, "took"), "client_golang", value(plain, "took"))
	fmt.Println("counter at rest:", value(short, "errors"), "with Expiration 0:", value(long, "errors"))
	resting.IncrCounter([]string{"errors"}, 1)
	kept.IncrCounter([]string{"errors"}, 1)
	fmt.Println("one more:", value(short, "errors"), "with Expiration 0:", value(long, "errors"))
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'Expiration by default: 1m0s
p99 at once: sink 98 client_golang 98
p99 after 11 s: sink NaN client_golang 98
counter at rest: not there with Expiration 0: 5
one more: 1 with Expiration 0: 6' ] || { echo "changed"; exit 1; }
