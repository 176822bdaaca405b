#!/usr/bin/env bash
# test-results-parser 0.4.6 (npm): of a failure in one line, the last letter is shown as the stack trace.
#
# Cucumber's JSON has the reason of a failed step as error_message. The parser cuts it where a stack trace of JavaScript begins, which it looks for as
# four blanks and "at". Reasons of other languages have none. One would expect the whole reason then; but "not found" is the place -1, and the text
# is cut there.
# Seen: of "expected 200, got 404" the failure is "expected 200, got 40" and the stack trace "4". Reports made by it name a wrong number.
# Whoever writes for it ends reasons with a line break, or reads both texts together.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund test-results-parser@0.4.6 >/dev/null
echo '[{"uri":"a.feature","id":"a","keyword":"Feature","name":"a","elements":[{"id":"a;s","keyword":"Scenario","type":"scenario","name":"s","tags":[],
  "steps":[{"keyword":"Then ","name":"it is there","result":{"status":"failed","error_message":"expected 200, got 404"}}]}]}]' > cucumber.json
node -e '
const [test] = require("test-results-parser").parse({ type: "cucumber", files: ["cucumber.json"] }).suites[0].cases;
console.log(test.failure + " | " + test.stack_trace);' | tee seen
[ "$(cat seen)" = 'expected 200, got 40 | 4' ]
