package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anySchedule draws a schedule of at most a few thousand hits.
func anySchedule(t *rapid.T) Schedule {
	length := func() time.Duration {
		return time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(20*time.Second)).Draw(t, "length"))
	}
	rate := func(low int64) Rate {
		return Rate{Hits: rapid.Int64Range(low, 20_000).Draw(t, "hits"),
			Per: rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour}).Draw(t,
				"per")}
	}
	var stages []Schedule
	for range rapid.IntRange(1, 3).Draw(t, "stages") {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			stages = append(stages, Constant(rate(0), length()))
		case 1:
			stages = append(stages, Ramp(rate(0), rate(0), length()))
		case 2:
			stages = append(stages, stepCurve(rate(0), rate(0), rapid.IntRange(1, 7).Draw(t, "steps"), length()))
		case 3:
			stages = append(stages, spikeCurve(rate(0), rate(0), length(), length(), length(), 70*time.Second))
		case 4:
			mean := rate(1)
			amplitude := Rate{Hits: mean.Hits * int64(rapid.IntRange(0, 100).Draw(t, "percent")), Per: mean.Per * 100}
			stages = append(stages, sineCurve(mean, amplitude, length(), length()))
		case 5:
			stages = append(stages, poissonProcess(rate(1), length(), rapid.Uint64().Draw(t, "seed")))
		}
	}
	if len(stages) == 1 {
		return stages[0]
	}
	return Sequence(stages...)
}

func TestScheduleCountsWhatIsDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		if s.Hits() == 0 {
			assert.Zero(t, s.Count(s.Length()))
			return
		}
		last := time.Duration(-1)
		from := rapid.Uint64Range(0, s.Hits()-1).Draw(t, "from")
		if from > 0 {
			last = s.At(from - 1)
		}
		for n := from; n < min(from+50, s.Hits()); n++ {
			at := s.At(n)
			if at <= last || at >= s.Length() {
				t.Fatalf("%s: hit %d is due at %d, after %d, in %d", s, n, at, last, s.Length())
			}
			if got := s.Count(at); got != n+1 {
				t.Fatalf("%s: Count(At(%d)) = %d", s, n, got)
			}
			if got := s.Count(at - 1); got != n {
				t.Fatalf("%s: Count(At(%d)−1) = %d", s, n, got)
			}
			last = at
		}
		assert.Equal(t, s.Hits(), s.Count(s.Length()))
		assert.Equal(t, s.Hits(), s.Count(s.Length()+time.Hour))
		assert.Zero(t, s.Count(-1))
	})
}

func TestShardsPartitionTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		of := rapid.IntRange(1, 9).Draw(t, "of")
		at := time.Duration(rapid.Int64Range(0, int64(s.Length())).Draw(t, "at"))
		var hits, count uint64
		for i := 1; i <= of; i++ {
			part := ShardOf(s, Shard{Index: i, Of: of})
			hits += part.Hits()
			count += part.Count(at)
			if part.Hits() > 0 {
				n := rapid.Uint64Range(0, part.Hits()-1).Draw(t, "n")
				assert.Equal(t, s.At(n*uint64(of)+uint64(i-1)), part.At(n))
				assert.Equal(t, n+1, part.Count(part.At(n)))
			}
		}
		assert.Equal(t, s.Hits(), hits)
		assert.Equal(t, s.Count(at), count)
	})
}

