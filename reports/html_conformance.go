package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
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
		Kind: "Conformance", Title: "Conformance of " + c.Run.target(), Verdict: c.Verdict, Reason: orElse(c.Reason, "No reason was recorded."),
		Facts: runFacts(c.Run), Trust: c.trust(), First: c.first(),
		FirstNone: "Nothing needs attention: no requirement that counts failed or was left out.",
		About:     runAbout(c.Run),
	}
	counts := requirementCounts(c.Requirements)
	for _, verdict := range shareOrder {
		if n := counts[verdict]; n > 0 {
			p.Shares = append(p.Shares, share{verdict, n})
		}
	}
	ran := scenarioCounts(c.Scenarios)
	p.Tiles = []tile{
		{"Requirements", Count(int64(len(c.Requirements))), tileNote(c.Profile.Name, "profile ")},
		{"Exercised", Count(int64(c.exercised())), "of " + Count(int64(len(c.Requirements)))},
		{"Failed", Count(int64(counts[Fail])), plural(int64(counts[Warn]), "warning", "warnings")},
		{"Scenarios", Count(int64(len(c.Scenarios))), Count(int64(ran[Pass])) + " pass"},
		{"Exchanges", Count(int64(c.Counts.Exchanges)), "in " + Elapsed(c.Run.took())},
	}
	d := c.details()
	p.Details = d
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

// shareOrder is the order of the bar of verdicts: what is wrong on the left, what is fine on the right.
var shareOrder = []Verdict{Fail, Regressed, Error, Invalid, NotComparable, Inconclusive, Warn, NotExercised, Known, Skipped, Observed, Improved, Pass}

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
		found = append(found, statement{Pass, Plural(int64(c.Counts.Exchanges), "exchange") + " of " + Plural(int64(len(c.Scenarios)), "scenario") + " were judged."})
	}
	if n := counts[Error] + counts[Invalid] + counts[Inconclusive]; n > 0 {
		found = append(found, statement{Error, "For " + Plural(int64(n), "requirement") + " it could not be told whether the service keeps it."})
	}
	all := int64(len(c.Requirements))
	exercised := statement{Pass, fmt.Sprintf("%s of %s were exercised.", Count(int64(c.exercised())), Plural(all, "requirement"))}
	if c.exercised() < len(c.Requirements) {
		exercised.Verdict = Warn
		if len(gating(ofVerdict(c.Requirements, NotExercised, Skipped))) == 0 {
			exercised.Verdict = Observed
		}
		exercised.Text = fmt.Sprintf("%s of %s were exercised: %s not touched by a scenario, %s skipped.", Count(int64(c.exercised())), Plural(all, "requirement"), Count(int64(counts[NotExercised])), Count(int64(counts[Skipped])))
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
	add := func(verdict Verdict, rest string) {
		requirements := ofVerdict(c.Requirements, verdict)
		for i, requirement := range requirements {
			if i == shown {
				found = append(found, first{Verdict: verdict, Link: "c-requirements", Label: Count(int64(len(requirements)-i)) + " more", Text: rest})
				return
			}
			entry := first{Verdict: verdict, Link: anchor("d", requirement.ID), Label: requirement.ID, Text: requirement.Text, More: requirement.why()}
			found = append(found, entry)
		}
	}
	add(Fail, "requirements failed.")
	add(Error, "requirements of which it could not be told.")
	if n := len(gating(ofVerdict(c.Requirements, NotExercised))); n > 0 {
		found = append(found, first{Verdict: NotExercised, Link: "c-silent", Label: Plural(int64(n), "requirement"), Text: "not touched by any scenario. Nothing is known of them."})
	}
	if n := len(ofVerdict(c.Requirements, Warn)); n > 0 {
		found = append(found, first{Verdict: Warn, Link: "c-failures", Label: Plural(int64(n), "warning"), Text: "that did not fail the run."})
	}
	if groups := lackings(c.Requirements); len(groups) > 0 {
		n, needs := 0, []string{}
		for i, group := range groups {
			n += len(group.Requirements)
			if i < 4 {
				needs = append(needs, oneLine(group.Needs, 120))
			}
		}
		if len(groups) > len(needs) {
			needs = append(needs, Count(int64(len(groups)-len(needs)))+" more")
		}
		found = append(found, first{Verdict: Skipped, Link: "c-lacks", Label: Plural(int64(n), "requirement"), Text: "skipped, because the environment lacks what they need.", More: strings.Join(needs, " · ")})
	}
	return found
}

