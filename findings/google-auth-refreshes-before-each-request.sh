#!/usr/bin/env bash
# google-auth-library 10.9.1 (npm): tokens that live for five minutes or less are refreshed before each single request.
#
# OAuth2Client refreshes a token some time before its end, so that none is sent that is over on arrival, and it can be pointed at any token endpoint. The
# time is a fixed five minutes (eagerRefreshThresholdMillis), however short the whole life is. Environments for tests have short lives,
# so that refreshing can be seen at all: there one request becomes two, each refresh token is spent at once, and the sign-on service
# has the load of all the calls. With the hour of production nothing of it happens, so that the two measure different things.
# Seen, 4 requests each: expires_in 3600: 1 refresh; 310: 1; 300: 4; 60: 4; 60 with a threshold of 10 s: 1.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund google-auth-library@10.9.1 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { OAuth2Client } from 'google-auth-library'

let refreshes = 0
let lifetime
const service = http.createServer((request, answer) => {
  request.resume()
  answer.setHeader('Content-Type', 'application/json')
  if (request.url !== '/token') return answer.end('{}')
  refreshes++
  answer.end(JSON.stringify({ access_token: `a${refreshes}`, token_type: 'Bearer', expires_in: lifetime }))
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const at = `http://127.0.0.1:${service.address().port}`
for (const [seconds, options] of [[3600, {}], [310, {}], [300, {}], [60, {}], [60, { eagerRefreshThresholdMillis: 10000 }]]) {
  lifetime = seconds
  refreshes = 0
  const client = new OAuth2Client({ clientId: 'c', clientSecret: 's', endpoints: { oauth2TokenUrl: `${at}/token` }, ...options })
  client.setCredentials({ refresh_token: 'r' })
  for (let i = 0; i < 4; i++) await client.request({ url: `${at}/` })
  console.log(`${seconds} s ${JSON.stringify(options)}: ${refreshes}`)
}
process.exit()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = '3600 s {}: 1
310 s {}: 1
300 s {}: 4
60 s {}: 4
60 s {"eagerRefreshThresholdMillis":10000}: 1' ] || { echo "changed"; exit 1; }
