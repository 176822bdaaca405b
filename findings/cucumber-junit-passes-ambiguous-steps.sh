#!/usr/bin/env bash
# cucumber-junit 1.7.1 with @cucumber/cucumber 12.9.0 (npm): a scenario with an ambiguous step, and one whose After hook failed, pass, with --strict too.
#
# Cucumber calls a step ambiguous that two definitions fit, and fails the scenario: nothing of it was run. The converter knows failed, pending, undefined
# and skipped, and takes each other status for a good one. Steps of hooks it leaves out with whatever they said, such as that the session was
# not closed. The run ends with 1, and the pipeline's list, made of the JUnit file, shows one failure of three, or none. --strict, which
# makes failures of pending and undefined steps, changes nothing of it.
# Seen, one good scenario, one ambiguous, one with a failed After, one refused: cucumber: exit status 1, its own JUnit file 3 failures; cucumber-junit: 1.
# Whoever runs a Cucumber that writes JUnit itself lets it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @cucumber/cucumber@12.9.0 cucumber-junit@1.7.1 >/dev/null
mkdir -p features/steps
cat > features/refresh.feature <<'FEATURE'
Feature: refresh
  Scenario: good
    Given a session
  Scenario: two steps fit
    Given a refresh
  Scenario: the session stays open
    Given an open session
  Scenario: refused
    Given a refused sign-on
FEATURE
cat > features/steps/steps.cjs <<'JS'
const { After, Given } = require('@cucumber/cucumber')

Given('a session', () => {})
Given('an open session', () => {})
Given('a refresh', () => {})
Given(/^a ref[a-z]*$/, () => {})
Given('a refused sign-on', () => { throw new Error('401') })
After(({ pickle }) => { if (pickle.name === 'the session stays open') throw new Error('still open') })
JS
status=0
node_modules/.bin/cucumber-js --require 'features/steps/*.cjs' --format json:run.json --format junit:own.xml >/dev/null || status=$?
node_modules/.bin/cucumber-junit --strict < run.json > converted.xml
count() { { grep -o "<$1[ />]" "$2" || true; } | wc -l; }
seen="cucumber: status $status, $(count testcase own.xml) cases, $(count failure own.xml) failures
cucumber-junit: $(count testcase converted.xml) cases, $(count failure converted.xml) failures, $(count skipped converted.xml) skipped"; echo "$seen"
[ "$seen" = 'cucumber: status 1, 4 cases, 3 failures
cucumber-junit: 4 cases, 1 failures, 0 skipped' ] || { echo "changed"; exit 1; }
