#!/usr/bin/env bash
# github.com/go-resty/resty/v2 v2.17.2 and superagent 10.4.2 (npm): where a good answer does not say that it is JSON, the token of it is empty, and nothing
# else tells.
#
# SetResult names the value that an answer is read into, and superagent has it in body. Both look at Content-Type first, which a service need not send
# (RFC 9110 section 8.3), and which gateways change: Caddy makes text/plain of none. Of any type that is not JSON they read nothing and call it
# a success: status 200, no error, and an empty value, so that the next call is sent with "Bearer " and refused, or a test that looks for what
# should not be there passes. axios and json() of fetch read the text whatever its type.
# Seen, {"access_token":"a"}: application/json: a with all four; text/plain, and no type: resty 200, no error and ""; superagent 200, ok and undefined;
# axios and fetch a.
# Whoever uses resty calls ForceContentType("application/json"); whoever uses superagent .buffer(true).parse(superagent.parse["application/json"]).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund superagent@10.4.2 axios@1.21.1 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/go-resty/resty/v2 v2.17.2
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/go-resty/resty/v2"
)

func main() {
	for _, url := range os.Args[1:] {
		for _, forced := range []string{"", "application/json"} {
			var token struct {
				AccessToken string `json:"access_token"`
			}
			answer, err := resty.New().R().ForceContentType(forced).SetResult(&token).Post(url)
			if err != nil {
				panic(err)
			}
			fmt.Printf(" resty %d %q", answer.StatusCode(), token.AccessToken)
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
go build -o client .
cat > talk.mjs <<'JS'
import { execFile } from 'node:child_process'
import http from 'node:http'
import { promisify } from 'node:util'
import axios from 'axios'
import superagent from 'superagent'

const service = http.createServer((request, answer) => {
  const type = { '/json': 'application/json', '/plain': 'text/plain; charset=utf-8' }[request.url]
  if (type) answer.setHeader('Content-Type', type)
  answer.end('{"access_token":"a"}')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
for (const path of ['/json', '/plain', '/none']) {
  const url = `http://127.0.0.1:${service.address().port}${path}`
  const resty = (await promisify(execFile)('./client', [url])).stdout
  const plain = await superagent.post(url)
  const forced = await superagent.post(url).buffer(true).parse(superagent.parse['application/json'])
  const others = [(await axios.post(url)).data, await (await fetch(url, { method: 'POST' })).json()]
  const of = (body) => body.access_token
  console.log(`${path}:${resty}, superagent ${plain.status} ${plain.ok} ${of(plain.body)} ${of(forced.body)}, others ${others.map(of)}`)
}
service.close()
service.closeAllConnections()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = '/json: resty 200 "a" resty 200 "a", superagent 200 true a a, others a,a
/plain: resty 200 "" resty 200 "a", superagent 200 true undefined a, others a,a
/none: resty 200 "" resty 200 "a", superagent 200 true undefined a, others a,a' ] || { echo "changed"; exit 1; }
