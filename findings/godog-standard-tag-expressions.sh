#!/usr/bin/env bash
# github.com/cucumber/godog v0.16.0: the tag expressions of other Cucumbers select nothing, and a run of nothing succeeds.
#
# "not @slow" is how every other Cucumber says: all but the slow ones. godog has a language of its own (~@slow, @a && @b, @a,@b) and takes
# the text for the name of one tag, which no scenario has. Nothing runs, and the exit status is 0, with Strict too.
# Seen: "not @slow" ran 0 of 1 scenarios, status 0; "~@slow" ran 1 of 1, status 1, since its step fails.
# In a pipeline: a suite that was brought over from another Cucumber is green for ever.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/cucumber/godog v0.16.0
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/cucumber/godog"
)

func main() {
	for _, tags := range []string{"not @slow", "~@slow"} {
		ran := 0
		suite := godog.TestSuite{
			ScenarioInitializer: func(c *godog.ScenarioContext) {
				c.Step(`^the service answers$`, func() error { ran++; return errors.New("it does not") })
			},
			Options: &godog.Options{Format: "progress", Output: io.Discard, Strict: true, Tags: tags, FeatureContents: []godog.Feature{{
				Name: "a.feature", Contents: []byte("@quick\nFeature: Sign-on\n  Scenario: One\n    Given the service answers\n"),
			}}},
		}
		status := suite.Run()
		fmt.Printf("%s: ran %d, status %d\n", tags, ran, status)
	}
}
GO
go mod tidy >/dev/null 2>&1
seen=$(go run .); echo "$seen"
[ "$seen" = $'not @slow: ran 0, status 0\n~@slow: ran 1, status 1' ] || { echo "changed"; exit 1; }
