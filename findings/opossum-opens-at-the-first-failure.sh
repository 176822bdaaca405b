#!/usr/bin/env bash
# opossum 9.0.0 (npm): the first call that fails opens the circuit, for all callers and 30 s, though errorThresholdPercentage is 50.
#
# A share of failures would be expected to be taken of some number of calls. The number that must have been made is volumeThreshold, and it is 0: of one
# call one failed, which is 100 %. It is so after a start, and again whenever nothing came for 10 s, the length of its window. Where the wrapped
# call throws for a refusal, as HTTP clients of Node do for 401, one user with a wrong password in a quiet hour makes a gateway refuse everybody;
# under load the same refusal does nothing, so that no load test finds it.
# Seen, window of 1 s: first call fails: open, and the next, good one gets EOPENBREAKER; 6 good calls before it: not open; these and 2 s of quiet: open.
# Whoever uses it sets volumeThreshold, and an errorFilter for answers that are refusals.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund opossum@9.0.0 >/dev/null
cat > talk.mjs <<'JS'
import CircuitBreaker from 'opossum'

const call = async (good) => {
  if (!good) throw new Error('401')
  return '200'
}
const day = [true, true, true, true, true, true, false, true]
const rollingCountTimeout = 1000
for (const [calls, quiet] of [[[false, true]], [day], [day, 7]]) {
  const breaker = new CircuitBreaker(call, { errorThresholdPercentage: 50, rollingCountTimeout })
  const answers = []
  for (const good of calls) {
    if (answers.length + 1 === quiet) await new Promise((done) => setTimeout(done, 2 * rollingCountTimeout))
    answers.push(await breaker.fire(good).catch((error) => error.code ?? error.message))
  }
  console.log(`${answers.join(' ')}: ${breaker.opened ? 'open' : 'not open'}`)
  breaker.shutdown()
}
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = '401 EOPENBREAKER: open
200 200 200 200 200 200 401 200: not open
200 200 200 200 200 200 401 EOPENBREAKER: open' ] || { echo "changed"; exit 1; }
