package html

import (
	"fmt"
	"math"
	"strings"

	"agstest/internal/figures"
	"agstest/reports/compare"
)

type loadShown struct {
	Table    table
	Charts   []drawing
	Statuses *table
}

func loadChangesOf(c *compare.LoadComparison, oldName, newName string) *loadShown {
	d := &loadShown{}
	d.Table = table{Caption: "Counts and response times of right answers. Shown, not judged",
		Columns: []column{{Head: "Operation"}, {Head: "Figure"}, {Head: oldName, Number: true},
			{Head: newName, Number: true}, {Head: "Change", Number: true}}}
	statuses := table{Caption: "Statuses whose share of answers differs", Columns: []column{{Head: "Operation"},
		{Head: "Status"}, {Head: oldName, Number: true}, {Head: newName, Number: true}}}
	for n, o := range c.Operations {
		add := func(figure, old, new, change string) {
			d.Table.Rows = append(d.Table.Rows, row{Cells: []cell{{Text: o.Operation, Head: true}, {Text: figure},
				{Text: old, Number: true}, {Text: new, Number: true}, {Text: change, Number: true}}})
		}
		if o.Old == nil || o.New == nil {
			words := func(s *compare.LoadSide) string {
				if s == nil {
					return "none"
				}
				return figures.Count(s.Sent)
			}
			add("sent", words(o.Old), words(o.New), "–")
			continue
		}
		add("sent", figures.Count(o.Old.Sent), figures.Count(o.New.Sent), "")
		add("rate", figures.Rate(o.Old.Rate), figures.Rate(o.New.Rate), "")
		add("wrong", figures.Percent(o.Old.Wrong, o.Old.Sent), figures.Percent(o.New.Wrong, o.New.Sent),
			figures.Points(o.New.Errors()-o.Old.Errors()))
		for _, point := range o.Shift {
			if point.Quantile == 0.5 || point.Quantile >= 0.9 {
				add(compare.QuantileWord(point.Quantile), figures.Milliseconds(point.Old),
					figures.Milliseconds(point.New), figures.Change(point.Change()))
			}
		}
		if o.Old.Response.Count > 0 && o.New.Response.Count > 0 {
			add("max", figures.Milliseconds(o.Old.Response.Max), figures.Milliseconds(o.New.Response.Max),
				figures.Change(compare.ShiftPoint{Old: o.Old.Response.Max, New: o.New.Response.Max}.Change()))
		}
		if len(o.Shift) > 0 {
			d.Charts = append(d.Charts, shiftChart(o, n), operationCurve(o, n, oldName, newName))
		}
		for _, status := range o.Statuses {
			statuses.Rows = append(statuses.Rows,
				row{Cells: []cell{{Text: o.Operation, Head: true}, {Text: status.Status, Code: true},
					{Text: figures.Percent(status.Old, o.Old.Sent), Note: figures.Count(status.Old), Number: true},
					{Text: figures.Percent(status.New, o.New.Sent), Note: figures.Count(status.New), Number: true}}})
		}
	}
	if len(statuses.Rows) > 0 {
		d.Statuses = &statuses
	}
	return d
}

// quantileAxis places the quantiles of a shift side by side.
func quantileAxis(o compare.OperationComparison) (axis, []float64) {
	var at []float64
	for i := range o.Shift {
		at = append(at, float64(i+1))
	}
	return axis{Ticks: at, Format: func(v float64) string {
		if i := int(math.Round(v)) - 1; i >= 0 && i < len(o.Shift) {
			return compare.QuantileWord(o.Shift[i].Quantile)
		}
		return ""
	}}, at
}

func shiftChart(o compare.OperationComparison, n int) drawing {
	x, at := quantileAxis(o)
	l := line{Name: "change", Look: "s1", Dots: true, X: at}
	var words []string
	for _, point := range o.Shift {
		l.Y = append(l.Y, point.Change())
		words = append(words, compare.QuantileWord(point.Quantile)+" "+figures.Change(point.Change()))
	}
	return chart{ID: fmt.Sprintf("x-shift-%d", n), Title: o.Operation + ": shift of response time at each quantile",
		Height: 220, X: x, Y: axis{Format: axisChange},
		Lines: []line{l}, Levels: []level{{At: 0, Words: "no change", Look: "base"}}, Description: strings.Join(words,
			", ") + "."}.draw()
}

// axisChange shows a relative change in few letters, as there is little room beside an axis: 500 is "+50k %".
func axisChange(change float64) string {
	percent, unit := change*100, ""
	for _, larger := range []string{"k", "M", "G"} {
		if math.Abs(percent) >= 10_000 || unit != "" && math.Abs(percent) >= 1000 {
			percent, unit = percent/1000, larger
		}
	}
	if unit == "" && math.Abs(change) < 1 {
		return figures.Change(change)
	}
	return fmt.Sprintf("%+.4g%s %%", percent, unit)
}

func operationCurve(o compare.OperationComparison, n int, oldName, newName string) drawing {
	x, at := quantileAxis(o)
	old, new := line{Name: oldName, Look: "baseline", Dots: true, X: at}, line{Name: newName, Look: "s1",
		Dots: true, X: at}
	var words []string
	for _, point := range o.Shift {
		old.Y, new.Y = append(old.Y, float64(point.Old)/1e6), append(new.Y, float64(point.New)/1e6)
		words = append(words, fmt.Sprintf("%s %s, then %s", compare.QuantileWord(point.Quantile),
			figures.Milliseconds(point.Old), figures.Milliseconds(point.New)))
	}
	return chart{ID: fmt.Sprintf("x-curve-%d", n), Title: o.Operation + ": response time at each quantile", Height: 220,
		X: x, Y: axis{Label: "ms", Log: true},
		Lines: []line{old, new}, Description: strings.Join(words, "; ") + "."}.draw()
}
