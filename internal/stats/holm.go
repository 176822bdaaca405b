package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts the probabilities of several tests, so that calling those under a level significant is wrong about any
// of them with at most that probability, however the tests depend on each other: S. Holm, "A simple sequentially
// rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979). The answer is in the order of the
// argument, which stays as it is. A NaN stays NaN and does not count as a test.
func Holm(probabilities []float64) []float64 {
	adjusted := slices.Clone(probabilities)
	order := make([]int, 0, len(probabilities))
	for i, p := range probabilities {
		if !math.IsNaN(p) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(probabilities[i], probabilities[j]) })
	highest := 0.0
	for rank, i := range order {
		highest = math.Max(highest, math.Min(1, float64(len(order)-rank)*probabilities[i]))
		adjusted[i] = highest
	}
	return adjusted
}
