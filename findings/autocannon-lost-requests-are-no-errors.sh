#!/usr/bin/env bash
# autocannon 9.0.0 (npm): requests that a service drops are no errors; the result counts them nowhere but in what was sent.
#
# One reads "errors" and "non 2xx" to see whether a load went well. A connection that the service ends before its answer is opened again and the
# request forgotten: it is no error, no time-out, no reset, and has no latency. A service that loses one request of ten shows no failure
# at all, and is as quick as before. What is left is the difference of requests.sent and requests.total.
# Seen, of 40 requests each tenth dropped unanswered: sent 40, total fewer than sent, errors 0, timeouts 0, resets 0, non2xx 0.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund autocannon@9.0.0 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import autocannon from 'autocannon'

let asked = 0
const service = http.createServer((request, answer) => {
  if (++asked % 10 === 0) request.socket.end()
  else answer.end('ok')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const r = await autocannon({ url: `http://127.0.0.1:${service.address().port}`, amount: 40, connections: 1 })
console.log(`sent ${r.requests.sent}, total fewer ${r.requests.total < r.requests.sent}, errors ${r.errors}, timeouts ${r.timeouts}, resets ${r.resets}, non2xx ${r.non2xx}`)
console.error(`total ${r.requests.total}, latencies ${r.latency.totalCount}, 2xx ${r['2xx']}, asked ${asked}`)
service.close()
service.closeAllConnections()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'sent 40, total fewer true, errors 0, timeouts 0, resets 0, non2xx 0' ] || { echo "changed"; exit 1; }
