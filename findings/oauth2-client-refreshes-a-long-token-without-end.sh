#!/usr/bin/env bash
# @badgateway/oauth2-client 3.3.1 (npm): a token that lives for 25 days or more is refreshed again and again, as fast as the service answers.
#
# Its OAuth2Fetch refreshes a token a minute before it is over, by itself, so that no request has to wait. It sets a timer of Node for that, which
# has 31 bits of milliseconds, 24.8 days: a longer one fires after 1 ms. The refresh brings another token of thirty days, and so the next
# timer. An application that asked for nothing sends refreshes without a pause, each spends a refresh token, and the load is that of an
# attack from every one of its instances. With tokens of an hour, as environments for tests have them, it refreshes once an hour.
# Seen in 2 s after the first token, no request made: expires_in 3,600: 1 call of the token endpoint; 2,147,000: 1; 2,592,000: more than 20.
# Whoever has such tokens sets scheduleRefresh to false.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @badgateway/oauth2-client@3.3.1 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'

for (const [lives, scheduleRefresh] of [[3600, true], [2147000, true], [2592000, true], [2592000, false]]) {
  let asked = 0
  const service = http.createServer((request, answer) => {
    asked++
    answer.setHeader('Content-Type', 'application/json')
    answer.end(JSON.stringify({ access_token: `a${asked}`, token_type: 'Bearer', expires_in: lives, refresh_token: `r${asked}` }))
  })
  await new Promise((done) => service.listen(0, '127.0.0.1', done))
  const client = new OAuth2Client({ server: `http://127.0.0.1:${service.address().port}/`, clientId: 'c', tokenEndpoint: '/token' })
  const getNewToken = () => client.password({ username: 'u', password: 'p' })
  const fetcher = new OAuth2Fetch({ client, getNewToken, scheduleRefresh })
  await fetcher.getToken()
  await new Promise((done) => setTimeout(done, 2000))
  console.log(`${lives}, scheduleRefresh ${scheduleRefresh}: ${asked > 20 ? 'more than 20' : asked}`)
  service.close()
  service.closeAllConnections()
}
process.exit()
JS
seen=$(timeout 50 node talk.mjs 2>/dev/null); echo "$seen"
[ "$seen" = '3600, scheduleRefresh true: 1
2147000, scheduleRefresh true: 1
2592000, scheduleRefresh true: more than 20
2592000, scheduleRefresh false: 1' ] || { echo "changed"; exit 1; }
