package compare_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/internal/stats"
	"agstest/reports"
	"agstest/reports/compare"
)

// sharedNode simulates blocks of hits on a machine that others use too, as the "shared" setting of the simulations that
// the method was chosen by: a log-normal body (median 18 ms, σ 0.35) with a Pareto tail (exponent 2.2) beyond p97, on a
// level that wanders (4 %, correlation 0.9 from second to second) and bursts in which half of the hits slow down by 80
// %.
type sharedNode struct {
	random *rand.Rand
	level  float64
	burst  float64 // seconds left
}

func (n *sharedNode) step(seconds float64) {
	for range int(math.Round(seconds)) {
		n.level = 0.9*n.level + math.Sqrt(1-0.81)*0.04*n.random.NormFloat64()
		n.burst--
		if n.burst <= 0 && n.random.Float64() < 0.01 {
			n.burst = 1 + n.random.ExpFloat64()*5
		}
	}
}

const bodyShare, bodySigma, tailExponent = 0.97, 0.35, 2.2

// responseAt is the q-quantile of response times in units of the median.
func responseAt(q float64) float64 {
	if q <= bodyShare {
		return math.Exp(bodySigma * stats.NormalQuantile(q))
	}
	return math.Exp(bodySigma*stats.NormalQuantile(bodyShare)) * math.Pow((1-q)/(1-bodyShare), -1/tailExponent)
}

// responseBelow is the share of response times at most x medians: the inverse of responseAt.
func responseBelow(x float64) float64 {
	if edge := math.Exp(bodySigma * stats.NormalQuantile(bodyShare)); x > edge {
		return 1 - (1-bodyShare)*math.Pow(x/edge, -tailExponent)
	}
	return stats.NormalCDF(math.Log(x) / bodySigma)
}

