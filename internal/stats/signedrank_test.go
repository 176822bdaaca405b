package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// depression is the paired data of M. Hollander and D. A. Wolfe, Nonparametric Statistical Methods (1973), p. 29:
// depression scale before minus after a tranquilizer. It is the example of R's wilcox.test: V = 40, one-sided p =
// 0.01953.
var depression = []float64{0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01}

// twentyFive has SciPy 1.10.1's exact probabilities; seventy its normal approximation with continuity correction.
var (
	twentyFive = []float64{0.301, 0.599, 0.026, -0.591, -0.155, -0.692, 0.36, 1.64, -0.192, -0.32, 0.79, 0.657, 0.405, -0.63, 0.271, 0.995,
		-1.044, -0.158, -1.601, -0.99, -1.542, 0.065, -0.967, 0.571, 0.457}
	seventy = []float64{0.0631, -2.2668, -0.2887, 0.2015, 0.3633, -1.2801, -0.2278, -0.7285, -0.5588, 1.3109, -0.5575, 0.2175, 1.1344,
		-0.3336, 0.1383, 0.3605, 0.3138, -0.9751, 0.3261, 1.6088, -1.2971, 1.1094, 0.3694, -0.3915, 2.2504, 1.0123, -0.9493, 0.3245, 0.8267,
		0.0612, 0.9329, 0.1835, 0.9172, 1.6885, -0.4257, 0.4531, -0.2133, 0.3773, -0.9372, -0.3293, 0.0538, 1.1488, 1.3952, -1.0735, -0.5446,
		0.8969, -1.7424, -0.2132, 0.1527, 1.507, 0.9394, -0.0772, -0.1186, -0.0002, 1.7735, -0.178, -0.0537, 0.6026, 0.1292, 0.0527, -0.8641,
		0.2385, -0.1936, 1.4161, 0.9031, 0.2259, 0.9184, -0.0899, 1.3021, 0.2446}
)

func TestSignedRankAgainstPublishedValues(t *testing.T) {
	for _, test := range []struct {
		name                    string
		differences             []float64
		positive                float64
		greater, less, twoSided float64
		exact                   bool
		location                float64
	}{
		{"Hollander and Wolfe", depression, 40, 0.01953125, 0.986328125, 0.0390625, true, 0.46},
		{"25 pairs", twentyFive, 152, 0.6144202947616577, 0.39573797583580017, 0.7914759516716003, true, -0.0605},
		{"70 pairs", seventy, 1565, 0.029755255408073555, 0.9706380671018093, 0.05951051081614711, false, 0.1884},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := WilcoxonSignedRank(test.differences)
			assert.Equal(t, test.positive, got.Positive)
			assert.Equal(t, test.exact, got.Exact)
			assert.InDelta(t, test.greater, got.Greater, 1e-12)
			assert.InDelta(t, test.less, got.Less, 1e-12)
			assert.InDelta(t, test.twoSided, got.TwoSided, 1e-12)
			assert.InDelta(t, test.location, HodgesLehmann(test.differences, 0.95).Value, 1e-12)
		})
	}
}

// The critical values of the signed-rank sum as printed in F. Wilcoxon and R. A. Wilcox, Some Rapid Approximate
// Statistical Procedures (1964), and copied into most textbooks: the largest sum whose one-sided probability is at most
// 0.05 and 0.025.
func TestSignedRankCutAgainstTheTable(t *testing.T) {
	for n, want := range map[int][2]int{6: {2, 0}, 7: {3, 2}, 8: {5, 3}, 9: {8, 5}, 10: {10, 8}, 12: {17, 13}, 15: {30, 25}, 20: {60, 52}, 25: {100, 89}, 30: {151, 137}} {
		five, below := signedRankCut(n, 0.05)
		assert.Equal(t, want[0], five, "n = %d, 5 %%", n)
		assert.LessOrEqual(t, below, 0.05)
		half, _ := signedRankCut(n, 0.025)
		assert.Equal(t, want[1], half, "n = %d, 2.5 %%", n)
	}
}

func TestSignedRankTiesAndZeros(t *testing.T) {
	// Sizes 1 1 2 2, ranks 1.5 1.5 3.5 3.5; of 16 sign patterns those with a positive sum of 8.5 or more are: the one with
	// all four (10), and the two without one rank of 1.5 (8.5): 3/16.
	got := WilcoxonSignedRank([]float64{0, 1, -1, 2, 2, 0, math.NaN()})
	assert.Equal(t, SignedRank{Pairs: 4, Zeros: 2, Positive: 8.5, Greater: 3.0 / 16, Less: 15.0 / 16, TwoSided: 6.0 / 16, Exact: true}, got)
	none := WilcoxonSignedRank([]float64{0, 0, 0})
	assert.Equal(t, SignedRank{Zeros: 3, Greater: 1, Less: 1, TwoSided: 1, Exact: true}, none)
	assert.Equal(t, 1.0, WilcoxonSignedRank(nil).Greater)
}

func TestSignedRankEqualsCountingEverySignPattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Whole numbers make ties and zeros common.
		values := rapid.SliceOfN(rapid.IntRange(-4, 4), 1, 10).Draw(t, "differences")
		differences, sizes := make([]float64, len(values)), []float64{}
		for i, v := range values {
			differences[i] = float64(v)
			if v != 0 {
				sizes = append(sizes, math.Abs(float64(v)))
			}
		}
		got := WilcoxonSignedRank(differences)
		atLeast, atMost, patterns := 0, 0, 1<<len(sizes)
		for pattern := range patterns {
			positive := 0.0
			for i, size := range sizes {
				rank := 0.5
				for _, other := range sizes {
					switch {
					case other < size:
						rank++
					case other == size:
						rank += 0.5
					}
				}
				if pattern>>i&1 == 1 {
					positive += rank
				}
			}
			if positive >= got.Positive {
				atLeast++
			}
			if positive <= got.Positive {
				atMost++
			}
		}
		if want := float64(atLeast) / float64(patterns); math.Abs(got.Greater-want) > 1e-12 {
			t.Fatalf("Greater = %v, counted %v", got.Greater, want)
		}
		if want := float64(atMost) / float64(patterns); math.Abs(got.Less-want) > 1e-12 {
			t.Fatalf("Less = %v, counted %v", got.Less, want)
		}
	})
}

func TestSignedRankMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 80).Draw(t, "differences")
		mirrored := make([]float64, len(values))
		for i, v := range values {
			mirrored[i] = -v
		}
		one, other := WilcoxonSignedRank(values), WilcoxonSignedRank(mirrored)
		if math.Abs(one.Greater-other.Less) > 1e-9 || math.Abs(one.TwoSided-other.TwoSided) > 1e-9 {
			t.Fatalf("%+v and its mirror %+v disagree", one, other)
		}
		estimate, opposite := HodgesLehmann(values, 0.95), HodgesLehmann(mirrored, 0.95)
		if math.Abs(estimate.Value+opposite.Value) > 1e-9 || math.Abs(estimate.Low+opposite.High) > 1e-9 {
			t.Fatalf("%+v and its mirror %+v disagree", estimate, opposite)
		}
	})
}

func TestExactAndApproximateAgreeWhereTheyMeet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		differences := make([]float64, exactPairs)
		for i := range differences {
			differences[i] = random.NormFloat64() + 0.2
		}
		exact := WilcoxonSignedRank(differences)
		mean, deviation := float64(exactPairs*(exactPairs+1))/4, math.Sqrt(float64(exactPairs*(exactPairs+1)*(2*exactPairs+1))/24)
		assert.InDelta(t, NormalCDF(-(exact.Positive-0.5-mean)/deviation), exact.Greater, 0.002)
	}
}

func TestHodgesLehmannInterval(t *testing.T) {
	// R: wilcox.test(depression, conf.int = TRUE): (pseudo)median 0.46, interval 0.010 to 0.786, reached level 0.9609375.
	got := HodgesLehmann(depression, 0.95)
	assert.InDelta(t, 0.46, got.Value, 1e-12)
	assert.InDelta(t, 0.010, got.Low, 1e-12)
	assert.InDelta(t, 0.786, got.High, 1e-12)
	assert.InDelta(t, 0.9609375, got.Level, 1e-12)
	few := HodgesLehmann([]float64{1, 2, 4}, 0.95)
	assert.Equal(t, Interval{Value: 2.25, Low: 1, High: 4, Level: 0.75}, few, "three values reach no more than 1 − 2/8")
	assert.True(t, math.IsNaN(HodgesLehmann(nil, 0.95).Value))
}

func TestHodgesLehmannIntervalHoldsItsLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	held, repeats := 0, 2000
	for range repeats {
		values := make([]float64, 20)
		for i := range values {
			values[i] = 3 + random.ExpFloat64() - random.ExpFloat64()
		}
		if i := HodgesLehmann(values, 0.95); i.Low <= 3 && 3 <= i.High {
			held++
		}
	}
	assert.InDelta(t, 0.95, float64(held)/float64(repeats), 0.02)
}
