package tally

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// exact is the value at a quantile of sorted samples, by nearest rank.
func exact(sorted []int64, q float64) int64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func TestPercentilesAreWithinAThousandthOfTheSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name   string
		sample func() float64 // seconds
	}{
		{"log-normal around 5 ms", func() float64 { return 0.005 * math.Exp(random.NormFloat64()*0.5) }},
		{"fast, around 60 µs", func() float64 { return 0.00006 * math.Exp(random.NormFloat64()*0.2) }},
		{"sparse slow tail", func() float64 {
			switch u := random.Float64(); {
			case u < 0.0005:
				return 1
			case u < 0.0035:
				return 0.25 + random.Float64()*0.01
			}
			return 0.005 + random.Float64()*0.001
		}},
		{"a stall of 2 s", func() float64 {
			if random.Float64() < 0.2 {
				return random.Float64() * 2
			}
			return 0.0002
		}},
		{"minutes", func() float64 { return random.Float64() * 600 }},
	} {
		for _, n := range []int{1, 10, 357, 360, 10_000, 120_000} {
			t.Run(c.name, func(t *testing.T) {
				var d Histogram
				samples := make([]int64, n)
				for i := range samples {
					samples[i] = int64(c.sample() * 1e9)
					d.Add(time.Duration(samples[i]))
				}
				slices.Sort(samples)
				for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999} {
					assert.InEpsilon(t, exact(samples, q), d.Quantiles(q)[0], 0.001, "n %d, quantile %v", n, q)
				}
				p := d.Percentiles()
				assert.Equal(t, samples[0], p.Min)
				assert.Equal(t, samples[n-1], p.Max)
				assert.Equal(t, int64(n), p.Count)
				last := int64(0)
				for _, point := range d.Curve() {
					assert.GreaterOrEqual(t, point.Value, last)
					last = point.Value
				}
				assert.Equal(t, samples[n-1], last)
			})
		}
	}
}

func TestPackedDistributionsAddUpExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := func(name string) []int64 {
			return rapid.SliceOf(rapid.Int64Range(-5, 2*int64(longestTime))).Draw(t, name)
		}
		var whole, left, right, sum Histogram
		for _, v := range values("left") {
			whole.Add(time.Duration(v))
			left.Add(time.Duration(v))
		}
		for _, v := range values("right") {
			whole.Add(time.Duration(v))
			right.Add(time.Duration(v))
		}
		var p Packer
		require.NoError(t, sum.AddPacked(p.Pack(&left)))
		require.NoError(t, sum.AddPacked(p.Pack(&right)))
		assert.Equal(t, whole.Percentiles(), sum.Percentiles())
		assert.Equal(t, whole.Curve(), sum.Curve())
		both, err := addUp(p.Pack(&left), p.Pack(&right))
		require.NoError(t, err)
		assert.Equal(t, p.Pack(&whole), both)
		several, err := sumOf([]Packed{p.Pack(&left), nil, p.Pack(&right)}, &sheet{})
		require.NoError(t, err)
		assert.Equal(t, p.Pack(&whole), several)
		left.Merge(&right)
		assert.Equal(t, whole.Percentiles(), left.Percentiles())
		left.Reset()
		assert.Zero(t, left.Percentiles())
	})
}

// Many distributions added up in a histogram give the same sum as adding one to the other.
func TestManyPackedDistributionsAddUpExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Packer
		var parts []Packed
		var one Packed
		for range rapid.IntRange(fewParts+1, 3*fewParts).Draw(t, "parts") {
			var d Histogram
			for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 2*int64(longestTime)), 1, 20).Draw(t, "values") {
				d.AddTimes(v, rapid.Int64Range(1, 300).Draw(t, "times"))
			}
			parts = append(parts, p.Pack(&d))
			var err error
			one, err = addUp(one, parts[len(parts)-1])
			require.NoError(t, err)
		}
		var room sheet
		for range 2 { // what was in it is not in the next sum
			sum, err := sumOf(parts, &room)
			require.NoError(t, err)
			require.Equal(t, one, sum)
		}
		_, err := sumOf(append(parts, Packed{1}), &room)
		require.ErrorIs(t, err, errPacked)
		var all, whole Histogram
		require.NoError(t, whole.AddPacked(one))
		sum, err := sumOf(parts, &room)
		require.NoError(t, err)
		require.Equal(t, one, sum)
		room.moveTo(&all)
		require.Equal(t, whole.Percentiles(), all.Percentiles())
		require.Equal(t, one, p.Pack(&all))
	})
}

// A place of a sheet holds what a Histogram cannot tell apart, and is named by the same value.
func TestPlacesOfASheetAreThoseOfAHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := min(rapid.Int64Range(0, int64(longestTime)).Draw(t, "value")>>rapid.IntRange(0, 39).Draw(t, "smaller"), int64(longestTime))
		var d Histogram
		d.AddTimes(value, 1)
		least := d.values()[0].Value
		assert.Equal(t, least, valueAt(placeIn(value)))
		assert.Equal(t, placeIn(value), placeIn(least))
	})
}

// A sheet reads what a Histogram reads, of one and of several at once, and finds the same damage.
func TestASheetReadsWhatAHistogramReads(t *testing.T) {
	packed := func(t *rapid.T) Packed {
		start := rapid.Int64Range(0, 3e9).Draw(t, "start")
		p := Packed(binary.AppendUvarint(nil, uint64(start)))
		p = binary.AppendUvarint(binary.AppendUvarint(p, uint64(longestTime)), 7)
		for range rapid.IntRange(1, 60).Draw(t, "values") {
			distance := rapid.Int64Range(0, int64(longestTime)).Draw(t, "distance") >> rapid.IntRange(0, 39).Draw(t, "smaller")
			p = binary.AppendUvarint(p, uint64(distance))
			p = binary.AppendUvarint(p, uint64(rapid.Int64Range(0, 1<<20).Draw(t, "times")>>rapid.IntRange(0, 20).Draw(t, "fewer")))
		}
		if rapid.Bool().Draw(t, "cut") {
			p = p[:rapid.IntRange(0, len(p)).Draw(t, "at")]
		}
		return p
	}
	rapid.Check(t, func(t *rapid.T) {
		var wholly, whole Histogram
		var all sheet
		var parts []Packed
		var damage []error
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			p := packed(t)
			var d, moved Histogram
			var s sheet
			want, got := d.AddPacked(p), s.add(p)
			require.Equal(t, want, got)
			s.moveTo(&moved)
			require.Equal(t, d.Percentiles(), moved.Percentiles())
			require.Equal(t, d.values(), moved.values())
			_ = whole.AddPacked(p)
			parts, damage = append(parts, p), append(damage, want)
		}
		require.Equal(t, errors.Join(damage...), all.addAll(parts))
		all.moveTo(&wholly)
		require.Equal(t, whole.Percentiles(), wholly.Percentiles())
		require.Equal(t, whole.values(), wholly.values())
	})
}

func FuzzPacked(f *testing.F) {
	var d Histogram
	d.Add(time.Millisecond)
	d.Add(3 * time.Second)
	f.Add([]byte((&Packer{}).Pack(&d)))
	f.Add([]byte{0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Histogram
		addUp(data, data)
		_ = new(sheet).addAll([]Packed{data, data})
		if d.AddPacked(data) == nil && d.count > 0 {
			assert.LessOrEqual(t, d.Percentiles().Max, int64(longestTime))
		}
	})
}

func BenchmarkDistributionAdd(b *testing.B) {
	var d Histogram
	for i := range b.N {
		d.Add(time.Duration(i%5_000_000 + 200_000))
	}
}
