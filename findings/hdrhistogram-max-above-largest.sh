#!/usr/bin/env bash
# github.com/HdrHistogram/hdrhistogram-go v1.4.0: Max is larger than the largest value that was recorded, Min smaller than the smallest.
#
# With three significant digits the values of a bucket count as equal. Percentiles, and Max too, tell the upper end of the bucket; Min tells its
# lower end. So Min <= Max can be wide apart where all values are one, and a bound on the maximum can fail that no value broke.
# Seen: 100 times 1,000,003 recorded; Min 999936, Max 1000447, the 50th percentile 1000447, Mean 1000192.
# Whoever judges a maximum keeps it beside the histogram.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/HdrHistogram/hdrhistogram-go v1.4.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func main() {
	h := hdrhistogram.New(1, int64(time.Hour), 3)
	for range 100 {
		if err := h.RecordValue(1_000_003); err != nil {
			panic(err)
		}
	}
	fmt.Printf("min %d, max %d, p50 %d, mean %.0f\n", h.Min(), h.Max(), h.ValueAtQuantile(50), h.Mean())
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = "min 999936, max 1000447, p50 1000447, mean 1000192" ] || { echo "changed"; exit 1; }
