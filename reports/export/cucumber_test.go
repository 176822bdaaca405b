package export

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// cucumberStatus is the status that Cucumber's tools give a scenario: that of its worst step.
func cucumberStatus(statuses []string) string {
	for _, bad := range []string{"failed", "skipped"} {
		for _, status := range statuses {
			if status == bad {
				return bad
			}
		}
	}
	return "passed"
}

func TestCucumberComesToOurVerdict(t *testing.T) {
	want := map[reports.Verdict]string{reports.Pass: "passed", reports.Observed: "passed", reports.Warn: "passed", reports.Fail: "failed", reports.Error: "failed", reports.Skipped: "skipped", reports.Known: "skipped", reports.NotExercised: "skipped"}
	for verdict, status := range want {
		for _, steps := range [][]reports.Verdict{{}, {reports.Pass}, {reports.Pass, reports.Fail}, {reports.Pass, reports.Error, reports.Skipped}, {reports.Skipped}, {reports.Pass, reports.Warn}, {reports.Pass, reports.Observed}} {
			s := reports.Scenario{ID: "f:1", Feature: "f", File: "f", Name: "n", Verdict: verdict}
			for _, step := range steps {
				s.Steps = append(s.Steps, reports.Step{Keyword: "Then ", Text: "it is", Verdict: step})
			}
			view := cucumberView(s)
			var statuses []string
			for _, step := range view.steps {
				statuses = append(statuses, step.status)
			}
			if view.verdict != nil {
				statuses = append(statuses, view.verdict.status)
			}
			require.Equal(t, status, cucumberStatus(statuses), "%s with %v", verdict, steps)
		}
	}
}
