#!/usr/bin/env bash
# github.com/stretchr/testify v1.12.1: JSONEq holds for two ids of 16 digits and more that differ in their last digits; MatchJSON of gomega v1.44.0 does not.
#
# JSONEq compares two texts of JSON by what they say, and a test for an account or a device would be expected to fail for another one. It reads both
# into numbers of 53 bits first, in which neighbours above 9,007,199,254,740,992 are one number. Ids with a clock or a node in them are longer. A
# service that answers with the id of the device next to it, as services do that read ids as floating point themselves, passes. As
# texts, in quotes, they are told apart.
# Seen, 9007199254740993 and 9007199254740992: JSONEq equal, MatchJSON not; 1234567890123456789 and …788: the same; "1234567890123456789" and "…788": neither.
# Whoever checks long numbers compares the texts, or reads them with UseNumber.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/onsi/gomega v1.44.0
	github.com/stretchr/testify v1.12.1
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/onsi/gomega"
	"github.com/stretchr/testify/assert"
)

// quiet takes what a failed comparison says.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}

func main() {
	for _, pair := range [][2]string{
		{`{"deviceId":9007199254740993}`, `{"deviceId":9007199254740992}`},
		{`{"deviceId":1234567890123456789}`, `{"deviceId":1234567890123456788}`},
		{`{"deviceId":"1234567890123456789"}`, `{"deviceId":"1234567890123456788"}`},
		{`{"deviceId":1663}`, `{"deviceId":1664}`},
	} {
		matches, err := gomega.MatchJSON(pair[0]).Match(pair[1])
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: JSONEq %t, MatchJSON %t\n", pair[0], assert.JSONEq(quiet{}, pair[0], pair[1]), matches)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '{"deviceId":9007199254740993}: JSONEq true, MatchJSON false
{"deviceId":1234567890123456789}: JSONEq true, MatchJSON false
{"deviceId":"1234567890123456789"}: JSONEq false, MatchJSON false
{"deviceId":1663}: JSONEq false, MatchJSON false' ] || { echo "changed"; exit 1; }
