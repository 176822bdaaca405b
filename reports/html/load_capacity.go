package html

import (
	"cmp"
	"fmt"
	"slices"

	"agstest/internal/figures"
	"agstest/reports"
)

type capacityShown struct {
	Sentence string
	Chart    drawing
	Points   table
}

// capacityOf is the capacity search as a sentence, a chart and a table.
func capacityOf(c *reports.Capacity) *capacityShown {
	sentence := "The service keeps the limits up to " + figures.Rate(c.Rate) + "."
	if c.LowerBound {
		sentence = "The service keeps the limits at " + figures.Rate(c.Rate) + " at least: our own generator was the end, not the service."
	}
	if c.Knee > 0 {
		sentence += " Response times begin to grow at about " + figures.Rate(c.Knee) + "."
	}
	if c.Reason != "" {
		sentence += " " + c.Reason
	}
	points := slices.Clone(c.Points)
	slices.SortStableFunc(points, func(a, b reports.CapacityPoint) int { return cmp.Compare(a.Rate, b.Rate) })
	t := table{Caption: "Tried rates", Columns: []column{{Head: "Rate", Number: true}, {Head: "Verdict"}, {Head: "Reached", Number: true}, {Head: "p50 ms", Number: true}, {Head: "p99 ms", Number: true}, {Head: "Wrong", Number: true}, {Head: "Why"}}}
	p50 := line{Name: "p50", Look: "p50", Dots: true}
	p99 := line{Name: "p99", Look: "p99", Dots: true}
	for _, point := range points {
		t.Rows = append(t.Rows, row{Class: point.Verdict.Class(), Cells: []cell{{Text: figures.Rate(point.Rate), Head: true, Number: true}, {Verdict: point.Verdict}, {Text: figures.Rate(point.Reached), Number: true},
			{Text: figures.Number(point.P50), Number: true}, {Text: figures.Number(point.P99), Number: true}, {Text: fmt.Sprintf("%.2f %%", point.Errors*100), Number: true}, {Text: point.Reason}}})
		p50.X, p50.Y = append(p50.X, point.Rate), append(p50.Y, float64(point.P50)/1e6)
		p99.X, p99.Y = append(p99.X, point.Rate), append(p99.Y, float64(point.P99)/1e6)
	}
	picture := chart{ID: "l-capacity-chart", Title: "Response time by rate", Description: sentence, X: axis{Label: "rate", Format: axisRate}, Y: axis{Label: "ms", Format: axisMilliseconds, Log: wide(p50.Y, p99.Y)}, Lines: []line{p50, p99}}
	if c.Rate > 0 {
		picture.Marks = []mark{{At: c.Rate, Words: "capacity " + figures.Rate(c.Rate)}}
	}
	return &capacityShown{Sentence: sentence, Chart: picture.draw(), Points: t}
}
