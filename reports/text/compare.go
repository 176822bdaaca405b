package text

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/markdown"
)

// Comparison writes the summary of a comparison that a person reads on a terminal, like Text.
func Comparison(w io.Writer, c *compare.Comparison, color bool) error {
	t := &textWriter{w: bufio.NewWriter(w), color: color}
	t.line("Comparison: %s  %s", t.verdict(c.Verdict), printable(figures.OneLine(c.Reason, 1000)))
	oldName, newName := c.Sides()
	for _, side := range []struct {
		name string
		run  *reports.Run
	}{{oldName, c.Old}, {newName, c.New}} {
		if side.run != nil {
			t.fact(strings.ToLower(side.name), "%s, %s", printable(side.run.Target()), figures.Moment(side.run.Start))
		}
	}
	if c.Run.Partial != "" {
		t.fact("partial", "%s", printable(figures.OneLine(c.Run.Partial, 400)))
	}
	for i, wrong := range c.Wrong {
		if i == 0 {
			t.line("  wrong answers of %s", c.NewInside())
		}
		if i == textShown {
			t.line("    … and %s", figures.Plural(int64(len(c.Wrong)-i), "more kind"))
			break
		}
		t.line("    %s", printable(figures.OneLine(wrong.String(), 200)))
	}
	if c.Conformance != nil {
		t.changes(c.Conformance)
	}
	if rows := figureRows(c); len(rows) > 0 {
		var table strings.Builder
		columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
		for _, row := range rows {
			fmt.Fprintln(columns, "    "+strings.Join(row, "\t"))
		}
		if err := columns.Flush(); err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
		for row := range strings.SplitSeq(strings.TrimRight(table.String(), "\n"), "\n") {
			t.line("%s", printable(row))
		}
	}
	t.notComparable(c)
	for _, note := range c.Notes {
		t.line("  note: %s", printable(figures.OneLine(note, 400)))
	}
	for _, advice := range c.Advice {
		t.line("  next: %s", printable(figures.OneLine(advice, 400)))
	}
	if t.err == nil {
		t.err = t.w.Flush()
	}
	if t.err != nil {
		return fmt.Errorf("writing the summary: %w", t.err)
	}
	return nil
}

// changes lists what changed in conformance, and in the form of answers.
func (t *textWriter) changes(part *compare.ConformanceComparison) {
	for i, change := range part.Changes {
		if i == textShown {
			t.line("    … and %s", figures.Plural(int64(len(part.Changes)-i), "more change"))
			break
		}
		t.line("    %-10s %s → %s  %s", printable(change.ID), change.Old.Verdict.Word(), change.New.Verdict.Word(),
			printable(figures.OneLine(change.New.Summary(), 160)))
	}
	for i, drift := range part.Drift {
		if i == textShown {
			t.line("    … and %s of form", figures.Plural(int64(len(part.Drift)-i), "more difference"))
			break
		}
		t.line("    %s", printable(figures.OneLine("drift: "+drift.Sentence(), 200)))
	}
}

// notComparable says why the two cannot be compared, where the reason does not say it already.
func (t *textWriter) notComparable(c *compare.Comparison) {
	if c.Verdict != reports.NotComparable { // else the reason says them
		for _, reason := range c.NotComparable {
			t.line("  not comparable: %s", printable(figures.OneLine(reason, 400)))
		}
	} else if !strings.Contains(c.Reason, strings.Join(c.NotComparable, " ")) {
		for _, reason := range c.NotComparable {
			t.line("  why: %s", printable(figures.OneLine(reason, 400)))
		}
	}
}

