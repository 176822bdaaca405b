#!/usr/bin/env bash
# cucumber-junit-convert 2.1.1 (npm): a scenario whose step has no definition, or two, is a passed test in the JUnit file, and one whose hook
# failed is skipped.
#
# Cucumber's own run is red for undefined and ambiguous steps (cucumber-js is strict unless told otherwise), and for a hook that fails.
# The converter knows failed, pending and skipped, reads the steps alone, and takes every other status for passed. A feature whose sentences were
# renamed, so that none of its steps is found any more, is all green in the pipeline's list of tests.
# Seen, four scenarios: undefined: passed; ambiguous: passed; failed before hook: skipped; failed step: failure; failures="1".
# Whoever uses it lets cucumber's exit status fail the job, or takes the JUnit file of cucumber itself.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund cucumber-junit-convert@2.1.1 >/dev/null
scenario() { echo '{"id":"a;'"$1"'","keyword":"Scenario","type":"scenario","name":"'"$1"'",'"$3"'"steps":[{"keyword":"Given ","name":"a step","result":{"status":"'"$2"'"'"$4"'}}]}'; }
hook='"before":[{"match":{"location":"h:1"},"result":{"status":"failed","error_message":"the hook found a fault"}}],'
echo '[{"uri":"a.feature","id":"a","keyword":"Feature","name":"A","elements":['"$(scenario undefined undefined '' ''),$(scenario ambiguous ambiguous '' ',"error_message":"two match"'),$(scenario hook skipped "$hook" ''),$(scenario failed failed '' ',"error_message":"wrong"')"']}]' > cucumber.json
seen=$(timeout 50 node -e '
const fs = require("fs");
require("cucumber-junit-convert").convert({ inputJsonFile: "cucumber.json", outputXmlFile: "junit.xml" });
const wait = setInterval(() => {
  const junit = fs.existsSync("junit.xml") ? fs.readFileSync("junit.xml", "utf8") : "";
  if (!junit.includes("</testsuites>")) return;
  clearInterval(wait);
  for (const [, name, rest] of junit.matchAll(/<testcase name="(\w+)"([^]*?)(?=<testcase|<\/testsuite>)/g))
    console.log(name + ": " + (rest.includes("<failure") ? "failure" : rest.includes("<skipped") ? "skipped" : "passed"));
  console.log(junit.match(/failures="\d+"/)[0]);
}, 50);'); echo "$seen"
[ "$seen" = 'undefined: passed
ambiguous: passed
hook: skipped
failed: failure
failures="1"' ] || { echo "changed"; exit 1; }
