#!/usr/bin/env bash
# openid-client 6.9.0 with @fastify/bearer-auth 10.1.3 (npm): token_type "Bearer" of an answer comes out as "bearer", and a header made of it is refused.
#
# The type of a token is there to be put before it in Authorization, and many clients do just that. openid-client gives the answer of the
# token endpoint as an object with its members, but writes this one in small letters. Both specifications allow it: the type has no case (RFC 6749
# section 5.1), and neither has the scheme (RFC 9110 section 11.1). Services that look for the word "Bearer" are many, and bearer-auth is
# one. The token is good, the service's log shows the right one, and the same call with another client works.
# Seen: service sent "Bearer", client has "bearer"; "bearer TOKEN": 401, "Bearer TOKEN": 200.
# Whoever builds the header writes the word itself, or uses fetchProtectedResource, which does.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund openid-client@6.9.0 fastify@5.12.8 @fastify/bearer-auth@10.1.3 >/dev/null
cat > talk.mjs <<'JS'
import bearer from '@fastify/bearer-auth'
import Fastify from 'fastify'
import * as oidc from 'openid-client'

const signOn = Fastify()
signOn.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async (request, body) => body)
signOn.post('/token', async () => ({ access_token: 'a', token_type: 'Bearer', expires_in: 3600 }))
const service = Fastify()
await service.register(bearer, { keys: ['a'] })
service.get('/', async () => 'ok')
const at = await signOn.listen({ host: '127.0.0.1', port: 0 })
const there = await service.listen({ host: '127.0.0.1', port: 0 })
const config = new oidc.Configuration({ issuer: at, token_endpoint: `${at}/token` }, 'c', 's')
oidc.allowInsecureRequests(config)
const token = await oidc.clientCredentialsGrant(config)
for (const type of [token.token_type, 'Bearer']) {
  const answer = await fetch(there, { headers: { authorization: `${type} ${token.access_token}` } })
  console.log(`${type}: ${answer.status}`)
}
const own = await oidc.fetchProtectedResource(config, token.access_token, new URL(there), 'GET')
console.log(`fetchProtectedResource: ${own.status}`)
await signOn.close()
await service.close()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'bearer: 401
Bearer: 200
fetchProtectedResource: 200' ] || { echo "changed"; exit 1; }
