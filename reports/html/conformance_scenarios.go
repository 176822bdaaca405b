package html

import (
	"cmp"
	"slices"

	"agstest/internal/figures"
	"agstest/reports"
)

type scenarioGroup struct {
	Feature, Counts string
	Rows            []scenarioRow
}

type scenarioRow struct {
	ID, Link, Name, Why, Took string
	Verdict                   reports.Verdict
	Covers                    []cover
	Steps                     []reports.Step
	Open                      bool
}

// keptScenarios chooses the rows of the page: first those that need attention, then others in order.
func keptScenarios(c *reports.Conformance) map[string]bool {
	kept := make(map[string]bool, min(len(c.Scenarios), shownScenarios))
	for _, calm := range []bool{false, true} {
		for _, scenario := range c.Scenarios {
			if len(kept) == shownScenarios {
				return kept
			}
			if calm == (scenario.Verdict == reports.Pass) {
				kept[scenario.ID] = true
			}
		}
	}
	return kept
}

func addScenarios(c *reports.Conformance, d *conformanceDetails, kept map[string]bool) {
	at := map[string]int{}
	counts := map[string]map[reports.Verdict]int{}
	known := map[string]bool{}
	for _, requirement := range c.Requirements {
		known[requirement.ID] = true
	}
	var steps [2]int // scenarios shown with their steps: those that are fine, those that need attention
	shown := 0
	used := map[string]bool{}
	for _, scenario := range c.Scenarios {
		i, seen := at[scenario.Feature]
		if !seen {
			i = len(d.Scenarios)
			at[scenario.Feature] = i
			counts[scenario.Feature] = map[reports.Verdict]int{}
			d.Scenarios = append(d.Scenarios, scenarioGroup{Feature: cmp.Or(scenario.Feature, "Unnamed feature")})
		}
		counts[scenario.Feature][scenario.Verdict]++
		if !kept[scenario.ID] || used[scenario.ID] {
			continue
		}
		used[scenario.ID] = true
		shown++
		calm := slices.Contains([]reports.Verdict{reports.Pass, reports.Observed, reports.Skipped,
			reports.NotExercised}, scenario.Verdict)
		line := scenarioRow{ID: scenario.ID, Link: anchor("s", scenario.ID),
			Name: cmp.Or(scenario.Name, "Unnamed scenario"), Verdict: scenario.Verdict,
			Took: figures.Milliseconds(scenario.Nanoseconds), Why: figures.OneLine(scenario.Reason, 400), Open: !calm}
		if !calm {
			line.Why = figures.OneLine(scenario.Why(), 400)
		}
		for _, id := range scenario.Requirements {
			link := cover{Words: id}
			if known[id] {
				link.Link = anchor("r", id)
			}
			line.Covers = append(line.Covers, link)
		}
		if n := &steps[0]; calm && *n < shownSteps {
			*n++
			line.Steps = scenario.Steps
		} else if n := &steps[1]; !calm && *n < shownSteps {
			*n++
			line.Steps = scenario.Steps
		}
		d.Scenarios[i].Rows = append(d.Scenarios[i].Rows, line)
	}
	for feature, i := range at {
		d.Scenarios[i].Counts = reports.CountsInWords(counts[feature])
	}
	if left := len(c.Scenarios) - shown; left > 0 {
		d.ScenariosMore = figures.Plural(int64(left),
			"more scenario") + " in conformance.json: this page shows " + figures.Count(int64(shown)) +
			", those that need attention before passes."
	}
}