// quantile is responseAt, where half of the hits are slowed down in a burst.
func (n *sharedNode) quantile(q float64) float64 {
	if n.burst <= 0 {
		return responseAt(q)
	}
	low, high := responseAt(q), 1.8*responseAt(q)
	for range 40 {
		if middle := (low + high) / 2; (responseBelow(middle)+responseBelow(middle/1.8))/2 < q {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// gamma draws the sum of many exponential values: Marsaglia and Tsang, "A simple method for generating gamma variables"
// (2000).
func (n *sharedNode) gamma(shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := n.random.NormFloat64()
		v := math.Pow(1+c*x, 3)
		if v > 0 && math.Log(1-n.random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// block is the figures of one block of hits; slower multiplies all times. The quantiles are drawn as order statistics
// of as many uniform values, which is the same as sorting that many response times, and a hundred times as fast.
func (n *sharedNode) block(hits int, slower float64, wrong float64) compare.BlockFigures {
	ranks := [4]float64{math.Round(0.5 * float64(hits)), math.Round(0.95 * float64(hits)), math.Round(0.99 * float64(hits)), float64(hits + 1)}
	var sums [4]float64
	total, last := 0.0, 0.0
	for i, rank := range ranks {
		total += n.gamma(rank - last)
		sums[i], last = total, rank
	}
	at := func(i int) int64 { return int64(18e6 * slower * math.Exp(n.level) * n.quantile(sums[i]/total)) }
	figures := compare.BlockFigures{Sent: int64(hits), P50: at(0), P95: at(1), P99: at(2)}
	for left := wrong * float64(hits); ; figures.Wrong++ {
		if left -= n.random.ExpFloat64(); left < 0 {
			break
		}
	}
	figures.Right = figures.Sent - figures.Wrong
	return figures
}

// simulated is a job of pairs of blocks of 5 s at 110/s for each of two operations.
func simulated(seed uint64, pairs int, slower, wrong float64) compare.Interleaved {
	return simulatedOf(500, seed, pairs, slower, wrong)
}

// sparse has so few answers a block that a little job cannot see much.
func sparse(seed uint64, pairs int) compare.Interleaved { return simulatedOf(100, seed, pairs, 1, 0) }

func simulatedOf(hits int, seed uint64, pairs int, slower, wrong float64) compare.Interleaved {
	node := &sharedNode{random: rand.New(rand.NewPCG(seed, 1))}
	job := compare.Interleaved{Plan: compare.InterleavedPlan{Workload: "mixed", Rate: 220, Pairs: pairs, Block: 5 * time.Second, Settle: 500 * time.Millisecond, Seed: seed, Placement: compare.SamePlacement}}
	var round compare.Round
	for range pairs {
		pair := compare.Pair{OldFirst: node.random.IntN(2) == 0, Old: map[string]compare.BlockFigures{}, New: map[string]compare.BlockFigures{}}
		for half := range 2 {
			node.step(5)
			for _, operation := range []string{"signon", "refresh"} {
				if (half == 0) == pair.OldFirst {
					pair.Old[operation] = node.block(hits, 1, 0.001)
				} else {
					pair.New[operation] = node.block(hits, slower, 0.001+wrong)
				}
			}
		}
		round.Pairs = append(round.Pairs, pair)
	}
	job.Rounds = []compare.Round{round}
	return job
}

// alike lets the old build give as many wrong answers as the new one.
func alike(job compare.Interleaved) compare.Interleaved {
	for _, round := range job.Rounds {
		for _, pair := range round.Pairs {
			for name, old := range pair.Old {
				old.Wrong = pair.New[name].Wrong
				old.Right = old.Sent - old.Wrong
				pair.Old[name] = old
			}
		}
	}
	return job
}

// compared draws the comparison of a job between two load runs that are beyond doubt.
func compared(job compare.Interleaved) *compare.Comparison {
	old, new := storedLoad("old", folderDay, 18*time.Millisecond), storedLoad("new", folderDay, 18*time.Millisecond)
	return compare.InterleavedComparison(reports.Run{ID: "ab", Kind: "ab", Start: folderDay}, old, new, job)
}

// The promise of the gate, on 200 unchanged pairs of builds: at most 5 % flagged per metric, and at most 5 % of jobs
// after Holm.
func TestUnchangedBuildsAreRarelyFlagged(t *testing.T) {
	t.Parallel()
	const jobs = 200
	perMetric, raw, flagged := map[string]int{}, map[string]int{}, 0
	for seed := range uint64(jobs) {
		c := compared(simulated(seed, 60, 1, 0))
		any := false
		for _, m := range c.Interleaved.Metrics {
			require.Len(t, m.Rounds, 1, "%s %s: %s", m.Operation, m.Metric, m.Reason)
			if m.Rounds[0].Flagged == reports.Regressed {
				perMetric[m.Operation+" "+m.Metric]++
				any = true
			}
			if m.Rounds[0].Slower < 0.05 {
				raw[m.Metric]++
			}
		}
		if any {
			flagged++
		}
		assert.NotEqual(t, reports.NotComparable, c.Verdict, c.Reason)
	}
	for metric, n := range perMetric {
		assert.LessOrEqual(t, n, jobs*5/100, metric)
	}
	assert.LessOrEqual(t, flagged, jobs*5/100, "jobs with any metric flagged")
	// The test itself is not blind: before Holm and the floor it calls about 5 % of unchanged metrics, of 400 a metric.
	tests := float64(2 * jobs)
	for _, metric := range compare.MetricNames {
		assert.InDelta(t, 0.05*tests, raw[metric], 4*math.Sqrt(0.05*0.95*tests), "%s: 5 %% of the tests, within 4 standard errors", metric)
	}
	t.Logf("flagged: %d of %d jobs, per metric %v; p under 5 %% before Holm and floor, of %.0f a metric: %v", flagged, jobs, perMetric, tests, raw)
}

// A build against itself: an alarm in either direction is one too many, so both together stay within 5 %.
func TestABuildIsRarelyToldApartFromItself(t *testing.T) {
	t.Parallel()
	const jobs = 100
	alarms := 0
	for seed := range uint64(jobs) {
		job := simulated(20000+seed, 60, 1, 0)
		job.Plan.AA = true
		if compared(job).Verdict == reports.Fail {
			alarms++
		}
	}
	assert.LessOrEqual(t, alarms, jobs*5/100)
	t.Logf("told apart from itself: %d of %d", alarms, jobs)
}

func TestTenPercentSlowerIsFound(t *testing.T) {
	t.Parallel()
	const jobs = 60
	found, p95 := 0, 0
	for seed := range uint64(jobs) {
		c := compared(simulated(1000+seed, 60, 1.10, 0))
		for _, m := range c.Interleaved.Metrics {
			if m.Operation == "refresh" && m.Metric == "p50" && m.Verdict == reports.Regressed && c.Verdict == reports.Regressed {
				found++
				assert.InDelta(t, 0.10, m.Change, 0.03)
			}
			if m.Operation == "refresh" && m.Metric == "p95" && m.Verdict == reports.Regressed {
				p95++
			}
		}
	}
	assert.GreaterOrEqual(t, found, jobs*95/100)
	t.Logf("+10 %%: p50 found in %d, p95 in %d of %d jobs", found, p95, jobs)
}

func TestFivePercentSlowerIsFound(t *testing.T) {
	t.Parallel()
	const jobs = 40
	found := 0
	for seed := range uint64(jobs) {
		c := compared(simulated(5000+seed, 60, 1.05, 0))
		if c.Verdict == reports.Regressed {
			found++
		}
	}
	assert.GreaterOrEqual(t, found, jobs*95/100)
	t.Logf("+5 %%: found in %d of %d jobs", found, jobs)
}

func TestVerdictsOfAnInterleavedJob(t *testing.T) {
	confirmed := func(first, second compare.Interleaved) compare.Interleaved {
		first.Rounds = append(first.Rounds, second.Rounds...)
		first.Plan.Confirm = true
		return first
	}
	for _, test := range []struct {
		name    string
		job     func() compare.Interleaved
		change  func(c *compare.Interleaved, old, new *reports.Load)
		verdict reports.Verdict
		reason  string
	}{
		{"unchanged", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, nil, reports.Pass, "The new build is not worse: every change over the tolerated one is ruled out."},
		{"slower", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, nil, reports.Regressed, "The new build is worse: "},
		{"faster", func() compare.Interleaved { return simulated(3, 60, 0.8, 0) }, nil, reports.Improved, "The new build is better, and worse in nothing that was judged: "},
		{"more errors", func() compare.Interleaved { return simulated(4, 60, 1, 0.02) }, nil, reports.Regressed, "signon errors +2.0"},
		{"too short to tell", func() compare.Interleaved { return sparse(5, 12) }, nil, reports.Inconclusive, "The smallest change of p50 that this job could have seen is "},
		{"too short to tell, and what is open", func() compare.Interleaved { return simulatedOf(60, 5, 12, 1.05, 0.005) }, nil, reports.Inconclusive, "A worse build cannot be ruled out: signon p50"},
		{"too short to tell, and what was not judged", func() compare.Interleaved { return simulatedOf(60, 5, 12, 1.05, 0.005) }, nil, reports.Inconclusive, ". Some operations had too few answers in a block to be judged."},
		{"too few pairs", func() compare.Interleaved { return simulated(5, 8, 1.3, 0) }, nil, reports.Inconclusive, "No figure could be judged."},
		{"slower twice", func() compare.Interleaved { return confirmed(simulated(6, 60, 1.1, 0), simulated(7, 60, 1.1, 0)) }, nil, reports.Regressed, "A second round confirmed it."},
		{"slower once", func() compare.Interleaved { return confirmed(simulated(8, 60, 1.04, 0), simulated(9, 60, 0.99, 0)) }, nil, reports.Pass, "The new build is not worse"},
		{"slower, not yet confirmed", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.Confirm = true }, reports.Inconclusive, "refresh p50 +"},
		{"placement unknown", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.Placement = compare.Uncontrolled }, reports.Inconclusive,
			"It is not known that both builds ran at the same place"},
		{"interrupted", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Rounds[0].Pairs = c.Rounds[0].Pairs[:30] }, reports.Inconclusive,
			"The job ended before all its pairs of blocks were measured."},
		{"one build told apart from itself, interrupted", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Plan.AA, c.Rounds[0].Pairs = true, c.Rounds[0].Pairs[:30]
		}, reports.Inconclusive,
			"The job ended before all its pairs of blocks were measured."},
		{"no round", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Rounds = nil }, reports.Inconclusive, "No figure could be judged."},
		{"generator too slow", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(_ *compare.Interleaved, old, _ *reports.Load) {
			old.Valid, old.Invalid = false, []string{"the send lag p99 was 4 ms"}
		}, reports.NotComparable, "The figures of the old build's part are not valid: the send lag p99 was 4 ms."},
		{"generator too slow, and many wrong answers that it excuses", func() compare.Interleaved { return simulated(1, 60, 1, 0.3) }, func(_ *compare.Interleaved, _, new *reports.Load) {
			new.Valid, new.Invalid, new.Verdict = false, []string{"the generator used 95 % of its processors"}, reports.Invalid
		}, reports.NotComparable, "The figures of the new build's part are not valid"},
		{"hits left late, and many wrong answers", func() compare.Interleaved { return simulated(1, 60, 1.1, 0.3) }, func(_ *compare.Interleaved, old, new *reports.Load) {
			old.Valid, old.Invalid, old.Verdict = false, []string{"hits left late"}, reports.Invalid
			new.Valid, new.Invalid, new.Verdict = false, []string{"hits left late"}, reports.Fail
		}, reports.Regressed, "Many answers of the new build were wrong: 30"},
		{"hits left late, and answers of another client", func() compare.Interleaved { return simulated(1, 60, 1.1, 0) }, func(_ *compare.Interleaved, _, new *reports.Load) {
			new.Valid, new.Invalid, new.Verdict = false, []string{"hits left late"}, reports.Fail
			new.Operations["refresh"].Outcomes = map[string]int64{"identity": 1}
		}, reports.Regressed, "1 answer of refresh (identity)."},
		{"rate not reached", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(_ *compare.Interleaved, _, new *reports.Load) { new.Total.Sent = 5900 }, reports.NotComparable,
			"The new build's part sent 5,900 of the 6,000 hits that were asked for, so its rate was not within 1 % of the wanted one."},
		{"neither answers", func() compare.Interleaved { return simulated(2, 60, 1, 0) }, func(_ *compare.Interleaved, old, new *reports.Load) {
			for _, l := range []*reports.Load{old, new} {
				l.Total.Right, l.Total.Wrong = 0, 6000
				l.Operations["refresh"].Right, l.Operations["refresh"].Wrong = 0, 6000
			}
		}, reports.Fail, "The new build gave not one right answer to refresh, and neither did the old one."},
		{"another transport", func() compare.Interleaved { return simulated(2, 60, 1, 0) }, func(_ *compare.Interleaved, old, _ *reports.Load) { old.Plan.Transport = "net/http (HTTP/2)" }, reports.NotComparable,
			"The two sides differ in transport: net/http for the old build, fasthttp for the new one."},
		{"answers of another client", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(_ *compare.Interleaved, _, new *reports.Load) {
			new.Operations["refresh"].Outcomes = map[string]int64{"identity": 1}
		}, reports.Regressed,
			"The new build gave answers that were not right, and the old one gave none of that kind: 1 answer of refresh (identity)."},
		{"answers of another client in both", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(_ *compare.Interleaved, old, new *reports.Load) {
			old.Operations["refresh"].Outcomes, new.Operations["refresh"].Outcomes = map[string]int64{"identity": 1}, map[string]int64{"identity": 2}
		}, reports.Fail, "Both builds gave answers that were not right: of the new one 2 answers of refresh (identity)."},
		{"answers of another client, and too few pairs", func() compare.Interleaved { return simulated(1, 8, 1, 0) }, func(_ *compare.Interleaved, _, new *reports.Load) {
			new.Operations["refresh"].Outcomes = map[string]int64{"identity": 1}
		}, reports.Regressed, "1 answer of refresh (identity)."},
		{"answers of another client, over another transport", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(_ *compare.Interleaved, old, new *reports.Load) {
			old.Plan.Transport = "net/http (HTTP/2)"
			new.Operations["refresh"].Outcomes = map[string]int64{"identity": 1}
		}, reports.Regressed, "1 answer of refresh (identity)."},
		{"many wrong answers of both", func() compare.Interleaved { return alike(simulated(1, 60, 1, 0.3)) }, nil, reports.Fail,
			"Many answers of both builds were wrong: 30"},
		{"many wrong answers of one build and itself", func() compare.Interleaved { return alike(simulated(1, 60, 1, 0.3)) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.AA = true },
			reports.Fail, "Many answers of both builds were wrong: 30"},
		{"many wrong answers, and the place is not known", func() compare.Interleaved { return simulated(1, 60, 1, 0.3) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.Placement = compare.Uncontrolled },
			reports.Regressed, "Many answers of the new build were wrong: 30"},
		{"many wrong answers, and too few pairs", func() compare.Interleaved { return simulated(1, 8, 1, 0.3) }, nil, reports.Regressed, "Many answers of the new build were wrong: "},
		{"many wrong answers in one round", func() compare.Interleaved { return confirmed(simulated(1, 60, 1, 0.3), simulated(2, 60, 1, 0)) }, nil, reports.Inconclusive, "A worse build cannot be ruled out"},
		{"many wrong answers in the warm-up", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Rounds[0].WarmUp = compare.Uncounted{Old: answers(0, 500), New: answers(500, 500)}
		}, reports.Regressed, "Many answers of the new build were wrong: 100 % of refresh in the warm-up (before: 0 %)."},
		{"many wrong answers at the start of blocks", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Rounds[0].Settling = compare.Uncounted{Old: answers(2, 3000), New: answers(600, 3000)}
		}, reports.Regressed, "Many answers of the new build were wrong: 20.00 % of refresh at the start of blocks (before: 0.07 %)."},
		{"many wrong answers in the warm-up of the first round", func() compare.Interleaved { return confirmed(simulated(6, 60, 1.1, 0), simulated(7, 60, 1, 0)) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Rounds[0].WarmUp = compare.Uncounted{Old: answers(0, 500), New: answers(30, 500)}
		}, reports.Regressed, "6.00 % of refresh in the warm-up"},
		{"many wrong answers in the warm-up of both", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Rounds[0].WarmUp = compare.Uncounted{Old: answers(100, 500), New: answers(90, 500)}
		}, reports.Fail, "Many answers of both builds were wrong: 18.00 % of refresh in the warm-up (before: 20.00 %)."},
		{"some wrong answers in the warm-up", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) {
			c.Rounds[0].WarmUp, c.Rounds[0].Settling = compare.Uncounted{New: answers(25, 500)}, compare.Uncounted{New: answers(9, 90)}
		}, reports.Pass, "The new build is not worse"},
		{"some wrong answers of both", func() compare.Interleaved { return alike(simulated(1, 60, 1, 0.02)) }, nil, reports.Pass, "The new build is not worse"},
		{"no right answer of one operation", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(_ *compare.Interleaved, old, new *reports.Load) {
			for _, l := range []*reports.Load{old, new} {
				l.Operations["signout"] = &reports.Operation{Sent: 90, Wrong: 90, Outcomes: map[string]int64{"status": 90}}
			}
		}, reports.Fail, "The new build gave not one right answer to signout, and neither did the old one."},
		{"one build told apart from itself", func() compare.Interleaved { return simulated(2, 60, 1.1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.AA = true }, reports.Fail, "One build was told apart from itself: "},
		{"one build faster than itself", func() compare.Interleaved { return simulated(3, 60, 0.8, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.AA = true }, reports.Fail, "One build was told apart from itself: "},
		{"one build like itself", func() compare.Interleaved { return simulated(1, 60, 1, 0) }, func(c *compare.Interleaved, _, _ *reports.Load) { c.Plan.AA = true }, reports.Pass, "One build was not told apart from itself, as it should be."},
	} {
		t.Run(test.name, func(t *testing.T) {
			job := test.job()
			old, new := storedLoad("old", folderDay, 18*time.Millisecond), storedLoad("new", folderDay, 18*time.Millisecond)
			if test.change != nil {
				test.change(&job, old, new)
			}
			c := compare.InterleavedComparison(reports.Run{ID: "ab", Kind: "ab"}, old, new, job)
			assert.Equal(t, test.verdict, c.Verdict, c.Reason)
			assert.Contains(t, c.Reason, test.reason)
			assert.Equal(t, slices.Concat(old.Invalid, new.Invalid), c.Interleaved.Invalid)
			again := compare.InterleavedComparison(reports.Run{ID: "ab", Kind: "ab"}, old, new, job)
			assert.Equal(t, c, again, "the same blocks give the same verdict")
		})
	}
}

