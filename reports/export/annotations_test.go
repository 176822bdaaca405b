package export

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// TestScenariosWithoutARequirementAreMarked: what no requirement stands for fails a run too, so a pipeline marks it.
func TestScenariosWithoutARequirementAreMarked(t *testing.T) {
	c := &reports.Conformance{Verdict: reports.Fail, Features: []reports.Feature{{File: "own/a.feature", Path: "tests/a.feature"}}, Scenarios: []reports.Scenario{
		{ID: "own/a.feature:4", File: "own/a.feature", Line: 4, Name: "Refresh twice", Verdict: reports.Fail, Findings: []reports.Finding{{Verdict: reports.Fail, Expected: "status 201", Got: "status 200"}}},
		{ID: "own/b.feature:2", Name: "Silence", Verdict: reports.Error, Reason: "no answer came"},
		{ID: "own/b.feature:9", Name: "A doubt", Verdict: reports.Warn, Reason: "status 200 with a hint"},
		{ID: "own/b.feature:12", Name: "Calm", Verdict: reports.Pass},
		{ID: "features/refresh.feature:9", Name: "A client refreshes", Requirements: []string{"REF-01"}, Verdict: reports.Pass},
	}}
	assert.Equal(t, []annotation{
		{red: true, title: "own/a.feature:4 fail", text: "Refresh twice. expected status 201, got status 200", file: "tests/a.feature", line: 4},
		{red: true, title: "own/b.feature:2 could not tell", text: "Silence. no answer came"},
		{title: "own/b.feature:9 warning", text: "A doubt. status 200 with a hint"},
	}, annotationsOf(c, nil))
}
