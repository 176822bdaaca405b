package html

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"time"
)

// Series is a chart of figures over time, with dates on its axis. Pages that are written elsewhere draw theirs with it.
type Series struct {
	ID    string // unique on the page; letters, digits and hyphens
	Title string
	// Description states the figures in words, for readers who cannot see the lines.
	Description string
	Unit        string // of the values, such as ms
	Times       []time.Time
	Elapsed     bool // Times are shown as the time since the first of them, Unix(0, 0), and not as dates
	Lines       []SeriesLine
	Marks       []SeriesMark
	Height      int  // 0: 280
	Log         bool // of the values, where a spike would press all others flat
	// Readout returns the words for one of Times while the pointer is over it; nil: those of the lines. Empty: none.
	Readout func(i int) string
}

// SeriesLine is one line of a Series: a value for each of its Times, NaN if there is none.
type SeriesLine struct {
	Name   string
	Look   string // p50, p95, p99, max, asked, wrong, baseline, or s1 to s8
	Values []float64
	Loose  bool // points without a line between them, such as runs that are not valid
}

// SeriesMark is a vertical line with words: at one of Times, or between it and the one before.
type SeriesMark struct {
	At     int
	Before bool
	Words  string
}

// Render draws the chart as a piece of a page. The page needs StyleSheet.
func (s Series) Render() (template.HTML, error) {
	var b bytes.Buffer
	if err := pages()["trend"].ExecuteTemplate(&b, "chart", s.draw()); err != nil {
		return "", fmt.Errorf("drawing the chart %s: %w", s.Title, err)
	}
	return template.HTML(b.String()), nil // made by our own template, which escaped all words
}

func (s Series) draw() drawing {
	at := make([]float64, len(s.Times))
	index := map[float64]int{}
	for i, t := range s.Times {
		at[i] = float64(t.Unix())
		if s.Elapsed {
			at[i] = float64(t.UnixNano()) / 1e9
		}
		index[at[i]] = i
	}
	c := chart{ID: s.ID, Title: s.Title, Description: s.Description, Height: s.Height,
		Y: axis{Label: s.Unit, Log: s.Log}, X: dateAxis(at)}
	if s.Elapsed {
		c.X = axis{Label: "since the start", Time: true}
	}
	if s.Log {
		c.Y.Label += ", logarithmic"
	}
	for _, l := range s.Lines {
		drawn := line{Name: l.Name, Look: l.Look, Dots: l.Loose || len(l.Values) <= 100 && !s.Elapsed}
		for i, value := range l.Values {
			drawn.X, drawn.Y = append(drawn.X, at[i]), append(drawn.Y, value)
			if l.Loose { // a gap behind each point leaves no line between
				drawn.X, drawn.Y = append(drawn.X, at[i]), append(drawn.Y, math.NaN())
			}
		}
		c.Lines = append(c.Lines, drawn)
	}
	for _, m := range s.Marks {
		if m.At < 0 || m.At >= len(at) {
			continue
		}
		place := at[m.At]
		if m.Before && m.At > 0 {
			place = (at[m.At-1] + at[m.At]) / 2
		}
		c.Marks = append(c.Marks, mark{At: place, Words: m.Words})
	}
	if s.Readout != nil {
		c.Readout = func(x float64) string {
			if i, found := index[x]; found {
				return s.Readout(i)
			}
			return ""
		}
	}
	return c.draw()
}

// dateSteps are the distances of ticks in seconds, and how their instants are written. Months and years are not all
// equally long.
var dateSteps = []struct {
	seconds float64
	months  int
	layout  string
}{
	{1, 0, "15:04:05"}, {2, 0, "15:04:05"}, {5, 0, "15:04:05"}, {15, 0, "15:04:05"}, {30, 0, "15:04:05"},
	{60, 0, "01-02 15:04"}, {120, 0, "01-02 15:04"}, {300, 0, "01-02 15:04"},
	{900, 0, "01-02 15:04"}, {1800, 0, "01-02 15:04"}, {3600, 0, "01-02 15:04"}, {7200, 0, "01-02 15:04"},
	{4 * 3600, 0, "01-02 15:04"}, {12 * 3600, 0, "01-02 15:04"},
	{86400, 0, time.DateOnly}, {2 * 86400, 0, time.DateOnly}, {7 * 86400, 0, time.DateOnly},
	{14 * 86400, 0, time.DateOnly},
	{30 * 86400, 1, "2006-01"}, {61 * 86400, 2, "2006-01"}, {91 * 86400, 3, "2006-01"}, {182 * 86400, 6, "2006-01"},
	{365 * 86400, 12, "2006"},
}

// dateAxis is an axis of instants, given in seconds since 1970, with at most eight ticks at round dates in UTC. A day
// comes first where all ticks lie within one.
func dateAxis(at []float64) axis {
	const most = 8
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range at {
		low, high = min(low, v), max(high, v)
	}
	a := axis{Label: "UTC", Ticks: []float64{}}
	if low > high {
		return a
	}
	instant := func(v float64) time.Time { return time.Unix(int64(v), 0).UTC() }
	step := dateSteps[len(dateSteps)-1]
	for _, candidate := range dateSteps {
		if (high-low)/candidate.seconds < most {
			step = candidate
			break
		}
	}
	a.Format = func(v float64) string { return instant(v).Format(step.layout) }
	if low == high {
		a.Format = func(v float64) string { return instant(v).Format("2006-01-02 15:04") }
		a.Ticks = append(a.Ticks, low)
		return a
	}
	if step.seconds < 60 {
		a.Label = instant(low).Format(time.DateOnly) + " UTC"
	} else if step.seconds < 86400 {
		a.Label = instant(low).Format("2006") + ", UTC"
	}
	if step.months == 0 {
		for v := math.Ceil(low/step.seconds) * step.seconds; v <= high; v += step.seconds {
			a.Ticks = append(a.Ticks, v)
		}
		return a
	}
	years := max(1, int(math.Ceil((high-low)/(most*365.25*86400)))) // of many years, some
	first := instant(low)
	for t := time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC); float64(t.Unix()) <= high; t = t.AddDate(0,
		step.months*years, 0) {
		if float64(t.Unix()) >= low {
			a.Ticks = append(a.Ticks, float64(t.Unix()))
		}
	}
	return a
}
