#!/usr/bin/env bash
# allure 3.18.0 (npm): names and messages of a JUnit XML file are shown with their entities as they are written.
#
# XML writes < and & in text, and " in attributes, as entities, and every XML reader gives the characters back. Allure's reader of JUnit files turns
# this off: a test whose name holds a quotation mark is called a &quot;b&quot; in the report, and its identity over runs is made of that
# text, so that two writers that escape differently (&#34;, or ' around the attribute) have two histories of one test.
# Seen: the name is a &lt; &quot;b&quot;, the message x &gt; y.
# Whoever needs readable texts there writes Allure's own results.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund allure@3.18.0 >/dev/null
mkdir results
cat > results/junit.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="s" tests="1" failures="1"><testcase classname="c" name="a &lt; &quot;b&quot;" time="0.1"><failure message="x &gt; y" type="t">p &amp; q</failure></testcase></testsuite></testsuites>
XML
node node_modules/allure/cli.js generate --output report results >/dev/null
node -e '
const fs = require("fs"), path = require("path");
const folder = path.join("report", "data", "test-results");
const test = JSON.parse(fs.readFileSync(path.join(folder, fs.readdirSync(folder)[0])));
console.log([test.name, test.error.message, test.error.trace].join(" | "));' | tee seen
[ "$(cat seen)" = 'a &lt; &quot;b&quot; | x &gt; y | p &amp; q' ]
