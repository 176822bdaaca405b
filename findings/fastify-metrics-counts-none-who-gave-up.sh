#!/usr/bin/env bash
# fastify-metrics 13.2.1 (npm, with fastify 5.12.8): a call whose client gave up is in none of its metrics, neither in the count nor in the durations.
#
# http_request_duration_seconds is what one watches during a load, and it would be expected to hold each request that the service worked on. The
# plugin counts in a hook that Fastify calls for answers alone, and not for a connection that ended first. The calls that are missing are just the slowest,
# those which took longer than their clients' time-out: when a service gets slow, its p99 stays below that time-out, its rate falls, no status
# is an error, and the load tool says that half of the requests timed out. express-prom-bundle has them, as 499.
# Seen, 3 calls given up after 0.2 s and 1 waited for, of 0.6 s each: handlers done 4; fastify-metrics: 1 with 200; express-prom-bundle 8.0.0: 1 with
# 200, 3 with 499.
# Whoever uses it counts in Fastify's hook onRequestAbort as well.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund fastify@5.12.8 fastify-metrics@13.2.1 express@5.2.1 express-prom-bundle@8.0.0 prom-client@15.1.3 >/dev/null
cat > talk.mjs <<'JS'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import bundle from 'express-prom-bundle'
import Fastify from 'fastify'
import metrics from 'fastify-metrics'
import { Registry } from 'prom-client'

let done = 0
const work = async () => { await wait(600); done++ }
const show = async (name, at) => {
  done = 0
  await Promise.all([1, 2, 3].map(() => fetch(`${at}/sign-on`, { signal: AbortSignal.timeout(200) }).catch(() => {})))
  await (await fetch(`${at}/sign-on`)).text()
  const lines = (await (await fetch(`${at}/metrics`)).text()).split('\n')
  const counts = lines.filter((line) => /^http_request_duration_seconds_count.*sign-on/.test(line))
  const told = counts.map((line) => `${line.match(/status_code="(\d+)"/)[1]}: ${line.split(' ').pop()}`).sort()
  console.log(`${name}: handlers done ${done}, counted ${told.join(', ')}`)
}
const fastify = Fastify()
await fastify.register(metrics, { endpoint: '/metrics', defaultMetrics: { enabled: false } })
fastify.get('/sign-on', async () => { await work(); return 'token' })
await show('fastify-metrics', await fastify.listen({ host: '127.0.0.1', port: 0 }))
const app = express()
app.use(bundle({ includePath: true, promRegistry: new Registry() }))
app.get('/sign-on', async (request, answer) => { await work(); answer.send('token') })
const server = app.listen(0, '127.0.0.1', async () => {
  await show('express-prom-bundle', `http://127.0.0.1:${server.address().port}`)
  process.exit()
})
JS
seen=$(timeout 60 node talk.mjs); echo "$seen"
[ "$seen" = 'fastify-metrics: handlers done 4, counted 200: 1
express-prom-bundle: handlers done 4, counted 200: 1, 499: 3' ] || { echo "changed"; exit 1; }
