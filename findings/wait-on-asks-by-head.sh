#!/usr/bin/env bash
# wait-on 9.5.1 (npm): a service that is up, and answers 405 or 404 to HEAD, or 401 without a token, is waited for until the time is over.
#
# Pipelines put it before their tests ("wait-on http://gateway/ && test"), and one would expect it to go on as soon as something answers there. It asks
# with HEAD, and goes on for 2xx alone. A service of calls knows GET and POST, and a gateway refuses what bears no token, so that the job
# ends with "Timed out" beside a service whose log is full of requests, and one looks for what keeps it from starting. The address in a
# browser, which sends GET, works.
# Seen, 3 s each: GET 200 and HEAD 405: timed out, HEAD asked; the same as http-get://: up; 401: timed out; tcp: up.
# Whoever waits for a service writes http-get:// and a path that answers 200, or tcp: and the port.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund wait-on@9.5.1 >/dev/null
cat > talk.mjs <<'JS'
import { execFile } from 'node:child_process'
import http from 'node:http'

const methods = new Set()
const service = http.createServer((request, answer) => {
  methods.add(request.method)
  answer.statusCode = request.url === '/token' ? 401 : request.method === 'GET' ? 200 : 405
  answer.end()
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const at = `127.0.0.1:${service.address().port}`
for (const [name, address] of [['http', `http://${at}/`], ['http-get', `http-get://${at}/`], ['token', `http-get://${at}/token`], ['tcp', `tcp:${at}`]]) {
  methods.clear()
  const error = await new Promise((done) => execFile('node_modules/.bin/wait-on', ['--timeout', '3000', address], done))
  const said = error === null ? 'up' : /Timed out/.test(error.message) ? 'timed out' : error.message
  console.log(`${name}: ${said}, asked: ${[...methods]}`)
}
process.exit()
JS
seen=$(env -u http_proxy -u HTTP_PROXY timeout 60 node talk.mjs); echo "$seen"
[ "$seen" = 'http: timed out, asked: HEAD
http-get: up, asked: GET
token: timed out, asked: GET
tcp: up, asked: ' ] || { echo "changed"; exit 1; }
