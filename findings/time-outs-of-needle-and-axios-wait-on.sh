#!/usr/bin/env bash
# needle 3.5.0 and axios 1.21.1 (npm): a request with a timeout of 500 ms is still waiting after 3 s: needle's ends with the connection, axios' starts
# anew with each byte.
#
# One gives a client a time-out to bound a call, and takes what comes within it for an answer in time. needle's "timeout" is another name for how long
# the connection may take: a service that took the request and never answers holds it for ever. axios counts silence: one that sends
# something now and then, as a gateway under pressure does with a long list, holds it as long as it likes. A test that should have failed at
# its bound hangs until that of the whole job.
# Seen, 500 ms each: no answer at all: needle waits, axios ends; a byte each 100 ms: both wait; got 14.6.6 (timeout.request) ends both.
# Whoever bounds a call gives needle response_timeout and read_timeout as well, and axios a signal: AbortSignal.timeout(500).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund needle@3.5.0 axios@1.21.1 got@14.6.6 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import got from 'got'
import needle from 'needle'

const service = http.createServer((request, answer) => {
  if (request.url === '/drops') setInterval(() => answer.write('a'), 100)
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const at = `http://127.0.0.1:${service.address().port}`
for (const path of ['/nothing', '/drops']) {
  for (const [name, call] of [
    ['needle', () => needle('get', at + path, { timeout: 500 })],
    ['needle, all three', () => needle('get', at + path, { timeout: 500, response_timeout: 500, read_timeout: 500 })],
    ['axios', () => axios.get(at + path, { timeout: 500 })],
    ['axios, signal', () => axios.get(at + path, { signal: AbortSignal.timeout(500) })],
    ['got', () => got(at + path, { timeout: { request: 500 }, retry: { limit: 0 } })],
  ]) {
    const bound = new Promise((done) => setTimeout(() => done('waits'), 3000))
    console.log(`${path}: ${name} ${await Promise.race([call().then(() => 'answer', () => 'ends'), bound])}`)
  }
}
process.exit()
JS
seen=$(timeout 100 node talk.mjs); echo "$seen"
[ "$seen" = '/nothing: needle waits
/nothing: needle, all three ends
/nothing: axios ends
/nothing: axios, signal ends
/nothing: got ends
/drops: needle waits
/drops: needle, all three ends
/drops: axios waits
/drops: axios, signal ends
/drops: got ends' ] || { echo "changed"; exit 1; }
