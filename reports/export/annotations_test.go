package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// TestScenariosWithoutARequirementAreMarked: what no requirement stands for fails a run too, so a pipeline marks it.
func TestScenariosWithoutARequirementAreMarked(t *testing.T) {
	c := &reports.Conformance{Verdict: reports.Fail, Features: []reports.Feature{{File: "own/a.feature", Path: "tests/a.feature"}}, Scenarios: []reports.Scenario{
		{ID: "own/a.feature:4", File: "own/a.feature", Line: 4, Name: "Refresh twice", Verdict: reports.Fail, Findings: []reports.Finding{{Verdict: reports.Fail, Expected: "status 201", Got: "status 200"}}},
		{ID: "own/b.feature:2", File: "own/b.feature", Name: "Silence", Verdict: reports.Error, Reason: "no answer came"},
		{ID: "own/b.feature:9", File: "own/b.feature", Name: "A doubt", Verdict: reports.Warn, Reason: "status 200 with a hint"},
		{ID: "own/b.feature:12", Name: "Calm", Verdict: reports.Pass},
		{ID: "features/refresh.feature:9", Name: "A client refreshes", Requirements: []string{"REF-01"}, Verdict: reports.Pass},
	}}
	assert.Equal(t, []annotation{
		{red: true, check: "scenario", known: "scenario/own/a.feature Refresh twice fail", title: "own/a.feature:4 fail", text: "Refresh twice. expected status 201, got status 200", file: "tests/a.feature", line: 4},
		{red: true, check: "scenario", known: "scenario/own/b.feature Silence error", title: "own/b.feature:2 could not tell", text: "Silence. no answer came"},
		{check: "scenario", known: "scenario/own/b.feature A doubt warn", title: "own/b.feature:9 warning", text: "A doubt. status 200 with a hint"},
	}, annotationsOf(c, nil))
}

// TestMarksOfEnvironmentsStandBesideEachOther: GitLab keeps one finding of each fingerprint of a pipeline, and pipelines
// show the marks of all jobs in one list.
func TestMarksOfEnvironmentsStandBesideEachOther(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"staging", "production"} {
		c, l := sample(), sampleLoad()
		c.Run.Environment, l.Run.Environment, c.Run.Service = name, name, "Operator SSO"
		c.Scenarios[0].Requirements = nil
		var gitlab, github, azure bytes.Buffer
		require.NoError(t, Annotations(&gitlab, "gitlab", c, l))
		var issues []struct{ Description, Fingerprint string }
		require.NoError(t, json.Unmarshal(gitlab.Bytes(), &issues))
		require.GreaterOrEqual(t, len(issues), 2)
		for _, issue := range issues {
			assert.Empty(t, seen[issue.Fingerprint], issue.Description)
			assert.Contains(t, issue.Description, " ("+name)
			seen[issue.Fingerprint] = issue.Description
		}
		require.NoError(t, Annotations(&github, "github", c, l))
		require.NoError(t, Annotations(&azure, "azure", c, l))
		for line := range strings.Lines(github.String()) {
			assert.Regexp(t, `title=[^:]* \(`+name, line)
		}
		for line := range strings.Lines(azure.String()) {
			assert.Regexp(t, `\][^:]* \(`+name, line)
		}
	}
}

// TestAFindingThatMovesStaysTheSame: a line more above a scenario without a requirement makes no new finding.
func TestAFindingThatMovesStaysTheSame(t *testing.T) {
	fingerprints := func(line int) (found []string) {
		c := &reports.Conformance{Verdict: reports.Fail, Scenarios: []reports.Scenario{
			{ID: fmt.Sprintf("own/a.feature:%d", line), File: "own/a.feature", Line: line, Name: "Refresh twice", Verdict: reports.Fail},
			{ID: fmt.Sprintf("own/a.feature:%d", line+1), File: "own/a.feature", Line: line + 1, Name: "Refresh twice", Verdict: reports.Fail},
		}}
		var b bytes.Buffer
		require.NoError(t, Annotations(&b, "gitlab", c, nil))
		var issues []struct {
			Fingerprint string
			Check       string `json:"check_name"`
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &issues))
		require.Len(t, issues, 2)
		assert.Equal(t, "scenario", issues[0].Check)
		return []string{issues[0].Fingerprint, issues[1].Fingerprint}
	}
	assert.Equal(t, fingerprints(4), fingerprints(7))
}
