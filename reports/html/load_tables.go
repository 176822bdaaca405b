package html

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

func limitsTable(l *reports.Load) *table {
	if len(l.Limits) == 0 {
		return nil
	}
	t := table{Caption: "Limits that were set, and what each came to",
		Columns: []column{{Head: "Limit"}, {Head: "Verdict"}, {Head: "Came to", Number: true}, {Head: "Interval"},
			{Head: "Why"}}}
	limits := slices.Clone(l.Limits)
	slices.SortStableFunc(limits, func(a, b reports.Limit) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	for _, limit := range limits {
		t.Rows = append(t.Rows,
			row{Class: limit.Verdict.Class(), Cells: []cell{{Text: limit.Expression, Code: true, Head: true},
				{Verdict: limit.Verdict}, {Text: limit.Value, Number: true}, {Text: limit.Interval}, {Text: limit.Reason}}})
	}
	return &t
}

func operationsTable(l *reports.Load, lines map[string]timeline) table {
	kind := "Response time in ms: from when a request was due to the last byte of a right answer"
	if l.Plan.Closed {
		kind = "Service time in ms: from when a request was sent to the last byte of a right answer"
	}
	t := table{Caption: kind, Columns: []column{{Head: "Operation"}, {Head: "Verdict"}, {Head: "Sent", Number: true},
		{Head: "Right", Number: true}, {Head: "Wrong", Number: true}, {Head: "Rate", Number: true}}}
	for _, percentile := range (reports.Percentiles{}).List() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	t.Columns = append(t.Columns, column{Head: "p99 over time"})
	add := func(name string, o *reports.Operation, verdict reports.Verdict, note string, small *spark) {
		cells := []cell{{Text: name, Head: true}, {Verdict: verdict, Note: note},
			{Text: figures.Count(o.Sent), Note: askedNote(o), Number: true},
			{Text: figures.Percent(o.Right, o.Sent), Number: true}, {Text: figures.Count(o.Wrong), Number: true},
			{Text: figures.Rate(o.Rate), Number: true}}
		times := o.Response
		if l.Plan.Closed {
			times = o.Service
		}
		for _, percentile := range times.List() {
			text := "–"
			if times.Count > 0 {
				text = figures.Number(percentile.Nanoseconds)
			}
			cells = append(cells, cell{Text: text, Number: true})
		}
		cells = append(cells, cell{Spark: small})
		class := ""
		if verdict != "" {
			class = verdict.Class()
		}
		t.Rows = append(t.Rows, row{Class: class, Cells: cells})
	}
	names := l.OperationNames()
	for _, name := range names {
		o := l.Operations[name]
		verdict, note := l.VerdictOf(name, o)
		add(name, o, verdict, note, lines[name].spark(name))
	}
	if l.Total != nil && len(names) != 1 {
		verdict, note := l.VerdictOf("", l.Total)
		add("all together", l.Total, verdict, note, nil)
	}
	return t
}

func askedNote(o *reports.Operation) string {
	if o.Asked == o.Sent {
		return ""
	}
	return "of " + figures.Count(o.Asked)
}

// statusesTable counts the answers of each operation by status.
func statusesTable(l *reports.Load) *table {
	t := table{Caption: "Answers by status, and why answers were wrong", Columns: []column{{Head: "Operation"},
		{Head: "Answers"}, {Head: "Wrong because"}}}
	for _, name := range l.OperationNames() {
		o := l.Operations[name]
		t.Rows = append(t.Rows,
			row{Cells: []cell{{Text: name, Head: true}, {Text: tallied(o.Statuses)}, {Text: tallied(o.Outcomes)}}})
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

func tallied(counts map[string]int64) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		if counts[key] != 0 {
			parts = append(parts, key+": "+figures.Count(counts[key]))
		}
	}
	return cmp.Or(strings.Join(parts, " · "), "–")
}

// serviceTable compares response time with service time: a generator or a queue adds the gap between them.
func serviceTable(l *reports.Load) *table {
	t := table{Caption: "Response time (from when a request was due) beside service time (from when it was sent), right " +
		"answers, in ms",
		Columns: []column{{Head: "Operation"}, {Head: "Time"}, {Head: "Samples", Number: true},
			{Head: "min", Number: true}, {Head: "mean", Number: true}}}
	for _, percentile := range (reports.Percentiles{}).List() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	add := func(name, kind string, p reports.Percentiles) {
		if p.Count == 0 {
			return
		}
		t.Rows = append(t.Rows,
			row{Cells: append([]cell{{Text: name, Head: true}, {Text: kind}}, percentileCells(p)...)})
	}
	both := func(name string, o *reports.Operation) {
		if !l.Plan.Closed {
			add(name, "response", o.Response)
		}
		add(name, "service", o.Service)
	}
	names := l.OperationNames()
	for _, name := range names {
		both(name, l.Operations[name])
	}
	if l.Total != nil && len(names) != 1 {
		both("all together", l.Total)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

// phasesTable shows where the time of an exchange went, when it was traced.
func phasesTable(l *reports.Load) *table {
	t := table{Caption: "Phases of an exchange, in ms", Columns: []column{{Head: "Operation"}, {Head: "Phase"},
		{Head: "Samples", Number: true}, {Head: "min", Number: true}, {Head: "mean", Number: true}}}
	for _, percentile := range (reports.Percentiles{}).List() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	add := func(name string, phases *reports.Phases) {
		if phases == nil {
			return
		}
		for _, phase := range []struct {
			name string
			reports.Percentiles
		}{{"DNS", phases.DNS}, {"connect", phases.Connect}, {"TLS", phases.TLS}, {"wait for the first byte",
			phases.Wait}, {"read", phases.Read}} {
			if phase.Count > 0 {
				t.Rows = append(t.Rows, row{Cells: append([]cell{{Text: name, Head: true}, {Text: phase.name}},
					percentileCells(phase.Percentiles)...)})
			}
		}
		t.More = strings.TrimSpace(t.More + " " +
			fmt.Sprintf("%s: %s, %.0f %% of requests on a connection already open.", name,
				figures.Plural(phases.NewConnections, "new connection"), phases.ReuseRatio*100))
	}
	for _, name := range l.OperationNames() {
		add(name, l.Operations[name].Phases)
	}
	if l.Total != nil {
		add("all together", l.Total.Phases)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

func percentileCells(p reports.Percentiles) []cell {
	cells := []cell{{Text: figures.Count(p.Count), Number: true}, {Text: figures.Number(p.Min), Number: true},
		{Text: figures.Number(p.Mean), Number: true}}
	for _, percentile := range p.List() {
		cells = append(cells, cell{Text: figures.Number(percentile.Nanoseconds), Number: true})
	}
	return cells
}
