#!/usr/bin/env bash
# allure 3.18.0 (npm): of a cucumber.json with several features, the report holds those of the first one alone.
#
# A file in Cucumber's JSON is a list of features, and runners put all of a run into one. One would expect all of them in the report. The reader
# of this format (@allurereport/reader) stops after the first feature that it understood, without a word: failures of the second and all later
# ones are not there, and the report may be green for a red run.
# Seen: two features, the second failed: 1 test, 1 passed. Each feature in a file of its own is read.
# Whoever feeds Allure with it splits the file, or writes Allure's own results.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund allure@3.18.0 >/dev/null
feature() {
  echo '{"uri":"'"$1"'.feature","id":"'"$1"'","keyword":"Feature","name":"'"$1"'","elements":[{"id":"'"$1"';s","keyword":"Scenario","type":"scenario","name":"scenario of '"$1"'",
    "steps":[{"keyword":"Given ","name":"a step","result":{"status":"'"$2"'"}}]}]}'
}
mkdir together apart
echo "[$(feature first passed),$(feature second failed)]" > together/cucumber.json
echo "[$(feature first passed)]" > apart/first.json
echo "[$(feature second failed)]" > apart/second.json
for way in together apart; do
  node node_modules/allure/cli.js generate --output "report-$way" "$way" >/dev/null
  node -e '
const [file, way] = process.argv.slice(1), { total, passed = 0, failed = 0 } = JSON.parse(require("fs").readFileSync(file));
console.log(`${way}: ${total} in all, ${passed} passed, ${failed} failed`);' "$(find "report-$way" -name statistic.json | head -1)" "$way"
done | tee seen
[ "$(cat seen)" = 'together: 1 in all, 1 passed, 0 failed
apart: 2 in all, 1 passed, 1 failed' ]
