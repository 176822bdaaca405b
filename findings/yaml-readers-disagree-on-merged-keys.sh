#!/usr/bin/env bash
# github.com/goccy/go-yaml v1.19.2, sigs.k8s.io/yaml v1.6.0 and go.yaml.in/yaml/v3 v3.0.4: a value beside "<<: *base" is taken, lost or an error, by reader
# and by whether it stands above or below.
#
# "<<" brings in the keys of another map, and those of the map itself go before them, wherever they stand: that is what it is for, one base and a few
# differences for each environment. yaml/v3 does it. sigs.k8s.io/yaml, with which the tools of Kubernetes read, lets the base win over whatever stands
# above it, and so does goccy into a map; into a struct, goccy calls the difference a duplicate key. Of a list of bases the first wins,
# and for goccy the last. One file so has two hosts, by who reads it.
# Seen, base host a, own host x. Below: all x, goccy into a struct: duplicate key. Above: yaml/v3 x, sigs a, goccy a. Two bases a and b: a, a, b.
# Whoever shares such files writes "<<" first and one base, and reads them with goccy into maps only.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/goccy/go-yaml v1.19.2
	go.yaml.in/yaml/v3 v3.0.4
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	v3 "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

const bases = "bases: [&a {host: a}, &b {host: b}]\nenv:\n"

type environment struct {
	Bases []map[string]string
	Env   struct{ Host string }
}

func host(err error, value any) string {
	if err != nil && strings.Contains(err.Error(), "duplicate key") {
		return "duplicate key"
	}
	if err != nil {
		return "error"
	}
	return fmt.Sprint(value)
}

func main() {
	for _, one := range []struct{ name, text string }{
		{"below", "  <<: *a\n  host: x\n"},
		{"above", "  host: x\n  <<: *a\n"},
		{"two", "  <<: [*a, *b]\n"},
	} {
		text := []byte(bases + one.text)
		said := []string{one.name}
		for _, reader := range []struct {
			name string
			read func([]byte, any) error
		}{
			{"yaml/v3", v3.Unmarshal},
			{"sigs", func(text []byte, into any) error { return sigs.Unmarshal(text, into) }},
			{"goccy", func(text []byte, into any) error { return yaml.Unmarshal(text, into) }},
		} {
			var inMap map[string]any
			err := reader.read(text, &inMap)
			values, _ := inMap["env"].(map[string]any)
			var inStruct environment
			said = append(said, fmt.Sprintf("%s: map %s, struct %s", reader.name, host(err, values["host"]),
				host(reader.read(text, &inStruct), inStruct.Env.Host)))
		}
		fmt.Println(strings.Join(said, " | "))
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = 'below | yaml/v3: map x, struct x | sigs: map x, struct x | goccy: map x, struct duplicate key
above | yaml/v3: map x, struct x | sigs: map a, struct a | goccy: map a, struct duplicate key
two | yaml/v3: map a, struct a | sigs: map a, struct a | goccy: map b, struct error' ] || { echo "changed"; exit 1; }
