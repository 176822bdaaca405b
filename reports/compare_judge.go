package reports

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"agstest/internal/stats"
)

const (
	// fewestPairs is the least number of pairs that are judged: with 10 the smallest probability is 1/1024, enough for 5 % over 48 metrics.
	fewestPairs = 10
	// fewestBeyond is how many answers of a block must lie beyond a quantile for that block's quantile to mean something.
	fewestBeyond = 5
	// power is the share of real changes of the size called smallest that would be found.
	power = 0.8
)

var intervalLevel = 0.95

// metricNames in the order in which they are shown.
var metricNames = []string{"p50", "p95", "p99", "errors"}

var metricQuantiles = map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99}

// series is one metric of one operation over pairs: log ratios of times, or differences of shares of wrong answers.
type series struct {
	differences []float64
	counts      [][4]int64 // of errors: wrong and sent of the old, wrong and sent of the new
	old, new    []float64
	right       []float64 // right answers of the poorer block of each pair
}

func seriesOf(pairs []Pair, operation, metric string) series {
	var s series
	for _, pair := range pairs {
		old, new := pair.Old[operation], pair.New[operation]
		if metric == "errors" {
			if old.Sent == 0 || new.Sent == 0 {
				continue
			}
			s.differences = append(s.differences, float64(new.Wrong)/float64(new.Sent)-float64(old.Wrong)/float64(old.Sent))
			s.counts = append(s.counts, [4]int64{old.Wrong, old.Sent, new.Wrong, new.Sent})
			continue
		}
		s.right = append(s.right, float64(min(old.Right, new.Right)))
		a, b := old.quantile(metric), new.quantile(metric)
		if old.Right == 0 || new.Right == 0 || a <= 0 || b <= 0 {
			continue
		}
		s.differences = append(s.differences, math.Log(float64(b)/float64(a)))
		s.old = append(s.old, float64(a))
		s.new = append(s.new, float64(b))
	}
	return s
}

// effect is the size of the change with its interval: a relative change, or a difference of shares.
func (s series) effect(random *rand.Rand) stats.Interval {
	if s.counts == nil {
		e := stats.HodgesLehmann(s.differences, intervalLevel)
		return stats.Interval{Value: math.Expm1(e.Value), Low: math.Expm1(e.Low), High: math.Expm1(e.High), Level: e.Level}
	}
	return stats.BlockBootstrap(random, len(s.counts), 1000, intervalLevel, func(drawn []int) float64 {
		var oldWrong, oldSent, newWrong, newSent int64
		for _, i := range drawn {
			pair := &s.counts[i]
			oldWrong, oldSent, newWrong, newSent = oldWrong+pair[0], oldSent+pair[1], newWrong+pair[2], newSent+pair[3]
		}
		return float64(newWrong)/float64(newSent) - float64(oldWrong)/float64(oldSent)
	})
}

// judge fills in Metrics from Rounds. It is a pure function of the blocks and the plan.
func (i *Interleaved) judge() {
	i.Metrics = nil
	var all []Pair
	for _, round := range i.Rounds {
		all = append(all, round.Pairs...)
	}
	for _, operation := range i.operations() {
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
		m.Verdict, m.Reason = Inconclusive, "No pair of blocks has right answers of both builds."
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
			m.Verdict = Skipped
			m.Reason = fmt.Sprintf("Not judged: about %.1f answers of a block lie beyond its %s, and at least %d must. Send %.1f times as many hits a block.",
				beyond, metric, fewestBeyond, fewestBeyond/math.Max(beyond, 0.05))
			return m
		}
	}
	if m.Pairs < fewestPairs {
		m.Verdict = Inconclusive
		m.Reason = fmt.Sprintf("Only %s of blocks can be compared, and at least %d are needed.", Plural(int64(m.Pairs), "pair"), fewestPairs)
	}
	return m
}

