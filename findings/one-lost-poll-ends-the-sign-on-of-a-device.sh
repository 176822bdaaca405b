#!/usr/bin/env bash
# golang.org/x/oauth2 v0.38.0, github.com/cli/oauth v1.2.2 and openid-client 6.9.0 (npm): while a device waits for its user, one 503, one 429 or
# one connection that is dropped ends the sign-on.
#
# The device shows a code, and asks each few seconds for minutes whether the user has typed it. Of a hundred questions one may be lost, and RFC 8628 section
# 3.5 has the device ask more slowly after a time-out of the connection, not stop; each library has a loop, and goes on at slow_down. But all
# three hand the first answer that is neither out as the end: the code, which is good for minutes more, is thrown away while the user types it,
# and he is told by the web page that all went well. A gateway that is reloaded once does that to every device that waits just then.
# Seen, the second question answered 503, 429 or by a close, the third by a token: each library an error after 2 questions. slow_down instead: the token
# with each. Asked again with the same device code, after the error: the token.
# Whoever signs devices on calls it again with the same code until that is over.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"; [ -z "${service:-}" ] || kill "$service"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund openid-client@6.9.0 >/dev/null
cat > go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/cli/oauth v1.2.2
	golang.org/x/oauth2 v0.38.0
)
MOD
cat > service.mjs <<'JS'
import http from 'node:http'

// Of each path such as /503/go the first question is answered pending, the second as the path says, the third with a token.
const asked = {}
const server = http.createServer((request, answer) => {
  request.resume()
  const json = (status, body) => answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  if (request.url.endsWith('/device')) {
    return json(200, { device_code: 'd', user_code: 'U', verification_uri: 'http://user.example/', expires_in: 600, interval: 1 })
  }
  const question = asked[request.url] = (asked[request.url] ?? 0) + 1
  const fault = request.url.split('/')[1]
  if (question === 1) return json(400, { error: 'authorization_pending' })
  if (question > 2) return json(200, { access_token: 'a', token_type: 'bearer', expires_in: 3600 })
  if (fault === 'closed') return request.socket.destroy()
  if (fault === 'slow_down') return json(400, { error: 'slow_down' })
  json(Number(fault), { error: 'temporarily_unavailable' })
}).listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
JS
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/cli/oauth/device"
	"golang.org/x/oauth2"
)

func word(err error) string {
	if err != nil {
		return "error"
	}
	return "token"
}

func main() {
	var waiting sync.WaitGroup
	for _, fault := range []string{"503", "429", "closed", "slow_down"} {
		waiting.Go(func() {
			ctx, at := context.Background(), os.Args[1]+"/"+fault+"/x-oauth2"
			config := oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{DeviceAuthURL: at + "/device", TokenURL: at, AuthStyle: oauth2.AuthStyleInParams}}
			code, err := config.DeviceAuth(ctx)
			if err != nil {
				panic(err)
			}
			_, first := config.DeviceAccessToken(ctx, code)
			_, again := config.DeviceAccessToken(ctx, code)
			fmt.Printf("x/oauth2 %s: %s, again: %s\n", fault, word(first), word(again))
		})
		waiting.Go(func() {
			ctx, at := context.Background(), os.Args[1]+"/"+fault+"/cli-oauth"
			code, err := device.RequestCode(http.DefaultClient, at+"/device", "c", nil)
			if err != nil {
				panic(err)
			}
			_, first := device.Wait(ctx, http.DefaultClient, at, device.WaitOptions{ClientID: "c", DeviceCode: code})
			_, again := device.Wait(ctx, http.DefaultClient, at, device.WaitOptions{ClientID: "c", DeviceCode: code})
			fmt.Printf("cli/oauth %s: %s, again: %s\n", fault, word(first), word(again))
		})
	}
	waiting.Wait()
}
GO
cat > client.mjs <<'JS'
import * as client from 'openid-client'

await Promise.all(['503', '429', 'closed', 'slow_down'].map(async (fault) => {
  const at = `${process.argv[2]}/${fault}/openid-client`
  const config = new client.Configuration({ issuer: at, device_authorization_endpoint: `${at}/device`, token_endpoint: at }, 'c', undefined, client.None())
  client.allowInsecureRequests(config)
  const code = await client.initiateDeviceAuthorization(config, {})
  const ask = () => client.pollDeviceAuthorizationGrant(config, code).then(() => 'token', () => 'error')
  console.log(`openid-client ${fault}: ${await ask()}, again: ${await ask()}`)
}))
JS
export GOFLAGS=-mod=mod
go build -o client . 2>/dev/null
node service.mjs > at & service=$!
until [ -s at ]; do sleep 0.1; done
seen=$( (timeout 50 ./client "$(cat at)"; timeout 50 node client.mjs "$(cat at)" 2>/dev/null) | sort); echo "$seen"
[ "$seen" = 'cli/oauth 429: error, again: token
cli/oauth 503: error, again: token
cli/oauth closed: error, again: token
cli/oauth slow_down: token, again: token
openid-client 429: error, again: token
openid-client 503: error, again: token
openid-client closed: error, again: token
openid-client slow_down: token, again: token
x/oauth2 429: error, again: token
x/oauth2 503: error, again: token
x/oauth2 closed: error, again: token
x/oauth2 slow_down: token, again: token' ] || { echo "changed"; exit 1; }
