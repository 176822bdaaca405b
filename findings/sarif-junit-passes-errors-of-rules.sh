#!/usr/bin/env bash
# sarif-junit 1.1.4 (npm): a result whose level stands at its rule is a passed test, and one that is suppressed or no longer there is a failed one.
#
# In SARIF 2.1.0 a result without a level has that of its rule, or else "warning" (section 3.27.10), and many writers leave it out. A result that somebody
# accepted stays in the file with its suppression, and one that is gone since the last run comes as "absent". The converter takes
# the result's own level alone: of a file whose errors all stand at the rules it makes a green list for the pipeline, and of one whose last finding
# was mended a red one.
# Seen: level at the rule: passed; no level at all: passed; own level error: failure; the same suppressed and accepted: failure; absent: failure.
# Whoever feeds it writes the level at each result, and takes out what is suppressed or absent.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund sarif-junit@1.1.4 >/dev/null
cat > talk.cjs <<'JS'
const { execFileSync } = require('node:child_process')
const { readFileSync, writeFileSync } = require('node:fs')

for (const [name, more] of Object.entries({
  'level at the rule': { ruleId: 'with' },
  'no level': { ruleId: 'without' },
  'own level': { ruleId: 'without', level: 'error' },
  suppressed: { ruleId: 'without', level: 'error', suppressions: [{ kind: 'external', status: 'accepted' }] },
  absent: { ruleId: 'without', level: 'error', baselineState: 'absent' },
})) {
  const rules = [{ id: 'with', defaultConfiguration: { level: 'error' } }, { id: 'without' }]
  const locations = [{ physicalLocation: { artifactLocation: { uri: 'refresh.feature' }, region: { startLine: 3 } } }]
  const results = [{ message: { text: 'expected 201' }, locations, ...more }]
  writeFileSync('in.sarif', JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 'check', rules } }, results }] }))
  execFileSync('node_modules/.bin/sarif-junit', ['-i', 'in.sarif', '-o', 'out.xml'])
  const report = readFileSync('out.xml', 'utf8')
  console.log(`${name}: ${report.match(/<testcase/g).length} test, ${report.includes('<failure') ? 'failure' : 'passed'}`)
}
JS
seen=$(timeout 50 node talk.cjs); echo "$seen"
[ "$seen" = 'level at the rule: 1 test, passed
no level: 1 test, passed
own level: 1 test, failure
suppressed: 1 test, failure
absent: 1 test, failure' ] || { echo "changed"; exit 1; }
