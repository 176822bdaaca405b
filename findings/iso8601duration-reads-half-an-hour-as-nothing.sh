#!/usr/bin/env bash
# github.com/channelmeter/iso8601duration v0.0.0-20150204201828: PT0.5H, half an hour, is read as 0 s, and -PT1H as one hour, and no error is returned.
#
# ISO 8601 allows a fraction at the smallest part of a duration, and services that keep seconds as floating point write PT3599.5S for what is left of a
# session. The reader's pattern is not tied to the end of the text: it takes the P and what fits, which is nothing, and is content. Its errors
# are for texts without a P alone. A lifetime becomes zero, so that a token is fetched anew for each call, or a time-out becomes
# none at all. sosodev/duration, which gqlgen takes too, reads them.
# Seen: PT0.5H 0s, PT3599.5S 0s, P1DT0.5H 24h0m0s, -PT1H 1h0m0s, no error; PT1H 1h0m0s; sosodev v1.4.0: 30m0s, 59m59.5s, 24h30m0s, -1h0m0s, 1h0m0s.
# Whoever reads what others wrote takes another reader, or compares what was read, written again, with the text.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/channelmeter/iso8601duration v0.0.0-20150204201828-8da3af7a2a61
	github.com/sosodev/duration v1.4.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	iso8601 "github.com/channelmeter/iso8601duration"
	"github.com/sosodev/duration"
)

func main() {
	for _, text := range []string{"PT0.5H", "PT3599.5S", "P1DT0.5H", "-PT1H", "PT1H"} {
		one, err := iso8601.FromString(text)
		if err != nil {
			fmt.Println(text, err)
			continue
		}
		other, err := duration.Parse(text)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s, sosodev %s\n", text, one.ToDuration(), other.ToTimeDuration())
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'PT0.5H: 0s, sosodev 30m0s
PT3599.5S: 0s, sosodev 59m59.5s
P1DT0.5H: 24h0m0s, sosodev 24h30m0s
-PT1H: 1h0m0s, sosodev -1h0m0s
PT1H: 1h0m0s, sosodev 1h0m0s' ] || { echo "changed"; exit 1; }
