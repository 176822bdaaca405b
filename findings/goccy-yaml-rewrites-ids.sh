#!/usr/bin/env bash
# github.com/goccy/go-yaml v1.19.2: a text field gets another text than stands in the file, where that looks like a number.
#
# Account, device and key ids are often digits. Without quotes such a value is a number for YAML, and one would expect a field of type string
# to get either the characters of the file or an error (go.yaml.in/yaml/v3 v3.0.4 gives the characters). goccy/go-yaml reads the number and writes it anew,
# without a word: a leading zero makes it octal, an underscore goes, a fraction loses its last zero.
# Seen: 00123 becomes "83", 1_663 "1663", 0x10 "16", 1.50 "1.5"; 1e3 and 089 stay as they are.
# Whoever reads ids with it asks for the token of the node, or wants quotes.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/goccy/go-yaml v1.19.2
	go.yaml.in/yaml/v3 v3.0.4
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/goccy/go-yaml"
	other "go.yaml.in/yaml/v3"
)

func main() {
	for _, text := range []string{"00123", "1_663", "0x10", "1.50", "1e3", "089"} {
		var a, b struct {
			Account string `yaml:"account"`
		}
		if err := yaml.Unmarshal([]byte("account: "+text+"\n"), &a); err != nil {
			panic(err)
		}
		if err := other.Unmarshal([]byte("account: "+text+"\n"), &b); err != nil {
			panic(err)
		}
		fmt.Printf("%s: %q, yaml/v3 %q\n", text, a.Account, b.Account)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = '00123: "83", yaml/v3 "00123"
1_663: "1663", yaml/v3 "1_663"
0x10: "16", yaml/v3 "0x10"
1.50: "1.5", yaml/v3 "1.50"
1e3: "1e3", yaml/v3 "1e3"
089: "089", yaml/v3 "089"' ] || { echo "changed"; exit 1; }
