#!/usr/bin/env bash
# github.com/sethvargo/go-retry v0.5.0: with a Backoff that a client keeps, the first call that fails has three retries, and each later one none.
#
# A Backoff looks like a setting: WithMaxRetries(3, NewConstant(d)). It counts what was used, and nothing puts it back, so that all calls of its life share
# three retries; with WithMaxDuration they share one span of time from the moment it was made, and with NewExponential each call waits
# longer than the one before it. A client that makes it once, in its constructor, rides over the first lost connection of the day and fails at
# the second. cenkalti/backoff, handed one policy for all calls, puts it back at the start of each.
# Seen, three calls that fail, at most 3 retries: go-retry, one Backoff: 4, 1, 1 tries; one for each call: 4, 4, 4; cenkalti/backoff v5.0.3: 4, 4, 4.
# Whoever uses it makes the Backoff in the function that calls Do.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/sethvargo/go-retry v0.5.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sethvargo/go-retry"
)

var errLost = errors.New("connection lost")

func tries(ask func(fail func() error)) int {
	count := 0
	ask(func() error { count++; return errLost })
	return count
}

func main() {
	ctx := context.Background()
	fresh := func() retry.Backoff { return retry.WithMaxRetries(3, retry.NewConstant(time.Millisecond)) }
	do := func(backoff retry.Backoff) func(func() error) {
		return func(fail func() error) {
			_ = retry.Do(ctx, backoff, func(context.Context) error { return retry.RetryableError(fail()) })
		}
	}
	kept := fresh()
	other := backoff.NewConstantBackOff(time.Millisecond)
	for call := 1; call <= 3; call++ {
		fmt.Printf("call %d: kept %d, made anew %d, cenkalti %d\n", call, tries(do(kept)), tries(do(fresh())), tries(func(fail func() error) {
			_, _ = backoff.Retry(ctx, func() (int, error) { return 0, fail() }, backoff.WithBackOff(other), backoff.WithMaxTries(4))
		}))
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'call 1: kept 4, made anew 4, cenkalti 4
call 2: kept 1, made anew 4, cenkalti 4
call 3: kept 1, made anew 4, cenkalti 4' ] || { echo "changed"; exit 1; }
