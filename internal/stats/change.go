package stats

import (
	"math"
	"math/rand/v2"
)

// ChangePoint is a place in a series where the values before and after differ.
type ChangePoint struct {
	Index         int     // the first value of the new stretch
	Before, After float64 // medians of the stretches on both sides
	Probability   float64 // of a split this strong in values that are only shuffled
}

// ChangeOptions tunes ChangePoints. The zero value works.
type ChangeOptions struct {
	// Shortest is the least number of values on each side; under 2 means 5.
	Shortest int
	// Level is the probability under which a split counts; 0 means 0.01.
	Level float64
	// Shuffles is the number of permutations; under 1 means 499.
	Shuffles int
}

// ChangePoints finds where a series changes its level or spread, by E-divisive: D. S. Matteson and N. A. James, "A
// nonparametric approach for multiple change point analysis of multivariate data", Journal of the American Statistical
// Association 109 (2014). The series is split where the energy distance of both sides is largest, a permutation test
// decides whether that is chance, and both sides are searched again. Points come in ascending order. Work grows with
// the square of the length times the number of shuffles: a few hundred values are meant, such as the runs of a year.
func ChangePoints(random *rand.Rand, series []float64, options ChangeOptions) []ChangePoint {
	if options.Shortest < 2 {
		options.Shortest = 5
	}
	if options.Level == 0 {
		options.Level = 0.01
	}
	if options.Shuffles < 1 {
		options.Shuffles = 499
	}
	var splits []ChangePoint
	var search func(from, to int)
	search = func(from, to int) {
		part := series[from:to]
		at, strength := strongestSplit(part, options.Shortest)
		if at < 0 {
			return
		}
		shuffled := append([]float64(nil), part...)
		atLeast := 1
		for range options.Shuffles {
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if _, other := strongestSplit(shuffled, options.Shortest); other >= strength {
				atLeast++
				// No later shuffle can bring it under the level again.
				if float64(atLeast) > options.Level*float64(options.Shuffles+1) {
					return
				}
			}
		}
		search(from, from+at)
		splits = append(splits,
			ChangePoint{Index: from + at, Probability: float64(atLeast) / float64(options.Shuffles+1)})
		search(from+at, to)
	}
	search(0, len(series))
	for i := range splits {
		from, to := 0, len(series)
		if i > 0 {
			from = splits[i-1].Index
		}
		if i+1 < len(splits) {
			to = splits[i+1].Index
		}
		splits[i].Before = Median(series[from:splits[i].Index])
		splits[i].After = Median(series[splits[i].Index:to])
	}
	return splits
}

// strongestSplit is where the scaled energy distance of both sides is largest, and how large; −1 where the series is
// too short or constant. It moves one value at a time from the right side to the left and keeps the three sums of
// distances up to date.
func strongestSplit(values []float64, shortest int) (int, float64) {
	n := len(values)
	if n < 2*shortest {
		return -1, 0
	}
	left, right, between := 0.0, 0.0, 0.0
	for i := range values {
		for j := i + 1; j < n; j++ {
			right += math.Abs(values[i] - values[j])
		}
	}
	best, strength := -1, 0.0
	for at := 1; at <= n-shortest; at++ {
		moved := values[at-1]
		toLeft, toRight := 0.0, 0.0
		for _, v := range values[:at-1] {
			toLeft += math.Abs(v - moved)
		}
		for _, v := range values[at:] {
			toRight += math.Abs(v - moved)
		}
		left += toLeft
		right -= toRight
		between += toRight - toLeft
		if at < shortest {
			continue
		}
		a, b := float64(at), float64(n-at)
		energy := 2/(a*b)*between - left/(a*(a-1)/2) - right/(b*(b-1)/2)
		if scaled := a * b / (a + b) * energy; scaled > strength {
			best, strength = at, scaled
		}
	}
	return best, strength
}
