package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// BlockBootstrap is an interval for a statistic of a series that was cut into blocks: blocks are drawn again with
// replacement, whole, so that what neighbouring values have in common stays together (H. R. Künsch, "The jackknife and
// the bootstrap for general stationary observations", Annals of Statistics 17 (1989)). Statistic gets the indices of
// the blocks that were drawn, one or more times each, and must not keep the slice; Value is the statistic of each block
// once. Repeats under 1 means 2,000. Draws where the statistic is NaN are left out; if all are, or blocks is under 1,
// the interval is NaN. With one block the interval has no width: it says nothing.
func BlockBootstrap(random *rand.Rand, blocks, repeats int, level float64,
	statistic func(drawn []int) float64) Interval {
	if blocks < 1 {
		return Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	if repeats < 1 {
		repeats = 2000
	}
	drawn := make([]int, blocks)
	for i := range drawn {
		drawn[i] = i
	}
	value := statistic(drawn)
	values := make([]float64, 0, repeats)
	for range repeats {
		for i := range drawn {
			drawn[i] = random.IntN(blocks)
		}
		if v := statistic(drawn); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return Interval{
		Value: value,
		Low:   QuantileSorted(values, (1-level)/2),
		High:  QuantileSorted(values, 1-(1-level)/2),
		Level: level,
	}
}
