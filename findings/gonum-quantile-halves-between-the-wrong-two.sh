#!/usr/bin/env bash
# gonum.org/v1/gonum v0.17.0 (stat.Quantile): with LinInterp the median of 1, 2, 3, 4 and 5 is 2.5, and that of 10 ms and 20 ms is 10 ms.
#
# A report of latencies takes Quantile from the best known library of statistics of Go, and LinInterp, since to interpolate is the default of R and
# NumPy. Gonum interpolates between the steps of the empirical function, as if there were a value for 0 %, the smallest one again: each
# quantile comes out up to a whole place too low. Few values show it most, the p90 of 10 calls, a median of 5 runs, and a comparison of two
# runs with another tool finds the one faster that gonum read. Empirical, the other kind, has the right median of an odd number.
# Seen, LinInterp: 1 to 5: 2.5; 10 and 20: 10; p90 of 1 to 10: 9. montanaflynn/stats v0.14.0: 3, 15, 9.1, as in R and NumPy; Empirical: 3, 10, 9.
# Whoever needs the usual numbers takes another library, or writes the one line: h = (n-1)p.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/montanaflynn/stats v0.14.0
	gonum.org/v1/gonum v0.17.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/montanaflynn/stats"
	"gonum.org/v1/gonum/stat"
)

func main() {
	for _, one := range []struct {
		p      float64
		values []float64
	}{
		{0.5, []float64{1, 2, 3, 4, 5}},
		{0.5, []float64{10, 20}},
		{0.9, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		usual, err := stats.Percentile(one.values, 100*one.p)
		fmt.Printf("p%.0f of %v: LinInterp %.4g, Empirical %.4g, stats %.4g %v\n", 100*one.p, one.values,
			stat.Quantile(one.p, stat.LinInterp, one.values, nil), stat.Quantile(one.p, stat.Empirical, one.values, nil), usual, err)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'p50 of [1 2 3 4 5]: LinInterp 2.5, Empirical 3, stats 3 <nil>
p50 of [10 20]: LinInterp 10, Empirical 10, stats 15 <nil>
p90 of [1 2 3 4 5 6 7 8 9 10]: LinInterp 9, Empirical 9, stats 9.1 <nil>' ] || { echo "changed"; exit 1; }
