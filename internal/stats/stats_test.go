package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestQuantileIsType7(t *testing.T) {
	// R: quantile(c(1, 2, 4, 8, 16), c(0, .1, .25, .5, .9, 1), type = 7)
	values := []float64{16, 1, 4, 2, 8}
	for q, want := range map[float64]float64{0: 1, 0.1: 1.4, 0.25: 2, 0.5: 4, 0.9: 12.8, 1: 16} {
		assert.InDelta(t, want, quantile(values, q), 1e-12, "q = %v", q)
	}
	assert.Equal(t, []float64{16, 1, 4, 2, 8}, values, "the argument stays as it is")
	assert.True(t, math.IsNaN(Median(nil)))
	assert.Equal(t, 2.5, Median([]float64{4, 1, 3, 2}))
}

func TestMeanAndDeviation(t *testing.T) {
	assert.Equal(t, 5.0, mean([]float64{2, 4, 4, 4, 5, 5, 7, 9}))
	assert.InDelta(t, math.Sqrt(32.0/7), deviation([]float64{2, 4, 4, 4, 5, 5, 7, 9}), 1e-12)
	assert.True(t, math.IsNaN(mean(nil)))
	assert.True(t, math.IsNaN(deviation([]float64{1})))
}

// Values of scipy.stats.t and scipy.special.betainc, SciPy 1.10.1; the quantiles also stand in every printed table of
// the t distribution.
func TestStudentAndBetaAgainstTables(t *testing.T) {
	for _, row := range [][3]float64{
		{0.5, 1, 0.6475836176504333}, {1, 2, 0.7886751345948129}, {2.228, 10, 0.9749941140914443}, {1.8, 9, 0.9473046642067956},
		{3.5, 4, 0.9875519182698886}, {-1.2, 19, 0.12244446266039932}, {2.5, 59, 0.9923904290261831}, {10, 3, 0.9989358004707929},
		{0.1, 120, 0.539744400342165},
	} {
		assert.InDelta(t, row[2], studentCDF(row[0], row[1]), 1e-12, "t = %v, %v degrees of freedom", row[0], row[1])
	}
	for _, row := range [][3]float64{
		{0.95, 9, 1.8331129326536335}, {0.975, 9, 2.2621571627409915}, {0.95, 19, 1.729132811521367}, {0.99, 10, 2.763769457447889},
		{0.9975, 19, 3.17372453069486}, {0.05, 4, -2.1318467813362907}, {0.95, 1, 6.313751514800932}, {0.9999, 9, 6.010132129355483},
	} {
		assert.InDelta(t, row[2], StudentQuantile(row[0], row[1]), 1e-8, "p = %v, %v degrees of freedom", row[0], row[1])
	}
	for _, row := range [][4]float64{
		{0.5, 0.5, 0.3, 0.3690101195655454}, {2, 3, 0.4, 0.5248}, {10, 0.5, 0.9, 0.15164090963470997},
		{30, 0.5, 0.99, 0.439334368905251}, {5, 5, 0.5, 0.5}, {100, 200, 0.3, 0.10884306564491235},
	} {
		assert.InDelta(t, row[3], IncompleteBeta(row[0], row[1], row[2]), 1e-12, "I_%v(%v, %v)", row[2], row[0], row[1])
	}
	assert.InDelta(t, 1.959963984540054, NormalQuantile(0.975), 1e-12)
	assert.InDelta(t, 0.975, NormalCDF(1.959963984540054), 1e-12)
	assert.True(t, math.IsNaN(IncompleteBeta(0, 1, 0.5)))
	assert.True(t, math.IsNaN(studentCDF(1, 0)))
	assert.True(t, math.IsInf(StudentQuantile(1, 3), 1))
}

func TestStudentQuantileInvertsItsCDF(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(1e-6, 1-1e-6).Draw(t, "p")
		freedom := float64(rapid.IntRange(1, 200).Draw(t, "freedom"))
		q := StudentQuantile(p, freedom)
		if got := studentCDF(q, freedom); math.Abs(got-p) > 1e-9 {
			t.Fatalf("CDF(quantile(%v)) = %v", p, got)
		}
	})
}

func TestHolm(t *testing.T) {
	// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
	assert.InDeltaSlice(t, []float64{0.03, 0.06, 0.06, 0.02}, Holm([]float64{0.01, 0.04, 0.03, 0.005}), 1e-12)
	assert.Empty(t, Holm(nil))
	adjusted := Holm([]float64{0.02, math.NaN(), 0.9})
	assert.Equal(t, 0.04, adjusted[0])
	assert.True(t, math.IsNaN(adjusted[1]), "a test that was not made is not counted")
	assert.Equal(t, 0.9, adjusted[2])
}

func TestHolmIsMonotoneAndNeverBelowTheRawProbability(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 30).Draw(t, "raw")
		adjusted := Holm(raw)
		for i := range raw {
			if adjusted[i] < raw[i] || adjusted[i] > 1 {
				t.Fatalf("%v became %v", raw[i], adjusted[i])
			}
			for j := range raw {
				if raw[i] < raw[j] && adjusted[i] > adjusted[j] {
					t.Fatalf("order of %v and %v turned round", raw[i], raw[j])
				}
			}
		}
	})
}

