#!/usr/bin/env bash
# vitest 4.1.12 (npm): a run that fails for an error that no test caught has "success": true in its JSON file, and no failure in its JUnit file.
#
# Something that a test set off fails after it: a refresh in the background is refused, a promise that nobody waits for. Vitest takes that for serious,
# prints "Unhandled Errors" and ends with 1, with all tests passed. The files for machines do not have it: the field "success", which stands there for the
# verdict, says true, and the JUnit file has no failure and no error. Wherever a step with vitest may fail (|| true, so that the report is
# published in any case) and a gate reads the file behind it, the gate is green. A file that cannot be loaded is in both.
# Seen. Late error: status 1, success true, 1 passed, 0 failed; JUnit failures="0" errors="0". Late rejection: the same. A test that fails, and a file that
# cannot be loaded: status 1, success false, failures="1". None of it: status 0, success true.
# Whoever reads the files takes the exit status as well.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund vitest@4.1.12 >/dev/null
run() {
  echo "import { it } from 'vitest'; $2" > "$1.test.mjs"; status=0
  node_modules/.bin/vitest run "$1.test.mjs" --reporter=json --outputFile.json=run.json --reporter=junit --outputFile.junit=run.xml \
    >/dev/null 2>&1 || status=$?
  node -p 'const all = require("./run.json"); `success ${all.success}, passed ${all.numPassedTests}, failed ${all.numFailedTests}`' |
    sed "s/^/$1: status $status, /"
  grep '<testsuites' run.xml | grep -o 'failures="[0-9]*" errors="[0-9]*"'
}
seen=$(
  run late "it('a', async () => { setTimeout(() => { throw new Error('refused') }, 5); await new Promise((done) => setTimeout(done, 100)) })"
  run rejected "it('a', async () => { Promise.reject(new Error('refused')); await new Promise((done) => setTimeout(done, 100)) })"
  run failing "it('a', () => { throw new Error('refused') })"
  run missing "import './missing.mjs'; it('a', () => {})"
  run well "it('a', () => {})"
); echo "$seen"
[ "$seen" = 'late: status 1, success true, passed 1, failed 0
failures="0" errors="0"
rejected: status 1, success true, passed 1, failed 0
failures="0" errors="0"
failing: status 1, success false, passed 0, failed 1
failures="1" errors="0"
missing: status 1, success false, passed 0, failed 0
failures="1" errors="0"
well: status 0, success true, passed 1, failed 0
failures="0" errors="0"' ] || { echo "changed"; exit 1; }