func TestSchedulesDueTimes(t *testing.T) {
	per := func(n int64) Rate { return Rate{Hits: n, Per: time.Second} }
	for _, c := range []struct {
		name     string
		schedule Schedule
		hits     uint64
		at       map[uint64]time.Duration
		words    string
	}{
		{"constant", Constant(per(200), 30*time.Second), 6000,
			map[uint64]time.Duration{0: 0, 1: 5 * time.Millisecond, 5999: 29995 * time.Millisecond},
			"constant 200/s for 30s"},
		{"a third of a hit", Constant(Rate{Hits: 1, Per: 3 * time.Second}, 7*time.Second), 3,
			map[uint64]time.Duration{2: 6 * time.Second}, "constant 0.3333333333333333/s for 7s"},
		// A ramp from 0 to 100/s in 10 s has n hits after √(n/5) seconds: 500 in all.
		{"ramp up", Ramp(per(0), per(100), 10*time.Second), 500,
			map[uint64]time.Duration{5: time.Second, 20: 2 * time.Second, 125: 5 * time.Second},
			"ramp 0/s to 100/s over 10s"},
		{"ramp down", Ramp(per(100), per(0), 10*time.Second), 500, map[uint64]time.Duration{375: 5 * time.Second},
			"ramp 100/s to 0/s over 10s"},
		{"steps", stepCurve(per(10), per(30), 3, 3*time.Second), 60,
			map[uint64]time.Duration{9: 900 * time.Millisecond, 10: time.Second, 30: 2 * time.Second},
			"3 steps from 10/s to 30/s over 3s"},
		{"spike", spikeCurve(per(10), per(100), 0, time.Second, 0, 3*time.Second), 120,
			map[uint64]time.Duration{10: time.Second, 110: 2 * time.Second},
			"spike from 10/s to 100/s (rise 0s, hold 1s, fall 0s) in 3s"},
		// Over whole periods a sine has its mean.
		{"sine", sineCurve(per(100), per(50), 2*time.Second, 4*time.Second), 400,
			map[uint64]time.Duration{0: 0, 200: 2 * time.Second}, "sine 100/s ± 50/s with a period of 2s for 4s"},
		{"stages", Sequence(Constant(per(10), time.Second), Constant(per(0), time.Second),
			Constant(per(20), time.Second)), 30, map[uint64]time.Duration{9: 900 * time.Millisecond,
			10: 2 * time.Second, 11: 2050 * time.Millisecond},
			"constant 10/s for 1s, then constant 0/s for 1s, then constant 20/s for 1s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.hits, c.schedule.Hits())
			for n, want := range c.at {
				assert.InDelta(t, want, c.schedule.At(n), 2, "At(%d)", n)
			}
			assert.Equal(t, c.words, c.schedule.String())
		})
	}
}

func TestPoissonArrivals(t *testing.T) {
	rate := Rate{Hits: 1000, Per: time.Second}
	s := poissonProcess(rate, 100*time.Second, 7)
	assert.Equal(t, s.Hits(), poissonProcess(rate, 100*time.Second, 7).Hits(), "the same seed gives the same hits")
	assert.NotEqual(t, s.At(1000), poissonProcess(rate, 100*time.Second, 8).At(1000), "another seed gives others")
	// 100,000 expected, standard deviation 316; the gaps have a mean of 1 ms and, being exponential, a standard
	// deviation as large.
	assert.InDelta(t, 100_000, float64(s.Hits()), 5*316)
	var sum, squares float64
	for n := uint64(1); n < s.Hits(); n++ {
		gap := (s.At(n) - s.At(n-1)).Seconds()
		sum, squares = sum+gap, squares+gap*gap
	}
	n := float64(s.Hits() - 1)
	mean := sum / n
	assert.InDelta(t, 0.001, mean, 0.00002)
	assert.InDelta(t, 1, (squares/n-mean*mean)/(mean*mean), 0.05)
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"200/s": {Hits: 200, Per: time.Second}, "12000/m": {Hits: 12000, Per: time.Minute},
		"12000/min": {Hits: 12000, Per: time.Minute},
		"7200/h":    {Hits: 7200, Per: time.Hour}, "0.5/s": {Hits: 5, Per: 10 * time.Second},
		" 2.50/s ": {Hits: 25, Per: 10 * time.Second},
		"max":      {Max: true}, "0/s": {Hits: 0, Per: time.Second},
	} {
		got, err := ParseRate(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, word := range map[string]string{
		"": "no unit", "200": "no unit", "200/d": "per s, m or h", "x/s": "start with a number",
		"-1/s": "start with a number", "+1/s": "start with a number",
		"1e3/s": "start with a number", "99999999/s": "more than any generator", "/s": "start with a number",
		"NaN/s": "start with a number",
	} {
		_, err := ParseRate(text)
		assert.ErrorContains(t, err, word, text)
	}
	assert.Equal(t, "0.5/s", Rate{Hits: 5, Per: 10 * time.Second}.String())
	assert.Equal(t, "max", Rate{Max: true}.String())
	assert.Equal(t, "12000/m", Rate{Hits: 12000, Per: time.Minute}.String())
}

func BenchmarkAt(b *testing.B) {
	per := func(n int64) Rate { return Rate{Hits: n, Per: time.Second} }
	for _, s := range []Schedule{
		Constant(per(5000), time.Hour), Ramp(per(0), per(5000), time.Hour),
		sineCurve(per(5000), per(1000), time.Minute, time.Hour), poissonProcess(per(5000), time.Hour, 1),
	} {
		b.Run(s.String(), func(b *testing.B) {
			for i := range b.N {
				s.At(uint64(i) % s.Hits())
			}
		})
	}
}
