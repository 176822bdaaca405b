package html

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// The maxima of a conformance page; it counts the rest, which stays in conformance.json. Ten thousand scenarios still
// make a page that opens at once.
const (
	shownFailures  = 60   // requirements with their evidence
	shownEvidence  = 3    // findings of one requirement
	shownExchanges = 80   // exchanges on the whole page
	shownScenarios = 2000 // rows; those that need attention always come before passes are dropped
	shownSteps     = 300  // scenarios with their steps, of those that need attention and of the others
	shownCovers    = 6    // links of one requirement
)

// Conformance writes the page of a conformance run.
func Conformance(w io.Writer, c *reports.Conformance, s Style) error {
	p := conformancePage(c)
	p.Style = s
	return p.write(w, "conformance")
}

func conformancePage(c *reports.Conformance) page {
	p := page{
		Kind: "Conformance", Title: "Conformance of " + c.Run.Target(), Verdict: c.Verdict, Reason: cmp.Or(c.Reason,
			"No reason was recorded."),
		Facts: reports.RunFacts(c.Run), Trust: conformanceTrust(c), First: conformanceFirst(c),
		FirstNone: "Nothing needs attention: no requirement that counts failed or was left out.",
		About:     runAbout(c.Run),
	}
	counts := reports.RequirementCounts(c.Requirements)
	for _, verdict := range reports.Verdicts { // faults are on the left of the bar, the rest on the right
		if n := counts[verdict]; n > 0 {
			p.Shares = append(p.Shares, share{verdict, n})
		}
	}
	ran := reports.ScenarioCounts(c.Scenarios)
	p.Tiles = []tile{
		{"Requirements", figures.Count(int64(len(c.Requirements))), tileNote(c.Profile.Name, "profile ")},
		{"Exercised", figures.Count(int64(exercisedOf(c))), "of " + figures.Count(int64(len(c.Requirements)))},
		{"Failed", figures.Count(int64(counts[reports.Fail])), figures.PluralOf(int64(counts[reports.Warn]), "warning", "warnings")},
		{"Scenarios", figures.Count(int64(len(c.Scenarios))), figures.Count(int64(ran[reports.Pass])) + " pass"},
		{"Exchanges", figures.Count(int64(c.Counts.Exchanges)), "in " + figures.Elapsed(c.Run.Took())},
	}
	d := conformanceDetailsOf(c)
	p.Details = d
	if len(d.Causes) > 0 {
		p.Links = append(p.Links, sectionLink{"c-causes", "Causes"})
	}
	if len(d.NotExercised) > 0 {
		p.Links = append(p.Links, sectionLink{"c-silent", "Not exercised"})
	}
	if d.Lackings != nil {
		p.Links = append(p.Links, sectionLink{"c-lacks", "Skipped"})
	}
	p.Links = append(p.Links, sectionLink{"c-requirements", "Requirements"})
	if len(d.Failures) > 0 {
		p.Links = append(p.Links, sectionLink{"c-failures", "What was found"})
	}
	p.Links = append(p.Links, sectionLink{"c-scenarios", "Scenarios"}, sectionLink{"about", "About this run"})
	return p
}

