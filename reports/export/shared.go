package export

import (
	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// partialOr gives why a run ended early, or a reason.
func partialOr(r reports.Run, reason string) string {
	if r.Partial != "" {
		return "partial: " + r.Partial
	}
	return reason
}

// shortEvidence returns a scenario for a reader of a test report: its place, its steps, the findings, and the redacted
// exchanges. It is at most 16 KiB long.
func shortEvidence(s reports.Scenario) string {
	return figures.Clip(disarm.XMLCharacters(evidence(s)), junitEvidence)
}
