#!/usr/bin/env bash
# openapi-response-validator 9.3.1 with chai-openapi-response-validator 0.14.2 (npm): for each writeOnly property of a schema, the last name of its list of
# required ones is forgotten.
#
# writeOnly marks what a request may have and an answer not, a password for one, and it says so of that property alone (OpenAPI 3.0.4, Schema Object). The
# validator takes such names out of what is required; where one is not in that list, it takes out the last one in its place. An answer without its
# token keeps to the document, and "satisfyApiSpec" is green. It takes one optional property, added to a schema for the sake of another call, and
# two make two holes. All other checks go on, so that the tests seem to be alive.
# Seen, required expires and token: {"expires":1} is invalid; with one optional writeOnly property it is valid, and {} is not; with two {} is valid.
# Whoever checks answers with it keeps schemas of requests and of answers apart.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund chai@6.3.0 chai-openapi-response-validator@0.14.2 openapi-response-validator@9.3.1 >/dev/null
cat > talk.mjs <<'JS'
import * as chai from 'chai'
import matcher from 'chai-openapi-response-validator'
import validator from 'openapi-response-validator'

const writeOnly = { type: 'string', writeOnly: true }
for (const more of [{}, { password: writeOnly }, { password: writeOnly, pin: writeOnly }]) {
  const schema = { type: 'object', required: ['expires', 'token'], properties: { expires: { type: 'integer' }, token: { type: 'string' }, ...more } }
  const responses = { 200: { description: 'a token', content: { 'application/json': { schema } } } }
  const said = []
  for (const data of [{ expires: 1 }, {}, { expires: 'soon' }]) {
    const check = new validator.default({ responses: structuredClone(responses) })
    const document = { openapi: '3.0.3', info: { title: 'tokens', version: '1' }, paths: { '/token': { get: { responses } } } }
    chai.use(matcher.default(structuredClone(document)))
    let matched = true
    try {
      chai.expect({ status: 200, data, headers: {}, config: {}, request: { method: 'GET', path: '/token' } }).to.satisfyApiSpec
    } catch {
      matched = false
    }
    said.push(`${JSON.stringify(data)} ${check.validateResponse(200, data) === undefined} ${matched}`)
  }
  console.log(`${Object.keys(more).join(' and ') || 'none'}: ${said.join(', ')}`)
}
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'none: {"expires":1} false false, {} false false, {"expires":"soon"} false false
password: {"expires":1} true true, {} false false, {"expires":"soon"} false false
password and pin: {"expires":1} true true, {} true true, {"expires":"soon"} false false' ] || { echo "changed"; exit 1; }
