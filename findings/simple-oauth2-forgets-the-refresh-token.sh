#!/usr/bin/env bash
# simple-oauth2 5.1.0 (npm): after a refresh whose answer names no new refresh token, the old one is gone, and the next refresh sends an empty one.
#
# RFC 6749 section 6 lets a service leave the refresh token out of the answer, and the client goes on with the one that it has. refresh() gives a
# new token made of the answer alone. It does not refuse to refresh again either: refresh_token= goes out, and what comes back is the
# service's word for a wrong token. Users are signed out at the second refresh, two lifetimes after the sign-on, which no short test sees.
# Seen, a service that keeps its refresh token: first refresh sends r, second an empty text.
# Whoever uses it puts the old refresh token into what refresh() gave, with createToken.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund simple-oauth2@5.1.0 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { ResourceOwnerPassword } from 'simple-oauth2'

const sent = []
const service = http.createServer((request, answer) => {
  let body = ''
  request.on('data', (data) => { body += data })
  request.on('end', () => {
    const form = new URLSearchParams(body)
    const token = { access_token: 'a', token_type: 'Bearer', expires_in: 3600 }
    if (form.get('grant_type') === 'password') token.refresh_token = 'r'
    else sent.push(`"${form.get('refresh_token')}"`)
    answer.setHeader('Content-Type', 'application/json')
    answer.end(JSON.stringify(token))
  })
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const auth = { tokenHost: `http://127.0.0.1:${service.address().port}`, tokenPath: '/token' }
const client = new ResourceOwnerPassword({ client: { id: 'c', secret: 's' }, auth })
let token = await client.getToken({ username: 'u', password: 'p' })
for (let i = 0; i < 2; i++) token = await token.refresh()
console.log('refresh tokens sent:', ...sent)
service.close()
service.closeAllConnections()
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'refresh tokens sent: "r" ""' ] || { echo "changed"; exit 1; }
