#!/usr/bin/env bash
# axios 1.21.1 and ofetch 1.5.1 (npm): a time-out of half a second lets an answer of two seconds pass, if its headers come at once.
#
# "timeout" is the one bound that callers set, and a call would be expected to be over by then, one way or the other. Both stop the clock when
# the headers are there, and wait for the body as long as it comes. A service, or a gateway that buffers nothing, which sends its headers and
# then waits for a database is never too slow: calls pile up, and a test of the bound that answers late as a whole is green. axios has the bound
# over all if told to use fetch (adapter: "fetch"). got, superagent and AbortSignal.timeout hold it.
# Seen, timeout 500 ms, headers at once, the body over 2 s: axios, ofetch: the answer; axios with fetch, got, superagent, fetch: time-out; the same
# with late headers: time-out each.
# Whoever needs a bound with these gives a signal beside it: AbortSignal.timeout.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund axios@1.21.1 ofetch@1.5.1 got@16.1.0 superagent@10.4.2 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import got from 'got'
import { ofetch } from 'ofetch'
import superagent from 'superagent'

const wait = (time) => new Promise((done) => setTimeout(done, time))
const service = http.createServer(async (request, answer) => {
  request.resume()
  answer.setHeader('Content-Type', 'application/json')
  for (let i = 0; i < 20; i++) {
    if (request.url === '/slow-body') answer.write(' ')
    await wait(100)
  }
  answer.end('{"token":"a"}')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const clients = {
  axios: async (url) => (await axios.post(url, {}, { timeout: 500 })).data,
  ofetch: (url) => ofetch(url, { method: 'POST', body: {}, timeout: 500 }),
  'axios with a signal': async (url) => (await axios.post(url, {}, { signal: AbortSignal.timeout(500) })).data,
  'axios with fetch': async (url) => (await axios.post(url, {}, { timeout: 500, adapter: 'fetch' })).data,
  got: (url) => got.post(url, { json: {}, timeout: { request: 500 } }).json(),
  superagent: async (url) => (await superagent.post(url).send({}).timeout(500)).body,
  fetch: async (url) => (await fetch(url, { method: 'POST', signal: AbortSignal.timeout(500) })).json(),
}
for (const [name, call] of Object.entries(clients)) {
  const said = []
  for (const path of ['/slow-body', '/slow-headers']) {
    try {
      said.push((await call(`http://127.0.0.1:${service.address().port}${path}`)).token)
    } catch {
      said.push('gave up')
    }
  }
  console.log(`${name}: ${said.join(', ')}`)
}
process.exit()
JS
seen=$(timeout 90 node talk.mjs); echo "$seen"
[ "$seen" = 'axios: a, gave up
ofetch: a, gave up
axios with a signal: gave up, gave up
axios with fetch: gave up, gave up
got: gave up, gave up
superagent: gave up, gave up
fetch: gave up, gave up' ] || { echo "changed"; exit 1; }
