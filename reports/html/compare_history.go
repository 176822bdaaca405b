package html

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports/compare"
)

type historyShown struct {
	Metrics table
	Charts  []drawing
	Left    []string
	Runs    table
}

func historyOf(h *compare.HistoryComparison) *historyShown {
	d := &historyShown{Left: h.Left}
	d.Metrics = table{Caption: "Each figure beside the range of the earlier runs: an unchanged service stays within it " +
		"in 90 of 100 runs",
		Columns: []column{{Head: "Figure"}, {Head: "Verdict"}, {Head: "This run", Number: true},
			{Head: "Confirming run", Number: true}, {Head: "Typical", Number: true}, {Head: "Expected", Number: true},
			{Head: "Change", Number: true}, {Head: "p, slower", Number: true}, {Head: "Why"}}}
	for _, m := range h.Metrics {
		confirm, expected, typical, change, p := "–", "–", "–", "–", "–"
		if m.Confirm > 0 {
			confirm = figures.Milliseconds(m.Confirm)
		}
		if m.Earlier > 1 && m.Value > 0 {
			typical, change, p = figures.Milliseconds(m.Typical), figures.Change(m.Change), figures.Probability(
				m.SlowerAdjusted)
			expected = figures.Milliseconds(m.Low) + " to " + figures.Milliseconds(m.High)
		}
		d.Metrics.Rows = append(d.Metrics.Rows, row{Class: m.Verdict.Class(),
			Cells: []cell{{Text: m.Operation + " " + m.Metric, Head: true}, {Verdict: m.Verdict},
				{Text: figures.Milliseconds(m.Value), Number: true}, {Text: confirm, Number: true}, {Text: typical, Number: true},
				{Text: expected, Number: true}, {Text: change, Number: true}, {Text: p, Number: true}, {Text: m.Reason}}})
	}
	for _, e := range h.Errors {
		confirm := "–"
		if h.Confirm != nil {
			confirm = figures.Share(e.Confirm)
		}
		d.Metrics.Rows = append(d.Metrics.Rows, row{Class: e.Verdict.Class(),
			Cells: []cell{{Text: e.Operation + " errors", Head: true}, {Verdict: e.Verdict},
				{Text: figures.Share(e.Share), Number: true}, {Text: confirm, Number: true}, {Text: "–", Number: true},
				{Text: "up to " + figures.Share(e.Highest), Number: true},
				{Text: figures.Points(e.Share - e.Highest), Number: true}, {Text: "–", Number: true}, {Text: e.Reason}}})
	}
	var operations []string
	for _, m := range h.Metrics {
		if !slices.Contains(operations, m.Operation) {
			operations = append(operations, m.Operation)
		}
	}
	for n, operation := range operations {
		d.Charts = append(d.Charts, historyChart(h, n, operation))
	}
	d.Runs = table{Caption: "The earlier runs", Columns: []column{{Head: "Run"}, {Head: "Verdict"}, {Head: "Started"}}}
	for _, run := range h.Runs {
		d.Runs.Rows = append(d.Runs.Rows, row{Cells: []cell{{Text: run.Run.ID, Head: true}, {Verdict: run.Verdict},
			{Text: figures.Moment(run.Run.Start)}}})
	}
	return d
}

func historyChart(h *compare.HistoryComparison, n int, operation string) drawing {
	c := chart{ID: fmt.Sprintf("x-history-%d", n),
		Title: operation + ": response time over the earlier runs, and this one", Height: 260,
		X: axis{Label: "run", Whole: true}, Y: axis{Label: "time", Format: axisMilliseconds}}
	this := float64(len(h.Runs) + 1)
	var words []string
	shaded := "."
	for _, m := range h.Metrics {
		if m.Operation != operation || m.Value <= 0 {
			continue
		}
		l := line{Name: m.Metric, Look: m.Metric, Dots: true}
		for i, run := range h.Runs {
			l.X = append(l.X, float64(i+1))
			value := math.NaN()
			if at := run.Response[operation].Of(m.Metric); at > 0 {
				value = float64(at) / 1e6
			}
			l.Y = append(l.Y, value)
		}
		l.X, l.Y = append(l.X, this), append(l.Y, float64(m.Value)/1e6)
		said := m.Metric + " is " + figures.Milliseconds(m.Value)
		if m.Gates && m.Earlier > 1 && !h.Advisory { // of a few runs, what may be expected is anything
			for range l.X {
				l.Low, l.High = append(l.Low, float64(m.Low)/1e6), append(l.High, float64(m.High)/1e6)
			}
			said += fmt.Sprintf(", expected %s to %s", figures.Milliseconds(m.Low), figures.Milliseconds(m.High))
			shaded = ". Shaded: what an unchanged service stays within in 90 of 100 runs."
		}
		words = append(words, said)
		c.Lines = append(c.Lines, l)
	}
	c.Marks = []mark{{At: this, Words: "this run"}}
	c.Description = strings.Join(words, "; ") + shaded
	return c.draw()
}
