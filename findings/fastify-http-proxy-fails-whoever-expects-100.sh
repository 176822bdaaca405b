#!/usr/bin/env bash
# @fastify/http-proxy 11.6.3 (npm, with fastify 5.12.8): a request with Expect: 100-continue is answered 500, and the service is not asked.
#
# Clients send the field with a large body, so as not to send it in vain; curl does from 1 MB on. Node answers 100 Continue for the gateway, and
# the gateway passes the field on to its own client, undici, which does not support it and throws. The answer is JSON with 500, so that it
# looks like a fault of the service, which works with the same request directly and for all smaller ones through the gateway.
# Seen: without the field 200; with it 100 Continue, and then 500; the service was asked once.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @fastify/http-proxy@11.6.3 fastify@5.12.8 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import fastify from 'fastify'
import proxy from '@fastify/http-proxy'

let asked = 0
const service = http.createServer((request, answer) => {
  asked++
  if (request.url === '/lost') return request.socket.destroy()
  request.resume().on('end', () => answer.end('{}'))
}).listen(0, '127.0.0.1', start)

function post(port, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/good', headers: { 'content-type': 'application/json', 'content-length': 2, ...headers } })
    request.on('error', reject)
    request.on('response', answer => { answer.resume(); resolve(answer.statusCode) })
    if (headers.expect) request.on('continue', () => request.end('{}')).flushHeaders()
    else request.end('{}')
  })
}

async function start() {
  const gateway = fastify()
  gateway.register(proxy, { upstream: `http://127.0.0.1:${service.address().port}` })
  await gateway.listen({ port: 0, host: '127.0.0.1' })
  const { port } = gateway.server.address()
  console.log(`without ${await post(port, {})}, with ${await post(port, { expect: '100-continue' })}, the service was asked ${asked} time`)
  process.exit()
}
JS
seen=$(timeout -s INT 60 node talk.mjs); echo "$seen"
[ "$seen" = 'without 200, with 500, the service was asked 1 time' ] || { echo "changed"; exit 1; }