// testRound tests every metric that can be judged in one round. The first round adjusts for all of them; a confirming one for those that
// it is asked to confirm.
func (i *Interleaved) testRound(r int) {
	var tested []int
	var slower, faster []float64
	for m := range i.Metrics {
		metric := &i.Metrics[m]
		if metric.Verdict != "" {
			continue
		}
		s := seriesOf(i.Rounds[r].Pairs, metric.Operation, metric.Metric)
		if len(s.differences) < fewestPairs {
			if r == 0 {
				metric.Verdict = Inconclusive
				metric.Reason = fmt.Sprintf("Only %s of blocks of the first round can be compared, and at least %d are needed.", Plural(int64(len(s.differences)), "pair"), fewestPairs)
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
		metric.Rounds = append(metric.Rounds, MetricRound{Change: effect.Value, Low: effect.Low, High: effect.High, Slower: test.Greater, Faster: test.Less})
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
			round.Flagged = Regressed
		case round.FasterAdjusted < level && metric.Metric == "errors" && round.Change < -floor,
			round.FasterAdjusted < level && metric.Metric != "errors" && round.Change < 1/(1+floor)-1:
			round.Flagged = Improved
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
	case first.Flagged == Regressed && confirming && len(m.Rounds) > 1 && m.Rounds[1].Flagged == Regressed:
		m.Verdict, m.Reason = Regressed, fmt.Sprintf("%s in both rounds: %s, then %s.", upper(worse), m.changeWords(first.Change), m.changeWords(m.Rounds[1].Change))
	case first.Flagged == Regressed && !confirming && i.Plan.Confirm:
		m.Verdict, m.Reason = Inconclusive, fmt.Sprintf("%s in the first round (%s), but the round that should confirm it was not made.", upper(worse), m.changeWords(first.Change))
	case first.Flagged == Regressed && !confirming:
		m.Verdict, m.Reason = Regressed, fmt.Sprintf("%s by more than chance and the floor of %s.", upper(worse), m.boundWords(m.Floor))
	case first.Flagged == Improved && (!confirming || len(m.Rounds) < 2 || m.Rounds[1].Flagged == Improved):
		m.Verdict, m.Reason = Improved, fmt.Sprintf("%s by more than chance and the floor of %s.", upper(better), m.boundWords(m.Floor))
	case m.High <= m.Tolerated:
		m.Verdict, m.Reason = Pass, fmt.Sprintf("A change of more than %s is ruled out.", m.boundWords(m.Tolerated))
	default:
		m.Verdict, m.Reason = Inconclusive, fmt.Sprintf("It may be up to %s worse, which is over the tolerated %s. The smallest change this job could have seen is %s.",
			m.boundWords(m.High), m.boundWords(m.Tolerated), m.boundWords(m.Smallest))
	}
	if first.Flagged == Regressed && m.Verdict != Regressed && confirming {
		m.Reason = fmt.Sprintf("The first round found it worse (%s); the second did not confirm it. ", m.changeWords(first.Change)) + m.Reason
	}
}

// smallest is the change that one round like this one finds with probability power, after adjusting for all metrics that were tested.
func (i *Interleaved) smallest(m *MetricComparison, round MetricRound, tested int) float64 {
	z := stats.NormalQuantile(1-i.Plan.Rules.Level/float64(max(tested, 1))) + stats.NormalQuantile(power)
	width := 2 * stats.NormalQuantile(1-(1-intervalLevel)/2)
	if m.Metric == "errors" {
		return math.Max(m.Floor, z*(round.High-round.Low)/width)
	}
	return math.Max(m.Floor, math.Expm1(z*(math.Log1p(round.High)-math.Log1p(round.Low))/width))
}

// changeWords shows a change with its sign: "+5.2 %", "+0.31 points".
func (m *MetricComparison) changeWords(change float64) string {
	if m.Metric == "errors" {
		return Points(change)
	}
	return Change(change)
}

// intervalWords shows the interval with its unit once: "+4.8 to +5.6 %".
func (m *MetricComparison) intervalWords() string {
	low, _, _ := strings.Cut(m.changeWords(m.Low), " ")
	return low + " to " + m.changeWords(m.High)
}

// boundWords shows a bound without a sign.
func (m *MetricComparison) boundWords(bound float64) string {
	return strings.TrimPrefix(m.changeWords(bound), "+")
}

// Change shows a relative change, such as "+5.2 %". The unit is always percent, the sign always there.
func Change(change float64) string {
	switch {
	case math.IsNaN(change) || math.IsInf(change, 0):
		return "–"
	case math.Abs(change) >= 10:
		return fmt.Sprintf("%+.0f %%", change*100)
	}
	text := fmt.Sprintf("%+.1f %%", change*100)
	if text == "-0.0 %" {
		return "+0.0 %"
	}
	return text
}

// Points shows a difference of two shares, such as "+0.31 points": percentage points.
func Points(difference float64) string {
	if math.IsNaN(difference) || math.IsInf(difference, 0) {
		return "–"
	}
	text := fmt.Sprintf("%+.2f points", difference*100)
	if text == "-0.00 points" {
		return "+0.00 points"
	}
	return text
}

// name is how a metric is called in a sentence.
func (m *MetricComparison) name() string {
	if m.Metric == "errors" {
		return m.Operation + " errors"
	}
	return m.Operation + " " + m.Metric
}

// settleInterleaved draws the verdict of the whole job from its metrics.
func (c *Comparison) settleInterleaved() {
	job := c.Interleaved
	named := func(verdict Verdict) (names []string) {
		for k := range job.Metrics {
			if m := &job.Metrics[k]; m.Verdict == verdict {
				names = append(names, fmt.Sprintf("%s %s (%s)", m.name(), m.changeWords(m.Change), m.intervalWords()))
			}
		}
		if more := len(names) - 4; more > 0 {
			names = append(names[:4], fmt.Sprintf("and %d more", more))
		}
		return names
	}
	judged := slices.ContainsFunc(job.Metrics, func(m MetricComparison) bool { return len(m.Rounds) > 0 })
	needed := slices.ContainsFunc(job.Metrics, func(m MetricComparison) bool { return m.Verdict == Skipped && m.Metric != "p99" })
	short := len(job.Rounds) == 0 || slices.ContainsFunc(job.Rounds, func(r Round) bool { return len(r.Pairs) < job.Plan.Pairs })
	regressed, improved, open := named(Regressed), named(Improved), named(Inconclusive)
	untrue := c.untrue()
	switch {
	case len(c.NotComparable) > 0:
		c.Verdict = NotComparable
		c.Reason = "The two builds cannot be compared by this job: " + strings.Join(c.NotComparable, " ")
		c.Advice = append(c.Advice, "Mend what the reason names and run the job again; lower the rate if it was the generator.")
	case !judged:
		c.Verdict, c.Reason = Inconclusive, "No figure could be judged."
	case len(untrue) > 0 && !job.Plan.AA:
		c.Verdict = Regressed
		c.Reason = "The new build gave answers that were not right, and the old one gave none of that kind: " + strings.Join(untrue, "; ") + "."
		if len(regressed) > 0 {
			c.Reason += " It is also worse in: " + strings.Join(regressed, "; ") + "."
		}
		c.Advice = append(c.Advice, "Look at the wrong answers in the notes first: no response time excuses an answer that belongs to another client or a token that breaks a rule.")
	case short:
		c.Verdict, c.Reason = Inconclusive, "The job ended before all its pairs of blocks were measured."
	case job.Plan.AA && len(regressed)+len(improved) > 0:
		c.Verdict = Fail
		c.Reason = "One build was told apart from itself: " + strings.Join(append(regressed, improved...), "; ") + "."
		c.Advice = append(c.Advice, "Do not trust a verdict from this place until a comparison of one build with itself passes: look for what differs between the two sides, such as their nodes, proxies or clients.")
	case job.Plan.Placement == Uncontrolled:
		c.Verdict = Inconclusive
		c.Reason = "It is not known that both builds ran at the same place, and a difference of places looks like a difference of builds."
		if len(regressed) > 0 {
			c.Reason += " Measured: " + strings.Join(regressed, "; ") + "."
		}
		c.Advice = append(c.Advice, "Let the two builds change places at half-time, or run them at the same place and say so.")
	case len(regressed) > 0:
		c.Verdict = Regressed
		c.Reason = "The new build is worse: " + strings.Join(regressed, "; ") + "."
		if len(job.Rounds) > 1 {
			c.Reason += " A second round confirmed it."
		}
		c.Advice = append(c.Advice, "Look at the shift of response times first: a shift of all quantiles speaks of the whole path, one of the tail alone of queues, locks or pauses.")
	case len(open) > 0 || needed:
		c.Verdict = Inconclusive
		if needed {
			c.Reason = "Some operations had too few answers in a block to be judged."
		} else {
			c.Reason = "A worse build cannot be ruled out: " + strings.Join(open, "; ") + "."
		}
		smallest := 0.0
		for _, m := range job.Metrics {
			if m.Metric == "p50" && len(m.Rounds) > 0 {
				smallest = math.Max(smallest, m.Smallest)
			}
		}
		if smallest > 0 {
			c.Reason += fmt.Sprintf(" The smallest change of p50 that this job could have seen is %s.", strings.TrimPrefix(Change(smallest), "+"))
		}
		c.Advice = append(c.Advice, "Run more pairs or a higher rate; four times the pairs halve what can be seen.")
	case len(improved) > 0:
		c.Verdict = Improved
		c.Reason = "The new build is better, and worse in nothing that was judged: " + strings.Join(improved, "; ") + "."
	default:
		c.Verdict = Pass
		c.Reason = "The new build is not worse: every change over the tolerated one is ruled out."
		if job.Plan.AA {
			c.Reason = "One build was not told apart from itself, as it should be."
		}
	}
	for k := range job.Metrics {
		if m := &job.Metrics[k]; m.Verdict == Skipped {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %s", m.name(), m.Reason))
		}
	}
	c.Notes = append(c.Notes, "Response times are compared over right answers only; wrong ones have their own test.")
}

// untrueKinds are the kinds of wrong answers of which a single one is a defect, however rare.
var untrueKinds = []string{"identity", "duplicate", "token", "shape"}

// untrue lists the kinds of such answers that the new build gave and the old one did not. Where both gave them, their shares are judged
// like those of other wrong answers.
func (c *Comparison) untrue() []string {
	var found []string
	for _, o := range c.Load.Operations {
		if o.Old == nil || o.New == nil || o.Operation == allOperations {
			continue
		}
		for _, kind := range untrueKinds {
			if n := o.New.Outcomes[kind]; n > 0 && o.Old.Outcomes[kind] == 0 {
				found = append(found, fmt.Sprintf("%s of %s (%s)", Plural(n, "answer"), o.Operation, kind))
			}
		}
	}
	return found
}
