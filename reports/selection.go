package reports

import (
	"slices"
	"strings"
)

// Selection is the part of the suite that a run was limited to; it is equal where two runs were to play the same, and
// empty where nothing was left out.
func (r *Run) Selection() string {
	var parts []string
	for _, setting := range []string{"profile", "tags", "only"} {
		if value := r.Settings[setting]; value != "" && value != "full" {
			parts = append(parts, setting+" "+value)
		}
	}
	return strings.Join(parts, "; ")
}

// AskedFor tells whether a run was to judge a requirement. Others of its requirements were judged on the way, by the
// answers that came to its scenarios, and their own scenarios were not played, or not all.
func (c *Conformance) AskedFor(r *Requirement) bool {
	switch only := c.Run.Settings["only"]; {
	case only != "":
		return slices.Contains(strings.Split(only, ","), r.ID)
	case c.Run.Settings["tags"] != "":
		return len(r.Scenario) > 0
	}
	return true
}

// TriedAgain tells whether what a requirement failed by in an earlier run was tried again in this one: a requirement
// that failed and now holds is mended only then.
func (c *Conformance) TriedAgain(earlier *Conformance, was, is *Requirement) bool {
	if c.Run.Partial == "" && (c.Run.Selection() == "" || c.Run.Selection() == earlier.Run.Selection()) {
		return true
	}
	failed := 0
	for _, finding := range was.Findings {
		if finding.Verdict != Fail {
			continue
		}
		failed++
		if !slices.Contains(is.Scenario, finding.Scenario) {
			return false
		}
	}
	return failed > 0
}
