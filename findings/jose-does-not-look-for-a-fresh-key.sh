#!/usr/bin/env bash
# jose 6.2.18 (npm): for half a minute after it fetched a key set, tokens of a key that was added since are refused, and the set is not asked for again,
# whatever its Cache-Control says.
#
# A service that changes its key publishes the new one and then signs with it. createRemoteJWKSet fetches the set again when a token names a key that it
# does not know, and one expects that to cover the change. A time after each fetch (cooldownDuration) forbids it, and how long the set may be
# kept is a setting of the client's own: max-age and no-store are not read. A gateway that was started or woken in that half minute answers 401 to good
# tokens until it is over, and a token that is checked once more later is good.
# Seen, no-store, key added after the first fetch: ERR_JWKS_NO_MATCHING_KEY, 1 request; the same token with cooldownDuration 0: good, 2 requests.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund jose@6.2.18 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { SignJWT, createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose'

const published = []
let requests = 0
const service = http.createServer((request, answer) => {
  requests++
  answer.setHeader('Content-Type', 'application/json')
  answer.setHeader('Cache-Control', 'no-store')
  answer.end(JSON.stringify({ keys: published }))
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const sign = async (kid) => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  published.push({ ...await exportJWK(publicKey), kid, alg: 'ES256', use: 'sig' })
  return new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).setExpirationTime('1h').sign(privateKey)
}
for (const options of [{}, { cooldownDuration: 0 }]) {
  published.length = requests = 0
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${service.address().port}/`), options)
  const check = (token) => jwtVerify(token, keys).then(() => 'good', (error) => error.code)
  const first = await check(await sign('1'))
  const second = await check(await sign('2'))
  console.log(`${JSON.stringify(options)} first: ${first}, added: ${second}, requests: ${requests}`)
}
service.close()
service.closeAllConnections()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = '{} first: good, added: ERR_JWKS_NO_MATCHING_KEY, requests: 1
{"cooldownDuration":0} first: good, added: good, requests: 2' ] || { echo "changed"; exit 1; }
