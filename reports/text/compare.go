package text

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"agstest/internal/figures"
	"agstest/reports"
)

// Comparison writes the summary of a comparison that a person reads on a terminal, like Text.
func Comparison(w io.Writer, c *reports.Comparison, color bool) error {
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
			t.line("  wrong answers of the %s", strings.ToLower(newName))
		}
		if i == textShown {
			t.line("    … and %s", figures.Plural(int64(len(c.Wrong)-i), "more kind"))
			break
		}
		t.line("    %s", printable(figures.OneLine(wrong.String(), 200)))
	}
	if part := c.Conformance; part != nil {
		for i, change := range part.Changes {
			if i == textShown {
				t.line("    … and %s", figures.Plural(int64(len(part.Changes)-i), "more change"))
				break
			}
			t.line("    %-10s %s → %s  %s", printable(change.ID), change.Old.Verdict.Word(), change.New.Verdict.Word(), printable(figures.OneLine(change.New.Summary(), 160)))
		}
		for i, drift := range part.Drift {
			if i == textShown {
				t.line("    … and %s of form", figures.Plural(int64(len(part.Drift)-i), "more difference"))
				break
			}
			t.line("    %s", printable(figures.OneLine("drift: "+drift.Sentence(), 200)))
		}
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
		for _, row := range strings.Split(strings.TrimRight(table.String(), "\n"), "\n") {
			t.line("%s", printable(row))
		}
	}
	if c.Verdict != reports.NotComparable { // else the reason says them
		for _, reason := range c.NotComparable {
			t.line("  not comparable: %s", printable(figures.OneLine(reason, 400)))
		}
	} else if !strings.Contains(c.Reason, strings.Join(c.NotComparable, " ")) {
		for _, reason := range c.NotComparable {
			t.line("  why: %s", printable(figures.OneLine(reason, 400)))
		}
	}
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

// figureRows are the figures of a comparison with a head row: what was judged, or else what is shown of two runs.
func figureRows(c *reports.Comparison) [][]string {
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
			rows = append(rows, []string{m.Name(), m.Verdict.Word(), m.ChangeWords(m.Change), m.IntervalWords(), m.ValueWords(m.Old), m.ValueWords(m.New)})
		}
	case c.History != nil:
		rows = append(rows, []string{"figure", "verdict", "this run", "typical", "expected", "change"})
		for _, m := range c.History.Metrics {
			typical, expected, change := "–", "–", "–"
			if m.Earlier > 1 && m.Value > 0 {
				typical, expected, change = figures.Milliseconds(m.Typical), figures.Milliseconds(m.Low)+" to "+figures.Milliseconds(m.High), figures.Change(m.Change)
			}
			rows = append(rows, []string{m.Operation + " " + m.Metric, m.Verdict.Word(), figures.Milliseconds(m.Value), typical, expected, change})
		}
		for _, e := range c.History.Errors {
			rows = append(rows, []string{e.Operation + " errors", e.Verdict.Word(), figures.Share(e.Share), "–", "up to " + figures.Share(e.Highest), figures.Points(e.Share - e.Highest)})
		}
	case c.Load != nil:
		rows = append(rows, []string{"figure", "first run", "second run", "change", "shown, not judged"})
		for _, o := range c.Load.Operations {
			if o.Old == nil || o.New == nil {
				continue
			}
			rows = append(rows, []string{o.Operation + " errors", figures.Percent(o.Old.Wrong, o.Old.Sent), figures.Percent(o.New.Wrong, o.New.Sent), figures.Points(o.New.Errors() - o.Old.Errors()), ""})
			for _, point := range o.Shift {
				switch point.Quantile {
				case 0.5, 0.95, 0.99:
					rows = append(rows, []string{o.Operation + " " + reports.QuantileWord(point.Quantile), figures.Milliseconds(point.Old), figures.Milliseconds(point.New), figures.Change(point.Change()), ""})
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
func MarkdownOfComparison(w io.Writer, c *reports.Comparison) error {
	m := &markdownWriter{left: markdownTotal - 4096}
	m.line("## " + markdownText(c.Title()) + ": " + markdownVerdict(c.Verdict))
	m.line("")
	m.line(markdownText(c.Reason))
	m.line("")
	if _, newName := c.Sides(); len(c.Wrong) > 0 {
		m.line("**Wrong answers of the " + strings.ToLower(newName) + "**")
		m.line("")
		for _, wrong := range c.Wrong {
			m.line("- " + markdownText(wrong.String()))
		}
		m.line("")
	}
	if c.Method == reports.TwoRuns && c.Load != nil {
		m.line("> " + markdownText(reports.TwoRunsCaution))
		m.line("")
	}
	if c.Verdict != reports.NotComparable || !strings.Contains(c.Reason, strings.Join(c.NotComparable, " ")) {
		for _, reason := range c.NotComparable {
			m.line("- " + markdownText(reason))
		}
		if len(c.NotComparable) > 0 {
			m.line("")
		}
	}
	if part := c.Conformance; part != nil && len(part.Changes) > 0 {
		var rows [][]string
		for _, change := range part.Changes {
			rows = append(rows, []string{markdownText(change.ID), markdownVerdict(change.New.Verdict), markdownVerdict(change.Old.Verdict), markdownText(reports.DirectionWords[change.Direction]), markdownText(change.New.Summary())})
		}
		m.rows([]string{"Requirement", "Now", "Before", "What it means", "Why"}, rows, reports.ComparisonFile)
	}
	if part := c.Conformance; part != nil && len(part.Drift) > 0 {
		var rows [][]string
		for _, drift := range part.Drift {
			rows = append(rows, []string{markdownText(drift.Sentence())})
		}
		m.rows([]string{"Drift in the form of answers"}, rows, reports.ComparisonFile)
	}
	if figures := figureRows(c); len(figures) > 0 {
		var rows [][]string
		for _, figure := range figures[1:] {
			cells := make([]string, len(figure))
			for i, text := range figure {
				cells[i] = markdownText(text)
			}
			rows = append(rows, cells)
		}
		m.rows(figures[0], rows, reports.ComparisonFile)
	}
	for _, note := range c.Notes {
		m.line("- " + markdownText(note))
	}
	for _, advice := range c.Advice {
		m.line("- **Next:** " + markdownText(advice))
	}
	if _, err := io.WriteString(w, m.text.String()); err != nil {
		return fmt.Errorf("writing the Markdown summary: %w", err)
	}
	return nil
}
