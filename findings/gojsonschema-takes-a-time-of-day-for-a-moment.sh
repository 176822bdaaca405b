#!/usr/bin/env bash
# github.com/xeipuuv/gojsonschema v1.2.0: "format": "date-time" holds for "2026-01-01" and for "12:00:00", and an unknown format holds for all.
#
# A schema of an answer says date-time for when a token ends, and one would expect the check to find whatever is no moment (RFC 3339 section 5.6: a date,
# a T, a time and an offset). This reader tries four layouts one after another, of which one is a day and one a time of day. A service
# that forgets the day, or writes a day for a moment, passes; a client that parses what it gets does not. A right one with a small t and z, which
# the RFC allows, is refused. "duration", a format of JSON Schema since 2019, is not known, and says yes to everything.
# Seen, gojsonschema / ajv 8.20.0 with ajv-formats 3.0.1 (npm): 2026-01-01T12:00:00Z: true, true; 2026-01-01: true, false; 12:00:00: true,
# false; 2026-01-01t12:00:00z: false, true; no moment: false, false; duration "an hour": true, false.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund ajv@8.20.0 ajv-formats@3.0.1 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/xeipuuv/gojsonschema v1.2.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/xeipuuv/gojsonschema"
)

func main() {
	schema := gojsonschema.NewStringLoader(`{"type": "string", "format": "` + os.Args[1] + `"}`)
	result, err := gojsonschema.Validate(schema, gojsonschema.NewGoLoader(os.Args[2]))
	if err != nil {
		panic(err)
	}
	fmt.Print(result.Valid())
}
GO
cat > check.cjs <<'JS'
const ajv = new (require('ajv'))()
require('ajv-formats')(ajv)
process.stdout.write(`${ajv.validate({ type: 'string', format: process.argv[2] }, process.argv[3])}`)
JS
go mod tidy >/dev/null 2>&1; go build -o check .
both() { echo "$1 $2: $(./check "$1" "$2"), $(node check.cjs "$1" "$2")"; }
seen=$(
  both date-time 2026-01-01T12:00:00Z; both date-time 2026-01-01; both date-time 12:00:00
  both date-time 2026-01-01t12:00:00z; both date-time 'no moment'; both duration 'an hour'
); echo "$seen"
[ "$seen" = 'date-time 2026-01-01T12:00:00Z: true, true
date-time 2026-01-01: true, false
date-time 12:00:00: true, false
date-time 2026-01-01t12:00:00z: false, true
date-time no moment: false, false
duration an hour: true, false' ] || { echo "changed"; exit 1; }
