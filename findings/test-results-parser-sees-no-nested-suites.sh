#!/usr/bin/env bash
# test-results-parser 0.4.6 (npm): of a JUnit file whose suites stand inside a suite it reads nothing, and calls the run skipped.
#
# Test suites may hold test suites; PHPUnit, for one, writes all of a run into one suite of the project. The parser reads the cases of
# the outermost suites alone, and leaves out suites that have none, with the counts in their attributes. A failed run becomes an empty one
# that is no failure, and a message to the team made of it says 0 of 0.
# Seen, two inner suites, the second with a failure: nested: total 0, failed 0, SKIP; the same suites side by side: total 2, failed 1, FAIL.
# Whoever writes for it keeps all suites on one level.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund test-results-parser@0.4.6 >/dev/null
inner='<testsuite name="one" tests="1" failures="0" errors="0" skipped="0" time="1"><testcase classname="c" name="good" time="1"/></testsuite>
<testsuite name="two" tests="1" failures="1" errors="0" skipped="0" time="1"><testcase classname="c" name="bad" time="1"><failure message="m" type="t">x</failure></testcase></testsuite>'
head='<?xml version="1.0" encoding="UTF-8"?><testsuites>'
echo "$head"'<testsuite name="project" tests="2" failures="1" errors="0" skipped="0" time="2">'"$inner</testsuite></testsuites>" > nested.xml
echo "$head$inner</testsuites>" > flat.xml
seen=$(timeout 50 node -e '
for (const form of ["nested", "flat"]) {
  const run = require("test-results-parser").parse({ type: "junit", files: [form + ".xml"] });
  console.log(`${form}: total ${run.total}, failed ${run.failed}, ${run.status}`);
}'); echo "$seen"
[ "$seen" = 'nested: total 0, failed 0, SKIP
flat: total 2, failed 1, FAIL' ] || { echo "changed"; exit 1; }
