#!/usr/bin/env bash
# github.com/cenkalti/backoff/v5 v5.0.3: of calls that failed six times, and whose context then ends, only "context deadline exceeded" is left; after
# RetryAfter only "retry after 1s".
#
# Retry gives back the last error when its own bounds are reached, WithMaxTries and WithMaxElapsedTime. When the caller's context ends, as it does where each
# test or request has its deadline, the error is the context's alone: that the service answered 503 each time, or that its certificate is over, is in
# no log, and the report calls it slow. RetryAfter, for an answer 429, takes a number and no error, and what it gives back at the end
# does not name the status either. avast/retry-go keeps both.
# Seen, 50 ms between tries: MaxTries: "service: 503"; context of 300 ms: "context deadline exceeded"; RetryAfter at MaxTries: "retry after 1s";
# avast/retry-go v4.7.0, context of 300 ms, WrapContextErrorWithLastError: both.
# Whoever uses it keeps the last error in the function that is tried, or records it with WithNotify.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/avast/retry-go/v4 v4.7.0
	github.com/cenkalti/backoff/v5 v5.0.3
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/avast/retry-go/v4"
	"github.com/cenkalti/backoff/v5"
)

var errService = errors.New("service: 503")

func says(name string, err error) {
	fmt.Printf("%s: reason %t, deadline %t\n", name, errors.Is(err, errService), errors.Is(err, context.DeadlineExceeded))
}

func main() {
	const wait = 50 * time.Millisecond
	fail := func() (int, error) { return 0, errService }
	policy := backoff.WithBackOff(backoff.NewConstantBackOff(wait))
	short := func() context.Context {
		ctx, _ := context.WithTimeout(context.Background(), 6*wait)
		return ctx
	}
	_, err := backoff.Retry(context.Background(), fail, policy, backoff.WithMaxTries(3))
	says("tries", err)
	_, err = backoff.Retry(context.Background(), fail, policy, backoff.WithMaxElapsedTime(6*wait))
	says("elapsed", err)
	_, err = backoff.Retry(short(), fail, policy)
	says("context", err)
	_, err = backoff.Retry(context.Background(), func() (int, error) { return 0, backoff.RetryAfter(1) }, backoff.WithMaxTries(1))
	fmt.Println("refused:", err)
	err = retry.Do(func() error { return errService }, retry.Context(short()), retry.Delay(wait), retry.DelayType(retry.FixedDelay),
		retry.Attempts(0), retry.WrapContextErrorWithLastError(true))
	says("retry-go", err)
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'tries: reason true, deadline false
elapsed: reason true, deadline false
context: reason false, deadline true
refused: retry after 1s
retry-go: reason true, deadline true' ] || { echo "changed"; exit 1; }
