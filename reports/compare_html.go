package reports

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"agstest/internal/figures"
)

// CompareHTML writes the page of a comparison.
func CompareHTML(w io.Writer, c *Comparison, s Style) error {
	p := comparePage(c)
	p.Style = s
	return p.write(w, "compare")
}

// compareDetails is what the template "compare" shows.
type compareDetails struct {
	OldName, NewName string
	Caution          string
	NotComparable    []string
	Conformance      *conformanceChanges
	Interleaved      *interleavedShown
	History          *historyShown
	Load             *loadShown
	Advice, Notes    []string
}

// sides are what the two things compared are called.
func (c *Comparison) sides() (old, new string) {
	switch {
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return "One side", "Other side"
	case c.Method == SideBySide:
		return "Old build", "New build"
	case c.Method == WithHistory:
		return "Earlier runs", "This run"
	}
	return "First run", "Second run"
}

func comparePage(c *Comparison) page {
	oldName, newName := c.sides()
	p := page{Kind: "Comparison", Title: c.title(), Verdict: c.Verdict, Reason: cmp.Or(c.Reason, "No reason was recorded."),
		Trust: c.trust(), First: c.first(), Tiles: c.tiles(), About: c.about(),
		FirstNone: "Nothing needs attention: nothing that was judged got worse."}
	for _, side := range []struct {
		name string
		run  *Run
	}{{oldName, c.Old}, {newName, c.New}} {
		if side.run == nil {
			continue
		}
		value := side.run.target()
		if side.run.Environment != "" && side.run.URL != "" {
			value = side.run.Environment + ", " + side.run.URL
		}
		p.Facts = append(p.Facts, fact{Name: side.name, Value: value}, fact{Name: side.name + " started", Value: figures.Moment(side.run.Start)})
	}
	d := compareDetails{OldName: oldName, NewName: newName, NotComparable: c.NotComparable, Advice: c.Advice, Notes: c.Notes}
	link := func(id, words string) { p.Links = append(p.Links, sectionLink{id, words}) }
	if c.Method == TwoRuns && c.Load != nil {
		d.Caution = TwoRunsCaution
		link("x-caution", "Why load is not judged")
	}
	if len(c.NotComparable) > 0 {
		link("x-not", "Why not comparable")
	}
	if c.Conformance != nil {
		d.Conformance = c.Conformance.shown()
		link("x-conformance", "Conformance")
		link("x-drift", "Form of answers")
	}
	if c.Interleaved != nil {
		d.Interleaved = c.Interleaved.shown()
		link("x-metrics", "What was measured")
		link("x-pairs", "Pair by pair")
	}
	if c.History != nil {
		d.History = c.History.shown()
		link("x-history", "Against earlier runs")
	}
	if c.Load != nil && len(c.Load.Operations) > 0 {
		d.Load = c.Load.shown(oldName, newName)
		link("x-load", "Load, side by side")
	}
	if len(c.Advice) > 0 {
		link("x-advice", "What to do next")
	}
	link("about", "About this comparison")
	p.Details = d
	return p
}

func (c *Comparison) title() string {
	name := func(r *Run) string {
		if r == nil {
			return "earlier runs"
		}
		return cmp.Or(r.Environment, r.target())
	}
	switch {
	case c.Method == WithHistory:
		return "Run on " + name(c.New) + " against earlier runs"
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return name(c.Old) + " against itself"
	case c.Method == SideBySide && name(c.Old) == name(c.New):
		return "Old and new build on " + name(c.Old)
	case name(c.Old) == name(c.New):
		return "Two runs on " + name(c.Old)
	}
	return name(c.New) + " against " + name(c.Old)
}

