package reports

import "agstest/internal/figures"

// What other packages that write files of their own form need of a run beside its data.

// Why says in one sentence why a scenario has its verdict; empty where it passed.
func (s Scenario) Why() string { return s.why() }

// Evidence is what a reader of a test report needs of a scenario: where it is, its steps, what was found, and the exchanges, redacted as
// they are. It is at most 16 KiB long.
func (s Scenario) Evidence() string { return figures.Clip(xmlCharacters(evidence(s)), junitEvidence) }

// Sentence says how a limit was kept.
func (l Limit) Sentence() string { return limitSentence(l) }

// Blocks tells whether a run with this verdict, or part of one, is red.
func (v Verdict) Blocks() bool { return v.blocks() }

// Identity tells what was asked, and of whom, as name and value; what is not known is left out.
func (r Run) Identity() [][2]string { return r.identity() }

// Places gives where the feature files that are the user's lie in the user's repository, by the names that scenarios know them by.
func (c *Conformance) Places() map[string]string { return c.places() }

// PartialOr gives why a run ended early, or a reason.
func (r Run) PartialOr(reason string) string {
	if r.Partial != "" {
		return "partial: " + r.Partial
	}
	return reason
}
