package html

import (
	"fmt"

	"agstest/internal/figures"
	"agstest/reports/compare"
)

const (
	shownChanges = 60  // requirements with both evidences
	shownDrift   = 300 // rows
)

type conformanceChanges struct {
	Reason      string
	Table       *table
	More        string
	Changes     []changeShown
	ChangesMore string
	DriftWords  string
	Drift       *table
}

type changeShown struct {
	compare.RequirementChange
	Links []sourceLink
}

func conformanceChangesOf(c *compare.ConformanceComparison) *conformanceChanges {
	d := &conformanceChanges{Reason: c.Reason}
	if len(c.Changes) > 0 {
		t := table{ID: "changes", Search: true, Caption: "Requirements that changed, those that matter first; " +
			figures.Count(int64(c.Unchanged)) + " did not",
			Columns: []column{{Head: "Id"}, {Head: "Second run"}, {Head: "First run"}, {Head: "What it means"},
				{Head: "Requirement"}}}
		for i, change := range c.Changes {
			id := cell{Text: change.ID, Head: true}
			if i < shownChanges {
				id.Link = anchor("x", change.ID)
				d.Changes = append(d.Changes, changeShown{change, sourceLinks(change.Sources)})
			}
			t.Rows = append(t.Rows, row{Class: change.New.Verdict.Class(),
				Cells: []cell{id, {Verdict: change.New.Verdict}, {Verdict: change.Old.Verdict},
					{Text: compare.DirectionWords[change.Direction]}, {Text: change.Text, Note: change.New.Summary()}}})
		}
		if len(c.Changes) > shownChanges {
			d.ChangesMore = "Both evidences of the other " + figures.Count(
				int64(len(c.Changes)-shownChanges)) + " are in comparison.json."
		}
		d.Table = &t
	} else {
		d.More = "None of " + figures.Plural(int64(c.Unchanged), "requirement") + " changed."
	}
	switch {
	case !c.DriftKnown:
		d.DriftWords = "At least one of the runs did not record the form of its answers, so nothing can be said of it."
	case len(c.Drift) == 0:
		d.DriftWords = "Every field, claim, kind, header and status that one run observed the other observed as well."
	default:
		d.DriftWords = "What one run observed and the other did not. Both forms may conform; a client that relies on one " +
			"of them may not cope with the other."
		t := table{ID: "drift", Search: true, Caption: "Differences in the form of answers",
			Columns: []column{{Head: "Operation"}, {Head: "What"}, {Head: "Where"}, {Head: "First run"},
				{Head: "Second run"}}}
		for i, drift := range c.Drift {
			if i == shownDrift {
				t.More = figures.Count(int64(len(c.Drift)-i)) + " more are in comparison.json."
				break
			}
			operation := drift.Operation
			if drift.Status != 0 {
				operation += " " + fmt.Sprint(drift.Status)
			}
			side := func(kinds string, times int) cell {
				if kinds == "" {
					return cell{Text: "–"}
				}
				return cell{Text: kinds, Note: compare.TimesWord(times)}
			}
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: operation, Head: true}, {Text: string(drift.What)},
				{Text: drift.Place, Code: drift.Place != ""}, side(drift.Old, drift.OldTimes),
				side(drift.New, drift.NewTimes)}})
		}
		d.Drift = &t
	}
	return d
}
