package export

import "agstest/reports"

// causeOf returns the id of the first cause of a scenario's verdict; empty if there is none.
func causeOf(s reports.Scenario) string {
	for _, f := range s.Findings {
		if f.Cause != "" && (f.Verdict == s.Verdict || f.Verdict.Blocks()) {
			return f.Cause
		}
	}
	return ""
}
