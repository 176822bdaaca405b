package export

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// cucumberStatus is the status that Cucumber's tools give a scenario: that of its worst step.
func cucumberStatus(statuses []string) string {
	for _, bad := range []string{"failed", "skipped"} {
		if slices.Contains(statuses, bad) {
			return bad
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
			view := cucumberView(s, broken)
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

// TestCucumberFailsBeforeItSkips: where a rule was broken before a scenario skipped what the environment lacks, readers
// that take the first step that did not pass for the outcome see it red.
func TestCucumberFailsBeforeItSkips(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Cucumber(&b, &reports.Conformance{Verdict: reports.Fail, Scenarios: []reports.Scenario{{
		ID: "f:1", Feature: "f", File: "f", Name: "n", Verdict: reports.Fail, Reason: "so",
		Steps: []reports.Step{{Text: "first", Verdict: reports.Pass}, {Text: "then", Verdict: reports.Skipped}, {Text: "last", Verdict: reports.Skipped}},
	}}}, nil))
	var features []struct {
		Elements []struct {
			Steps []struct{ Result struct{ Status string } }
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &features))
	var statuses []string
	for _, step := range features[0].Elements[0].Steps {
		statuses = append(statuses, step.Result.Status)
	}
	require.Equal(t, []string{"passed", "failed", "skipped", "skipped"}, statuses)
}

// TestCucumberIsRedWhereTheRunIs: a run that is red although no scenario is has a scenario that says so, and no other
// run has.
func TestCucumberIsRedWhereTheRunIs(t *testing.T) {
	failed := func(c *reports.Conformance, l *reports.Load) (found []string) {
		var b bytes.Buffer
		require.NoError(t, Cucumber(&b, c, l))
		var features []struct {
			URI      string
			Elements []struct {
				Name  string
				Steps []struct {
					Result struct {
						Status  string
						Message string `json:"error_message"`
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &features))
		for _, feature := range features {
			for _, element := range feature.Elements {
				for _, step := range element.Steps {
					if step.Result.Status == "failed" {
						found = append(found, feature.URI+" "+element.Name+": "+step.Result.Message)
					}
				}
			}
		}
		return found
	}
	scenario := func(verdict reports.Verdict) []reports.Scenario {
		return []reports.Scenario{{ID: "f:1", Feature: "f", File: "f", Name: "n", Verdict: verdict, Reason: "so", Steps: []reports.Step{{Text: "it is", Verdict: reports.Pass}}}}
	}
	whole := reports.Run{Environment: "staging"}
	interrupted := whole
	interrupted.Partial = "it was interrupted"
	for _, test := range []struct {
		run  reports.Conformance
		want []string
	}{
		{reports.Conformance{Run: whole, Verdict: reports.Pass, Scenarios: scenario(reports.Pass)}, nil},
		{reports.Conformance{Run: whole, Verdict: reports.Warn, Scenarios: scenario(reports.Warn)}, nil},
		{reports.Conformance{Run: whole, Verdict: reports.Fail, Scenarios: scenario(reports.Fail)}, []string{"staging/f n: fail: so\n"}},
		{reports.Conformance{Run: interrupted, Verdict: reports.Error, Scenarios: scenario(reports.NotExercised)}, []string{"staging/verdict.feature verdict of the run: could not tell: partial: it was interrupted\n"}},
		{reports.Conformance{Run: whole, Verdict: reports.NotEnough, Reason: "90 % were asked for", Scenarios: scenario(reports.Skipped)}, []string{"staging/verdict.feature verdict of the run: not enough checked: 90 % were asked for\n"}},
	} {
		assert.Equal(t, test.want, failed(&test.run, nil), test.run.Verdict)
	}
	listed := reports.Conformance{Run: whole, Verdict: reports.Fail, Reason: "1 requirement failed: REF-02",
		Scenarios: scenario(reports.Pass), Requirements: []reports.Requirement{
			{ID: "REF-02", Verdict: reports.Fail, Known: &reports.KnownDeparture{Owner: "gw"},
				Reason: "take it off the list"},
			{ID: "REF-03", Verdict: reports.Pass}}}
	assert.Equal(t, []string{"staging/verdict.feature verdict of the run: fail: 1 requirement failed: REF-02; " +
		"REF-02: take it off the list\n"}, failed(&listed, nil), "no scenario shows why the run is red")
	listed.Requirements[0].Known = nil
	assert.Equal(t, []string{"staging/verdict.feature verdict of the run: fail: 1 requirement failed: REF-02\n"},
		failed(&listed, nil))
	well := &reports.Conformance{Run: whole, Verdict: reports.Pass, Scenarios: scenario(reports.Pass)}
	assert.Empty(t, failed(well, &reports.Load{Run: whole, Verdict: reports.Warn, Reason: "so"}), "a gate whose load is well")
	assert.Equal(t, []string{"staging/verdict.feature verdict of the load: fail: not kept: refresh.p99<1us\n"},
		failed(well, &reports.Load{Run: whole, Verdict: reports.Fail, Reason: "not kept: refresh.p99<1us"}), "the load of a gate alone is red")
	both := reports.Conformance{Run: interrupted, Verdict: reports.Error, Scenarios: scenario(reports.NotExercised)}
	assert.Equal(t, []string{
		"staging/verdict.feature verdict of the run: could not tell: partial: it was interrupted\n",
		"staging/verdict.feature verdict of the load: could not tell: partial: it was interrupted\n",
	}, failed(&both, &reports.Load{Run: interrupted, Verdict: reports.Error}))

}
