package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// curveTicks are the percentiles named on the axis of the curve, as 1/(1−q).
var curveTicks = []float64{1, 2, 10, 20, 100, 1000, 10000, 100000}

// loadCurveChart is the percentile curve: 1/(1−q) on a logarithmic axis, ended where fewer than 10 samples lie beyond.
func loadCurveChart(l *reports.Load, names []string, baseline *reports.Load) (chart, bool) {
	c := chart{ID: "l-curve", Title: "Response time by percentile", X: axis{Label: "percentile", Log: true,
		Ticks: curveTicks, Format: percentileWords}, Y: axis{Label: "time", Format: axisMilliseconds}}
	var all [][]float64
	var words []string
	shown := 0
	for _, name := range names {
		o := l.Operations[name]
		drawn := curveLine(name, seriesLook(shown), o)
		if len(drawn.X) < 2 || shown == 8 { // a point is no line: nothing would be seen
			continue
		}
		shown++
		c.Lines = append(c.Lines, drawn)
		all = append(all, drawn.Y)
		words = append(words, fmt.Sprintf("%s: p50 %s, p99 %s", name, figures.Milliseconds(o.Response.P50),
			figures.Milliseconds(o.Response.P99)))
		if baseline != nil && baseline.Operations[name] != nil {
			before := baseline.Operations[name]
			earlier := curveLine(name+", baseline", "baseline", before)
			c.Lines = append(c.Lines, earlier)
			all = append(all, earlier.Y)
			words = append(words, fmt.Sprintf("%s in the baseline: p50 %s, p99 %s", name,
				figures.Milliseconds(before.Response.P50), figures.Milliseconds(before.Response.P99)))
		}
		for _, limit := range l.LimitsOf(name) {
			if at, percentile, ok := timeLimit(limit.Expression); ok && len(names) <= 3 {
				look := "limit"
				if limit.Verdict == reports.Fail {
					look = "broken"
				}
				c.Levels = append(c.Levels, level{At: at, Words: name + " " + percentile + " limit", Look: look})
				all = append(all, []float64{at})
			}
		}
	}
	if shown == 0 {
		return chart{}, false
	}
	c.Y.Log = wide(all...)
	if c.Y.Log {
		c.Y.Label = "time, log scale"
	}
	c.Description = strings.Join(words, "; ") + ". A line ends where fewer than 10 answers lie beyond."
	return c, true
}

// curveLine is the percentile curve of one operation as a line of a chart with 1/(1−q) on a logarithmic x axis.
func curveLine(name, look string, o *reports.Operation) line {
	drawn := line{Name: name, Look: look}
	points := slices.Clone(o.Curve)
	slices.SortStableFunc(points, func(a, b reports.CurvePoint) int { return cmp.Compare(a.Quantile, b.Quantile) })
	for _, point := range points {
		if point.Quantile < 0 || point.Quantile >= 1 || (1-point.Quantile)*float64(o.Response.Count) < 10-1e-9 {
			continue
		}
		drawn.X = append(drawn.X, 1/(1-point.Quantile))
		drawn.Y = append(drawn.Y, float64(point.Value)/1e6)
	}
	return drawn
}

// percentileWords says 1/(1−q) as a percentile: 100 is "p99".
func percentileWords(v float64) string {
	if v <= 1 {
		return "min"
	}
	digits := max(0, int(math.Ceil(math.Log10(v)))-2)
	text := strconv.FormatFloat(100-100/v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return "p" + text
}

type capacityShown struct {
	Sentence string
	Chart    drawing
	Points   table
}

// capacityOf is the capacity search as a sentence, a chart and a table.
func capacityOf(c *reports.Capacity) *capacityShown {
	sentence := "The service keeps the limits up to " + figures.Rate(c.Rate) + "."
	switch {
	case c.Rate == 0:
		sentence = "No rate was found that keeps the limits."
	case c.LowerBound:
		sentence = "The service keeps the limits at " + figures.Rate(c.Rate) + " at least."
	}
	if c.Knee > 0 {
		sentence += " Response times begin to grow at about " + figures.Rate(c.Knee) + "."
	}
	if c.Reason != "" {
		sentence += " " + reports.Sentence(c.Reason)
	}
	points := slices.Clone(c.Points)
	slices.SortStableFunc(points, func(a, b reports.CapacityPoint) int { return cmp.Compare(a.Rate, b.Rate) })
	t := table{Caption: "Tried rates", Columns: []column{{Head: "Rate", Number: true}, {Head: "Verdict"},
		{Head: "Reached", Number: true}, {Head: "p50 ms", Number: true}, {Head: "p99 ms", Number: true},
		{Head: "Wrong", Number: true}, {Head: "Why"}}}
	p50 := line{Name: "p50", Look: "p50", Dots: true}
	p99 := line{Name: "p99", Look: "p99", Dots: true}
	for _, point := range points {
		t.Rows = append(t.Rows,
			row{Class: point.Verdict.Class(), Cells: []cell{{Text: figures.Rate(point.Rate), Head: true, Number: true},
				{Verdict: point.Verdict}, {Text: figures.Rate(point.Reached), Number: true},
				{Text: figures.Number(point.P50), Number: true}, {Text: figures.Number(point.P99), Number: true},
				{Text: figures.Share(point.Errors), Number: true}, {Text: point.Reason}}})
		p50.X, p50.Y = append(p50.X, point.Rate), append(p50.Y, float64(point.P50)/1e6)
		p99.X, p99.Y = append(p99.X, point.Rate), append(p99.Y, float64(point.P99)/1e6)
	}
	picture := chart{ID: "l-capacity-chart", Title: "Response time by rate", Description: sentence,
		X: axis{Label: "rate", Format: axisRate}, Y: axis{Label: "ms", Format: axisMilliseconds,
			Log: wide(p50.Y, p99.Y)}, Lines: []line{p50, p99}}
	if c.Rate > 0 {
		picture.Marks = []mark{{At: c.Rate, Words: "capacity " + figures.Rate(c.Rate)}}
	}
	return &capacityShown{Sentence: sentence, Chart: picture.draw(), Points: t}
}
