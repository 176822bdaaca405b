package reports

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"agstest/internal/figures"
)

// What a conformance page shows in full; the rest is counted and stays in conformance.json. Ten thousand scenarios still make a page that
// opens at once.
const (
	shownFailures  = 60   // requirements with their evidence
	shownEvidence  = 3    // findings of one requirement
	shownExchanges = 80   // exchanges on the whole page
	shownScenarios = 2000 // rows; those that need attention always come before passes are dropped
	shownSteps     = 300  // scenarios with their steps, of those that need attention and of the others
	shownCovers    = 6    // links of one requirement
)

// ConformanceHTML writes the page of a conformance run.
func ConformanceHTML(w io.Writer, c *Conformance, s Style) error {
	p := conformancePage(c)
	p.Style = s
	return p.write(w, "conformance")
}

func conformancePage(c *Conformance) page {
	p := page{
		Kind: "Conformance", Title: "Conformance of " + c.Run.target(), Verdict: c.Verdict, Reason: cmp.Or(c.Reason, "No reason was recorded."),
		Facts: runFacts(c.Run), Trust: c.trust(), First: c.first(),
		FirstNone: "Nothing needs attention: no requirement that counts failed or was left out.",
		About:     runAbout(c.Run),
	}
	counts := requirementCounts(c.Requirements)
	for _, verdict := range verdicts { // what is wrong on the left of the bar, what is fine on the right
		if n := counts[verdict]; n > 0 {
			p.Shares = append(p.Shares, share{verdict, n})
		}
	}
	ran := scenarioCounts(c.Scenarios)
	p.Tiles = []tile{
		{"Requirements", figures.Count(int64(len(c.Requirements))), tileNote(c.Profile.Name, "profile ")},
		{"Exercised", figures.Count(int64(c.exercised())), "of " + figures.Count(int64(len(c.Requirements)))},
		{"Failed", figures.Count(int64(counts[Fail])), figures.PluralOf(int64(counts[Warn]), "warning", "warnings")},
		{"Scenarios", figures.Count(int64(len(c.Scenarios))), figures.Count(int64(ran[Pass])) + " pass"},
		{"Exchanges", figures.Count(int64(c.Counts.Exchanges)), "in " + figures.Elapsed(c.Run.took())},
	}
	d := c.details()
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

// exercised counts the requirements that were judged or observed.
func (c *Conformance) exercised() int {
	n := 0
	for _, requirement := range c.Requirements {
		if !slices.Contains([]Verdict{NotExercised, Skipped, Error}, requirement.Verdict) {
			n++
		}
	}
	return n
}

// gating selects the requirements whose miss fails a run or warns: the others are shown only.
func gating(requirements []Requirement) []Requirement {
	var found []Requirement
	for _, requirement := range requirements {
		if requirement.Gating != "shown" {
			found = append(found, requirement)
		}
	}
	return found
}

// trust says what speaks for and against believing the verdict.
func (c *Conformance) trust() []statement {
	found := runTrust(c.Run)
	counts := requirementCounts(c.Requirements)
	switch {
	case len(c.Scenarios) == 0:
		found = append(found, statement{Error, "No scenario ran: nothing was checked."})
	case c.Counts.Exchanges == 0:
		found = append(found, statement{Error, "No exchange with the service took place: nothing was checked."})
	default:
		found = append(found, statement{Pass, figures.Plural(int64(c.Counts.Exchanges), "exchange") + " of " + figures.Plural(int64(len(c.Scenarios)), "scenario") + " were judged."})
	}
	if n := counts[Error] + counts[Invalid] + counts[Inconclusive]; n > 0 {
		found = append(found, statement{Error, "For " + figures.Plural(int64(n), "requirement") + " it could not be told whether the service keeps it."})
	}
	if n := len(slices.DeleteFunc(loneScenarios(c.Scenarios), func(s Scenario) bool { return s.Verdict != Error })); n > 0 {
		found = append(found, statement{Error, figures.Plural(int64(n), "scenario") + " without a requirement could not be judged."})
	}
	all := int64(len(c.Requirements))
	exercised := statement{Pass, fmt.Sprintf("%s of %s were exercised.", figures.Count(int64(c.exercised())), figures.Plural(all, "requirement"))}
	if c.exercised() < len(c.Requirements) {
		exercised.Verdict = Warn
		if len(gating(ofVerdict(c.Requirements, NotExercised, Skipped))) == 0 {
			exercised.Verdict = Observed
		}
		exercised.Text = fmt.Sprintf("%s of %s were exercised: %s not touched by a scenario, %s skipped.", figures.Count(int64(c.exercised())), figures.Plural(all, "requirement"), figures.Count(int64(counts[NotExercised])), figures.Count(int64(counts[Skipped])))
	}
	found = append(found, exercised)
	for _, note := range c.Notes {
		found = append(found, statement{Observed, note})
	}
	return found
}

// first lists what a reader should look at first.
func (c *Conformance) first() []first {
	const shown = 6
	var found []first
	add := func(entries []first, section, rest string) {
		for i, entry := range entries {
			if i == shown {
				found = append(found, first{Verdict: entry.Verdict, Link: section, Label: figures.Count(int64(len(entries)-i)) + " more", Text: rest})
				return
			}
			found = append(found, entry)
		}
	}
	requirements := func(verdict Verdict) (entries []first) {
		for _, requirement := range c.withoutCause(verdict) {
			entries = append(entries, first{Verdict: verdict, Link: anchor("d", requirement.ID), Label: requirement.ID, Text: requirement.Text, More: requirement.why()})
		}
		return entries
	}
	lone := func(verdict Verdict) (entries []first) {
		for _, scenario := range loneScenarios(c.Scenarios) {
			if scenario.Verdict == verdict {
				entries = append(entries, first{Verdict: verdict, Link: anchor("s", scenario.ID), Label: scenario.ID, Text: scenario.Name, More: figures.OneLine(scenario.why(), 400)})
			}
		}
		return entries
	}
	causes := func(verdict Verdict) (entries []first) {
		for _, cause := range c.causesOf(verdict) {
			entries = append(entries, first{Verdict: verdict, Link: anchor("c", cause.ID), Label: cause.ID, Text: figures.OneLine(cause.sentence(), 400), More: "Breaks " + cause.breaks(12)})
		}
		return entries
	}
	add(causes(Fail), "c-causes", "causes of failures.")
	add(requirements(Fail), "c-requirements", "requirements failed.")
	add(lone(Fail), "c-scenarios", "scenarios without a requirement failed.")
	add(causes(Error), "c-causes", "causes for which it could not be told.")
	add(requirements(Error), "c-requirements", "requirements of which it could not be told.")
	add(lone(Error), "c-scenarios", "scenarios without a requirement that could not be judged.")
	if n := len(gating(ofVerdict(c.Requirements, NotExercised))); n > 0 {
		found = append(found, first{Verdict: NotExercised, Link: "c-silent", Label: figures.Plural(int64(n), "requirement"), Text: "not touched by any scenario. Nothing is known of them."})
	}
	if n := len(ofVerdict(c.Requirements, Warn)); n > 0 {
		found = append(found, first{Verdict: Warn, Link: "c-failures", Label: figures.Plural(int64(n), "warning"), Text: "that did not fail the run."})
	}
	add(lone(Warn), "c-scenarios", "scenarios without a requirement warned.")
	if groups := lackings(c.Requirements); len(groups) > 0 {
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
		found = append(found, first{Verdict: Skipped, Link: "c-lacks", Label: figures.Plural(int64(n), "requirement"), Text: "skipped, because the environment lacks what they need.", More: strings.Join(needs, " · ")})
	}
	return found
}

// conformanceDetails is what the template "conformance" shows.
type conformanceDetails struct {
	Causes        []causeShown
	CausesMore    string
	NotExercised  []Requirement
	Loud          bool // some of them would count
	Lackings      *table
	Filters       []share
	Requirements  []requirementRow
	Failures      []failure
	FailuresMore  string
	Scenarios     []scenarioGroup
	ScenariosMore string
}

func (c *Conformance) details() conformanceDetails {
	d := conformanceDetails{NotExercised: ofVerdict(c.Requirements, NotExercised)}
	d.Loud = len(gating(d.NotExercised)) > 0
	counts := requirementCounts(c.Requirements)
	for _, verdict := range verdicts {
		if n := counts[verdict]; n > 0 {
			d.Filters = append(d.Filters, share{verdict, n})
		}
	}
	d.Lackings = c.lackingsTable()
	scenarios := map[string]*Scenario{}
	for i := range c.Scenarios {
		scenarios[c.Scenarios[i].ID] = &c.Scenarios[i]
	}
	kept := c.keptScenarios()
	c.addCauses(&d, kept)
	c.addRequirements(&d, scenarios, kept)
	c.addScenarios(&d, kept)
	return d
}

func (c *Conformance) lackingsTable() *table {
	groups := lackings(c.Requirements)
	if len(groups) == 0 {
		return nil
	}
	t := table{Caption: "With these the skipped requirements could be checked", Columns: []column{{Head: "What is missing"}, {Head: "Requirements that wait for it"}}}
	for _, group := range groups {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: group.Needs, Head: true}, {Text: strings.Join(group.Requirements, " "), Code: true}}})
	}
	return &t
}
