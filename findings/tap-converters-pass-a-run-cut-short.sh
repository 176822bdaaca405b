#!/usr/bin/env bash
# tap-xunit 2.4.1 and tap-junit 5.0.4 (npm): a run that was to have ten tests and ended after two, or said "Bail out!", ends with 0, and its JUnit file
# holds no failed case.
#
# TAP begins with a plan, 1..10, so that a reader notices when the tests die on their way: fewer than planned is a failed run, and "Bail out!"
# is one by its specification. The converters write down what came: two passed cases, as if there had been no more. tap-xunit
# has no failure anywhere, tap-junit a count of 1 with no case to it, which readers of cases do not see. A suite that lost its service at the start is
# green in the pipeline, and has fewer tests than yesterday.
# Seen, plan of 10. Two good ones, then the end: tap-xunit: 2 cases, failures="0"; tap-junit: 2 cases, failures="1", none of them failed. "Bail out!" after
# one good: both 1 case, failures="0". Status 0 each time; prove of perl 5.36 fails both.
# Whoever converts TAP lets the status of the tests themselves fail the job.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund tap-xunit@2.4.1 tap-junit@5.0.4 >/dev/null
printf 'TAP version 13\n1..10\nok 1 - sign on\nok 2 - refresh\n' > short.tap
printf 'TAP version 13\n1..10\nok 1 - sign on\nBail out! the service is gone\n' > bail.tap
count() { grep -o "<$1[ />]" "$2" | wc -l; }
failures() { grep -o 'failures="[0-9]*"' "$1" | head -1; }
for run in short bail; do
  status=0; node_modules/.bin/tap-xunit < $run.tap > xunit.xml || status=$?
  echo "$run: tap-xunit: status $status, $(count testcase xunit.xml) cases, $(count failure xunit.xml) failed, $(failures xunit.xml)"
  status=0; node_modules/.bin/tap-junit -i $run.tap > junit.xml || status=$?
  echo "$run: tap-junit: status $status, $(count testcase junit.xml) cases, $(count failure junit.xml) failed, $(failures junit.xml)"
  status=0; prove -e cat $run.tap >/dev/null 2>&1 || status=$?
  echo "$run: prove: failed $([ $status -ne 0 ] && echo true || echo false)"
done | tee seen
[ "$(cat seen)" = 'short: tap-xunit: status 0, 2 cases, 0 failed, failures="0"
short: tap-junit: status 0, 2 cases, 0 failed, failures="1"
short: prove: failed true
bail: tap-xunit: status 0, 1 cases, 0 failed, failures="0"
bail: tap-junit: status 0, 1 cases, 0 failed, failures="0"
bail: prove: failed true' ] || { echo "changed"; exit 1; }
