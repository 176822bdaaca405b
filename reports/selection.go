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

// Itself is what a run found of the service in a requirement, whatever the operator's list of known departures makes of
// it: a known departure fails, and an entry of the list that is out of date does not.
func (r *Requirement) Itself() Verdict {
	fails := func(f Finding) bool { return f.Verdict == Fail || f.Verdict == Known }
	switch {
	case r.Verdict == Known:
		return Fail
	case r.Verdict != Fail || r.Known == nil || slices.ContainsFunc(r.Findings, fails):
		return r.Verdict
	case r.Checked == 0:
		return NotExercised
	}
	return Pass
}

// Mended tells whether a requirement that failed in an earlier run holds in this one, and what it failed by was tried
// again: else nobody knows that it was mended.
func (c *Conformance) Mended(earlier *Conformance, was, is *Requirement) bool {
	return was.Itself() == Fail && slices.Contains([]Verdict{Pass, Partly, Observed}, is.Itself()) &&
		c.triedAgain(earlier, was, is)
}

// triedAgain tells whether what a requirement failed by in an earlier run was tried again in this one. In a run of all
// that the earlier one played it was, unless a scenario was skipped.
func (c *Conformance) triedAgain(earlier *Conformance, was, is *Requirement) bool {
	if is.Verdict != Partly && c.Run.Partial == "" &&
		(c.Run.Selection() == "" || c.Run.Selection() == earlier.Run.Selection()) {
		return true
	}
	failed := 0
	for _, finding := range was.Findings {
		if finding.Verdict != Fail && finding.Verdict != Known {
			continue
		}
		failed++
		if !slices.Contains(is.Scenario, finding.Scenario) || c.skipped(finding.Scenario) {
			return false
		}
	}
	return failed > 0
}

// skipped tells whether a scenario of the run could not be played.
func (c *Conformance) skipped(id string) bool {
	return slices.ContainsFunc(c.Scenarios, func(s Scenario) bool { return s.ID == id && s.Verdict == Skipped })
}