// answers are those to the operation refresh.
func answers(wrong, sent int64) map[string]compare.Answers {
	return map[string]compare.Answers{"refresh": {Sent: sent, Wrong: wrong}}
}

func TestAJobThatEndedEarlySaysWhy(t *testing.T) {
	short, few := simulated(1, 60, 1, 0), simulated(1, 8, 1, 0)
	short.Rounds[0].Pairs = short.Rounds[0].Pairs[:15]
	for job, reason := range map[*compare.Interleaved]string{
		&short: "The job ended before all its pairs of blocks were measured: the old side ended early: no virtual client is left.",
		&few:   "No figure could be judged: the old side ended early: no virtual client is left.",
	} {
		old, fresh := storedLoad("old", folderDay, 18*time.Millisecond), storedLoad("new", folderDay, 18*time.Millisecond)
		old.Notes, fresh.Notes = []string{"all were checked", "3 times a chain broke"}, []string{"all were checked", "5 times a chain broke"}
		c := compare.InterleavedComparison(reports.Run{ID: "ab", Kind: "ab", Partial: "the old side ended early: no virtual client is left"}, old, fresh, *job)
		assert.Equal(t, reports.Inconclusive, c.Verdict)
		assert.Equal(t, reason, c.Reason)
		assert.Subset(t, c.Notes, []string{"Both sides: all were checked", "Old side: 3 times a chain broke", "New side: 5 times a chain broke"})
	}
}