// figureRows returns the figures of a comparison with a head row: those that were judged, or else those shown of two
// runs.
func figureRows(c *compare.Comparison) [][]string {
	var rows [][]string
	switch {
	case c.Interleaved != nil:
		rows = append(rows, []string{"figure", "verdict", "change", "95 % interval", "old", "new"})
		for k := range c.Interleaved.Metrics {
			m := &c.Interleaved.Metrics[k]
			if m.Pairs == 0 {
				rows = append(rows, []string{m.Name(), m.Verdict.Word(), "–", "–", "–", "–"})
				continue
			}
			rows = append(rows, []string{m.Name(), m.Verdict.Word(), m.ChangeWords(m.Change), m.IntervalWords(),
				m.ValueWords(m.Old), m.ValueWords(m.New)})
		}
	case c.History != nil:
		rows = append(rows, []string{"figure", "verdict", "this run", "typical", "expected", "change"})
		for _, m := range c.History.Metrics {
			typical, expected, change := "–", "–", "–"
			if m.Earlier > 1 && m.Value > 0 {
				typical, expected, change = figures.Milliseconds(m.Typical), figures.Milliseconds(
					m.Low)+" to "+figures.Milliseconds(m.High), figures.Change(m.Change)
			}
			rows = append(rows, []string{m.Operation + " " + m.Metric, m.Verdict.Word(), figures.Milliseconds(m.Value),
				typical, expected, change})
		}
		for _, e := range c.History.Errors {
			rows = append(rows, []string{e.Operation + " errors", e.Verdict.Word(), figures.Share(e.Share), "–",
				"up to " + figures.Share(e.Highest), figures.Points(e.Share - e.Highest)})
		}
	case c.Load != nil:
		rows = append(rows, []string{"figure", "first run", "second run", "change", "shown, not judged"})
		for _, o := range c.Load.Operations {
			if o.Old == nil || o.New == nil {
				continue
			}
			rows = append(rows, []string{o.Operation + " errors", figures.Percent(o.Old.Wrong, o.Old.Sent),
				figures.Percent(o.New.Wrong, o.New.Sent), figures.Points(o.New.Errors() - o.Old.Errors()), ""})
			for _, point := range o.Shift {
				switch point.Quantile {
				case 0.5, 0.95, 0.99:
					rows = append(rows, []string{o.Operation + " " + compare.QuantileWord(point.Quantile),
						figures.Milliseconds(point.Old), figures.Milliseconds(point.New),
						figures.Change(point.Change()), ""})
				}
			}
		}
	}
	if len(rows) == 1 {
		return nil
	}
	return rows
}

// MarkdownOfComparison writes the summary of a comparison for a job page or a merge request, like Markdown.
func MarkdownOfComparison(w io.Writer, c *compare.Comparison) error {
	m := &markdown.Page{}
	m.Line("## ", figures.OneLine(c.Title(), 160)+": "+markdown.Verdict(c.Verdict), 250)
	m.Line("", c.Reason, 800)
	if c.Method == compare.TwoRuns && c.Load != nil {
		m.Line("> ", compare.TwoRunsCaution, 400)
	}
	list := func(title, one string, first int, items []string) {
		s := markdown.Section{Title: title, One: one, First: first, Rest: reports.ComparisonFile}
		for _, item := range items {
			s.Rows = append(s.Rows, []string{item})
		}
		m.Add(s)
	}
	var wrong []string
	for _, kind := range c.Wrong {
		wrong = append(wrong, kind.String())
	}
	list("Wrong answers of "+c.NewInside(), "kind", 3, wrong)
	if c.Verdict != reports.NotComparable || !strings.Contains(c.Reason, strings.Join(c.NotComparable, " ")) {
		list("", "reason", 3, c.NotComparable)
	}
	if part := c.Conformance; part != nil {
		changes := markdown.Section{Head: []string{"Requirement", "Now", "Before", "What it means", "Why"},
			One: "change", First: 4, Rest: reports.ComparisonFile}
		for _, change := range part.Changes {
			changes.Rows = append(changes.Rows, []string{change.ID, markdown.Verdict(change.New.Verdict),
				markdown.Verdict(change.Old.Verdict), compare.DirectionWords[change.Direction], change.New.Summary()})
		}
		m.Add(changes)
		drifts := markdown.Section{Head: []string{"Drift in the form of answers"}, One: "drift", First: 2,
			Rest: reports.ComparisonFile}
		for _, drift := range part.Drift {
			drifts.Rows = append(drifts.Rows, []string{drift.Sentence()})
		}
		m.Add(drifts)
	}
	if rows := figureRows(c); len(rows) > 0 {
		var verdicts []reports.Verdict
		for _, row := range rows[1:] {
			verdicts = append(verdicts, verdictOf(row[1])) // empty if two runs are shown and not judged
		}
		m.Add(markdown.Section{Head: rows[0], Rows: gravestFirst(rows[1:], verdicts), One: "figure", First: 6,
			Rest: reports.ComparisonFile})
	}
	list("What to do next", "step", 2, c.Advice)
	list("Notes", "note", 1, c.Notes)
	return m.Write(w)
}

// verdictOf returns the verdict of a word; empty if it is none.
func verdictOf(word string) reports.Verdict {
	for _, v := range reports.Verdicts {
		if v.Word() == word {
			return v
		}
	}
	return ""
}
