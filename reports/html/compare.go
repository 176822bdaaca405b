package html

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
)

// Comparison writes the page of a comparison.
func Comparison(w io.Writer, c *compare.Comparison, s Style) error {
	p := comparePage(c)
	p.Style = s
	return p.write(w, "compare")
}

// compareDetails is the data of the template "compare".
type compareDetails struct {
	OldName, NewName string
	Wrong            []compare.WrongAnswers
	WrongOf          string
	Caution          string
	NotComparable    []string
	Conformance      *conformanceChanges
	Interleaved      *interleavedShown
	History          *historyShown
	Load             *loadShown
	Advice, Notes    []string
}

func comparePage(c *compare.Comparison) page {
	oldName, newName := c.Sides()
	p := page{Kind: "Comparison", Title: c.Title(), Verdict: c.Verdict,
		Reason: cmp.Or(c.Reason, "No reason was recorded."),
		Trust:  comparisonTrust(c), First: comparisonFirst(c), Tiles: comparisonTiles(c), About: comparisonAbout(c),
		FirstNone: "Nothing needs attention: nothing that was judged got worse."}
	for _, side := range []struct {
		name string
		run  *reports.Run
	}{{oldName, c.Old}, {newName, c.New}} {
		if side.run == nil {
			continue
		}
		value := side.run.Target()
		if side.run.Environment != "" && side.run.URL != "" {
			value = side.run.Environment + ", " + side.run.URL
		}
		p.Facts = append(p.Facts, reports.Fact{Name: side.name, Value: value},
			reports.Fact{Name: side.name + " started", Value: figures.Moment(side.run.Start)})
	}
	d := compareDetails{OldName: oldName, NewName: newName, Wrong: c.Wrong, WrongOf: c.NewInside(),
		NotComparable: c.NotComparable, Advice: c.Advice, Notes: c.Notes}
	link := func(id, words string) { p.Links = append(p.Links, sectionLink{id, words}) }
	if len(c.Wrong) > 0 {
		link("x-wrong", "Wrong answers")
	}
	if c.Method == compare.TwoRuns && c.Load != nil {
		d.Caution = compare.TwoRunsCaution
		link("x-caution", "Why load is not judged")
	}
	if len(c.NotComparable) > 0 {
		link("x-not", "Why not comparable")
	}
	if c.Conformance != nil {
		d.Conformance = conformanceChangesOf(c.Conformance)
		link("x-conformance", "Conformance")
		link("x-drift", "Form of answers")
	}
	if c.Interleaved != nil {
		d.Interleaved = pairsOf(c.Interleaved, oldName, newName)
		link("x-metrics", "What was measured")
		link("x-pairs", "Pair by pair")
		for _, side := range d.Interleaved.Hits {
			link(side.ID, "Requests of the "+side.Side)
		}
	}
	if c.History != nil {
		d.History = historyOf(c.History)
		link("x-history", "Against earlier runs")
	}
	if c.Load != nil && len(c.Load.Operations) > 0 {
		d.Load = loadChangesOf(c.Load, oldName, newName)
		link("x-load", "Load, side by side")
	}
	if len(c.Advice) > 0 {
		link("x-advice", "What to do next")
	}
	link("about", "About this comparison")
	p.Details = d
	return p
}

func comparisonTiles(c *compare.Comparison) []tile {
	var tiles []tile
	if part := c.Conformance; part != nil {
		tiles = append(tiles, tile{"Requirements that broke", figures.Count(int64(part.Count(compare.Broke))), ""},
			tile{"Changed in all", figures.Count(int64(len(part.Changes))),
				"of " + figures.Count(int64(len(part.Changes)+part.Unchanged))},
			tile{"Drift of form", figures.Count(int64(len(part.Drift))), figures.Verb(len(part.Drift), "place",
				"places")})
	}
	if job := c.Interleaved; job != nil {
		for k := range job.Metrics {
			if m := &job.Metrics[k]; m.Metric == "p50" && m.Pairs > 0 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.Name(), m.ChangeWords(m.Change), m.IntervalWords()})
			}
		}
	}
	if h := c.History; h != nil {
		for _, m := range h.Metrics {
			if m.Gates && m.Earlier > 1 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.Operation + " " + m.Metric, figures.Milliseconds(m.Value),
					figures.Change(m.Change) + " from typical"})
			}
		}
	}
	if c.Method == compare.TwoRuns && c.Load != nil {
		for _, o := range c.Load.Operations {
			for _, point := range o.Shift {
				if point.Quantile == 0.5 && len(tiles) < 6 {
					tiles = append(tiles, tile{o.Operation + " p50", figures.Change(point.Change()),
						"shown, not judged"})
				}
			}
		}
	}
	return tiles
}

