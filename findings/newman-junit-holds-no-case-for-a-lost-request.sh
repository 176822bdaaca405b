#!/usr/bin/env bash
# newman 6.2.2 with junit-to-ctrf 0.0.14 (npm): in its JUnit file a request that got no answer, or whose test script threw, is no test case, so that
# a reader that counts cases calls a red run green.
#
# newman itself says that the run failed, and writes errors="1" at the test suite of the request, with the reason in its system-err. A test case it writes
# for each pm.test that ran alone. A request without tests has none, and neither has a script that threw before its first one. Readers of JUnit go by the
# cases, each of which says whether it failed, and find nothing there: the service was down, and the report shows one test, passed.
# Seen, 3 requests: one good, one whose connection the service closed, one whose script threw: newman 2 failures; JUnit 1 case, 2 errors;
# junit-to-ctrf 1 test, 1 passed, 0 failed.
# Whoever uses the file keeps newman's exit status, or gives each request a pm.test of which nothing can throw before.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund newman@6.2.2 junit-to-ctrf@0.0.14 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import fs from 'node:fs'
import { execFileSync } from 'node:child_process'
import newman from 'newman'

const service = http.createServer((request, answer) => {
  if (request.url === '/lost') request.socket.end()
  else answer.end('{}')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const item = (name, path, script) => ({
  name,
  request: { method: 'GET', url: `http://127.0.0.1:${service.address().port}${path}` },
  event: script ? [{ listen: 'test', script: { exec: [script] } }] : []
})
const collection = {
  info: { name: 'c', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
  item: [
    item('good', '/', 'pm.test("is 200", () => pm.response.to.have.status(200))'),
    item('lost', '/lost'),
    item('throws', '/', 'const id = pm.response.json().user.id; pm.test("has an id", () => pm.expect(id).to.be.a("string"))')
  ]
}
const run = await new Promise((done, fail) => {
  newman.run({ collection, reporters: ['junit'], reporter: { junit: { export: 'junit.xml' } } }, (error, summary) => error ? fail(error) : done(summary.run))
})
service.close()
service.closeAllConnections()
const junit = fs.readFileSync('junit.xml', 'utf8')
execFileSync('node_modules/.bin/junit-to-ctrf', ['junit.xml', '-o', 'ctrf.json'])
const { tests, passed, failed } = JSON.parse(fs.readFileSync('ctrf.json', 'utf8')).results.summary
console.log(`newman: ${run.failures.length} failures | JUnit: ${junit.match(/<testcase/g).length} case, ${junit.match(/errors="1"/g).length} errors | CTRF: ${tests} test, ${passed} passed, ${failed} failed`)
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'newman: 2 failures | JUnit: 1 case, 2 errors | CTRF: 1 test, 1 passed, 0 failed' ] || { echo "changed"; exit 1; }
