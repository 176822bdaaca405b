#!/usr/bin/env bash
# go.opentelemetry.io/otel/exporters/prometheus v0.69.0 and @opentelemetry/exporter-prometheus 0.223.0 (npm): one gauge of unit "1" is sessions_ratio of
# a service in Go, and sessions of one on Node.
#
# "1" is the unit of what has none, such as a number of sessions, and one would expect the name to stay as it is. Go's exporter takes a gauge of unit
# "1" for a share and adds _ratio, though not to an up-down counter, which comes out as a gauge too; so do Prometheus and the Collector
# with what comes by OTLP. A histogram of unit "s" gets _seconds. Node's exporter adds neither. An alert on the name holds for the services of
# one language, and is silent of the others: a name that is not there is no error.
# Seen: Go: open, sessions_ratio, took_seconds. Node: open, sessions, took.
# Whoever writes metrics gives such a gauge a unit in braces, {session}, which no exporter turns into a name.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.12.1 @opentelemetry/exporter-prometheus@0.223.0 >/dev/null
cat > talk.mjs <<'JS'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'

const reader = new PrometheusExporter({ preventServerStart: true })
const meter = new MeterProvider({ readers: [reader] }).getMeter('finding')
meter.createGauge('sessions', { unit: '1' }).record(250)
meter.createGauge('braced', { unit: '{session}' }).record(250)
meter.createUpDownCounter('open', { unit: '1' }).add(7)
meter.createHistogram('took', { unit: 's' }).record(0.02)
const page = new PrometheusSerializer().serialize((await reader.collect()).resourceMetrics)
const names = [...page.matchAll(/^# TYPE (\S+) (\S+)/gm)].map((m) => `${m[1]} ${m[2]}`).filter((n) => !n.startsWith('target_info'))
console.log('Node: ' + names.sort().join(', '))
JS
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/prometheus/client_golang v1.25.0
	go.opentelemetry.io/otel/exporters/prometheus v0.69.0
	go.opentelemetry.io/otel/metric v1.47.0
	go.opentelemetry.io/otel/sdk/metric v1.47.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"strings"

	prom "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx, all := context.Background(), prom.NewRegistry()
	reader := must(prometheus.New(prometheus.WithRegisterer(all)))
	meter := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("finding")
	must(meter.Int64Gauge("sessions", metric.WithUnit("1"))).Record(ctx, 250)
	must(meter.Int64Gauge("braced", metric.WithUnit("{session}"))).Record(ctx, 250)
	must(meter.Int64UpDownCounter("open", metric.WithUnit("1"))).Add(ctx, 7)
	must(meter.Float64Histogram("took", metric.WithUnit("s"))).Record(ctx, 0.02)
	var names []string
	for _, f := range must(all.Gather()) {
		if f.GetName() != "target_info" {
			names = append(names, f.GetName()+" "+strings.ToLower(f.GetType().String()))
		}
	}
	fmt.Println("Go: " + strings.Join(names, ", "))
}
GO
go mod tidy >/dev/null 2>&1
seen=$(timeout 50 node talk.mjs; go run .); echo "$seen"
[ "$seen" = 'Node: braced gauge, open gauge, sessions gauge, took histogram
Go: braced gauge, open gauge, sessions_ratio gauge, took_seconds histogram' ] || { echo "changed"; exit 1; }
