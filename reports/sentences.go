package reports

import (
	"cmp"
	"fmt"
	"strings"
)

// firstTrouble says why a scenario is not plainly good, where its own reason is silent.
func firstTrouble(s Scenario) string {
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
		sentence += fmt.Sprintf(" (%s times)", Count(int64(f.Times)))
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
