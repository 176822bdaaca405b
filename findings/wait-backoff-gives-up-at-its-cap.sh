#!/usr/bin/env bash
# k8s.io/apimachinery v0.37.2: a Backoff of 10 steps whose Cap bounds the wait ends at the cap: with 1, 2, 4 s and a Cap of 5 s there are 3 tries.
#
# wait.Backoff tells programs for Kubernetes how to try again, and Cap would be expected to mean what it does in any other such library: the wait grows
# up to it and stays there. Here a wait that would be longer sets Steps to 0, and the loop is over, with the error of a time-out. The deployment
# that was to be waited for, for 37 s, is given up after 3 s, and the higher the factor, the sooner. A bound put in to be kind to the server
# makes the test fail on the slow cluster.
# Seen, 1 ms doubled, 10 steps: without Cap 10 tries; Cap of 5 ms: 3 tries; Cap of 100 ms: 7. With DelayFunc().Until and 5 ms: on and on.
# Whoever wants the bound alone takes DelayFunc().Until, with a context for the end.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require k8s.io/apimachinery v0.37.2
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func main() {
	for _, bound := range []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond} {
		tries := 0
		backoff := wait.Backoff{Duration: time.Millisecond, Factor: 2, Steps: 10, Cap: bound}
		err := wait.ExponentialBackoff(backoff, func() (bool, error) {
			tries++
			return false, nil
		})
		fmt.Printf("Cap %v: %d tries, %v\n", bound, tries, err)
	}
	tries := 0
	backoff := wait.Backoff{Duration: time.Millisecond, Factor: 2, Steps: 10, Cap: 5 * time.Millisecond}
	err := backoff.DelayFunc().Until(context.Background(), true, true, func(context.Context) (bool, error) {
		tries++
		return tries == 20, nil
	})
	fmt.Printf("DelayFunc: %d tries, %v\n", tries, err)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'Cap 0s: 10 tries, timed out waiting for the condition
Cap 5ms: 3 tries, timed out waiting for the condition
Cap 100ms: 7 tries, timed out waiting for the condition
DelayFunc: 20 tries, <nil>' ] || { echo "changed"; exit 1; }
