#!/usr/bin/env bash
# axios-auth-refresh 5.0.2 (npm, with axios 1.21.1): of three requests that are refused side by side, one is sent again with the fresh token, and two fail with 401.
#
# It is made to hold back what comes while a token is refreshed, and its option deduplicateRefresh, on unless told otherwise, promises that one refresh
# serves all. That is so for requests that are not sent yet. One that is on its way with the old token, and comes back while the refresh
# runs, gets its 401 handed through. An application that asks for several things at once shows errors once an hour, when its token is over, and no test
# that asks for one thing after another sees it. With deduplicateRefresh false all three are repeated, and there is one refresh all the same.
# Seen, 3 requests side by side, first token over: on: 200 401 401, 1 refresh; off: 200 200 200, 1 refresh; one after another: 200 200 200.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund axios@1.21.1 axios-auth-refresh@5.0.2 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'

const watch = async (name, options, together) => {
  let refreshes = 0
  let token = 'old'
  const service = http.createServer((request, answer) => {
    request.resume()
    if (request.url === '/refresh') {
      refreshes++
      setTimeout(() => answer.end(), 1000)
      return
    }
    answer.statusCode = request.headers.authorization === 'Bearer fresh' ? 200 : 401
    answer.end()
  })
  await new Promise((done) => service.listen(0, '127.0.0.1', done))
  const baseURL = `http://127.0.0.1:${service.address().port}`
  const client = axios.create({ baseURL })
  client.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${token}`
    return config
  })
  createAuthRefresh(client, async () => {
    await axios.post(`${baseURL}/refresh`)
    token = 'fresh'
  }, options)
  const ask = () => client.get('/').then((answer) => answer.status, (error) => error.response.status)
  const statuses = together ? await Promise.all([ask(), ask(), ask()]) : [await ask(), await ask(), await ask()]
  console.log(`${name}: ${statuses.sort().join(' ')}, refreshes: ${refreshes}`)
  service.close()
  service.closeAllConnections()
}
await watch('as it comes', {}, true)
await watch('deduplicateRefresh false', { deduplicateRefresh: false }, true)
await watch('one after another', {}, false)
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'as it comes: 200 401 401, refreshes: 1
deduplicateRefresh false: 200 200 200, refreshes: 1
one after another: 200 200 200, refreshes: 1' ] || { echo "changed"; exit 1; }