func TestPrediction(t *testing.T) {
	p := Predict([]float64{10, 11, 9, 10, 12, 8, 10, 11, 9, 10})
	// mean 10, s = √(12/9), t(0.95; 9) = 1.8331, √(1+1/10) = 1.0488
	assert.InDelta(t, 10+1.8331129326536335*math.Sqrt(12.0/9)*math.Sqrt(1.1), p.Upper(0.95), 1e-9)
	assert.InDelta(t, 20-p.Upper(0.95), p.Lower(0.95), 1e-9)
	assert.InDelta(t, 0.05, p.Above(p.Upper(0.95)), 1e-9)
	assert.InDelta(t, 0.5, p.Above(10), 1e-9)
	assert.True(t, math.IsNaN(Predict([]float64{1}).Upper(0.95)), "one value has no spread")
	assert.Equal(t, 0.0, Predict([]float64{5, 5, 5}).Above(6))
	assert.Equal(t, 0.5, Predict([]float64{5, 5, 5}).Above(5))
}

func TestPredictionLimitHoldsItsLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	over, repeats := 0, 20000
	factor := Predict([]float64{-1, 1, -1, 1, -1, 1, -1, 1, -1, 1}).Upper(0.95) / deviation([]float64{-1, 1, -1, 1, -1, 1, -1, 1, -1, 1})
	for range repeats {
		earlier := make([]float64, 10)
		for i := range earlier {
			earlier[i] = random.NormFloat64()
		}
		// Upper is the mean and so many deviations, whatever the values.
		if random.NormFloat64() > mean(earlier)+factor*deviation(earlier) {
			over++
		}
	}
	// ±4 standard errors of a 5 % share in 20,000 repeats
	assert.InDelta(t, 0.05, float64(over)/float64(repeats), 0.0062)
}

func TestBlockBootstrap(t *testing.T) {
	blocks := make([]float64, 40)
	source := rand.New(rand.NewPCG(3, 4))
	for i := range blocks {
		blocks[i] = 100 + 10*source.NormFloat64()
	}
	drawnMean := func(drawn []int) float64 {
		total := 0.0
		for _, i := range drawn {
			total += blocks[i]
		}
		return total / float64(len(drawn))
	}
	got := BlockBootstrap(rand.New(rand.NewPCG(5, 6)), len(blocks), 4000, 0.95, drawnMean)
	assert.Equal(t, mean(blocks), got.Value)
	// For a mean the bootstrap interval is the normal one but for its own chance.
	half := 1.96 * deviation(blocks) / math.Sqrt(40)
	assert.InDelta(t, got.Value-half, got.Low, 0.15*half)
	assert.InDelta(t, got.Value+half, got.High, 0.15*half)
	again := BlockBootstrap(rand.New(rand.NewPCG(5, 6)), len(blocks), 4000, 0.95, drawnMean)
	assert.Equal(t, got, again, "the same seed gives the same interval")
	assert.True(t, math.IsNaN(BlockBootstrap(source, 0, 10, 0.95, drawnMean).Low))
	none := BlockBootstrap(source, 3, 10, 0.95, func([]int) float64 { return math.NaN() })
	assert.True(t, math.IsNaN(none.High))
}

func TestChangePoints(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	var series []float64
	for _, level := range []float64{100, 100, 110, 110, 95} {
		for range 20 {
			series = append(series, level+random.NormFloat64())
		}
	}
	points := ChangePoints(rand.New(rand.NewPCG(1, 1)), series, ChangeOptions{})
	require.Len(t, points, 2)
	assert.Equal(t, 40, points[0].Index)
	assert.Equal(t, 80, points[1].Index)
	assert.InDelta(t, 100, points[0].Before, 0.6)
	assert.InDelta(t, 110, points[0].After, 0.6)
	assert.InDelta(t, 95, points[1].After, 0.6)
	assert.LessOrEqual(t, points[0].Probability, 0.01)
	assert.Equal(t, points, ChangePoints(rand.New(rand.NewPCG(1, 1)), series, ChangeOptions{}), "the same seed finds the same points")
}

func TestChangePointsOfShortAndConstantSeries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	assert.Empty(t, ChangePoints(random, nil, ChangeOptions{}))
	assert.Empty(t, ChangePoints(random, []float64{1, 2, 3, 9, 9, 9, 9, 9, 9}, ChangeOptions{}), "nine values have no two sides of five")
	assert.Empty(t, ChangePoints(random, make([]float64, 50), ChangeOptions{}))
}

func TestChangePointsAreRareInNoise(t *testing.T) {
	random, found := rand.New(rand.NewPCG(9, 9)), 0
	for range 100 {
		series := make([]float64, 20)
		for i := range series {
			series[i] = random.NormFloat64()
		}
		if len(ChangePoints(random, series, ChangeOptions{Shuffles: 99})) > 0 {
			found++
		}
	}
	assert.LessOrEqual(t, found, 5, "1 %% of 100 is 1; 5 is 4 standard errors beyond it")
}
