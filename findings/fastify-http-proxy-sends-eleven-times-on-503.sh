#!/usr/bin/env bash
# @fastify/http-proxy 11.6.3 (npm, with fastify 5.12.8): a GET that the service answers with 503 is sent eleven times, and Retry-After: 100 is waited
# for 100 ms; maxRetriesOn503: 0 changes nothing.
#
# A service says 503 when it has too much to do, and how many seconds to stay away. The gateway repeats the request ten times, takes the seconds for
# milliseconds, and passes on the last refusal. The one that is short of room so gets eleven times the load from all clients together, just then, and
# one that says "Retry-After: 1" gets it all at once. In a load test the service's count and the generator's differ by that factor, for
# discovery and whatever else is a GET, while sign-on and refresh, which are POST, are sent once.
# Seen, one GET each: no header: 11 requests; Retry-After 1: 11; Retry-After 100: 11, in more than 1 s and less than 30 s; maxRetriesOn503 0: 11;
# POST: 1. With retryMethods that do not name GET: 1.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund fastify@5.12.8 @fastify/http-proxy@11.6.3 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

let requests = 0
let wait
const service = http.createServer((request, answer) => {
  requests++
  request.resume()
  if (wait) answer.setHeader('Retry-After', wait)
  answer.statusCode = 503
  answer.end()
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const upstream = `http://127.0.0.1:${service.address().port}`
const ask = async (name, method, retryAfter, options) => {
  const gateway = Fastify()
  await gateway.register(proxy, { upstream, ...options })
  const at = await gateway.listen({ host: '127.0.0.1', port: 0 })
  requests = 0
  wait = retryAfter
  const start = Date.now()
  const { status } = await fetch(at, { method })
  const seconds = (Date.now() - start) / 1000
  const long = wait === '100' ? `, ${seconds > 1 && seconds < 30 ? 'some seconds' : seconds}` : ''
  console.log(`${name}: ${status}, requests: ${requests}${long}`)
  gateway.server.closeAllConnections()
  await gateway.close()
}
await ask('GET', 'GET')
await ask('GET, Retry-After 1', 'GET', '1')
await ask('GET, Retry-After 100', 'GET', '100')
await ask('GET, maxRetriesOn503 0', 'GET', '1', { maxRetriesOn503: 0 })
await ask('GET, retryMethods', 'GET', '1', { retryMethods: ['HEAD'] })
await ask('POST', 'POST', '1')
process.exit()
JS
seen=$(timeout 100 node talk.mjs); echo "$seen"
[ "$seen" = 'GET: 503, requests: 11
GET, Retry-After 1: 503, requests: 11
GET, Retry-After 100: 503, requests: 11, some seconds
GET, maxRetriesOn503 0: 503, requests: 11
GET, retryMethods: 503, requests: 1
POST: 503, requests: 1' ] || { echo "changed"; exit 1; }
