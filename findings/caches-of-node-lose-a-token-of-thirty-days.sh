#!/usr/bin/env bash
# memory-cache 0.2.0 and expiry-map 2.0.0 (npm): what is stored for 25 days or more is gone at once.
#
# A refresh token often lives for 30 days, and a cache that may hold it for an hour would be expected to hold it for a month. Both set a timer of Node
# for the end, which has 31 bits of milliseconds, 24.8 days: a longer one is over after 1 ms. The cache says nothing, and the process prints
# a warning that names neither. The user is asked to sign on each time, or a load that should refresh signs on instead, and the environment
# for tests, where tokens live for an hour, shows nothing of it.
# Seen, after 500 ms: stored for 2,147,483 s: there; for 2,588,400 s (refresh_expires_in of a sign-on): undefined or null; node-cache 5.1.2,
# which looks at the clock instead: there.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund memory-cache@0.2.0 expiry-map@2.0.0 node-cache@5.1.2 >/dev/null
cat > talk.mjs <<'JS'
import ExpiryMap from 'expiry-map'
import memory from 'memory-cache'
import NodeCache from 'node-cache'

for (const seconds of [2147483, 2588400]) {
  const cache = new memory.Cache()
  const map = new ExpiryMap(seconds * 1000)
  const clock = new NodeCache({ stdTTL: seconds })
  cache.put('refresh_token', 'r', seconds * 1000)
  map.set('refresh_token', 'r')
  clock.set('refresh_token', 'r')
  await new Promise((done) => setTimeout(done, 500))
  const all = { 'memory-cache': cache, 'expiry-map': map, 'node-cache': clock }
  console.log(`${seconds}: ${Object.entries(all).map(([name, one]) => `${name} ${one.get('refresh_token') ?? 'gone'}`).join(', ')}`)
}
process.exit()
JS
seen=$(timeout 50 node talk.mjs 2>/dev/null); echo "$seen"
[ "$seen" = '2147483: memory-cache r, expiry-map r, node-cache r
2588400: memory-cache gone, expiry-map gone, node-cache r' ] || { echo "changed"; exit 1; }
