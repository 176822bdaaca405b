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

// shortEvidence is what a reader of a test report needs of a scenario: where it is, its steps, what was found, and the exchanges,
// redacted as they are. It is at most 16 KiB long.
func shortEvidence(s reports.Scenario) string {
	return figures.Clip(disarm.XMLCharacters(evidence(s)), junitEvidence)
}
