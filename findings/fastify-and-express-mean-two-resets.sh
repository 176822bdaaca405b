#!/usr/bin/env bash
# @fastify/rate-limit 11.2.0 (with fastify 5.12.8) and express-rate-limit 8.7.5 (with express 5.2.1, npm): X-RateLimit-Reset is how many seconds are
# left with one, and a moment in seconds since 1970 with the other.
#
# The header has no standard, and both limiters are what their framework's users take. A client or a dashboard that was made with one service reads 1,800,000,000
# seconds, some 57 years, at the next, or a moment in January 1970, which is over, so that it comes back at once. Their Retry-After agree, and so do the
# names and the meaning of X-RateLimit-Limit and -Remaining, which makes the third look safe.
# Seen, limits of 1 a minute, second call: fastify 429, Retry-After 60, reset 60; express 429, Retry-After 60, reset = now + 60.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @fastify/rate-limit@11.2.0 fastify@5.12.8 express-rate-limit@8.7.5 express@5.2.1 >/dev/null
cat > talk.mjs <<'JS'
import fastify from 'fastify'
import fastifyLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'

const one = fastify()
await one.register(fastifyLimit, { max: 1, timeWindow: 60000 })
one.get('/', async () => 'ok')
const first = await one.listen({ port: 0, host: '127.0.0.1' })
const two = express()
two.use(rateLimit({ windowMs: 60000, limit: 1 }))
two.get('/', (request, answer) => { answer.end('ok') })
const server = two.listen(0, '127.0.0.1')
await new Promise((done) => server.on('listening', done))
for (const [name, url] of [['fastify', first], ['express', `http://127.0.0.1:${server.address().port}`]]) {
  await fetch(url)
  const answer = await fetch(url)
  const header = (name) => Number(answer.headers.get(name))
  const near = (a, b) => Math.abs(a - b) <= 3
  const reset = header('x-ratelimit-reset')
  const means = near(reset, 60) ? 'seconds left' : near(reset, Date.now() / 1000 + 60) ? 'seconds since 1970' : reset
  console.log(`${name}: ${answer.status}, Retry-After is a minute: ${near(header('retry-after'), 60)}, X-RateLimit-Reset: ${means}`)
}
await one.close()
server.close()
server.closeAllConnections()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'fastify: 429, Retry-After is a minute: true, X-RateLimit-Reset: seconds left
express: 429, Retry-After is a minute: true, X-RateLimit-Reset: seconds since 1970' ] || { echo "changed"; exit 1; }
