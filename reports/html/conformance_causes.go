package html

import (
	"agstest/internal/figures"
	"agstest/reports"
)

// shownCauses is how many causes a page shows with their evidence; the rest stays in conformance.json.
const shownCauses = 40

// causeShown is a cause as the page shows it.
type causeShown struct {
	reports.Cause
	Breaks       []cover
	Link         string // to the scenario of the evidence
	ScenarioName string
	Evidence     *reports.Exchange
}

// addCauses puts the causes on the page, each with the exchange that shows it.
func addCauses(c *reports.Conformance, d *conformanceDetails, kept map[string]bool) {
	known := map[string]bool{}
	for _, requirement := range c.Requirements {
		known[requirement.ID] = true
	}
	causes := c.CausesOf(reports.Verdicts...)
	for i, cause := range causes {
		if i == shownCauses {
			d.CausesMore = figures.Plural(int64(len(causes)-i), "more cause") + " in conformance.json."
			return
		}
		shown := causeShown{Cause: cause}
		shown.Expected, shown.Got = figures.Clip(cause.Expected, 4000), figures.Clip(cause.Got, 4000)
		for _, id := range cause.Requirements {
			link := cover{Words: id}
			if known[id] {
				link.Link = anchor("r", id)
			}
			shown.Breaks = append(shown.Breaks, link)
		}
		if kept[cause.Scenario] {
			shown.Link = anchor("s", cause.Scenario)
		}
		scenario, x := c.Evidence(cause)
		shown.Evidence = x
		shown.ScenarioName = cause.Scenario
		if scenario != nil {
			shown.ScenarioName = scenario.Name + " (" + scenario.ID + ")"
		}
		d.Causes = append(d.Causes, shown)
	}
}