// comparisonFirst lists the points that a reader should look at first.
func comparisonFirst(c *compare.Comparison) []first {
	const shown = 6
	var found []first
	for i, wrong := range c.Wrong {
		if i == shown {
			found = append(found, first{Verdict: reports.Warn, Link: "x-wrong", Label: "More",
				Text: "kinds of wrong answers."})
			break
		}
		verdict := reports.Warn
		if wrong.Defect || wrong.Failed {
			verdict = reports.Fail
		}
		found = append(found, first{Verdict: verdict, Link: "x-wrong", Label: "Wrong answers",
			Text: wrong.String() + "."})
	}
	if c.Conformance != nil {
		found = append(found, changesFirst(c.Conformance, shown)...)
	}
	if job := c.Interleaved; job != nil {
		for _, wanted := range []reports.Verdict{reports.Regressed, reports.Inconclusive} {
			for k := range job.Metrics {
				m := &job.Metrics[k]
				if m.Verdict == wanted && len(found) < 2*shown {
					found = append(found, first{Verdict: wanted, Link: "x-metrics", Label: m.Name(),
						Text: m.ChangeWords(m.Change) + ".", More: m.Reason})
				}
			}
		}
	}
	if c.History != nil {
		found = append(found, historyFirst(c.History)...)
	}
	return found
}

// changesFirst are the requirements that broke, as many as are shown, and the form of answers.
func changesFirst(part *compare.ConformanceComparison, shown int) (found []first) {
	n, more := 0, map[compare.Direction]int{}
	for _, change := range part.Changes {
		if !slices.Contains([]compare.Direction{compare.Broke, compare.NewlySeen, compare.Lost}, change.Direction) {
			continue
		}
		if n++; n > shown {
			more[change.Direction]++
			continue
		}
		verdict := change.New.Verdict
		if change.Direction == compare.Broke {
			verdict = reports.Regressed
		}
		found = append(found, first{Verdict: verdict, Link: anchor("x", change.ID), Label: change.ID, Text: change.Text,
			More: compare.DirectionWords[change.Direction] + ": " + change.New.Summary()})
	}
	if n > shown {
		found = append(found, moreChanges(more))
	}
	if len(part.Drift) > 0 {
		found = append(found, first{Verdict: reports.Observed, Link: "x-drift",
			Label: figures.Plural(int64(len(part.Drift)), "difference"), Text: "in the form of answers."})
	}
	return found
}

// moreChanges counts the changes that are not shown one by one, by what they mean.
func moreChanges(counts map[compare.Direction]int) first {
	all, verdict := 0, reports.Warn
	var words []string
	for _, direction := range []compare.Direction{compare.Broke, compare.NewlySeen, compare.Lost} {
		n := counts[direction]
		if n == 0 {
			continue
		}
		all += n
		words = append(words, strings.ToLower(compare.DirectionWords[direction])+": "+figures.Count(int64(n)))
		if direction == compare.Broke {
			verdict = reports.Regressed
		}
	}
	return first{Verdict: verdict, Link: "x-conformance", Label: figures.Count(int64(all)) + " more",
		Text: strings.Join(words, "; ") + "."}
}

func historyFirst(h *compare.HistoryComparison) (found []first) {
	for _, m := range h.Metrics {
		if m.Gates && (m.Verdict == reports.Regressed || m.Verdict == reports.Inconclusive) {
			found = append(found, first{Verdict: m.Verdict, Link: "x-history", Label: m.Operation + " " + m.Metric,
				Text: figures.Milliseconds(m.Value) + ", " + figures.Change(m.Change) + " from typical.",
				More: m.Reason})
		}
	}
	for _, e := range h.Errors {
		if e.Verdict == reports.Regressed || e.Verdict == reports.Inconclusive && !h.Advisory {
			found = append(found, first{Verdict: e.Verdict, Link: "x-history", Label: e.Operation + " errors",
				Text: figures.Points(e.Share-e.Highest) + " over the highest of earlier runs.", More: e.Reason})
		}
	}
	return found
}

func comparisonAbout(c *compare.Comparison) []reports.Fact {
	facts := runAbout(c.Run)
	for _, side := range []struct {
		name string
		run  *reports.Run
	}{{"First", c.Old}, {"Second", c.New}} {
		if side.run != nil && c.Method != compare.SideBySide {
			facts = append(facts, reports.Fact{Name: side.name + " run", Value: side.run.ID, Code: true},
				reports.Fact{Name: side.name + " run's tool",
					Value: strings.TrimSpace("agstest " + side.run.Tool.Version)})
		}
	}
	return facts
}
