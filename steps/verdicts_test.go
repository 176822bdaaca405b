package steps

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// TestWeigh is the whole of how levels, soft parts, strictness and known departures become verdicts.
func TestWeigh(t *testing.T) {
	const documented, sampled, warns, probe = "SOST-07", "SOST-09", "DISC-06", "SOST-16"
	for id, want := range map[string]ags.Gating{documented: ags.Gates, sampled: ags.Gates, warns: ags.Warns, probe: ags.Never} {
		assert.Equal(t, want, requirementOf(id).Gating(), id)
	}
	for _, c := range []struct {
		id                      string
		outcome                 check.Outcome
		normal, lenient, strict reports.Verdict
	}{
		{documented, check.Held, reports.Pass, reports.Pass, reports.Pass},
		{documented, check.Broken, reports.Fail, reports.Fail, reports.Fail},
		{documented, check.Soft, reports.Warn, reports.Warn, reports.Fail},
		{documented, check.Unknown, reports.Error, reports.Error, reports.Error},
		{documented, check.Observed, reports.Observed, reports.Observed, reports.Observed},
		{sampled, check.Broken, reports.Fail, reports.Warn, reports.Fail},
		{sampled, check.Unknown, reports.Error, reports.Error, reports.Error},
		{warns, check.Broken, reports.Warn, reports.Warn, reports.Fail},
		{probe, check.Broken, reports.Observed, reports.Observed, reports.Observed},
		{"SOST-15", check.Broken, reports.Fail, reports.Fail, reports.Fail}, // plain security
		{probe, check.Unknown, reports.Observed, reports.Observed, reports.Observed},
	} {
		for strictness, want := range map[Strictness]reports.Verdict{Normal: c.normal, Lenient: c.lenient, Strict: c.strict} {
			r := &run{Stage: &scene.Stage{}, options: Options{Strictness: strictness}}
			assert.Equal(t, want, r.weigh(talk.Finding{Requirement: c.id, Outcome: c.outcome}), "%s %d %s", c.id, c.outcome, strictness)
		}
	}
	r := &run{now: time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), known: map[string]KnownDeparture{documented: {ID: documented, Expires: "2030-01-02"}, sampled: {ID: sampled, Expires: "2030-01-01"}}}
	assert.Equal(t, reports.Known, r.weigh(talk.Finding{Requirement: documented, Outcome: check.Broken}))
	assert.Equal(t, reports.Fail, r.weigh(talk.Finding{Requirement: sampled, Outcome: check.Broken}), "past its last day")
	assert.Equal(t, reports.Skipped, r.weigh(talk.Finding{Requirement: documented, Skipped: true}))
}

// TestJudgeRequirement: nothing passes by default, and a requirement that was skipped, or never touched, does not count
// as held.
func TestJudgeRequirement(t *testing.T) {
	r := &run{}
	for _, c := range []struct {
		name string
		t    *dossier
		want reports.Verdict
	}{
		{"never touched", &dossier{}, reports.NotExercised},
		{"only skipped", &dossier{skips: []talk.Finding{{Skipped: true, Got: "a reason", Needs: "a key"}}}, reports.Skipped},
		{"held once", &dossier{checked: 1, held: 1}, reports.Pass},
		{"held and skipped", &dossier{checked: 1, held: 1, skips: []talk.Finding{{Skipped: true, Got: "a reason"}}}, reports.Partly},
		{"held and failed", &dossier{checked: 2, held: 1, findings: []reports.Finding{{Verdict: reports.Fail, Got: "x"}}}, reports.Fail},
		{"failed and unknown", &dossier{checked: 2, findings: []reports.Finding{{Verdict: reports.Error, Got: "x"}, {Verdict: reports.Fail, Got: "y"}}}, reports.Fail},
		{"warned and held", &dossier{checked: 2, held: 1, findings: []reports.Finding{{Verdict: reports.Warn, Got: "x"}}}, reports.Warn},
	} {
		q := r.judge(requirementOf("SOST-07"), c.t)
		assert.Equal(t, c.want, q.Verdict, c.name)
		if c.want != reports.Pass || len(c.t.skips) > 0 {
			assert.NotEmpty(t, q.Reason, c.name)
		}
	}
	assert.Equal(t, "a key", r.judge(requirementOf("SOST-07"), &dossier{skips: []talk.Finding{{Skipped: true, Got: "a reason", Needs: "a key"}}}).Needs)
}

// TestOverall: the verdict of a run is its worst, and a run that found out nothing is an error.
func TestOverall(t *testing.T) {
	of := func(verdicts ...reports.Verdict) *reports.Conformance {
		c := &reports.Conformance{Counts: reports.Counts{Requirements: map[reports.Verdict]int{}, Scenarios: map[reports.Verdict]int{}}}
		for _, v := range verdicts {
			c.Requirements = append(c.Requirements, reports.Requirement{ID: "SOST-07", Verdict: v})
			c.Counts.Requirements[v]++
		}
		return c
	}
	for _, c := range []struct {
		report    *reports.Conformance
		exercised int
		problems  []string
		want      reports.Verdict
	}{
		{of(reports.Pass), 1, nil, reports.Pass},
		{of(reports.Pass, reports.Warn, reports.Known, reports.Observed, reports.Skipped, reports.NotExercised), 4, nil, reports.Pass},
		{of(reports.Pass, reports.Fail), 2, nil, reports.Fail},
		{of(reports.Fail, reports.Error), 2, nil, reports.Fail},
		{of(reports.Pass, reports.Error), 2, nil, reports.Error},
		{of(reports.Skipped), 0, nil, reports.Error},
		{of(), 0, nil, reports.Error},
		{of(reports.Pass), 1, []string{"a known departure matches nothing"}, reports.Fail},
	} {
		verdict, reason := overall(c.report, c.exercised, c.problems, 1)
		assert.Equal(t, c.want, verdict, reason)
		assert.NotEmpty(t, reason)
	}
	partial := of(reports.Pass)
	partial.Run.Partial = "interrupted"
	verdict, _ := overall(partial, 1, nil, 5)
	assert.Equal(t, reports.Error, verdict)
}

// TestAdditionalFindingsAreBounded: a service that fails everywhere does not fill the report, and the worst is kept.
func TestAdditionalFindingsAreBounded(t *testing.T) {
	r := &run{Stage: &scene.Stage{Secrets: scene.NewSecrets()}}
	var findings []talk.Finding
	for i := range 50 {
		findings = append(findings, talk.Finding{Requirement: "DISC-06", Outcome: check.Broken, Got: strconv.Itoa(i), Exchange: -1})
	}
	findings = append(findings, talk.Finding{Requirement: "DISC-06", Outcome: check.Unknown, Got: "worse", Exchange: -1})
	s := &script.Scenario{ID: "x"}
	e := entry{scenario: s, findings: findings}
	found := r.dossiers([]entry{e})["DISC-06"]
	assert.Len(t, found.findings, keptFindings)
	assert.Equal(t, 51, found.checked)
	q := r.judge(requirementOf("DISC-06"), found)
	assert.Equal(t, reports.Error, q.Verdict)
}

func requirementOf(id string) ags.Requirement {
	requirement, _ := ags.RequirementByID(id)
	return requirement
}
