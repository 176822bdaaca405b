#!/usr/bin/env bash
# http-proxy-middleware 4.2.2 (npm): a service that ends the connection without an answer is answered for with 504 Gateway Timeout, at once.
#
# 504 is for a service that did not answer in time, 502 for one that gave no good answer (RFC 9110 sections 15.6.3 and 15.6.5). The middleware
# goes by the code of Node's error, and counts ECONNRESET, ECONNREFUSED and ENOTFOUND as time-outs all the same: nobody waited for anything,
# and whoever reads 504 looks for a slow service, or sets longer time-outs, where one has crashed or is not there.
# Seen: the service ends the connection: 504 within a second; nobody listens: 504 within a second.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund http-proxy-middleware@4.2.2 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'

const service = http.createServer((request, answer) => {
  if (request.url === '/lost') return request.socket.destroy()
  request.resume().on('end', () => answer.end('{}'))
}).listen(0, '127.0.0.1', start)

async function through(target, path) {
  const proxy = createProxyMiddleware({ target })
  const gateway = http.createServer((request, answer) => proxy(request, answer, () => answer.end()))
  await new Promise(listening => gateway.listen(0, '127.0.0.1', listening))
  const began = Date.now()
  const answer = await fetch(`http://127.0.0.1:${gateway.address().port}${path}`)
  await answer.text()
  gateway.close()
  return `${answer.status} at once: ${Date.now() - began < 1000}`
}

async function start() {
  const target = `http://127.0.0.1:${service.address().port}`
  const lost = await through(target, '/lost'), good = await through(target, '/good')
  await new Promise(closed => { service.close(closed); service.closeAllConnections() })
  console.log(`good ${good}, lost ${lost}, nobody ${await through(target, '/good')}`)
  process.exit()
}
JS
seen=$(timeout -s INT 60 node talk.mjs); echo "$seen"
[ "$seen" = 'good 200 at once: true, lost 504 at once: true, nobody 504 at once: true' ] || { echo "changed"; exit 1; }
