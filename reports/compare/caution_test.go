package compare_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/stats"
	"agstest/reports"
	"agstest/reports/compare"
)

// environmentNoise is what a place does to the response times of an unchanged service, as factors: an offset of each
// job, a level that wanders from second to second, a slow drift over a job, and bursts in which half of the hits slow
// down.
type environmentNoise struct {
	name                      string
	job, level, remains       float64 // standard deviations of job and level, correlation of the level per second
	drift                     float64
	burstEvery, burst, slower float64 // seconds between bursts, their length, and by how much the half is slower
}

var environments = []environmentNoise{
	{name: "quiet", job: 0.005, level: 0.01, remains: 0.8},
	{name: "shared", job: 0.02, level: 0.04, remains: 0.9, drift: 0.01, burstEvery: 100, burst: 6, slower: 0.8},
	{name: "noisy", job: 0.05, level: 0.06, remains: 0.95, drift: 0.02, burstEvery: 50, burst: 8, slower: 1},
}

// loneRun is the response times of one job of 300 s at 100/s, in units of the median, ascending.
func (e environmentNoise) loneRun(random *rand.Rand) []float64 {
	times := make([]float64, 0, 30000)
	offset, drift := e.job*random.NormFloat64(), e.drift*random.NormFloat64()
	level, burst := e.level*random.NormFloat64(), 0.0
	for second := range 300 {
		level = e.remains*level + math.Sqrt(1-e.remains*e.remains)*e.level*random.NormFloat64()
		burst--
		if e.burstEvery > 0 && burst <= 0 && random.Float64() < 1/e.burstEvery {
			burst = e.burst * random.ExpFloat64()
		}
		factor := math.Exp(offset + level + drift*(float64(second)/150-1))
		for range 100 {
			v := responseAt(random.Float64()) * factor
			if burst > 0 && random.IntN(2) == 0 {
				v *= 1 + e.slower*random.ExpFloat64()
			}
			times = append(times, v)
		}
	}
	slices.Sort(times)
	return times
}

// rankSumGreater is the one-sided probability of the Mann–Whitney rank-sum test that b is not above a; both are
// ascending.
func rankSumGreater(a, b []float64) float64 {
	above, i := 0, 0
	for _, v := range b {
		for i < len(a) && a[i] < v {
			i++
		}
		above += i
	}
	n, m := float64(len(a)), float64(len(b))
	return stats.NormalCDF(-(float64(above) - n*m/2) / math.Sqrt(n*m*(n+m+1)/12))
}

// TestTwoLoneRunsCannotBeJudged gives the figures of TwoRunsCaution: how often two jobs of one and the same service are
// told apart. It simulates TWO_RUNS pairs of jobs in each of three environments:
//
//	TWO_RUNS=400 go test ./reports/compare -run TestTwoLoneRuns -v
func TestTwoLoneRunsCannotBeJudged(t *testing.T) {
	repeats, err := strconv.Atoi(os.Getenv("TWO_RUNS"))
	if err != nil || repeats < 1 {
		t.Skip("set TWO_RUNS to the number of pairs of jobs, such as 400")
	}
	for _, e := range environments {
		random := rand.New(rand.NewPCG(2026, 11))
		ranks, limit := 0, 0
		for range repeats {
			a, b := e.loneRun(random), e.loneRun(random)
			if rankSumGreater(a, b) < 0.05 {
				ranks++
			}
			if stats.QuantileSorted(b, 0.99) > 1.1*stats.QuantileSorted(a, 0.99) {
				limit++
			}
		}
		t.Logf("%s: of %d unchanged builds a rank test on raw samples flags %.0f %%, a limit of 10 %% on p99 %.0f %%",
			e.name, repeats, 100*float64(ranks)/float64(repeats), 100*float64(limit)/float64(repeats))
		assert.Greater(t, float64(ranks)/float64(repeats), 0.15, "a rank test of two lone runs would be of use after all")
	}
}

// A run that failed, or whose figures are not valid, is no better than another, whatever its times are.
func TestVerdictOfTheNewRunComesFirst(t *testing.T) {
	run := func(verdict reports.Verdict, reason string) *reports.Load {
		return &reports.Load{Verdict: verdict, Reason: reason}
	}
	for name, test := range map[string]struct {
		old, new, found, want reports.Verdict
	}{
		"failed and faster":         {reports.Pass, reports.Fail, reports.Improved, reports.Fail},
		"failed and not told apart": {reports.Pass, reports.Fail, reports.Inconclusive, reports.Fail},
		"not valid and faster":      {reports.Pass, reports.Invalid, reports.Improved, reports.NotComparable},
		"regressed all the same":    {reports.Pass, reports.Fail, reports.Regressed, reports.Regressed},
		"the old one failed":        {reports.Fail, reports.Pass, reports.Improved, reports.Improved},
		"inconclusive and faster":   {reports.Pass, reports.Inconclusive, reports.Improved, reports.Inconclusive},
		"inconclusive and as fast":  {reports.Pass, reports.Inconclusive, reports.Pass, reports.Inconclusive},
		"inconclusive, regressed":   {reports.Pass, reports.Inconclusive, reports.Regressed, reports.Regressed},
		"both passed":               {reports.Pass, reports.Pass, reports.Inconclusive, reports.Inconclusive},
	} {
		c := &compare.Comparison{Verdict: test.found, Reason: "Times moved."}
		c.Lead(run(test.old, "limits were kept"), run(test.new, "3 of 900 answers were not right: identity 3"))
		assert.Equal(t, test.want, c.Verdict, name)
		if test.old != reports.Pass || test.new != reports.Pass {
			assert.Equal(t, "The first load run says "+test.old.Word()+", the second "+test.new.Word()+
				": 3 of 900 answers were not right: identity 3. Times moved.", c.Reason, name)
		}
	}
}
