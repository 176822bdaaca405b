package compare

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"agstest/internal/figures"
	"agstest/internal/stats"
	"agstest/reports"
)

const (
	// FewestPairs is the least number of pairs that are judged: with 10 the smallest probability is 1/1024, enough for 5 %
	// over 48 metrics.
	FewestPairs = 10
	// fewestBeyond is how many answers of a block must lie beyond a quantile for that block's quantile to mean something.
	fewestBeyond = 5
	// power is the share of real changes of the size called smallest that would be found.
	power = 0.8
)

var intervalLevel = 0.95

// judge fills in Metrics from Rounds. It is a pure function of the blocks and the plan.
func (i *Interleaved) judge() {
	i.Metrics = nil
	var all []Pair
	for _, round := range i.Rounds {
		all = append(all, round.Pairs...)
	}
	for _, operation := range i.Operations() {
		for _, metric := range metricNames {
			i.Metrics = append(i.Metrics, i.describe(all, operation, metric))
		}
	}
	for r := range i.Rounds {
		i.testRound(r)
	}
	tested := 0
	for m := range i.Metrics {
		if len(i.Metrics[m].Rounds) > 0 {
			tested++
		}
	}
	for m := range i.Metrics {
		if metric := &i.Metrics[m]; len(metric.Rounds) > 0 {
			i.conclude(metric, tested)
		}
	}
}

// random gives each metric a source of its own, so that one more operation does not move the intervals of the others.
func (i *Interleaved) random(operation string) *rand.Rand {
	hash := fnv.New64a()
	hash.Write([]byte(operation))
	return rand.New(rand.NewPCG(i.Plan.Seed, hash.Sum64()))
}

// describe gives the figures of a metric over all rounds, and says why where it cannot be judged.
func (i *Interleaved) describe(pairs []Pair, operation, metric string) MetricComparison {
	s := seriesOf(pairs, operation, metric)
	m := MetricComparison{
		Operation: operation, Metric: metric, Pairs: len(s.differences),
		Floor: i.Plan.Rules.Floor.of(metric), Tolerated: i.Plan.Rules.Tolerated.of(metric),
	}
	if m.Pairs == 0 {
		m.Verdict, m.Reason = reports.Inconclusive, "No pair of blocks has right answers of both builds."
		if metric == "errors" {
			m.Reason = "No pair of blocks has answers of both builds."
		}
		return m
	}
	effect := s.effect(i.random(operation))
	m.Change, m.Low, m.High = effect.Value, effect.Low, effect.High
	if metric == "errors" {
		var total [4]int64
		for _, counts := range s.counts {
			for k, n := range counts {
				total[k] += n
			}
		}
		m.Old, m.New = float64(total[0])/float64(total[1]), float64(total[2])/float64(total[3])
	} else {
		m.Old, m.New = stats.Median(s.old), stats.Median(s.new)
		beyond := stats.Median(s.right) * (1 - metricQuantiles[metric])
		if math.Round(beyond) < fewestBeyond {
			m.Verdict, m.more = reports.Skipped, fewestBeyond/math.Max(beyond, 0.05)
			m.Reason = fmt.Sprintf("Not judged: about %.1f answers of a block lie beyond its %s, and at least %d must. Send "+
				"%.1f times as many hits a block.",
				beyond, metric, fewestBeyond, m.more)
			return m
		}
	}
	if m.Pairs < FewestPairs {
		m.Verdict = reports.Inconclusive
		m.Reason = fmt.Sprintf("Only %s of blocks can be compared, and at least %d are needed.",
			figures.Plural(int64(m.Pairs), "pair"), FewestPairs)
	}
	return m
}

