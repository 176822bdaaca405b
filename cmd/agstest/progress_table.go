package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"agstest/internal/figures"
	"agstest/load/engine"
	"agstest/reports"
)

// side is one engine of a run as shown: the only one, or one of a comparison.
type side struct {
	name string // old or new; empty: the only one
	at   engine.Progress
}

// progressColumn is a column of the table of operations. Those with a higher rank go first where the terminal is
// narrow.
type progressColumn struct {
	head string
	rank int
	cell func(o *engine.Operation) string
}

var progressColumns = []progressColumn{
	{"asked", 3, func(o *engine.Operation) string { return figures.Rate(o.AskedRate) }},
	{"sent", 1, func(o *engine.Operation) string { return figures.Rate(o.Rate) }},
	{"right", 2, func(o *engine.Operation) string { return figures.Rate(o.RightRate) }},
	{"wrong", 0, func(o *engine.Operation) string { return figures.Percent(o.Wrong, o.Right+o.Wrong) }},
	{"p50", 2, func(o *engine.Operation) string { return timeShown(o.P50) }},
	{"p95", 3, func(o *engine.Operation) string { return timeShown(o.P95) }},
	{"p99", 0, func(o *engine.Operation) string { return timeShown(o.P99) }},
}

// timeShown returns a percentile as text; there is none if no answer was right.
func timeShown(nanoseconds int64) string {
	if nanoseconds == 0 {
		return "–"
	}
	return figures.Milliseconds(nanoseconds)
}

// minTable is the narrowest terminal that a table is shown on; below it there is a line.
const minTable = 44

// progressTable shows a run as a table of its operations with its limits. Lead is the first line without what sides
// say.
func progressTable(lead string, line func() string, sides ...side) func(width int) []shownLine {
	return func(width int) []shownLine {
		if width < minTable {
			return []shownLine{{text: line()}}
		}
		lines := []shownLine{{text: lead}}
		table := operationTable(width, sides)
		for i, text := range table {
			style := ""
			if i == 0 {
				style = "1"
			}
			lines = append(lines, shownLine{text: text, style: style})
		}
		for _, s := range sides {
			for _, l := range s.at.Limits {
				lines = append(lines, limitLine(s.name, l))
			}
		}
		return lines
	}
}

// operationTable has a head and a row for each operation, as many columns as the width has room for.
func operationTable(width int, sides []side) []string {
	type row struct {
		name, kinds string
		cells       []string
	}
	var rows []row
	names := utf8.RuneCountInString("operation")
	for _, s := range sides {
		for i := range s.at.Operations {
			o := &s.at.Operations[i]
			r := row{name: strings.TrimSpace(s.name + " " + o.Name), kinds: kindsShown(o.Kinds)}
			names = max(names, utf8.RuneCountInString(r.name))
			for _, c := range progressColumns {
				r.cells = append(r.cells, c.cell(o))
			}
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	widths := make([]int, len(progressColumns))
	for i, c := range progressColumns {
		widths[i] = utf8.RuneCountInString(c.head)
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r.cells[i]))
		}
	}
	rank := 3 // of the columns that are shown
	whole := func() int {
		sum := 2 + names
		for i, c := range progressColumns {
			if c.rank <= rank {
				sum += 2 + widths[i]
			}
		}
		return sum
	}
	for rank > 0 && whole() >= width {
		rank--
	}
	put := func(name string, cells []string, kinds string) string {
		var b strings.Builder
		b.WriteString("  " + name + strings.Repeat(" ", names-utf8.RuneCountInString(name)))
		for i, c := range progressColumns {
			if c.rank <= rank {
				b.WriteString(strings.Repeat(" ", 2+widths[i]-utf8.RuneCountInString(cells[i])) + cells[i])
			}
		}
		if kinds != "" {
			b.WriteString("  " + kinds)
		}
		return b.String()
	}
	var heads []string
	for _, c := range progressColumns {
		heads = append(heads, c.head)
	}
	lines := []string{put("operation", heads, "")}
	for _, r := range rows {
		lines = append(lines, put(r.name, r.cells, r.kinds))
	}
	return lines
}

// kindsShown names the kinds of wrong answers and how many of each there are.
func kindsShown(kinds map[string]int64) string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		words = append(words, kind+" "+figures.Count(kinds[kind]))
	}
	return strings.Join(words, ", ")
}

// limitWords says how a limit stands.
func limitWords(l reports.Limit) string {
	switch l.Verdict {
	case reports.Pass:
		return "kept so far"
	case reports.Fail:
		return "not kept so far"
	}
	return "not known yet"
}

func limitLine(side string, l reports.Limit) shownLine {
	line := shownLine{text: fmt.Sprintf("  %s: %s, %s", strings.TrimSpace(side+" limit "+l.Expression), l.Value,
		limitWords(l))}
	if l.Verdict == reports.Fail {
		line.style = "31"
	}
	return line
}

// describeProgress is how a load stands, in one line. Limits are named where they are not kept.
func describeProgress(at engine.Progress) string {
	line := fmt.Sprintf("%s, %s, %s wrong, p50 %s, p99 %s, %s left", clock(at.Elapsed), figures.Rate(at.Rate),
		at.Errors(),
		figures.Milliseconds(at.P50), figures.Milliseconds(at.P99), clock(at.Left))
	for _, l := range at.Limits {
		if l.Verdict == reports.Fail {
			line += fmt.Sprintf(", %s not kept so far (%s)", l.Expression, l.Value)
		}
	}
	return line
}

// leadOf is the first line above the table of a load.
func leadOf(at engine.Progress) string {
	lead := fmt.Sprintf("%s, %s left, asked %s, sent %s, %s wrong", clock(at.Elapsed), clock(at.Left),
		figures.Rate(at.AskedRate), figures.Rate(at.Rate), at.Errors())
	if !at.Closed {
		lead += ", lag p99 " + figures.Milliseconds(at.Lag99)
	}
	return lead + ", " + figures.Count(at.InFlight) + " under way"
}

// showLoad shows how a load stands, under the name of the command.
func (p *progress) showLoad(command string, at engine.Progress) {
	line := func() string { return command + ": " + describeProgress(at) }
	p.showTable(progressTable(command+": "+leadOf(at), line, side{at: at}), line)
}
