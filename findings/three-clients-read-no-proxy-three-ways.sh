#!/usr/bin/env bash
# axios 1.21.1, undici 7.30.2 (npm) and net/http of Go: with one NO_PROXY, calls within a cluster go straight with one client and through the proxy with
# another.
#
# The variables of proxies are set once for a pod or a pipeline, and all programs in it would be expected to read them alike. NO_PROXY has no standard.
# For Go a network covers its addresses, a name without a dot before it all that ends in it, and the machine itself needs no word. axios knows
# networks, but takes such a name for that one name; undici knows the names, but no networks; both send calls to their own machine out. The
# proxy refuses what it cannot know, and a smoke test fails with a 403 or 502 that looks like the service's, while the next tool is content.
# Seen, straight or proxy for axios, undici, Go: 127.0.0.0/8: straight, proxy, straight; svc.cluster.local for a name in it: proxy, straight, straight;
# nothing, for 127.0.0.1: proxy, proxy, straight; .svc.cluster.local: all straight.
# Whoever sets it writes names with a dot before them, and each address of its own.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy NO_PROXY no_proxy ALL_PROXY all_proxy
npm init -y >/dev/null && npm install --silent --no-audit --no-fund axios@1.21.1 undici@7.30.2 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require golang.org/x/net v0.50.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

// The package is what net/http itself holds a copy of.
func main() {
	for i := 1; i < len(os.Args); i += 2 {
		address, err := url.Parse(os.Args[i+1])
		if err != nil {
			panic(err)
		}
		proxy, err := (&httpproxy.Config{HTTPProxy: "http://127.0.0.1:9", NoProxy: os.Args[i]}).ProxyFunc()(address)
		if err != nil {
			panic(err)
		}
		way := "straight"
		if proxy != nil {
			way = "proxy"
		}
		fmt.Printf("%q, %s: Go %s\n", os.Args[i], address.Hostname(), way)
	}
}
GO
cat > talk.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import { EnvHttpProxyAgent, fetch } from 'undici'

const proxy = http.createServer((request, answer) => answer.end('proxy'))
const service = http.createServer((request, answer) => answer.end('straight'))
for (const server of [proxy, service]) await new Promise((done) => server.listen(0, '127.0.0.1', done))
process.env.http_proxy = `http://127.0.0.1:${proxy.address().port}`
// Each name leads to this machine, so that a call that goes straight finds the service.
const lookup = (name, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
for (let i = 2; i < process.argv.length; i += 2) {
  process.env.no_proxy = process.argv[i]
  const address = new URL(process.argv[i + 1])
  address.port = service.address().port
  const { data } = await axios.get(address.href, { httpAgent: new http.Agent({ lookup }) })
  const dispatcher = new EnvHttpProxyAgent({ connect: { lookup }, proxyTunnel: false })
  const answer = await fetch(address, { dispatcher })
  console.log(`"${process.argv[i]}", ${address.hostname}: axios ${data}, undici ${await answer.text()}`)
}
process.exit()
JS
cases=(127.0.0.0/8 http://127.0.0.1/ svc.cluster.local http://ags.svc.cluster.local/ '' http://127.0.0.1/ .svc.cluster.local http://ags.svc.cluster.local/)
go mod tidy >/dev/null 2>&1
seen=$(timeout 50 node talk.mjs "${cases[@]}"; go run . "${cases[@]}"); echo "$seen"
[ "$seen" = '"127.0.0.0/8", 127.0.0.1: axios straight, undici proxy
"svc.cluster.local", ags.svc.cluster.local: axios proxy, undici straight
"", 127.0.0.1: axios proxy, undici proxy
".svc.cluster.local", ags.svc.cluster.local: axios straight, undici straight
"127.0.0.0/8", 127.0.0.1: Go straight
"svc.cluster.local", ags.svc.cluster.local: Go straight
"", 127.0.0.1: Go straight
".svc.cluster.local", ags.svc.cluster.local: Go straight' ] || { echo "changed"; exit 1; }
