package html

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// Trends writes the page of trends: for each question how response times moved from run to run, with changes of level marked.
func Trends(w io.Writer, trends []reports.Trend, s Style) error {
	p := trendPage(trends)
	p.Style = s
	return p.write(w, "trend")
}

// trendShown is what the template "trend" shows of one question.
type trendShown struct {
	ID, Environment, Asked, Words string
	Charts                        []drawing
	Changes                       *table
	Runs                          table
}

func trendPage(trends []reports.Trend) page {
	p := page{Kind: "Trend", Title: "Trend of load runs", Verdict: reports.Observed, FirstNone: "No change of level was found."}
	runs, changes := 0, 0
	var details []trendShown
	for n, t := range trends {
		d := shownTrend(t, n)
		details = append(details, d)
		p.Links = append(p.Links, sectionLink{d.ID, d.Environment + ", " + d.Asked})
		runs += len(t.Runs)
		for _, o := range t.Operations {
			changes += len(o.Changes)
			for _, change := range o.Changes {
				if len(p.First) < 8 {
					p.First = append(p.First, first{Verdict: reports.Observed, Link: d.ID, Label: t.Environment + " " + o.Operation + " " + change.Metric, Text: trendWords(change) + " since " + figures.Moment(t.Runs[change.Run].Start) + ".", More: t.Asked})
				}
			}
		}
	}
	p.Reason = fmt.Sprintf("%s of %s, %s of level found. A trend is shown for the eye and judges nothing.", figures.Plural(int64(runs), "run"), figures.Plural(int64(len(trends)), "question"), figures.Plural(int64(changes), "change"))
	p.Trust = []statement{
		{reports.Observed, "Only whole load runs that asked the same of the same environment, from the same kind of machine, stand in one line."},
		{reports.Observed, "A change of level is a hint where to look: it is found by E-divisive with a permutation test at 1 %, from ten runs on, and does not say what changed."},
	}
	p.Tiles = []tile{{"Runs", figures.Count(int64(runs)), ""}, {"Questions", figures.Count(int64(len(trends))), ""}, {"Changes of level", figures.Count(int64(changes)), ""}}
	p.Details = details
	return p
}

func trendWords(c reports.TrendChange) string {
	return fmt.Sprintf("%s from %s to %s", figures.Change(reports.ShiftPoint{Old: c.Before, New: c.After}.Change()), figures.Milliseconds(c.Before), figures.Milliseconds(c.After))
}

func shownTrend(t reports.Trend, n int) trendShown {
	d := trendShown{ID: fmt.Sprintf("t-%d", n+1), Environment: cmp.Or(t.Environment, "unnamed"), Asked: cmp.Or(t.Asked, "load")}
	d.Words = figures.Plural(int64(len(t.Runs)), "run")
	if len(t.Runs) > 0 {
		d.Words += " from " + figures.Moment(t.Runs[0].Start) + " to " + figures.Moment(t.Runs[len(t.Runs)-1].Start) + "."
	}
	changes := table{Caption: "Changes of level", Columns: []column{{Head: "Figure"}, {Head: "Change", Number: true}, {Head: "First run of the new level"}, {Head: "Started"}}}
	for k, o := range t.Operations {
		d.Charts = append(d.Charts, trendChart(t, n, k, o))
		for _, change := range o.Changes {
			changes.Rows = append(changes.Rows, row{Cells: []cell{{Text: o.Operation + " " + change.Metric, Head: true}, {Text: trendWords(change), Number: true}, {Text: t.Runs[change.Run].Folder, Code: true}, {Text: figures.Moment(t.Runs[change.Run].Start)}}})
		}
	}
	if len(changes.Rows) > 0 {
		d.Changes = &changes
	}
	d.Runs = table{Caption: "The runs, the newest first", Columns: []column{{Head: "Run"}, {Head: "Verdict"}, {Head: "Started"}, {Head: "Pinned as"}}}
	for i := len(t.Runs) - 1; i >= 0; i-- {
		run := t.Runs[i]
		d.Runs.Rows = append(d.Runs.Rows, row{Class: run.Verdict.Class(), Cells: []cell{{Text: run.Folder, Head: true}, {Verdict: run.Verdict}, {Text: figures.Moment(run.Start)}, {Text: strings.Join(run.Pins, " ")}}})
	}
	return d
}

func trendChart(t reports.Trend, n, k int, o reports.TrendOperation) drawing {
	c := chart{ID: fmt.Sprintf("t-%d-%d", n+1, k+1), Title: o.Operation + ": response time from run to run",
		X: axis{Label: "run", Format: func(v float64) string { return figures.Count(int64(v)) }}, Y: axis{Label: "ms"}}
	for _, l := range []struct {
		name   string
		values []int64
	}{{"p50", o.P50}, {"p95", o.P95}, {"p99", o.P99}} {
		drawn := line{Name: l.name, Look: l.name, Dots: len(l.values) <= 100}
		for i, value := range l.values {
			y := math.NaN()
			if value > 0 {
				y = float64(value) / 1e6
			}
			drawn.X, drawn.Y = append(drawn.X, float64(i+1)), append(drawn.Y, y)
		}
		c.Lines = append(c.Lines, drawn)
	}
	var words []string
	marked := map[int]string{}
	var order []int
	for _, change := range o.Changes {
		if marked[change.Run] == "" {
			order = append(order, change.Run)
		} else {
			marked[change.Run] += ", "
		}
		marked[change.Run] += change.Metric + " " + figures.Change(reports.ShiftPoint{Old: change.Before, New: change.After}.Change())
		words = append(words, fmt.Sprintf("%s changed %s at run %d", change.Metric, trendWords(change), change.Run+1))
	}
	for _, run := range order {
		c.Marks = append(c.Marks, mark{At: float64(run) + 0.5, Words: marked[run]})
	}
	for i, run := range t.Runs {
		if len(run.Pins) > 0 {
			c.Marks = append(c.Marks, mark{At: float64(i + 1), Words: strings.Join(run.Pins, " ")})
		}
	}
	if last := len(o.P50) - 1; last >= 0 && o.P50[last] > 0 {
		words = append(words, fmt.Sprintf("the newest run has p50 %s, p95 %s and p99 %s", figures.Milliseconds(o.P50[last]), figures.Milliseconds(o.P95[last]), figures.Milliseconds(o.P99[last])))
	}
	c.Description = strings.Join(words, "; ") + "."
	c.Readout = func(x float64) string {
		i := int(math.Round(x)) - 1
		if i < 0 || i >= len(t.Runs) || i >= len(o.P50) || o.P50[i] <= 0 {
			return ""
		}
		return fmt.Sprintf("%s · p50 %s · p95 %s · p99 %s", figures.Moment(t.Runs[i].Start), figures.Milliseconds(o.P50[i]), figures.Milliseconds(o.P95[i]), figures.Milliseconds(o.P99[i]))
	}
	return c.draw()
}