// testRound tests every metric that can be judged in one round. The first round adjusts for all of them; a confirming
// one for those that it is asked to confirm.
func (i *Interleaved) testRound(r int) {
	var tested []int
	var slower, faster []float64
	for m := range i.Metrics {
		metric := &i.Metrics[m]
		if metric.Verdict != "" {
			continue
		}
		s := seriesOf(i.Rounds[r].Pairs, metric.Operation, metric.Metric)
		if len(s.differences) < FewestPairs {
			if r == 0 {
				metric.Verdict = reports.Inconclusive
				metric.Reason = fmt.Sprintf(
					"Only %s of blocks of the first round can be compared, and at least %d are needed.",
					figures.Plural(int64(len(s.differences)), "pair"), FewestPairs)
			}
			continue
		}
		if r > 0 && metric.Rounds[0].Flagged == "" {
			continue
		}
		test := stats.WilcoxonSignedRank(s.differences)
		effect := stats.Interval{Value: metric.Change, Low: metric.Low, High: metric.High}
		if len(i.Rounds) > 1 {
			effect = s.effect(i.random(metric.Operation))
		}
		metric.Rounds = append(metric.Rounds, MetricRound{Change: effect.Value, Low: effect.Low, High: effect.High,
			Slower: test.Greater, Faster: test.Less})
		tested = append(tested, m)
		slower, faster = append(slower, test.Greater), append(faster, test.Less)
	}
	slower, faster = stats.Holm(slower), stats.Holm(faster)
	for k, m := range tested {
		metric := &i.Metrics[m]
		round := &metric.Rounds[len(metric.Rounds)-1]
		round.SlowerAdjusted, round.FasterAdjusted = slower[k], faster[k]
		floor, level := metric.Floor, i.Plan.Rules.Level
		if i.Plan.AA {
			level /= 2 // either direction is an alarm there
		}
		switch {
		case round.SlowerAdjusted < level && round.Change > floor:
			round.Flagged = reports.Regressed
		case round.FasterAdjusted < level && metric.Metric == "errors" && round.Change < -floor,
			round.FasterAdjusted < level && metric.Metric != "errors" && round.Change < 1/(1+floor)-1:
			round.Flagged = reports.Improved
		}
	}
}

// conclude draws the verdict of one metric from its rounds.
func (i *Interleaved) conclude(m *MetricComparison, tested int) {
	first := m.Rounds[0]
	m.Smallest = i.smallest(m, first, tested)
	confirming := len(i.Rounds) > 1
	worse, better := "slower", "faster"
	if m.Metric == "errors" {
		worse, better = "more wrong answers", "fewer wrong answers"
	}
	switch {
	case first.Flagged == reports.Regressed && confirming && len(m.Rounds) > 1 &&
		m.Rounds[1].Flagged == reports.Regressed:
		m.Verdict, m.Reason = reports.Regressed, fmt.Sprintf("%s in both rounds: %s, then %s.", upper(worse),
			m.ChangeWords(first.Change), m.ChangeWords(m.Rounds[1].Change))
	case first.Flagged == reports.Regressed && !confirming && i.Plan.Confirm:
		m.Verdict, m.Reason = reports.Inconclusive, fmt.Sprintf(
			"%s in the first round (%s), but the round that should confirm it was not made.", upper(worse),
			m.ChangeWords(first.Change))
	case first.Flagged == reports.Regressed && !confirming:
		m.Verdict, m.Reason = reports.Regressed, fmt.Sprintf("%s by more than chance and the floor of %s.",
			upper(worse), m.BoundWords(m.Floor))
	case first.Flagged == reports.Improved && (!confirming || len(m.Rounds) < 2 ||
		m.Rounds[1].Flagged == reports.Improved):
		m.Verdict, m.Reason = reports.Improved, fmt.Sprintf("%s by more than chance and the floor of %s.",
			upper(better), m.BoundWords(m.Floor))
	case m.High <= m.Tolerated:
		m.Verdict, m.Reason = reports.Pass, fmt.Sprintf("A change of more than %s is ruled out.",
			m.BoundWords(m.Tolerated))
	default:
		m.Verdict, m.Reason = reports.Inconclusive,
			fmt.Sprintf("It may be up to %s worse, which is over the tolerated %s. The smallest change this job could have "+
				"seen is %s.",
				m.BoundWords(m.High), m.BoundWords(m.Tolerated), m.BoundWords(m.Smallest))
	}
	if first.Flagged == reports.Regressed && m.Verdict != reports.Regressed && confirming {
		m.Reason = fmt.Sprintf("The first round found it worse (%s); the second did not confirm it. ",
			m.ChangeWords(first.Change)) + m.Reason
	}
}

// smallest is the change that one round like this one finds with probability power, after adjusting for all metrics
// that were tested.
func (i *Interleaved) smallest(m *MetricComparison, round MetricRound, tested int) float64 {
	z := stats.NormalQuantile(1-i.Plan.Rules.Level/float64(max(tested, 1))) + stats.NormalQuantile(power)
	width := 2 * stats.NormalQuantile(1-(1-intervalLevel)/2)
	if m.Metric == "errors" {
		return math.Max(m.Floor, z*(round.High-round.Low)/width)
	}
	return math.Max(m.Floor, math.Expm1(z*(math.Log1p(round.High)-math.Log1p(round.Low))/width))
}
