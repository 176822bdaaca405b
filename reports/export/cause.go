package export

import (
	"strings"

	"agstest/reports"
)

// said describes a cause in one line.
func said(k reports.Cause) string {
	var parts []string
	if k.Operation != "" {
		parts = append(parts, k.Operation+":")
	}
	if k.Expected != "" {
		parts = append(parts, "expected "+k.Expected+",")
	}
	if k.Got != "" {
		parts = append(parts, "got "+k.Got)
	}
	return strings.TrimSuffix(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), ",")
}

// causeOf returns the id of the first cause of a scenario's verdict; empty if there is none.
func causeOf(s reports.Scenario) string {
	for _, f := range s.Findings {
		if f.Cause != "" && (f.Verdict == s.Verdict || f.Verdict.Blocks()) {
			return f.Cause
		}
	}
	return ""
}
