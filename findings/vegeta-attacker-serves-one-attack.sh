#!/usr/bin/env bash
# github.com/tsenart/vegeta/v12 v12.13.0: the second attack of one Attacker sends a few hits or none, and says nothing.
#
# An Attacker is made once and has a method Attack, so one would use it for the warm-up and then for the measurement. The end of the first
# attack closes a channel that the second looks at before each hit: it ends at a random early hit. Its channel of results is closed as after
# a whole attack, no result carries an error, and Metrics of what came says success 1.
# Seen, 8 times: first attack 20 or more of 30 hits; second attack 0 to 10, no error.
# A fresh Attacker for each attack sends all of them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/tsenart/vegeta/v12 v12.13.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

func main() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer service.Close()
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: "POST", URL: service.URL})
	attack := func(a *vegeta.Attacker) (hits, failed int) {
		for r := range a.Attack(target, vegeta.Rate{Freq: 100, Per: time.Second}, 300*time.Millisecond, "") {
			hits++
			if r.Error != "" {
				failed++
			}
		}
		return hits, failed
	}
	asBefore := true
	for range 8 {
		a := vegeta.NewAttacker()
		first, _ := attack(a)
		second, failed := attack(a)
		fmt.Printf("first %d hits, second %d, errors %d\n", first, second, failed)
		asBefore = asBefore && second <= first/2 && failed == 0
	}
	if !asBefore {
		os.Exit(1)
	}
}
GO
go mod tidy >/dev/null 2>&1
go run . || { echo "changed"; exit 1; }
