#!/usr/bin/env bash
# tap-junit 5.0.4 (npm), fed by node --test: a test that is known not to work yet, which fails no run, is a failure in the JUnit file.
#
# In TAP "not ok # TODO" is a test whose failure is expected, and by its specification no reason to call the run failed; Node's own runner counts it
# apart and exits 0. The converter looks at "ok" and at SKIP alone, and the reason of the TODO becomes the message of the failure. The
# pipeline's list of tests is red for a job that was green, and whoever blocks a release by the JUnit file blocks it by what the team
# has put off. tap-xunit 2.4.1 makes it skipped, and so a test to do that passes.
# Seen, one test good, one to do that fails, one to do that passes: node: exit status 0, fail 0, todo 2; tap-junit: 3 tests, 1 failure, 0 skipped;
# tap-xunit: 3 tests, 0 failures, 2 skipped.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund tap-junit@5.0.4 tap-xunit@2.4.1 >/dev/null
cat > some.test.mjs <<'JS'
import assert from 'node:assert'
import test from 'node:test'

test('good', () => {})
test('known', { todo: 'waits for the service' }, () => assert.equal(201, 200))
test('done', { todo: true }, () => {})
JS
status=0; node --test --test-reporter=tap some.test.mjs > run.tap || status=$?
count() { grep -o "<$1[ />]" "$2" | wc -l; }
node_modules/.bin/tap-junit -i run.tap > junit.xml
node_modules/.bin/tap-xunit < run.tap > xunit.xml
seen="node: status $status, $(grep -E '^# (fail|todo)' run.tap | tr -d '\n')
tap-junit: $(count testcase junit.xml) tests, $(count failure junit.xml) failure, $(count skipped junit.xml) skipped
tap-xunit: $(count testcase xunit.xml) tests, $(count failure xunit.xml) failures, $(count skipped xunit.xml) skipped"; echo "$seen"
[ "$seen" = 'node: status 0, # fail 0# todo 2
tap-junit: 3 tests, 1 failure, 0 skipped
tap-xunit: 3 tests, 0 failures, 2 skipped' ] || { echo "changed"; exit 1; }
