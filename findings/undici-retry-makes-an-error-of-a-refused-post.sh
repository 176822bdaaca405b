#!/usr/bin/env bash
# undici 7.30.2 (npm): with its RetryAgent, a POST that is answered 429, 500 or 503 is not sent again, and its answer is lost: fetch fails.
#
# By default only methods that may be repeated are sent again, and one would expect a POST to go through as it does with any other Agent. But its
# answer too is handed to the part that decides on tries, which says no, and throws "fetch failed" in place of it. The caller has neither
# the status in its usual place, nor the body that tells a refusal by a limit from a fault, and takes a service that answers for one that cannot be
# reached. Answers outside the list of statuses (401, 404) come through. A GET ends so too, after its tries.
# Seen: POST with Agent: 401, 429, 500 and 503 with their bodies. With RetryAgent: 401; the others "fetch failed", each sent once.
# Whoever uses it sets throwOnError: false, or keeps it from POST.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund undici@7.30.2 >/dev/null
cat > talk.mjs <<'JS'
import http from 'node:http'
import { Agent, RetryAgent, fetch } from 'undici'

let asked = 0
const service = http.createServer((request, answer) => {
  asked++
  answer.statusCode = Number(request.url.slice(1))
  answer.end('reason')
})
await new Promise((done) => service.listen(0, '127.0.0.1', done))
const plain = new Agent()
const agents = { Agent: plain, RetryAgent: new RetryAgent(plain), 'RetryAgent that throws nothing': new RetryAgent(plain, { throwOnError: false }) }
for (const [name, dispatcher] of Object.entries(agents)) {
  const said = []
  for (const status of [401, 429, 500, 503]) {
    asked = 0
    try {
      const answer = await fetch(`http://127.0.0.1:${service.address().port}/${status}`, { method: 'POST', body: '{}', dispatcher })
      said.push(`${answer.status} ${await answer.text()} (${asked})`)
    } catch (error) {
      said.push(`${error.message} (${asked})`)
    }
  }
  console.log(`${name}: ${said.join(', ')}`)
}
await plain.close()
service.close()
JS
seen=$(timeout 50 node talk.mjs 2>/dev/null); echo "$seen"
[ "$seen" = 'Agent: 401 reason (1), 429 reason (1), 500 reason (1), 503 reason (1)
RetryAgent: 401 reason (1), fetch failed (1), fetch failed (1), fetch failed (1)
RetryAgent that throws nothing: 401 reason (1), 429 reason (1), 500 reason (1), 503 reason (1)' ] || { echo "changed"; exit 1; }