func TestConfirmationIsAskedForARegressionOnly(t *testing.T) {
	ask := func(job compare.Interleaved, confirm, aa bool) bool {
		job.Plan.Confirm, job.Plan.AA = confirm, aa
		return compare.NeedsConfirmation(job)
	}
	slower, faster, same := simulated(2, 60, 1.1, 0), simulated(3, 60, 0.8, 0), simulated(1, 60, 1, 0)
	assert.True(t, ask(slower, true, false))
	assert.False(t, ask(slower, false, false))
	assert.False(t, ask(faster, true, false))
	assert.True(t, ask(faster, true, true), "a build that is faster than itself is as wrong")
	assert.False(t, ask(same, true, false))
}

func TestAQuantileWithTooFewAnswersIsNotJudged(t *testing.T) {
	job := simulated(2, 60, 1.1, 0)
	for _, pair := range job.Rounds[0].Pairs {
		for _, block := range []map[string]compare.BlockFigures{pair.Old, pair.New} {
			figures := block["signon"]
			figures.Sent, figures.Right, figures.Wrong = 200, 200, 0
			block["signon"] = figures
		}
	}
	c := compared(job)
	for _, m := range c.Interleaved.Metrics {
		if m.Operation == "signon" && m.Metric == "p99" {
			assert.Equal(t, reports.Skipped, m.Verdict)
			assert.Equal(t, "Not judged: about 2.0 answers of a block lie beyond its p99, and at least 5 must. Send 2.5 times as many hits a block.", m.Reason)
			assert.Empty(t, m.Rounds)
		} else {
			assert.NotEmpty(t, m.Rounds, "%s %s", m.Operation, m.Metric)
		}
	}
	assert.Equal(t, reports.Regressed, c.Verdict)
	assert.Contains(t, c.Notes[0], "signon p99: Not judged")
}