func tileNote(text, before string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// exercisedOf counts the requirements that were judged or observed.
func exercisedOf(c *reports.Conformance) int {
	n := 0
	for _, requirement := range c.Requirements {
		if !slices.Contains([]reports.Verdict{reports.NotExercised, reports.Skipped, reports.Error},
			requirement.Verdict) {
			n++
		}
	}
	return n
}

// gating selects the requirements whose miss fails a run or warns: the others are shown only.
func gating(requirements []reports.Requirement) []reports.Requirement {
	var found []reports.Requirement
	for _, requirement := range requirements {
		if requirement.Gating != "shown" {
			found = append(found, requirement)
		}
	}
	return found
}

// exchangesJudged says how many exchanges were judged, and of how many scenarios where the run ended before the last.
func exchangesJudged(c *reports.Conformance) string {
	exchanges, all := figures.Plural(int64(c.Counts.Exchanges), "exchange"), len(c.Scenarios)
	ended := 0
	for _, scenario := range c.Scenarios {
		if scenario.Verdict != reports.NotExercised {
			ended++
		}
	}
	if c.Run.Partial != "" && ended < all {
		return fmt.Sprintf("%s judged, but only %s of %s came to an end.", exchanges, figures.Count(int64(ended)),
			figures.Plural(int64(all), "scenario"))
	}
	return exchanges + " of " + figures.Plural(int64(all), "scenario") + " were judged."
}

// conformanceTrust returns the reasons for and against believing the verdict.
func conformanceTrust(c *reports.Conformance) []statement {
	found := runTrust(c.Run)
	counts := reports.RequirementCounts(c.Requirements)
	switch {
	case len(c.Scenarios) == 0:
		found = append(found, statement{reports.Error, "No scenario ran: nothing was checked."})
	case c.Counts.Exchanges == 0:
		found = append(found, statement{reports.Error, "No exchange with the service took place: nothing was checked."})
	default:
		found = append(found, statement{reports.Pass, exchangesJudged(c)})
	}
	if n := counts[reports.Error] + counts[reports.Invalid] + counts[reports.Inconclusive]; n > 0 {
		found = append(found, statement{reports.Error, "For " + figures.Plural(int64(n), "requirement") +
			" it could not be told whether the service keeps it."})
	}
	if n := len(slices.DeleteFunc(reports.LoneScenarios(c.Scenarios),
		func(s reports.Scenario) bool { return s.Verdict != reports.Error })); n > 0 {
		found = append(found, statement{reports.Error, figures.Plural(int64(n), "scenario") +
			" without a requirement could not be judged."})
	}
	all := int64(len(c.Requirements))
	exercised := statement{reports.Pass, fmt.Sprintf("%s of %s exercised.", figures.Count(int64(exercisedOf(c))),
		figures.PluralOf(all, "requirement was", "requirements were"))}
	if exercisedOf(c) < len(c.Requirements) {
		exercised.Verdict = reports.Warn
		if len(gating(reports.OfVerdict(c.Requirements, reports.NotExercised, reports.Skipped))) == 0 {
			exercised.Verdict = reports.Observed
		}
		exercised.Text = fmt.Sprintf("%s of %s exercised: %s not touched by a scenario, %s skipped",
			figures.Count(int64(exercisedOf(c))), figures.PluralOf(all, "requirement was", "requirements were"),
			figures.Count(int64(counts[reports.NotExercised])), figures.Count(int64(counts[reports.Skipped])))
		if n := counts[reports.Error]; n > 0 {
			exercised.Text += ", and of " + figures.Count(int64(n)) + " it could not be told"
		}
		exercised.Text += "."
	}
	if all > 0 {
		found = append(found, exercised)
	}
	if v := c.Coverage; v != nil {
		kept := statement{reports.Pass, "As much was judged as was asked for: " + v.Asked + "."}
		if !v.Kept {
			kept = statement{reports.NotEnough, "Less was judged than was asked for: " + v.Asked + "."}
		}
		found = append(found, kept)
	}
	for _, note := range c.Notes {
		found = append(found, statement{reports.Observed, note})
	}
	return found
}

// conformanceFirst lists the points that a reader should look at first.
func conformanceFirst(c *reports.Conformance) []first {
	const shown = 6
	var found []first
	add := func(entries []first, section, rest string) {
		for i, entry := range entries {
			if i == shown {
				found = append(found, first{Verdict: entry.Verdict, Link: section,
					Label: figures.Count(int64(len(entries)-i)) + " more", Text: rest})
				return
			}
			found = append(found, entry)
		}
	}
	requirements := func(verdict reports.Verdict) (entries []first) {
		for _, requirement := range c.WithoutCause(verdict) {
			entries = append(entries, first{Verdict: verdict, Link: anchor("d", requirement.ID), Label: requirement.ID,
				Text: requirement.Text, More: requirement.Why()})
		}
		return entries
	}
	lone := func(verdict reports.Verdict) (entries []first) {
		for _, scenario := range reports.LoneScenarios(c.Scenarios) {
			if scenario.Verdict == verdict {
				entries = append(entries, first{Verdict: verdict, Link: anchor("s", scenario.ID), Label: scenario.ID,
					Text: scenario.Name, More: figures.OneLine(scenario.Why(), 400)})
			}
		}
		return entries
	}
	causes := func(verdict reports.Verdict) (entries []first) {
		for _, cause := range c.CausesOf(verdict) {
			more := append([]string{"Breaks " + c.Breaks(cause, 12)}, c.ExpiredKnown(cause)...)
			entries = append(entries, first{Verdict: verdict, Link: anchor("c", cause.ID), Label: cause.ID,
				Text: figures.OneLine(cause.Sentence(), 400), More: figures.Some(more, 4, ". ")})
		}
		return entries
	}
	add(causes(reports.Fail), "c-causes", "causes of failures.")
	add(requirements(reports.Fail), "c-requirements", "requirements failed.")
	add(lone(reports.Fail), "c-scenarios", "scenarios without a requirement failed.")
	add(causes(reports.Error), "c-causes", "causes for which it could not be told.")
	add(requirements(reports.Error), "c-requirements", "requirements of which it could not be told.")
	add(lone(reports.Error), "c-scenarios", "scenarios without a requirement that could not be judged.")
	var unjudged []first
	for _, lack := range c.CoverageLacks() {
		unjudged = append(unjudged, first{Verdict: reports.Skipped, Link: "c-requirements", Label: lack.About(),
			Text: "not judged, though coverage asks for it.", More: lack.Advice()})
	}
	add(unjudged, "c-requirements", "that coverage asks for were not judged.")
	silent := reports.OfVerdict(c.Requirements, reports.NotExercised)
	if n := len(gating(silent)); n > 0 {
		entry := first{Verdict: reports.NotExercised, Link: "c-silent", Label: figures.Plural(int64(n), "requirement"),
			Text: "not touched by any scenario. Nothing is known of " + itOrThem(n) + "."}
		if others := len(silent) - n; others > 0 {
			entry.More = "Nor of " + figures.Count(int64(others)) + " more, of which a miss is only shown."
		}
		found = append(found, entry)
	}
	if n := len(reports.OfVerdict(c.Requirements, reports.Warn)); n > 0 {
		found = append(found, first{Verdict: reports.Warn, Link: "c-failures",
			Label: figures.Plural(int64(n), "warning"), Text: "that did not fail the run."})
	}
	add(lone(reports.Warn), "c-scenarios", "scenarios without a requirement warned.")
	if groups := reports.Lackings(c.Requirements); len(groups) > 0 {
		n, needs := 0, []string{}
		for i, group := range groups {
			n += len(group.Requirements)
			if i < 4 {
				needs = append(needs, figures.OneLine(group.Needs, 120))
			}
		}
		if len(groups) > len(needs) {
			needs = append(needs, figures.Count(int64(len(groups)-len(needs)))+" more")
		}
		found = append(found, first{Verdict: reports.Skipped, Link: "c-lacks",
			Label: figures.Plural(int64(n), "requirement"),
			Text:  "skipped, because the environment lacks what is needed.", More: strings.Join(needs, " · ")})
	}
	return found
}

func itOrThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// conformanceDetails is the data of the template "conformance".
type conformanceDetails struct {
	Causes        []causeShown
	CausesMore    string
	NotExercised  []reports.Requirement
	Loud          bool // some of them would count
	Lackings      *table
	Filters       []share
	Requirements  []requirementRow
	Failures      []failure
	FailuresMore  string
	Scenarios     []scenarioGroup
	ScenariosMore string
}

func conformanceDetailsOf(c *reports.Conformance) conformanceDetails {
	d := conformanceDetails{NotExercised: reports.OfVerdict(c.Requirements, reports.NotExercised)}
	d.Loud = len(gating(d.NotExercised)) > 0
	counts := reports.RequirementCounts(c.Requirements)
	for _, verdict := range reports.Verdicts {
		if n := counts[verdict]; n > 0 {
			d.Filters = append(d.Filters, share{verdict, n})
		}
	}
	d.Lackings = lackingsTable(c)
	scenarios := map[string]*reports.Scenario{}
	for i := range c.Scenarios {
		scenarios[c.Scenarios[i].ID] = &c.Scenarios[i]
	}
	kept := keptScenarios(c)
	addCauses(c, &d, kept)
	addRequirements(c, &d, scenarios, kept)
	addScenarios(c, &d, kept)
	return d
}

func lackingsTable(c *reports.Conformance) *table {
	groups := reports.Lackings(c.Requirements)
	if len(groups) == 0 {
		return nil
	}
	t := table{Caption: "With these the skipped requirements could be checked",
		Columns: []column{{Head: "What is missing"}, {Head: "Requirements that wait for it"}}}
	for _, group := range groups {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: group.Needs, Head: true},
			{Text: strings.Join(group.Requirements, " "), Code: true}}})
	}
	return &t
}

// shownCauses is how many causes a page shows with their evidence; the rest stays in conformance.json.
const shownCauses = 40

// causeShown is a cause as the page shows it.
type causeShown struct {
	reports.Cause
	Broken       string // how many requirements, and what came of them
	Breaks       []cover
	Link         string // to the scenario of the evidence
	ScenarioName string
	Evidence     *reports.Exchange
	Expired      []string // known departures whose date is past, in sentences
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
		shown := causeShown{Cause: cause, Broken: c.Broken(cause), Expired: c.ExpiredKnown(cause)}
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
