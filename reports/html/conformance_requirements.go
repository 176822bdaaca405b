package html

import (
	"cmp"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

type requirementRow struct {
	ID, Text, Why, Level, GatingWords string
	Verdict                           reports.Verdict
	Sources                           []sourceLink
	Covers                            []cover
	Checked                           int
	Detailed                          bool
}

// cover is a link from a requirement to a scenario or back.
type cover struct{ Link, Words string }

type failure struct {
	reports.Requirement
	Sources  []sourceLink // shadows those of Requirement
	Evidence []findingShown
	More     string
}

type findingShown struct {
	Expected, Got, Link, Scenario string
	Times                         int
	Exchange                      *reports.Exchange
	Again                         bool // its exchange is shown above
}

func addRequirements(c *reports.Conformance, d *conformanceDetails, scenarios map[string]*reports.Scenario,
	kept map[string]bool) {
	exchanges := 0
	for _, requirement := range reports.ByAttention(c.Requirements) {
		detailed := slices.Contains([]reports.Verdict{reports.Fail, reports.Error, reports.Warn, reports.Known,
			reports.Inconclusive, reports.Invalid}, requirement.Verdict)
		if detailed && len(d.Failures) >= shownFailures {
			d.FailuresMore = "More is in conformance.json: this page shows the first " + figures.Count(
				shownFailures) + " in full."
			detailed = false
		}
		shown := requirementRow{ID: requirement.ID, Text: requirement.Text, Why: requirement.Why(),
			Level: requirement.Level, GatingWords: gatingWords(requirement.Gating),
			Verdict: requirement.Verdict, Sources: sourceLinks(
				requirement.Sources), Checked: requirement.Checked, Detailed: detailed}
		for i, id := range requirement.Scenario {
			if i == shownCovers {
				shown.Covers = append(shown.Covers,
					cover{Words: "and " + figures.Count(int64(len(requirement.Scenario)-i)) + " more"})
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
		slices.SortStableFunc(findings, func(a, b reports.Finding) int { return a.Verdict.Rank() - b.Verdict.Rank() })
		for i, finding := range findings {
			if i == shownEvidence {
				detail.More = figures.Plural(int64(len(findings)-i), "more finding") + " in conformance.json."
				break
			}
			piece := findingShown{Expected: figures.Clip(finding.Expected, 4000), Got: figures.Clip(finding.Got, 4000),
				Scenario: finding.Scenario, Times: finding.Times}
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

// shortID is a scenario's id without folders: "sign_on.feature:14".
func shortID(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

type sourceLink struct{ Title, URL string }

// sourceLinks turn the sources of a requirement into links: the pages of the platform's documentation and RFCs have an
// address.
func sourceLinks(sources []reports.Source) []sourceLink {
	var links []sourceLink
	for _, source := range sources {
		links = append(links, sourceLink{Title: cmp.Or(source.Title, source.Key), URL: sourceURL(source.Where)})
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
