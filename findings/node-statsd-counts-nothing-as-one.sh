#!/usr/bin/env bash
# node-statsd 0.1.1 (npm): increment by 0 counts 1, and decrement by 0 takes 1 away.
#
# Who counts in steps hands over what came since the last one: increment('refresh.failed', failed). For a step without a failure that is 0, and one would
# expect nothing to be added. The client writes value || 1. A service that is well then shows one failed refresh for each step, for ever, at
# a rate that looks like a small steady fault; the true failures, 3 in one step, are right, so that who looks into it finds each number he checks.
# Seen, increment by 0, 3 and not given, decrement by 0: node-statsd: 1, 3, 1, -1. hot-shots 17.1.1: 0, 3, 1, 0. statsd-client 0.4.7: 0, 3, 1, 0.
# Whoever uses it asks for 0 first.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund node-statsd@0.1.1 hot-shots@17.1.1 statsd-client@0.4.7 >/dev/null
cat > talk.mjs <<'JS'
import dgram from 'node:dgram'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const show = (name, make) => new Promise((done) => {
  const got = []
  const service = dgram.createSocket('udp4')
  service.on('message', (packet) => {
    got.push(...String(packet).split('\n').filter(Boolean))
    if (got.length < 4) return
    console.log(`${name}: ${got.sort().join(' ')}`)
    service.close(done)
  })
  service.bind(0, '127.0.0.1', () => {
    const client = make(service.address().port)
    client.increment('a', 0)
    client.increment('b', 3)
    client.increment('c')
    client.decrement('d', 0)
  })
})
const host = '127.0.0.1'
await show('node-statsd', (port) => new (require('node-statsd'))(host, port))
await show('hot-shots', (port) => new (require('hot-shots'))({ host, port }))
await show('statsd-client', (port) => new (require('statsd-client'))({ host, port }))
process.exit()
JS
seen=$(timeout 30 node talk.mjs); echo "$seen"
[ "$seen" = 'node-statsd: a:1|c b:3|c c:1|c d:-1|c
hot-shots: a:0|c b:3|c c:1|c d:0|c
statsd-client: a:0|c b:3|c c:1|c d:0|c' ] || { echo "changed"; exit 1; }
