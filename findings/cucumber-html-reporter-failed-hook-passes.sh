#!/usr/bin/env bash
# cucumber-html-reporter 7.2.0 (npm): a scenario whose hook failed is shown as passed, unless the hook has an attachment.
#
# In Cucumber's JSON, hooks stand beside the steps, as "before" and "after", each with its result. A hook that failed makes the scenario fail for
# Cucumber. The reporter adds hooks to the steps, but takes the result of those alone that hold "embeddings"; of any other it keeps nothing.
# Seen: all steps passed, the after hook failed: 1 passed, 0 failed; with an empty list of embeddings: 0 passed, 1 failed.
# Whoever checks something in a hook gives it an empty "embeddings", or makes it a step.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund cucumber-html-reporter@7.2.0 >/dev/null
for hook in '' ',"embeddings":[]'; do
  echo '[{"uri":"a.feature","id":"a","keyword":"Feature","name":"A","elements":[{"id":"a;s","keyword":"Scenario","type":"scenario","name":"s",
    "steps":[{"keyword":"Given ","name":"a step","match":{"location":"a:1"},"result":{"status":"passed","duration":1}}],
    "after":[{"match":{"location":"h:1"},"result":{"status":"failed","error_message":"the hook found a fault"}'"$hook"'}]}]}]' > cucumber.json
  node -e '
require("cucumber-html-reporter").generate({ theme: "bootstrap", jsonFile: "cucumber.json", output: "page.html", launchReport: false, name: "x" });' >/dev/null 2>&1
  node -e '
const page = require("fs").readFileSync("page.html", "utf8");
const numbers = page.slice(page.indexOf("\"title\": \"Scenarios\""));
console.log(["passed", "failed"].map((status) => numbers.match(new RegExp(`"${status}": (\\d+)`))[1] + " " + status).join(", "));'
done | tee seen
[ "$(cat seen)" = '1 passed, 0 failed
0 passed, 1 failed' ]
