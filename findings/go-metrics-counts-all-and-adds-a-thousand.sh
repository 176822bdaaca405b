#!/usr/bin/env bash
# github.com/rcrowley/go-metrics (2025-04-01): Max and Sum of a timer are those of 1,028 calls, while its Count is that of all.
#
# A program counts calls with NewTimer and shows count, sum and Max. Whatever a quantile leaves out one would expect Max to show, which needs one
# number, and Sum / Count to be the mean. Max and Sum are of the sample that the quantiles are of, 1,028 calls chosen by chance. A limit on Max
# passes for a service that kept a caller waiting for ten seconds, and a dashboard that divides the rate of the sum by that of the count
# shows a hundredth of the time. Small tests, of up to 1,028 calls, see true values.
# Seen, one call of 10 s among others of 10 ms, 20 timers. 100,000 calls: Max 10ms and Sum 10.28s by most timers, Count 100000; true: 10s and
# 16m49.99s. 1,000 calls: Max 10s, Sum 19.99s, Count 1000.
# Whoever wants the longest time or the sum keeps it beside the timer.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/rcrowley/go-metrics v0.0.0-20250401214520-65e299d6c5c9
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/rcrowley/go-metrics"
)

func timer(calls int) metrics.Timer {
	all := metrics.NewTimer()
	for call := range calls {
		took := 10 * time.Millisecond
		if call == calls/2 {
			took = 10 * time.Second
		}
		all.Update(took)
	}
	return all
}

func main() {
	const timers = 20
	lost := 0
	for range timers {
		all := timer(100_000)
		if time.Duration(all.Max()) == 10*time.Millisecond && time.Duration(all.Sum()) == 10280*time.Millisecond && all.Count() == 100_000 {
			lost++
		}
	}
	few := timer(1000)
	fmt.Printf("100000 calls: Max 10ms, Sum 10.28s, Count 100000 by most timers: %t\n", lost > timers/2)
	fmt.Printf("1000 calls: Max %v, Sum %v, Count %d\n", time.Duration(few.Max()), time.Duration(few.Sum()), few.Count())
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '100000 calls: Max 10ms, Sum 10.28s, Count 100000 by most timers: true
1000 calls: Max 10s, Sum 19.99s, Count 1000' ] || { echo "changed"; exit 1; }