// why is the reason of a requirement's verdict in one line, or its first finding.
func (r Requirement) why() string {
	if r.Reason != "" {
		return oneLine(r.Reason, 400)
	}
	for _, finding := range r.Findings {
		if finding.Verdict == r.Verdict || finding.Verdict == Fail {
			finding.Requirement = ""
			return oneLine(findingSentence(finding), 400)
		}
	}
	if r.Verdict == NotExercised {
		return "No scenario of this run touched it."
	}
	return oneLine(r.Needs, 400)
}

// conformanceDetails is what the template "conformance" shows.
type conformanceDetails struct {
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

type requirementRow struct {
	ID, Text, Why, Level, GatingWords string
	Verdict                           Verdict
	Sources                           []sourceLink
	Covers                            []cover
	Checked                           int
	Detailed                          bool
}

type sourceLink struct{ Title, URL string }

// cover is a link from a requirement to a scenario or back.
type cover struct{ Link, Words string }

type failure struct {
	Requirement
	Sources  []sourceLink // shadows those of Requirement
	Evidence []findingShown
	More     string
}

type findingShown struct {
	Expected, Got, Link, Scenario string
	Times                         int
	Exchange                      *Exchange
	Again                         bool // its exchange is shown above
}

type scenarioGroup struct {
	Feature, Counts string
	Rows            []scenarioRow
}

type scenarioRow struct {
	ID, Link, Name, Why, Took string
	Verdict                   Verdict
	Covers                    []cover
	Steps                     []Step
	Open                      bool
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

func (c *Conformance) addRequirements(d *conformanceDetails, scenarios map[string]*Scenario, kept map[string]bool) {
	exchanges := 0
	for _, requirement := range byAttention(c.Requirements) {
		detailed := slices.Contains([]Verdict{Fail, Error, Warn, Known, Inconclusive, Invalid}, requirement.Verdict)
		if detailed && len(d.Failures) >= shownFailures {
			d.FailuresMore = "More is in conformance.json: this page shows the first " + Count(shownFailures) + " in full."
			detailed = false
		}
		shown := requirementRow{ID: requirement.ID, Text: requirement.Text, Why: requirement.why(), Level: requirement.Level, GatingWords: gatingWords(requirement.Gating),
			Verdict: requirement.Verdict, Sources: sourceLinks(requirement.Sources), Checked: requirement.Checked, Detailed: detailed}
		for i, id := range requirement.Scenario {
			if i == shownCovers {
				shown.Covers = append(shown.Covers, cover{Words: "and " + Count(int64(len(requirement.Scenario)-i)) + " more"})
				break
			}
			link := cover{Words: shortID(id)}
			if kept[id] {
				link.Link = anchor("s", id)
			}
			shown.Covers = append(shown.Covers, link)
		}
		d.Requirements = append(d.Requirements, shown)
		if !detailed {
			continue
		}
		detail := failure{Requirement: requirement, Sources: shown.Sources}
		findings := slices.Clone(requirement.Findings)
		slices.SortStableFunc(findings, func(a, b Finding) int { return a.Verdict.rank() - b.Verdict.rank() })
		for i, finding := range findings {
			if i == shownEvidence {
				detail.More = Plural(int64(len(findings)-i), "more finding") + " in conformance.json."
				break
			}
			piece := findingShown{Expected: clipped(finding.Expected, 4000), Got: clipped(finding.Got, 4000), Scenario: finding.Scenario, Times: finding.Times}
			if kept[finding.Scenario] {
				piece.Link = anchor("s", finding.Scenario)
			}
			if scenario := scenarios[finding.Scenario]; scenario != nil {
				piece.Scenario = scenario.Name + " (" + scenario.ID + ")"
				if finding.Exchange >= 0 && finding.Exchange < len(scenario.Transcript) {
					x := &scenario.Transcript[finding.Exchange]
					switch {
					case slices.ContainsFunc(detail.Evidence, func(f findingShown) bool { return f.Exchange == x }):
						piece.Again = true
					case exchanges < shownExchanges:
						piece.Exchange = x
						exchanges++
					}
				}
			}
			detail.Evidence = append(detail.Evidence, piece)
		}
		if len(detail.Evidence) > 0 && strings.HasPrefix(detail.Reason, "expected ") {
			detail.Reason = "" // the evidence says it
		}
		d.Failures = append(d.Failures, detail)
	}
}

// keptScenarios chooses the rows of the page: first those that need attention, then others in order.
func (c *Conformance) keptScenarios() map[string]bool {
	kept := make(map[string]bool, min(len(c.Scenarios), shownScenarios))
	for _, calm := range []bool{false, true} {
		for _, scenario := range c.Scenarios {
			if len(kept) == shownScenarios {
				return kept
			}
			if calm == (scenario.Verdict == Pass) {
				kept[scenario.ID] = true
			}
		}
	}
	return kept
}

func (c *Conformance) addScenarios(d *conformanceDetails, kept map[string]bool) {
	at := map[string]int{}
	tallies := map[string]map[Verdict]int{}
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
			tallies[scenario.Feature] = map[Verdict]int{}
			d.Scenarios = append(d.Scenarios, scenarioGroup{Feature: orElse(scenario.Feature, "Unnamed feature")})
		}
		tallies[scenario.Feature][scenario.Verdict]++
		if !kept[scenario.ID] || used[scenario.ID] {
			continue
		}
		used[scenario.ID] = true
		shown++
		calm := slices.Contains([]Verdict{Pass, Observed, Skipped, NotExercised}, scenario.Verdict)
		line := scenarioRow{ID: scenario.ID, Link: anchor("s", scenario.ID), Name: orElse(scenario.Name, "Unnamed scenario"), Verdict: scenario.Verdict, Took: Milliseconds(scenario.Nanoseconds), Why: oneLine(scenario.Reason, 400), Open: !calm}
		if !calm && line.Why == "" {
			line.Why = oneLine(firstTrouble(scenario), 400)
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
		d.Scenarios[i].Counts = tally(tallies[feature])
	}
	if left := len(c.Scenarios) - shown; left > 0 {
		d.ScenariosMore = Plural(int64(left), "more scenario") + " in conformance.json: this page shows " + Count(int64(shown)) + ", those that need attention before passes."
	}
}

// shortID is a scenario's id without folders: "sign_on.feature:14".
func shortID(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func gatingWords(gating string) string {
	switch gating {
	case "fails":
		return "fails the run"
	case "warns":
		return "warns"
	case "shown":
		return "is only shown"
	}
	return gating
}

// sourceLinks turn the sources of a requirement into links: the pages of the platform's documentation and RFCs have an address.
func sourceLinks(sources []Source) []sourceLink {
	var links []sourceLink
	for _, source := range sources {
		links = append(links, sourceLink{Title: orElse(source.Title, source.Key), URL: sourceURL(source.Where)})
	}
	return links
}

// sourceURL is the address of a page of the documentation, given by its name there, or of an RFC.
func sourceURL(where string) string {
	if number, ok := strings.CutPrefix(where, "RFC "); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return "https://www.rfc-editor.org/rfc/rfc" + number
	}
	if where == "" || strings.Trim(where, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return "https://docs.nagra.vision/opentv-docs/" + where
}
