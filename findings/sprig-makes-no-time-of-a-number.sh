#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: duration of 90 is 0s, and int of "08" is 0; neither is an error.
#
# A chart has "timeout: 90" among its values, and "--timeout={{ duration .timeout }}" in the Job of a load or a gateway: duration takes seconds and writes them
# for a program in Go. It knows texts and int64 alone, and makes 0s of all else; numbers of a values file are float64, one in a template is int. With
# timeout: "90" it is 1m30s. For many programs 0s is "for ever", so that nothing fails. int reads a text as Go writes numbers: "010" is 8, and
# what it cannot read, "08" (an hour of a clock), "3600.5" or "30s", is 0.
# Seen: duration of the value 90: 0s; of 90 in the template: 0s; of the value "90": 1m30s; of 90 | int64: 1m30s. int of "10": 10; "010": 8; "08": 0;
# "30s": 0.
# Whoever writes such a template puts int64 before duration, and checks texts before they are numbers.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/Masterminds/sprig/v3 v3.3.0
	sigs.k8s.io/yaml v1.6.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

func main() {
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte("number: 90\ntext: \"90\"\n"), &values); err != nil {
		panic(err)
	}
	for _, text := range []string{
		`duration .number`, `duration 90`, `duration .text`, `.number | int64 | duration`, `int "10"`, `int "010"`, `int "08"`, `int "30s"`,
	} {
		fmt.Print(text, ": ")
		if err := template.Must(template.New("").Funcs(sprig.TxtFuncMap()).Parse("{{ "+text+" }}\n")).Execute(os.Stdout, values); err != nil {
			panic(err)
		}
	}
}
GO
export GOFLAGS=-mod=mod
seen=$(go run . 2>/dev/null); echo "$seen"
[ "$seen" = 'duration .number: 0s
duration 90: 0s
duration .text: 1m30s
.number | int64 | duration: 1m30s
int "10": 10
int "010": 8
int "08": 0
int "30s": 0' ] || { echo "changed"; exit 1; }
