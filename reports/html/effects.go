package html

import (
	"math"
	"strconv"

	"agstest/reports"
)

// effects draws changes with their intervals, one row each, around a line of no change. It becomes SVG through the
// template "effects". Each row says its figures in words, so nothing depends on the drawing.
type effects struct {
	ID, Title, Description string
	// Words shows a value of the axis.
	Words func(float64) string
	// Worse and Better stand at the ends of the axis.
	Worse, Better string
	Rows          []effect
}

// effect is one row. Tolerated is drawn as a tick of its own; NaN: none.
type effect struct {
	Name, Words      string
	Verdict          reports.Verdict
	Value, Low, High float64
	Tolerated        float64
}

const (
	effectsLeft, effectsRight = 170, 700
	effectsTop, effectsRow    = 30, 26
)

type drawnEffects struct {
	ID, Title, Description string
	Width, Height          int
	Left, Right, Bottom    int
	Worse, Better          string
	Ticks                  []tick
	Zero                   string
	Rows                   []drawnEffect
}

type drawnEffect struct {
	Name, Words, Stroke, Y, TextY, At, Interval, Tolerated string
	Verdict                                                reports.Verdict
}

func (e effects) draw() drawnEffects {
	d := drawnEffects{ID: e.ID, Title: e.Title, Description: e.Description, Width: chartWidth, Left: effectsLeft,
		Right: effectsRight, Worse: e.Worse, Better: e.Better}
	d.Bottom = effectsTop + effectsRow*len(e.Rows)
	d.Height = d.Bottom + 30
	// The axis holds every estimate and tolerance; an interval that is far wider than all of them is cut at its ends.
	reach := 0.0
	for _, r := range e.Rows {
		for _, v := range []float64{r.Value * 1.6, r.Tolerated * 1.2,
			math.Min(math.Abs(r.Low), 3*math.Max(math.Abs(r.Value), r.Tolerated)),
			math.Min(math.Abs(r.High), 3*math.Max(math.Abs(r.Value), r.Tolerated))} {
			if isFinite(v) {
				reach = math.Max(reach, math.Abs(v))
			}
		}
	}
	if reach == 0 {
		reach = 0.01
	}
	s := scale{low: -reach, high: reach, from: effectsLeft, to: effectsRight}
	for _, at := range roundTicks(-reach, reach, 6) {
		if at < -reach*1.0001 || at > reach*1.0001 {
			continue
		}
		d.Ticks = append(d.Ticks, tick{At: place(s.at(at)), Words: e.Words(at)})
	}
	d.Zero = place(s.at(0))
	for i, r := range e.Rows {
		y := float64(effectsTop + effectsRow*i + effectsRow/2)
		row := drawnEffect{Name: r.Name, Words: r.Words, Verdict: r.Verdict,
			Stroke: verdictColours[reports.Verdict(r.Verdict.StyleName())], Y: place(y), TextY: place(y + 4)}
		if isFinite(r.Value) {
			row.At = place(s.at(r.Value))
			if isFinite(r.Low) && isFinite(r.High) {
				row.Interval = "M" + place(s.at(r.Low)) + " " + place(y) + "H" + place(s.at(r.High))
			}
		}
		if isFinite(r.Tolerated) && r.Tolerated > 0 {
			row.Tolerated = "M" + place(s.at(r.Tolerated)) + " " + strconv.Itoa(int(y)-8) + "v16"
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}
