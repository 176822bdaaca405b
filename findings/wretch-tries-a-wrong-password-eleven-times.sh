#!/usr/bin/env bash
# wretch 2.11.1 (npm, its middleware retry): a refused sign-on is sent eleven times and its status is lost, and a lost connection is not tried again.
#
# One adds retry() for the moment in which the network or the service is away, and would expect 401 and 404 to be answers, as they are to axios-retry, ky
# and got. By default this one goes on until an answer is "ok", so for each 4xx, a POST too, and then throws "Number of attempts exceeded." in place
# of the answer: handlers for 401 (.unauthorized) are not called, the user waits for half a minute, and a service that locks an account
# after some wrong passwords has locked it. Retry-After is not read. A connection that was dropped, the one case that says nothing of
# the request, fails at once (retryOnNetworkError is false).
# Seen, with delays of 1 ms: POST 401: 11 requests, no status; POST 404: 11; GET dropped: 1. Without the middleware: 401: 1 request, status 401; axios-retry
# 4.5.0 with 10 retries: POST 401: 1 request, status 401; GET dropped: 11.
# Whoever uses it sets until: (answer) => answer && answer.status < 500, and retryOnNetworkError.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund wretch@2.11.1 axios@1.21.1 axios-retry@4.5.0 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import axios from 'axios'
import axiosRetry from 'axios-retry'
import wretch from 'wretch'
import { retry } from 'wretch/middlewares'

let requests = 0
const service = http.createServer((request, answer) => {
  requests++
  request.resume()
  if (request.url === '/dropped') return request.socket.destroy()
  answer.writeHead(Number(request.url.slice(1))).end('refused')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const at = `http://127.0.0.1:${service.address().port}`
const tried = axios.create()
axiosRetry(tried, { retries: 10, retryDelay: () => 1 })
const clients = {
  wretch: (method, path) => wretch(at + path).middlewares([retry({ delayTimer: 1 })]).fetch(method).res(),
  'without retry': (method, path) => wretch(at + path).fetch(method).res(),
  'until 500': (method, path) => wretch(at + path).middlewares([
    retry({ delayTimer: 1, until: (answer) => answer && answer.status < 500, retryOnNetworkError: true }),
  ]).fetch(method).res(),
  'axios-retry': (method, path) => tried.request({ method, url: at + path }),
}
for (const [method, path] of [['POST', '/401'], ['POST', '/404'], ['GET', '/dropped']]) {
  for (const name in clients) {
    requests = 0
    const status = await clients[name](method, path).catch((error) => error.status ?? error.response?.status ?? 'no status')
    console.log(`${name}, ${method} ${path}: requests ${requests}, ${status}`)
  }
}
process.exit()
JS
seen=$(timeout 60 node talk.mjs); echo "$seen"
[ "$seen" = 'wretch, POST /401: requests 11, no status
without retry, POST /401: requests 1, 401
until 500, POST /401: requests 1, 401
axios-retry, POST /401: requests 1, 401
wretch, POST /404: requests 11, no status
without retry, POST /404: requests 1, 404
until 500, POST /404: requests 1, 404
axios-retry, POST /404: requests 1, 404
wretch, GET /dropped: requests 1, no status
without retry, GET /dropped: requests 1, no status
until 500, GET /dropped: requests 11, no status
axios-retry, GET /dropped: requests 11, no status' ] || { echo "changed"; exit 1; }