func TestABuildThatAnswersNothingRightIsNotAPass(t *testing.T) {
	job := simulated(1, 60, 1, 0)
	for _, pair := range job.Rounds[0].Pairs {
		for name, figures := range pair.New {
			pair.New[name] = compare.BlockFigures{Sent: figures.Sent, Wrong: figures.Sent}
		}
	}
	c := compared(job)
	assert.Equal(t, reports.Regressed, c.Verdict, c.Reason)
	assert.Contains(t, c.Reason, "refresh errors +99.")
	for _, m := range c.Interleaved.Metrics {
		if m.Metric != "errors" {
			assert.Equal(t, reports.Inconclusive, m.Verdict)
		}
	}
}

func TestSelfComparisonIsCarriedOn(t *testing.T) {
	job := simulated(1, 60, 1, 0)
	assert.Nil(t, compare.SelfComparisonOf(compared(job)))
	assert.Nil(t, compare.SelfComparisonOf(nil))
	job.Plan.AA = true
	c := compared(job)
	got := compare.SelfComparisonOf(c)
	require.NotNil(t, got)
	assert.Equal(t, reports.Pass, got.Verdict)
	assert.Equal(t, "ab", got.ID)
	assert.Equal(t, folderDay, got.When)
	assert.Greater(t, got.Largest, 0.0)
	assert.Less(t, got.Largest, 0.1)
}

func TestChangesAreShownWithTheirSign(t *testing.T) {
	for change, want := range map[float64]string{0.052: "+5.2 %", -0.1: "-10.0 %", -0.0001: "+0.0 %", 12: "+1,200 %"} {
		assert.Equal(t, want, figures.Change(change))
	}
	assert.Equal(t, "+0.31 points", figures.Points(0.0031))
	assert.Equal(t, "+0.00 points", figures.Points(-0.000001))
	assert.Equal(t, "–", figures.Change(math.NaN()))
	assert.Equal(t, "–", figures.Points(math.Inf(1)))
}
