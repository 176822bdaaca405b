package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
)

// why says why a scenario is not plainly good: its own reason, or the first finding or step that fits its verdict.
func (s Scenario) why() string {
	if s.Reason != "" {
		return s.Reason
	}
	for _, finding := range s.Findings {
		if finding.Verdict == s.Verdict {
			return findingSentence(finding)
		}
	}
	for _, step := range s.Steps {
		if step.Verdict == s.Verdict && step.Message != "" {
			return step.Message
		}
	}
	return "no reason was recorded"
}

// findingSentence is a finding in one line.
func findingSentence(f Finding) string {
	var parts []string
	if f.Expected != "" {
		parts = append(parts, "expected "+f.Expected)
	}
	switch {
	case f.Got != "" && f.Expected == "":
		parts = append(parts, f.Got)
	case f.Got != "":
		parts = append(parts, "got "+f.Got)
	}
	sentence := cmp.Or(strings.Join(parts, ", "), f.Verdict.Word())
	if f.Requirement != "" {
		sentence = f.Requirement + ": " + sentence
	}
	if f.Times > 1 {
		sentence += fmt.Sprintf(" (%s times)", figures.Count(int64(f.Times)))
	}
	return sentence
}

func findingsText(findings []Finding) string {
	var lines []string
	for _, finding := range findings {
		lines = append(lines, findingSentence(finding))
	}
	return strings.Join(lines, "\n")
}

// limitSentence says what a limit wanted and what came.
func limitSentence(limit Limit) string {
	sentence := limit.Expression + ": " + cmp.Or(limit.Value, "no figure")
	if limit.Interval != "" {
		sentence += " (" + limit.Interval + ")"
	}
	if limit.Reason != "" {
		sentence += ", " + limit.Reason
	}
	return sentence
}

// loneScenarios are those that failed, warned or could not be judged and stand for no requirement, so that no list of requirements names
// them: people's own, and those of the suite that no cause stands for.
func loneScenarios(scenarios []Scenario) []Scenario {
	var lone []Scenario
	for _, s := range scenarios {
		caused := strings.HasPrefix(s.File, "features/") && slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Cause != "" && f.Verdict == s.Verdict })
		if len(s.Requirements) == 0 && !caused && (s.Verdict == Fail || s.Verdict == Error || s.Verdict == Warn) {
			lone = append(lone, s)
		}
	}
	return lone
}
