package html

import (
	"math"
	"slices"
	"strconv"

	"agstest/internal/figures"
)

// scale maps values to places between from and to.
type scale struct {
	low, high, from, to float64
	log                 bool
	ticks               []float64
}

func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log(max(v, s.low)), math.Log(low), math.Log(high)
	}
	part := (v - low) / (high - low)
	return s.from + min(max(part, 0), 1)*(s.to-s.from)
}

// scale finds the ends and the ticks for the values. A value axis starts at 0 unless it is logarithmic or values are
// negative, and both its ends are ticks.
func (a axis) scale(values []float64, from, to float64, rounded bool) scale {
	s := scale{from: from, to: to, log: a.Log}
	s.low, s.high = a.span(values)
	switch {
	case a.Log:
		s.logEnds(rounded)
	case rounded:
		s.low, s.high = min(s.low, 0), max(s.high, 0)
		s.ticks = roundTicks(s.low, s.high, 5)
		s.low, s.high = min(s.low, s.ticks[0]), max(s.high, s.ticks[len(s.ticks)-1])
	default:
		if s.low == s.high {
			s.high = s.low + 1
		}
		s.ticks = roundTicks(s.low, s.high, 8)
		if a.Time {
			s.ticks = timeTicks(s.low, s.high)
		}
		if a.Whole {
			s.ticks = slices.DeleteFunc(s.ticks, func(v float64) bool { return v != math.Trunc(v) })
		}
		s.ticks = s.within(s.ticks)
	}
	if !(s.high > s.low) { // where 1 is less than the distance of two neighbouring numbers
		s.high = s.low + max(1, math.Abs(s.low)/10)
	}
	if a.Ticks != nil {
		s.ticks = s.within(a.Ticks)
	}
	return s
}

// span returns the range from the least to the greatest value that can be shown, or as the axis sets it.
func (a axis) span(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if isFinite(v) && (!a.Log || v > 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	if a.Min != 0 || a.Max != 0 {
		low, high = a.Min, a.Max
	}
	if low > high {
		low, high = 0, 1
		if a.Log {
			low, high = 1, 10
		}
	}
	// Values near the limits of a float64 would overflow later; no figure of a run is there.
	return min(max(low, -1e300), 1e300), min(max(high, -1e300), 1e300)
}

// within are the ticks that lie between the ends.
func (s scale) within(ticks []float64) []float64 {
	var kept []float64
	for _, at := range ticks {
		if at >= s.low && at <= s.high {
			kept = append(kept, at)
		}
	}
	return kept
}

// logEnds puts the ends of a logarithmic axis on 1, 2 or 5 times a power of ten, and ticks between.
func (s *scale) logEnds(rounded bool) {
	s.low, s.high = max(s.low, 1e-300), max(s.high, 1e-299)
	if s.low == s.high {
		s.high = s.low * 2
	}
	steps := []float64{1, 2, 5}
	first := math.Floor(math.Log10(s.low))
	last := math.Ceil(math.Log10(s.high))
	if last-first > 4 {
		steps = []float64{1}
	}
	var all []float64
	for power := first; power <= last; power++ {
		for _, step := range steps {
			all = append(all, step*math.Pow(10, power))
		}
	}
	begin, end := 0, len(all)-1
	for begin+1 < len(all) && all[begin+1] <= s.low*1.0001 {
		begin++
	}
	for end-1 > begin && all[end-1] >= s.high*0.9999 {
		end--
	}
	all = all[begin : end+1]
	if rounded {
		s.low, s.high = all[0], all[len(all)-1]
		if s.low == s.high {
			s.high = s.low * 10
		}
	}
	s.ticks = all
}

// roundTicks are round numbers from at or below low to at or above high, about count of them.
func roundTicks(low, high float64, count int) []float64 {
	if high <= low {
		high = low + 1
	}
	raw := (high - low) / float64(count)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= raw*0.999 {
			step = factor * power
			break
		}
	}
	var ticks []float64
	first := math.Floor(low/step + 1e-9)
	for i := first; len(ticks) < 3*count; i++ {
		ticks = append(ticks, i*step)
		if i*step >= high-step*1e-9 {
			break
		}
	}
	return ticks
}

// timeTicks are whole seconds, minutes or hours.
func timeTicks(low, high float64) []float64 {
	step := 86400.0
	for _, candidate := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200} {
		if (high-low)/candidate <= 8 {
			step = candidate
			break
		}
	}
	for (high-low)/step > 12 {
		step *= 2
	}
	var ticks []float64
	first := math.Ceil(low / step)
	for n := range 14 {
		if at := (first + float64(n)) * step; at <= high {
			ticks = append(ticks, at)
		}
	}
	return ticks
}

// words says a value at a tick or in a readout.
func (a axis) words(v float64) string {
	switch {
	case a.Format != nil:
		return a.Format(v)
	case a.Time:
		return clock(v)
	}
	return significant(v, 6)
}

// clock returns seconds since the start as text, such as "45 s", "5 min" or "1:30 min".
func clock(v float64) string {
	whole := int64(v)
	if whole < 120 && whole%60 != 0 || whole < 60 {
		return strconv.FormatInt(whole, 10) + " s"
	}
	if whole%60 == 0 {
		return figures.Count(whole/60) + " min"
	}
	rest := strconv.FormatInt(whole%60, 10)
	if len(rest) < 2 {
		rest = "0" + rest
	}
	return figures.Count(whole/60) + ":" + rest + " min"
}

// axisMilliseconds returns a tick in milliseconds, as short as it is exact; from 10 s on in seconds, since no more than
// eight letters have room beside the axis.
func axisMilliseconds(v float64) string {
	switch {
	case v >= 10_000:
		return significant(v/1000, 4) + " s"
	case v >= 1000:
		return figures.Count(int64(math.Round(v))) + " ms"
	}
	return significant(v, 4) + " ms"
}

// axisRate says a tick in events per second.
func axisRate(v float64) string {
	if v >= 1000 {
		return figures.Count(int64(math.Round(v))) + "/s"
	}
	return significant(v, 4) + "/s"
}

// significant returns a value with at most the given number of digits, and never with an exponent.
func significant(v float64, digits int) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		rounded = v
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// place writes a coordinate with one decimal at most.
func place(v float64) string {
	if !isFinite(v) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func finite(values []float64) []float64 {
	kept := make([]float64, 0, len(values))
	for _, v := range values {
		if isFinite(v) {
			kept = append(kept, v)
		}
	}
	return kept
}
