#!/usr/bin/env bash
# mochawesome 8.1.1 and mochawesome-merge 4.4.1 (npm, with mocha 11.8.0): a run whose hooks failed has 0 failures; merged, it has nothing else either.
#
# A hook before the tests signs on, and when that fails Mocha runs none of them, says "1 failing" and exits with 1. Pipelines read stats.failures of
# mochawesome's file for their message or their gate, mostly behind mochawesome-merge, since each file or browser has a run of its own. A failed
# hook is counted under "other", with the tests that it kept from running as skipped, and the merger, which counts by the tests it knows, sets
# other and skipped to 0. A service that lets nobody sign on gives a report without a failure, and without a pass.
# Seen, before fails in front of two tests, after fails behind one: Mocha: status 1, 2 failing. mochawesome: 1 pass, failures 0, other 2, skipped 2;
# merged: 1 pass, failures 0, other 0, skipped 0. A test that fails: failures 1 in both. mocha-junit-reporter 2.2.1: failures="2".
# Whoever reads these files compares passes and pending with the tests, or lets the exit status decide.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mocha@11.8.0 mochawesome@8.1.1 mochawesome-merge@4.4.1 mocha-junit-reporter@2.2.1 >/dev/null
cat > hooks.js <<'JS'
describe('devices', () => {
  before(() => { throw new Error('sign-on refused') })
  it('one', () => {})
  it('two', () => {})
})
describe('tokens', () => {
  after(() => { throw new Error('still signed on') })
  it('three', () => {})
})
JS
cat > test.js <<'JS'
it('one', () => { throw new Error('refused') })
it('two', () => {})
JS
cat > show.cjs <<'JS'
const { passes, failures, other, skipped } = require(`./${process.argv[2]}`).stats
console.log(`${process.argv[3]}: passes ${passes}, failures ${failures}, other ${other}, skipped ${skipped}`)
JS
run() {
  mkdir "$1"; status=0
  node_modules/.bin/mocha "$1.js" --reporter mochawesome --reporter-options "reportDir=$1,reportFilename=run,html=false" > said 2>&1 || status=$?
  echo "$1: status $status, $(grep -o '[0-9]* failing' said)"
  node show.cjs "$1/run.json" mochawesome
  node_modules/.bin/mochawesome-merge "$1/run.json" -o "$1.json" >/dev/null; node show.cjs "$1.json" merged
  MOCHA_FILE=junit.xml node_modules/.bin/mocha "$1.js" --reporter mocha-junit-reporter >/dev/null 2>&1 || true
  grep '<testsuites' junit.xml | grep -o 'failures="[0-9]*"'
}
seen=$(run hooks; run test); echo "$seen"
[ "$seen" = 'hooks: status 1, 2 failing
mochawesome: passes 1, failures 0, other 2, skipped 2
merged: passes 1, failures 0, other 0, skipped 0
failures="2"
test: status 1, 1 failing
mochawesome: passes 1, failures 1, other 0, skipped 0
merged: passes 1, failures 1, other 0, skipped 0
failures="1"' ] || { echo "changed"; exit 1; }
