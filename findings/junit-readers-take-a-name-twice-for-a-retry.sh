#!/usr/bin/env bash
# allure 3.18.0 and xunit-viewer 10.6.1 (npm): of two test cases of one name in a JUnit file, the first failed and the second passed, the report is green.
#
# The rows of a table, or the same check against two nodes, often share class and name, and nothing in JUnit's XML forbids it; the counts say two tests, one
# failure. Allure takes cases of one name for tries of one test and counts the last alone; xunit-viewer puts them into one case with both texts and the
# last status. Whether a run is green depends on which row stands last. The job is red, its report says all passed, and one looks for a fault of the
# job. junit-to-ctrf keeps both.
# Seen, failed then passed: allure: 1 test, passed, 1 retry; xunit-viewer: 1 passed; junit-to-ctrf: 2 tests, 1 failed. Passed then failed: both failed.
# Whoever writes such files gives each case a name of its own.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund allure@3.18.0 xunit-viewer@10.6.1 junit-to-ctrf@0.0.14 >/dev/null
failed='<testcase classname="refresh" name="gives a token" time="1"><failure message="401">401</failure></testcase>'
passed='<testcase classname="refresh" name="gives a token" time="1"/>'
for order in "$failed$passed" "$passed$failed"; do
  rm -rf results report; mkdir results
  echo "<testsuites><testsuite name=\"s\" tests=\"2\" failures=\"1\">$order</testsuite></testsuites>" > results/junit.xml
  node node_modules/allure/cli.js generate --output report results >/dev/null
  node_modules/.bin/junit-to-ctrf results/junit.xml -o ctrf.json >/dev/null
  echo "allure: $(node -p 'JSON.stringify(JSON.parse(fs.readFileSync("report/summary.json")).stats)')"
  echo "xunit-viewer: $(node_modules/.bin/xunit-viewer -r results/junit.xml -c 2>/dev/null | grep -E '^[0-9]+ ' | tail -1)"
  echo "junit-to-ctrf: $(node -p 'const s = JSON.parse(fs.readFileSync("ctrf.json")).results.summary; `${s.tests} tests, ${s.failed} failed`')"
done | tee seen
[ "$(cat seen)" = 'allure: {"total":1,"retries":1,"passed":1}
xunit-viewer: 1 passed
junit-to-ctrf: 2 tests, 1 failed
allure: {"total":1,"retries":1,"failed":1}
xunit-viewer: 1 failure
junit-to-ctrf: 2 tests, 1 failed' ] || { echo "changed"; exit 1; }
