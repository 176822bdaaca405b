#!/usr/bin/env bash
# @cucumber/cucumber 12.9.0 (npm) and github.com/cucumber/godog v0.16.0: a cell of Examples that holds the name of another column in < > is filled
# in again, if that column stands further to the right.
#
# Of a Scenario Outline one expects each <name> of a step to become what the cell says, once. The readers of Gherkin go from column to column and replace in
# what they have so far, cells of earlier columns included. A test that a text comes through as it is ("<user>" in a template, "<id>" in the
# path of a document, a tag of XML) tests another text, passes or fails with the wrong one in its name, and with the columns the other way round
# is right: whoever sorts them changes the tests.
# Seen, text <id> and id 7. Columns text, id: the step has "7"; columns id, text: "<id>". A name that is no column: "<x>" both times.
# Whoever needs such a text puts its column last.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund @cucumber/cucumber@12.9.0 >/dev/null
mkdir features
cat > features/a.feature <<'GHERKIN'
Feature: a
  Scenario Outline: a
    Given "<text>" for <id>

    Examples:
      | text | id |
      | <id> | 7  |
      | <x>  | 8  |

    Examples:
      | id | text |
      | 7  | <id> |
      | 8  | <x>  |
GHERKIN
cat > steps.cjs <<'JS'
const { Given } = require('@cucumber/cucumber')
Given('{string} for {int}', (text, id) => console.error('step', id, text))
JS
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/cucumber/godog v0.16.0
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/cucumber/godog"
)

func main() {
	suite := godog.TestSuite{
		ScenarioInitializer: func(scenario *godog.ScenarioContext) {
			scenario.Step(`^"(.*)" for (\d+)$`, func(text, id string) { fmt.Fprintln(os.Stderr, "step", id, text) })
		},
		Options: &godog.Options{Paths: []string{"features"}, Format: "progress", Output: io.Discard},
	}
	os.Exit(suite.Run())
}
GO
export GOFLAGS=-mod=mod
go build -o steps . 2>/dev/null
seen="cucumber: $(node_modules/.bin/cucumber-js --import steps.cjs 2>&1 >/dev/null | grep '^step' | tr '\n' ';')
godog: $(./steps 2>&1 >/dev/null | grep '^step' | tr '\n' ';')"; echo "$seen"
[ "$seen" = 'cucumber: step 7 7;step 8 <x>;step 7 <id>;step 8 <x>;
godog: step 7 7;step 8 <x>;step 7 <id>;step 8 <x>;' ] || { echo "changed"; exit 1; }
