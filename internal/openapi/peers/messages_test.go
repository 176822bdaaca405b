package peers_test

import (
	"bytes"
	"encoding/xml"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
	"agstest/steps"
)

// TestMessagesAreCountedByOthers hands the messages of a run with failures and skips to @cucumber/junit-xml-formatter,
// which comes to the same counts as we do, and to the same word for every scenario. (@cucumber/html-formatter has its
// test in package reports, in a browser.)
func TestMessagesAreCountedByOthers(t *testing.T) {
	node := tool(t, "@cucumber/junit-xml-formatter")
	server, _, e := service(t)
	require.NoError(t, server.Use(nil, []string{"session-account-number", "refresh-201"}))
	e.Operator = nil // without the operator's secret much is skipped
	report := run(t, steps.Options{Environment: e})

	ours, scenarios := map[string]int{}, map[string]int{}
	for _, s := range report.Scenarios {
		word := ""
		switch s.Verdict {
		case reports.Fail, reports.Error:
			word = "failure"
		case reports.Skipped, reports.Known, reports.NotExercised:
			word = "skipped"
		}
		ours[word]++
		scenarios[s.Feature+" / "+ownName(s.Name)] += map[string]int{"": 0, "failure": 1, "skipped": 1000}[word]
	}
	assert.Greater(t, ours[""], 20)
	assert.Greater(t, ours["failure"], 10)
	assert.Greater(t, ours["skipped"], 10)

	var messages, said bytes.Buffer
	require.NoError(t, export.Messages(&messages, report, nil))
	command := exec.CommandContext(t.Context(), node, "junit.mjs")
	command.Stdin, command.Stderr = &messages, &said
	out, err := command.Output()
	require.NoError(t, err, said.String())
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Skipped  int `xml:"skipped,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	}
	require.NoError(t, xml.Unmarshal(out, &suite))
	assert.Equal(t, len(report.Scenarios), suite.Tests)
	assert.Equal(t, ours["failure"], suite.Failures)
	assert.Equal(t, ours["skipped"], suite.Skipped)
	assert.Zero(t, suite.Errors)
	theirs := map[string]int{}
	for _, c := range suite.Cases {
		key := c.Class + " / " + ownName(c.Name)
		theirs[key] += 0
		if c.Failure != nil {
			theirs[key]++
		}
		if c.Skipped != nil {
			theirs[key] += 1000
		}
	}
	assert.Equal(t, scenarios, theirs)
	t.Logf("%d scenarios: %d passed, %d failed, %d skipped", suite.Tests, ours[""], suite.Failures, suite.Skipped)
}

// ownName is the name of a scenario alone. The formatter puts the rule before it, and before a row of an outline the
// outline and the number.
func ownName(name string) string { return beforeName.ReplaceAllString(name, "") }

var beforeName = regexp.MustCompile(`^.* - (#\d+\.\d+: )?`)
