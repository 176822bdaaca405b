#!/usr/bin/env bash
# express-http-proxy 2.1.2 and http-proxy-3 1.23.3 (npm): each answer comes with "Connection: close", and the client's connection is closed with it.
#
# Connection is for one hop, and a proxy must take it off what it passes on (RFC 9110 section 7.6.1). Both ask the service to close, since they keep no
# connections unless given an agent, and the service's "close" goes on to the client as it is. Client and service would both keep theirs:
# in front of a service that does 10,000 requests on one connection, each request costs two new ones, the client's with TLS. A load test of the
# gateway measures handshakes, and runs out of ports.
# Seen: service directly: keep-alive, 3 requests on 1 connection; through either proxy: close, 3 requests on 3 connections; either with
# an agent that keeps connections (and express-http-proxy with the header set anew): keep-alive, 1 connection.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund express@5.3.0 express-http-proxy@2.1.2 http-proxy-3@1.23.3 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import express from 'express'
import expressProxy from 'express-http-proxy'
import { createProxyServer } from 'http-proxy-3'

const listen = async (server) => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return server.address().port
}
const service = http.createServer((request, answer) => answer.end('ok'))
const target = `http://127.0.0.1:${await listen(service)}`
const agent = new http.Agent({ keepAlive: true })
const keep = (options) => ({ ...options, agent, headers: { ...options.headers, connection: 'keep-alive' } })
const third = (options) => {
  const proxy = createProxyServer({ target, ...options })
  return http.createServer((request, answer) => proxy.web(request, answer))
}
for (const [name, gateway] of [
  ['directly', service],
  ['express-http-proxy', http.createServer(express().use(expressProxy(target)))],
  ['http-proxy-3', third({})],
  ['express-http-proxy, agent', http.createServer(express().use(expressProxy(target, { proxyReqOptDecorator: keep })))],
  ['http-proxy-3, agent', third({ agent })],
]) {
  if (!gateway.listening) await listen(gateway)
  let connections = 0
  gateway.on('connection', () => { connections++ })
  const client = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const said = new Set()
  for (let i = 0; i < 3; i++) {
    const answer = await new Promise((done) => http.get({ port: gateway.address().port, host: '127.0.0.1', agent: client }, done))
    said.add(answer.headers.connection)
    for await (const part of answer) void part
  }
  console.log(`${name}: ${[...said]}, connections: ${connections}`)
  client.destroy()
}
process.exit()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'directly: keep-alive, connections: 1
express-http-proxy: close, connections: 3
http-proxy-3: close, connections: 3
express-http-proxy, agent: keep-alive, connections: 1
http-proxy-3, agent: keep-alive, connections: 1' ] || { echo "changed"; exit 1; }
