#!/usr/bin/env bash
# apicache 1.6.3 (npm, with express 5.2.1): it keeps a 503, a 429 and a 401 as long as a 200, and tells clients to keep them too.
#
# cache('1 hour') in front of a list or of discovery is there so that the service is asked once an hour, and one would expect it to keep good answers:
# by RFC 9111 section 3 and RFC 9110 section 15.1 none of the three may be kept for a time that a cache chose. apicache keeps every status. One moment
# without a database, one limit that was reached, one token that was over, and everybody has that answer for the rest of the hour, the
# service, which is well again and hears nothing, shows no errors, and the max-age that is put on the refusal holds them in browsers too.
# Seen, refused once, then well: second answer 503, 429, 401, max-age=3600 each, service asked once. With statusCodes { include: [200] }: 200 and asked
# twice.
# Whoever uses it sets statusCodes.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund apicache@1.6.3 express@5.2.1 >/dev/null
cat > talk.mjs <<'JS'
import apicache from 'apicache'
import express from 'express'

const ask = (status, options) => new Promise((done) => {
  let asked = 0
  const app = express()
  app.use(apicache.newInstance(options).middleware('1 hour'))
  app.get('/', (request, answer) => answer.status(asked++ ? 200 : status).json({}))
  const server = app.listen(0, '127.0.0.1', async () => {
    const at = `http://127.0.0.1:${server.address().port}/`
    await (await fetch(at)).text()
    const second = await fetch(at)
    await second.text()
    console.log(`${status} ${JSON.stringify(options)}: then ${second.status} ${second.headers.get('cache-control')}, asked ${asked}`)
    server.closeAllConnections()
    server.close(done)
  })
})
for (const status of [200, 503, 429, 401]) await ask(status, {})
await ask(503, { statusCodes: { include: [200] } })
process.exit()
JS
seen=$(timeout 60 node talk.mjs); echo "$seen"
[ "$seen" = '200 {}: then 200 max-age=3600, asked 1
503 {}: then 503 max-age=3600, asked 1
429 {}: then 429 max-age=3600, asked 1
401 {}: then 401 max-age=3600, asked 1
503 {"statusCodes":{"include":[200]}}: then 200 max-age=3600, asked 2' ] || { echo "changed"; exit 1; }
