// Package stats holds the few statistics by which two services, or one service over time, are told apart: tests on
// pairs, intervals for quantiles and ratios, limits for the next value of a series, and change points. It is pure: no
// clock, no global random source, no state. Random procedures take a *rand.Rand, so that the same data and seed give
// the same answer for ever.
//
// Levels are probabilities between 0 and 1: an interval of level 0.95 holds the true value in 95 of 100 repeats.
package stats

import (
	"math"
	"slices"
)

// Interval is an estimate with its confidence interval.
type Interval struct {
	Value float64
	Low   float64
	High  float64
	// Level is the confidence that was reached. With very few values it is lower than the one asked for.
	Level float64
}

// mean is the arithmetic mean; NaN for no values.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation is the sample standard deviation (divisor n−1); NaN for fewer than two values.
func deviation(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// Median is the middle value, or the mean of the two middle ones; NaN for no values. It leaves its argument as it is.
func Median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the q-quantile (0 ≤ q ≤ 1) with linear interpolation between the closest ranks: type 7 of Hyndman and
// Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996), the default of R and NumPy. NaN
// for no values. It leaves its argument as it is.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return QuantileSorted(sorted, q)
}

// QuantileSorted is Quantile of values that are in ascending order already.
func QuantileSorted(sorted []float64, q float64) float64 {
	if len(sorted) == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	position := math.Min(math.Max(q, 0), 1) * float64(len(sorted)-1)
	below := int(position)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (position-float64(below))*(sorted[below+1]-sorted[below])
}
