package stats

import (
	"math"
	"slices"
)

// exactPairs is up to how many pairs the signed-rank distribution is computed exactly. Beyond it the normal
// approximation is off by less than 0.002.
const exactPairs = 60

// SignedRank is the outcome of Wilcoxon's signed-rank test.
type SignedRank struct {
	// Pairs is the number of differences that took part: those that are not zero.
	Pairs int
	// Zeros is the number of differences that are zero. They say nothing about a direction and are left out, as Wilcoxon
	// did.
	Zeros int
	// Positive is the rank sum of the positive differences; tied sizes share the mean of their ranks.
	Positive float64
	// Greater is the probability of a rank sum at least this high if the differences lie evenly about zero; Less of one at
	// least this low; TwoSided of one at least this far out.
	Greater, Less, TwoSided float64
	// Exact: the probabilities count all sign patterns, ties included, rather than using the normal approximation.
	Exact bool
}

// WilcoxonSignedRank tests whether differences of pairs lie evenly about zero: F. Wilcoxon, "Individual comparisons by
// ranking methods", Biometrics Bulletin 1 (1945). It asks for neither a normal distribution nor equal spread, so that a
// burst in a few pairs does not decide. Up to 60 pairs that differ the probabilities are exact, also with ties; beyond
// that they are from the normal approximation with correction for ties and continuity. With no pair that differs every
// probability is 1. A NaN is treated as no pair.
func WilcoxonSignedRank(differences []float64) SignedRank {
	var result SignedRank
	kept := make([]float64, 0, len(differences))
	for _, d := range differences {
		switch {
		case math.IsNaN(d):
		case d == 0:
			result.Zeros++
		default:
			kept = append(kept, d)
		}
	}
	slices.SortFunc(kept, func(a, b float64) int {
		switch x, y := math.Abs(a), math.Abs(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	n := len(kept)
	result.Pairs = n
	if n == 0 {
		result.Greater, result.Less, result.TwoSided, result.Exact = 1, 1, 1, true
		return result
	}
	// Ranks are kept doubled, so that the mean rank of a tie is a whole number.
	ranks := make([]int, n)
	positive, ties := 0, 0.0
	for i := 0; i < n; {
		j := i + 1
		for j < n && math.Abs(kept[j]) == math.Abs(kept[i]) {
			j++
		}
		size := float64(j - i)
		ties += size*size*size - size
		for k := i; k < j; k++ {
			ranks[k] = i + 1 + j // 2 × mean of i+1 … j
			if kept[k] > 0 {
				positive += ranks[k]
			}
		}
		i = j
	}
	result.Positive = float64(positive) / 2
	if n <= exactPairs {
		result.Exact = true
		distribution := signedRankDistribution(ranks)
		result.Greater = math.Min(1, sum(distribution[positive:]))
		result.Less = math.Min(1, sum(distribution[:positive+1]))
	} else {
		count := float64(n)
		mean := count * (count + 1) / 4
		deviation := math.Sqrt(count*(count+1)*(2*count+1)/24 - ties/48)
		result.Greater = NormalCDF(-(result.Positive - 0.5 - mean) / deviation)
		result.Less = NormalCDF((result.Positive + 0.5 - mean) / deviation)
	}
	result.TwoSided = math.Min(1, 2*math.Min(result.Greater, result.Less))
	return result
}

// signedRankDistribution is the probability of each sum of the given (doubled) ranks when each is taken with
// probability one half.
func signedRankDistribution(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	distribution := make([]float64, total+1)
	distribution[0] = 1
	reached := 0
	for _, r := range ranks {
		reached += r
		for s := reached; s >= r; s-- {
			distribution[s] = 0.5*distribution[s] + 0.5*distribution[s-r]
		}
		for s := r - 1; s >= 0; s-- {
			distribution[s] *= 0.5
		}
	}
	return distribution
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// HodgesLehmann is the median of the means of all pairs of values (Walsh averages), the estimate of location that
// belongs to the signed-rank test, with the interval of values that the test would not reject at 1−level: J. L. Hodges
// and E. L. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34 (1963). With
// fewer than 6 values no interval of level 0.95 exists; then it spans all averages and Level says what that is worth.
// Work and memory grow with the square of the number of values.
func HodgesLehmann(values []float64, level float64) Interval {
	n := len(values)
	if n == 0 {
		return Interval{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	averages := make([]float64, 0, n*(n+1)/2)
	for i := range values {
		for j := i; j < n; j++ {
			averages = append(averages, values[i]/2+values[j]/2)
		}
	}
	slices.Sort(averages)
	// With k of the averages cut off at each end, the interval misses with probability 2·P(W ≤ k), W the rank sum without
	// ties.
	k, outside := signedRankCut(n, (1-level)/2)
	return Interval{
		Value: QuantileSorted(averages, 0.5),
		Low:   averages[k],
		High:  averages[len(averages)-1-k],
		Level: 1 - 2*outside,
	}
}

// signedRankCut is the largest k with P(W ≤ k) ≤ tail for the rank sum W of n pairs without ties, and that probability.
// Where not even P(W = 0) is that small it is k = 0 and P(W = 0).
func signedRankCut(n int, tail float64) (int, float64) {
	count := float64(n)
	if n > exactPairs {
		mean, deviation := count*(count+1)/4, math.Sqrt(count*(count+1)*(2*count+1)/24)
		k := max(0, int(math.Floor(mean-0.5+NormalQuantile(tail)*deviation)))
		return k, NormalCDF((float64(k) + 0.5 - mean) / deviation)
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	distribution := signedRankDistribution(ranks)
	k, below := 0, distribution[0]
	for k+1 < len(distribution) && below+distribution[k+1] <= tail {
		k++
		below += distribution[k]
	}
	return k, below
}
