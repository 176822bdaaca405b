#!/usr/bin/env bash
# node 24.22.3 (npm node-linux-*), its own test runner with --test-reporter=junit: the failure of a test that has subtests is not in the JUnit file.
#
# A test signs on, runs what needs the token as subtests, and then checks something itself: that the session is gone, that all of it took less than
# the time-out. In the JUnit file such a test is a <testsuite>, for which JUnit has no place to fail, and its own failure is left out, with no case
# and no count. The run ends with 1 and the file, which the server of the pipeline, a report or a gate reads, is green. The comments behind the last
# case, which no reader reads, have "fail 1". A time-out, a plan that was not kept and a hook that throws behind the subtests go the same way.
# Seen: exit status 1. Parent that fails, with a subtest: 1 case, 0 <failure>, failures="0"; time-out, plan and after alike; a test without
# subtests that fails: 1 <failure>; a subtest that fails: failures="1". --test-reporter=tap says "not ok" each time.
# Whoever reads JUnit files of it checks in a last subtest, and lets the exit status decide.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
node=node-linux-$(node -p process.arch)
npm init -y >/dev/null && npm install --silent --no-audit --no-fund "$node@24.22.3" >/dev/null
head="import assert from 'node:assert'; import { after, describe, it, test } from 'node:test'"
run() {
  echo "$head; $2" > "$1.test.mjs"; status=0
  "node_modules/$node/bin/node" --test --test-reporter=junit "$1.test.mjs" > run.xml || status=$?
  "node_modules/$node/bin/node" --test --test-reporter=tap "$1.test.mjs" > run.tap || true
  echo "$1: status $status, tap not ok $(grep -cE '^not ok' run.tap), cases $(grep -c '<testcase' run.xml)," \
    "<failure> $(grep -c '<failure' run.xml || true), $(grep -o ' failures="[0-9]*"' run.xml || echo ' no count')"
}
seen=$(
  run parent "test('parent', async (t) => { await t.test('child', () => {}); assert.equal(401, 200) })"
  run timeout "test('parent', { timeout: 50 }, async (t) => { await t.test('child', () => {}); await new Promise((r) => setTimeout(r, 500)) })"
  run plan "test('parent', async (t) => { t.plan(5); await t.test('child', () => {}) })"
  run after "describe('suite', () => { after(() => { throw new Error('still signed on') }); it('child', () => {}) })"
  run alone "test('alone', () => assert.equal(401, 200))"
  run child "test('parent', async (t) => { await t.test('child', () => assert.equal(401, 200)) })"
); echo "$seen"
[ "$seen" = 'parent: status 1, tap not ok 1, cases 1, <failure> 0,  failures="0"
timeout: status 1, tap not ok 1, cases 1, <failure> 0,  failures="0"
plan: status 1, tap not ok 1, cases 1, <failure> 0,  failures="0"
after: status 1, tap not ok 1, cases 1, <failure> 0,  failures="0"
alone: status 1, tap not ok 1, cases 1, <failure> 1,  no count
child: status 1, tap not ok 1, cases 1, <failure> 1,  failures="1"' ] || { echo "changed"; exit 1; }
