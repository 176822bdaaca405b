package html

import (
	"cmp"
	"math"
	"slices"

	"agstest/internal/figures"
)

// chart is a line chart. It becomes SVG through the template "chart", which escapes all words. Colours stand as
// attributes, so that they survive where a policy blocks the style sheet, and as classes, which give the dark and the
// print palette. Every line has a dash pattern and its name at its right end, so that neither print in black and white
// nor a colour-blind reader loses anything.
//
// The zero value of each field but ID, Title and Lines works. Words may come from a service; figures may be NaN, which
// breaks a line.
type chart struct {
	ID    string // unique on the page; letters, digits and hyphens
	Title string
	// Description states the figures in words, for readers who cannot see the lines.
	Description string
	X, Y        axis
	Right       axis // of the lines with OnRight
	Lines       []line
	Levels      []level
	Marks       []mark
	Height      int // 0: 280
	// Readout returns the words shown while the pointer is over the chart near x; nil: those of the lines' points.
	// Empty: no readout.
	Readout func(x float64) string
}

// axis is one axis of a chart.
type axis struct {
	Label string
	Log   bool
	// Min and Max are the ends, where both are not 0; else the ends come from the lines.
	Min, Max float64
	// Format says a value at a tick; nil: a plain number.
	Format func(float64) string
	// Ticks are fixed places; nil: round numbers.
	Ticks []float64
	// Time: the values are seconds, with ticks at whole minutes and the like.
	Time bool
	// Whole: the values are numbers of things, with ticks at whole numbers alone.
	Whole bool
}

// line is one line of a chart.
type line struct {
	Name string
	// Look is one of the series: p50, p95, p99, max, asked, wrong, baseline, or s1 to s8.
	Look    string
	X, Y    []float64
	Low     []float64 // with High: a shaded band around the line, such as an interval
	High    []float64
	Steps   bool // holds its value until the next point
	Area    bool // shaded down to the axis
	Dots    bool // each point is marked
	OnRight bool
}

// level is a horizontal line with words, such as a limit.
type level struct {
	At    float64
	Words string
	Look  string // limit, broken, base
}

// mark is a vertical line with words, such as a change point.
type mark struct {
	At    float64
	Words string
}

// The frame of a chart, in units of its view box.
const (
	chartWidth  = 960
	chartLeft   = 66
	chartTop    = 26
	chartBottom = 40
	chartGutter = 14 // least distance of two names at the right end
)

// drawing is a chart with all places computed, as the template "chart" takes it.
type drawing struct {
	ID, Title, Description string
	Width, Height          int
	Left, Right            string
	Top, Bottom            string
	LabelX, ReadoutX       string
	XLabel, YLabel, ZLabel string
	XLabelY, TickY         string
	XTicks, YTicks, ZTicks []tick
	Shades                 []drawnLine
	Lines                  []drawnLine
	Levels, Marks          []drawnLevel
	Readouts               []readout
	Empty                  bool
}

type tick struct{ At, TextAt, Words string }

type drawnLine struct {
	Name, Class string
	look
	Path         string
	LabelY       string
	LegendX      string
	Dots         [][2]string
	valueAtRight float64
}

type drawnLevel struct{ At, TextAt, TextX, Words, Class, Stroke, Anchor string }

// draw computes the places.
func (c chart) draw() drawing {
	height := c.Height
	if height == 0 {
		height = 280
	}
	right, hasRight := c.right()
	d := drawing{ID: c.ID, Title: c.Title, Description: c.Description, Width: chartWidth, Height: height,
		Left: place(chartLeft), Right: place(float64(right)), Top: place(chartTop), Bottom: place(
			float64(height - chartBottom)),
		LabelX: place(float64(right) + 8), ReadoutX: place(chartLeft +
			8), XLabel: c.X.Label, YLabel: c.Y.Label, ZLabel: c.Right.Label,
		XLabelY: place(float64(height - 6)), TickY: place(float64(height - chartBottom + 17))}

	xs, ys, zs := c.values()
	x := c.X.scale(xs, chartLeft, float64(right), false)
	y := c.Y.scale(ys, float64(height-chartBottom), chartTop, true)
	z := c.Right.scale(zs, float64(height-chartBottom), chartTop, true)
	d.Empty = len(finite(xs)) == 0

	for _, at := range x.ticks {
		d.XTicks = append(d.XTicks, tick{place(x.at(at)), "", c.X.words(at)})
	}
	for _, at := range y.ticks {
		d.YTicks = append(d.YTicks, tick{place(y.at(at)), place(y.at(at) + 4), c.Y.words(at)})
	}
	if hasRight {
		d.LabelX = place(float64(right) + 52)
		for _, at := range z.ticks {
			d.ZTicks = append(d.ZTicks, tick{place(z.at(at)), place(z.at(at) + 4), c.Right.words(at)})
		}
	}
	for _, l := range c.Lines {
		vertical := y
		if l.OnRight {
			vertical = z
		}
		d.add(l, x, vertical)
	}
	spreadLabels(d.Lines, chartTop+6, float64(height-chartBottom))
	d.Levels = c.levels(y, float64(right))
	for _, m := range c.Marks {
		if !isFinite(m.At) {
			continue
		}
		drawn := drawnLevel{At: place(x.at(m.At)), TextAt: place(x.at(m.At) + 5), Words: figures.OneLine(m.Words, 60),
			Anchor: "start"}
		if x.at(m.At) > float64(chartLeft+right)/2 {
			drawn.TextAt, drawn.Anchor = place(x.at(m.At)-5), "end"
		}
		d.Marks = append(d.Marks, drawn)
	}
	d.Readouts = c.readouts(x, xs, height)
	return d
}

