#!/usr/bin/env bash
# loadtest 8.2.1 (npm): 401, 429, 503 and a connection that was dropped are one and the same error, -1.
#
# Its result has errorCodes, by its documentation a map of the status codes that came, and one reads there what went wrong. Each answer that is no
# success is counted under -1 there, and so on the command line ("-1: 20 errors"), as is a request without any answer. Whether the
# tokens were over, a limiter stepped in, or the service was down, cannot be told from a run that had all three. The codes come once a
# statusCallback is given, one that does nothing too.
# Seen, 3 requests each: without it {"-1":3} for 401, 429, 503 and dropped ones; with it 401, 429 and 503, and -1 for the dropped ones.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund loadtest@8.2.1 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { loadTest } from 'loadtest'

let status
const service = http.createServer((request, answer) => {
  if (status === 0) return request.socket.destroy()
  answer.statusCode = status
  answer.end('ok')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const url = `http://127.0.0.1:${service.address().port}/`
for (const [name, more] of [['as it comes', {}], ['with a callback', { statusCallback: () => {} }]]) {
  const codes = []
  for (status of [401, 429, 503, 0]) {
    const result = await loadTest({ url, maxRequests: 3, concurrency: 1, cores: 1, quiet: true, ...more })
    codes.push(`${status || 'dropped'} ${JSON.stringify(result.errorCodes)}`)
  }
  console.log(`${name}: ${codes.join(', ')}`)
}
process.exit()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'as it comes: 401 {"-1":3}, 429 {"-1":3}, 503 {"-1":3}, dropped {"-1":3}
with a callback: 401 {"401":3}, 429 {"429":3}, 503 {"503":3}, dropped {"-1":3}' ] || { echo "changed"; exit 1; }
