#!/usr/bin/env bash
# kubernetes-resource-parser 0.1.0 (npm): a memory of "1.5Gi" is 1 byte, "1e3" is 1, and a processor share of "500u" is 500 processors.
#
# A report of a load puts what pods used beside what they may use, and quantities of Kubernetes come as texts: with a point, with an exponent, with each
# prefix from n to E. The API keeps "1.5Gi" as whoever deployed it wrote it, and the server of metrics says processors in n or u. This parser takes the digits in
# front for the number, and knows m alone of the small prefixes. A pod with a limit of one byte uses far more than it may, one
# that takes nothing takes 500 processors, and nothing is an error: the report of the next deployment, with "1536Mi", is right.
# Seen, parser / k8s.io/apimachinery v0.37.2: 128Mi: both 134217728; 1.5Gi: 1 / 1610612736; 1e3: 1 / 1000; processors 100m: both 0.1;
# 500u: 500 / 0.0005; 2k: 2 / 2000.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund kubernetes-resource-parser@0.1.0 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require k8s.io/apimachinery v0.37.2
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	for _, text := range os.Args[1:] {
		quantity := resource.MustParse(text)
		fmt.Println(text, quantity.AsApproximateFloat64())
	}
}
GO
cat > parse.cjs <<'JS'
const { cpuParser, memoryParser } = require('kubernetes-resource-parser')
for (const text of ['128Mi', '1.5Gi', '1e3']) console.log(text, memoryParser(text))
for (const text of ['100m', '500u', '2k']) console.log(text, cpuParser(text))
JS
export GOFLAGS=-mod=mod
go build -o quantities . 2>/dev/null
seen="$(node parse.cjs | tr '\n' ';') $(./quantities 128Mi 1.5Gi 1e3 100m 500u 2k | tr '\n' ';')"; echo "$seen"
[ "$seen" = '128Mi 134217728;1.5Gi 1;1e3 1;100m 0.1;500u 500;2k 2; 128Mi 1.34217728e+08;1.5Gi 1.610612736e+09;1e3 1000;100m 0.1;500u 0.0005;2k 2000;' ] ||
  { echo "changed"; exit 1; }