// right returns where lines end, so that their names and the words of a second axis have room, and whether there is
// such an axis.
func (c chart) right() (right int, hasRight bool) {
	right = chartWidth - 20
	for _, l := range c.Lines {
		right = min(right, chartWidth-24-7*len([]rune(figures.OneLine(l.Name, 18))))
		hasRight = hasRight || l.OnRight
	}
	if hasRight {
		right = min(right, chartWidth-112)
	}
	return right, hasRight
}

// values are all that the axes have to hold: along, up at the left, and up at the right.
func (c chart) values() (xs, ys, zs []float64) {
	for _, l := range c.Lines {
		xs = append(xs, l.X...)
		onto := &ys
		if l.OnRight {
			onto = &zs
		}
		*onto = append(append(append(*onto, l.Y...), l.Low...), l.High...)
	}
	for _, l := range c.Levels {
		ys = append(ys, l.At)
	}
	return xs, ys, zs
}

// add draws a line with its shades.
func (d *drawing) add(l line, x, vertical scale) {
	drawn := drawnLine{Name: figures.OneLine(l.Name, 18), Class: l.class(), look: looks[l.class()],
		valueAtRight: math.NaN()}
	if len(l.Low) == len(l.X) && len(l.High) == len(l.X) && len(l.X) > 0 {
		shade := drawn
		shade.Path = bandPath(l, x, vertical)
		d.Shades = append(d.Shades, shade)
	}
	drawn.Path = linePath(l, x, vertical)
	if l.Area && len(l.X) > 0 {
		shade := drawn
		shade.Path = areaPath(l, x, vertical)
		d.Shades = append(d.Shades, shade)
	}
	for i := range l.Y {
		if !isFinite(l.X[i]) || !isFinite(l.Y[i]) {
			continue
		}
		drawn.valueAtRight = vertical.at(l.Y[i])
		if l.Dots {
			drawn.Dots = append(drawn.Dots, [2]string{place(x.at(l.X[i])), place(vertical.at(l.Y[i]))})
		}
	}
	d.Lines = append(d.Lines, drawn)
}

// levels are the lines across, with their words at the right, or at the left where the right is taken.
func (c chart) levels(y scale, right float64) []drawnLevel {
	var levels []drawnLevel
	taken := math.Inf(-1) // where words of a level stand at the right
	for _, l := range c.Levels {
		if !isFinite(l.At) {
			continue
		}
		at := y.at(l.At)
		drawn := drawnLevel{At: place(at), TextAt: place(at - 5), TextX: place(right - 6), Anchor: "end",
			Words: figures.OneLine(l.Words, 60), Class: "level-limit", Stroke: "#8a6100"}
		if math.Abs(at-taken) < 32 {
			drawn.TextX, drawn.Anchor = place(chartLeft+6), "start"
		} else {
			taken = at
		}
		if at < chartTop+16 {
			drawn.TextAt = place(at + 13)
		}
		switch l.Look {
		case "broken":
			drawn.Class, drawn.Stroke = "level-broken", "#b3261e"
		case "base":
			drawn.Class, drawn.Stroke = "level-base", "#626a78"
		}
		levels = append(levels, drawn)
	}
	return levels
}

// spreadLabels puts the names at the right end next to their lines, far enough apart to be read.
func spreadLabels(lines []drawnLine, top, bottom float64) {
	order := make([]int, 0, len(lines))
	for i := range lines {
		if isFinite(lines[i].valueAtRight) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lines[a].valueAtRight, lines[b].valueAtRight) })
	at := make([]float64, len(order))
	for i, index := range order {
		at[i] = lines[index].valueAtRight + 4
		if i > 0 {
			at[i] = max(at[i], at[i-1]+chartGutter)
		}
		at[i] = max(at[i], top)
	}
	for i := len(at) - 1; i >= 0; i-- {
		limit := bottom
		if i+1 < len(at) {
			limit = at[i+1] - chartGutter
		}
		at[i] = min(at[i], limit)
	}
	for i, index := range order {
		lines[index].LabelY = place(at[i])
	}
}
