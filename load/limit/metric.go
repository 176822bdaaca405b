package limit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/reports"
)

// metric is a figure that can be limited. A new one is a row of metrics; its name stands in Parse and its unit in
// units.
type metric struct {
	unit *unit
	// storm tells that it is a figure of the storm as a whole, not of blocks.
	storm bool
	// exact tells that the measured value stands by itself, without an interval.
	exact bool
	// counted returns the number of answers that a share is of; nil if the figure is no share.
	counted func(*Stretch) int64
	// allows tells which kinds of wrong answers a limit on the metric decides about; nil: none.
	allows func(kind string) bool
	// figure makes the function that the figure is of drawn blocks; nil for a storm.
	figure func(l Limit, blocks []Stretch) func(drawn []int) float64
}

// metrics are all but the percentiles, which are endless.
var metrics = map[string]*metric{
	"max":  {unit: asTime, exact: true, figure: largestOf},
	"mean": {unit: asTime, figure: meanOf},
	"errors": {unit: asShare, counted: wrongOf, figure: ratio(wrongOf, sentOf),
		allows: func(string) bool { return true }},
	"throttled": {unit: asShare, counted: throttledOf, figure: ratio(throttledOf, sentOf),
		allows: func(kind string) bool { return kind == hit.KindThrottled }},
	"rate":       {unit: asRate, figure: perSecond(sentOf, sendingOf)},
	"throughput": {unit: asRate, figure: perSecond(rightOf, answeringOf)},
	"recovered":  {unit: asTime, storm: true},
}

var percentiles = &metric{unit: asTime, figure: Limit.quantileOf}

// metric returns the row of the limit's metric; nil if there is none.
func (l Limit) metric() *metric {
	if l.Quantile > 0 {
		return percentiles
	}
	return metrics[l.Metric]
}

// IsTime tells a limit on how long answers took.
func (l Limit) IsTime() bool { m := l.metric(); return m != nil && m.unit == asTime && !m.storm }

// OfShare tells a limit on a share of wrong answers.
func (l Limit) OfShare() bool { m := l.metric(); return m != nil && m.counted != nil }

// OfStorm tells a limit on when a storm is over.
func (l Limit) OfStorm() bool { m := l.metric(); return m != nil && m.storm }

// OfLoad tells whether a limit is on how much is sent or answered, or on a storm as a whole: a search for a rate
// chooses these itself.
func (l Limit) OfLoad() bool { m := l.metric(); return m != nil && (m.unit == asRate || m.storm) }

// Allows tells whether the limit was decided for wrong answers of a kind: those it counts.
func (l Limit) Allows(kind string) bool {
	m := l.metric()
	return m != nil && m.allows != nil && m.allows(kind)
}

// lagOf returns the quantile of the send lag that a figure may hold: that of the percentile itself, 99 % at least.
func (m *metric) lagOf(quantile float64, lag reports.Percentiles) int64 {
	switch {
	case m.exact || quantile > 0.999:
		return lag.Max
	case quantile > 0.99:
		return lag.P999
	}
	return lag.P99
}

// unit is the unit in which bounds of metrics are written and figures shown.
type unit struct {
	bound func(l *Limit, number float64, unit string) (float64, error)
	shown func(figure float64) string
}

var (
	asTime  = &unit{timeBound, ShowTime}
	asShare = &unit{shareBound, showShare}
	asRate  = &unit{rateBound, figures.Rate}
)

var timeUnits = map[string]float64{
	"us": float64(time.Microsecond), "µs": float64(time.Microsecond), "ms": float64(time.Millisecond),
	"s": float64(time.Second), "m": float64(time.Minute),
}

func timeBound(l *Limit, number float64, unit string) (float64, error) {
	factor, ok := timeUnits[unit]
	if !ok {
		return 0, fmt.Errorf("%s needs a time with a unit: us, ms, s or m, such as 300ms", l.Metric)
	}
	bound := number * factor
	if bound <= 0 || bound > float64(24*time.Hour) {
		return 0, fmt.Errorf("the time must be above 0 and at most 24 hours")
	}
	return bound, nil
}

func shareBound(l *Limit, number float64, unit string) (float64, error) {
	if unit != "%" {
		return 0, fmt.Errorf("%s needs a share in percent, such as 0.1%%", l.Metric)
	}
	bound := number / 100
	if bound > 1 || bound == 1 && l.Inclusive {
		return 0, fmt.Errorf("every run keeps a share of %s%%", strconv.FormatFloat(number, 'f', -1, 64))
	}
	if bound == 0 && !l.Inclusive {
		return 0, fmt.Errorf("no run can keep a share under 0%%; for none at all write %s<=0%%", l.Metric)
	}
	return bound, nil
}

func rateBound(l *Limit, number float64, unit string) (float64, error) {
	bound := number
	switch unit {
	case "/s":
	case "/m":
		bound = number / 60
	default:
		return 0, fmt.Errorf("%s needs a rate with a unit, such as 190/s", l.Metric)
	}
	if bound <= 0 {
		return 0, fmt.Errorf("every run keeps a rate above 0; the bound must be above 0")
	}
	return bound, nil
}

// shown is a figure of the limit's metric for people.
func (l Limit) shown(figure float64) string {
	switch {
	case math.IsInf(figure, 1):
		return "unknown"
	case math.IsNaN(figure):
		return "–"
	}
	return l.metric().unit.shown(figure)
}

// ShowTime is a time in nanoseconds for people: in milliseconds, from 10 s on in seconds and more.
func ShowTime(nanoseconds float64) string {
	if nanoseconds >= float64(10*time.Second) {
		return figures.Elapsed(time.Duration(nanoseconds))
	}
	return figures.Milliseconds(int64(math.Round(nanoseconds)))
}

func showShare(figure float64) string {
	switch figure {
	case 0:
		return "0 %"
	case 1:
		return "100 %"
	}
	digits := 2
	for share := figure * 100; share < 0.1 && digits < 8; share *= 10 {
		digits++
	}
	return strconv.FormatFloat(figure*100, 'f', digits, 64) + " %"
}
