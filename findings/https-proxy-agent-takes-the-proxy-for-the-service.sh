#!/usr/bin/env bash
# https-proxy-agent 9.1.0 and axios 1.21.1 (npm): where the proxy refuses the tunnel, its answer comes back as that of the service, with no error.
#
# A request over https goes through a proxy in a tunnel. What the proxy says to CONNECT is its own word: no TLS was made, and the service knows nothing.
# One would expect an error, as Go's net/http has it. Here the caller gets status, headers and body as if the https address
# had sent them. A test that expects 403 from the service ("a blocked device is refused") is green when a company's proxy forbids the host, and a
# 502 or 503 of the proxy counts as the service's.
# Seen, proxy that answers CONNECT with 403, request to https://ags.example: https.get with the agent: 403; axios with the agent: 403;
# axios with its own proxy setting: 403; net/http of Go: error Forbidden.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund https-proxy-agent@9.1.0 axios@1.21.1 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	proxy, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	answer, err := client.Get("https://ags.example/")
	fmt.Println("net/http:", answer != nil, err)
}
GO
go build -o gohttp .
cat > talk.mjs <<'JS'
import { execFile } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { promisify } from 'node:util'
import axios from 'axios'
import { HttpsProxyAgent } from 'https-proxy-agent'

const proxy = http.createServer()
proxy.on('connect', (request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'))
await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
const { port } = proxy.address()
const address = `http://127.0.0.1:${port}`
const service = 'https://ags.example/'
const agent = new HttpsProxyAgent(address)
const status = await new Promise((done) => https.get(service, { agent }, (answer) => done(answer.statusCode)).on('error', done))
console.log('https.get, agent:', status)
const all = { validateStatus: () => true }
const say = (answer) => `${answer.status} "${answer.data}"`
console.log('axios, agent:', await axios.get(service, { ...all, httpsAgent: agent, proxy: false }).then(say, String))
const own = { protocol: 'http', host: '127.0.0.1', port }
console.log('axios, proxy:', await axios.get(service, { ...all, proxy: own }).then(say, String))
console.log((await promisify(execFile)('./gohttp', [address])).stdout.trim())
proxy.close()
proxy.closeAllConnections()
JS
seen=$(timeout 50 env -u NO_PROXY -u no_proxy node talk.mjs); echo "$seen"
[ "$seen" = 'https.get, agent: 403
axios, agent: 403 "no"
axios, proxy: 403 "no"
net/http: false Get "https://ags.example/": Forbidden' ] || { echo "changed"; exit 1; }