func (c *Comparison) tiles() []tile {
	var tiles []tile
	if part := c.Conformance; part != nil {
		tiles = append(tiles, tile{"Requirements that broke", figures.Count(int64(part.Count(Broke))), ""},
			tile{"Changed in all", figures.Count(int64(len(part.Changes))), "of " + figures.Count(int64(len(part.Changes)+part.Unchanged))},
			tile{"Drift of form", figures.Count(int64(len(part.Drift))), verb(len(part.Drift), "place", "places")})
	}
	if job := c.Interleaved; job != nil {
		for k := range job.Metrics {
			if m := &job.Metrics[k]; m.Metric == "p50" && m.Pairs > 0 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.name(), m.changeWords(m.Change), m.intervalWords()})
			}
		}
	}
	if h := c.History; h != nil {
		for _, m := range h.Metrics {
			if m.Gates && m.Earlier > 1 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.Operation + " " + m.Metric, figures.Milliseconds(m.Value), figures.Change(m.Change) + " from typical"})
			}
		}
	}
	if c.Method == TwoRuns && c.Load != nil {
		for _, o := range c.Load.Operations {
			for _, point := range o.Shift {
				if point.Quantile == 0.5 && len(tiles) < 6 {
					tiles = append(tiles, tile{o.Operation + " p50", figures.Change(point.Change()), "shown, not judged"})
				}
			}
		}
	}
	return tiles
}

// first lists what a reader should look at first.
func (c *Comparison) first() []first {
	const shown = 6
	var found []first
	if part := c.Conformance; part != nil {
		n := 0
		for _, change := range part.Changes {
			if !slices.Contains([]Direction{Broke, NewlySeen, Lost}, change.Direction) {
				continue
			}
			if n++; n > shown {
				found = append(found, first{Verdict: Warn, Link: "x-conformance", Label: "More", Text: "requirements changed."})
				break
			}
			verdict := change.New.Verdict
			if change.Direction == Broke {
				verdict = Regressed
			}
			found = append(found, first{Verdict: verdict, Link: anchor("x", change.ID), Label: change.ID, Text: change.Text, More: directionWords[change.Direction] + ". " + change.New.summary()})
		}
		if len(part.Drift) > 0 {
			found = append(found, first{Verdict: Observed, Link: "x-drift", Label: figures.Plural(int64(len(part.Drift)), "difference"), Text: "in the form of answers."})
		}
	}
	if job := c.Interleaved; job != nil {
		for _, wanted := range []Verdict{Regressed, Inconclusive} {
			for k := range job.Metrics {
				m := &job.Metrics[k]
				if m.Verdict == wanted && len(found) < 2*shown {
					found = append(found, first{Verdict: wanted, Link: "x-metrics", Label: m.name(), Text: m.changeWords(m.Change) + ".", More: m.Reason})
				}
			}
		}
	}
	if h := c.History; h != nil {
		for _, m := range h.Metrics {
			if m.Gates && (m.Verdict == Regressed || m.Verdict == Inconclusive) {
				found = append(found, first{Verdict: m.Verdict, Link: "x-history", Label: m.Operation + " " + m.Metric, Text: figures.Milliseconds(m.Value) + ", " + figures.Change(m.Change) + " from typical.", More: m.Reason})
			}
		}
		for _, e := range h.Errors {
			if e.Verdict == Regressed || e.Verdict == Inconclusive && !h.Advisory {
				found = append(found, first{Verdict: e.Verdict, Link: "x-history", Label: e.Operation + " errors", Text: figures.Points(e.Share-e.Highest) + " over the highest of earlier runs.", More: e.Reason})
			}
		}
	}
	return found
}

func (c *Comparison) about() []fact {
	facts := runAbout(c.Run)
	for _, side := range []struct {
		name string
		run  *Run
	}{{"First", c.Old}, {"Second", c.New}} {
		if side.run != nil && c.Method != SideBySide {
			facts = append(facts, fact{Name: side.name + " run", Value: side.run.ID, Code: true}, fact{Name: side.name + " run's tool", Value: strings.TrimSpace("agstest " + side.run.Tool.Version)})
		}
	}
	return facts
}
