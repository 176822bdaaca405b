#!/usr/bin/env bash
# axios-token-interceptor 0.2.0 (npm, with axios 1.21.1): ten calls that wait for a token which is refused send ten sign-ons, one after another.
#
# Its token cache holds calls back while a token is on its way, so that one sign-on serves them all, and it does where the service says yes. Where it says
# no, each of those that wait asks anew, once the one before it was refused. A wrong password is tried as often as there are calls, which locks the
# account, and the tenth call learns it after ten times the time: a token service that is down for 5 s each fails the last after 50 s. lru-cache, whose
# fetch shares the failure too, asks once.
# Seen, a service that takes 200 ms, ten calls at once: accepted: 1 sign-on; refused: 10 sign-ons, 1 at a time, 2 s; lru-cache: 1 sign-on, 0.2 s.
# Whoever uses it hands it a getToken that shares its promise.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund axios@1.21.1 axios-token-interceptor@0.2.0 lru-cache@11.5.3 >/dev/null
cat > talk.mjs <<'JS'
import { createServer } from 'node:http'
import axios from 'axios'
import tokenProvider from 'axios-token-interceptor'
import { LRUCache } from 'lru-cache'

let signOns = 0
let open = 0
let most = 0
const service = createServer((request, response) => {
  if (request.url === '/devices') return response.end()
  signOns++
  most = Math.max(most, ++open)
  setTimeout(() => {
    open--
    response.statusCode = request.url === '/good' ? 200 : 401
    response.end('{"access_token":"a"}')
  }, 200)
})
await new Promise(ready => service.listen(0, '127.0.0.1', ready))
const base = `http://127.0.0.1:${service.address().port}`

async function ten(name, getToken) {
  signOns = most = 0
  const client = axios.create({ baseURL: base })
  client.interceptors.request.use(tokenProvider({ getToken }))
  const start = Date.now()
  const calls = await Promise.allSettled(Array.from({ length: 10 }, () => client.get('/devices')))
  const good = calls.filter(call => call.status === 'fulfilled').length
  const slow = Date.now() - start >= 1900 ? ', 2 s or more' : ''
  console.log(`${name}: ${good} good calls, ${signOns} sign-ons, ${most} at a time${slow}`)
}
const signOn = path => () => axios.post(base + path).then(answer => answer.data.access_token)
await ten('accepted', tokenProvider.tokenCache(signOn('/good'), { maxAge: 60_000 }))
await ten('refused', tokenProvider.tokenCache(signOn('/bad'), { maxAge: 60_000 }))
const shared = new LRUCache({ max: 1, ttl: 60_000, fetchMethod: signOn('/bad') })
await ten('refused, lru-cache', () => shared.fetch('token'))
service.close()
service.closeAllConnections()
JS
seen=$(timeout 30 node talk.mjs); echo "$seen"
[ "$seen" = 'accepted: 10 good calls, 1 sign-ons, 1 at a time
refused: 0 good calls, 10 sign-ons, 1 at a time, 2 s or more
refused, lru-cache: 0 good calls, 1 sign-ons, 1 at a time' ] || { echo "changed"; exit 1; }
