package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"agstest/internal/stats"
	"agstest/reports"
)

// Limits are judged with a block bootstrap, since neighbouring seconds of a service are alike and single answers are not independent.
const (
	wantedBlock  = 30  // seconds; in the simulation that this rests on, shorter blocks gave intervals that were too narrow
	wantedBlocks = 10  // a run that is too short for so many gets shorter blocks, of a second at least
	leastBlocks  = 5   // with fewer there is no interval
	mostBlocks   = 120 // a longer run gets longer blocks
	limitLevel   = 0.95
)

// valueCount is a number of equal values of a distribution, in nanoseconds.
type valueCount struct{ Value, Count int64 }

// stretch is what an operation, or all of them, did in a part of a run. The distributions hold right answers, ascending.
type stretch struct {
	Sent, Right, Wrong, Throttled int64
	Response, Service             []valueCount
	seconds                       int64
}

// measured is what limits are judged on. Stretch sums up whole seconds of the schedule, from inclusive to exclusive; the empty
// operation is all of them.
type measured struct {
	Seconds int
	Stretch func(operation string, from, to int) stretch
	Storm   *reports.Storm
	Seed    uint64
}

// judgeLimits says of each limit whether the run keeps it. A figure is uncertain, so it gets an interval that holds the true value in 95
// of 100 runs: pass if all of the interval is within the limit, fail if all of it is beyond, otherwise inconclusive, with what would
// decide. The interval is the wider one of a block bootstrap (expanded for few blocks by Student's t) and of what the number of answers
// alone allows: order statistics for percentiles, Clopper and Pearson's interval for shares. The same run and seed give the same
// verdicts for ever.
func judgeLimits(limits []Limit, run measured) []reports.Limit {
	judged := make([]reports.Limit, 0, len(limits))
	series := map[string][]stretch{}
	length, count := blocksOf(run.Seconds)
	for i, l := range limits {
		if l.Metric == "recovered" {
			judged = append(judged, judgeRecovery(l, run.Storm))
			continue
		}
		blocks, ok := series[l.Operation]
		if !ok {
			for b := range count {
				to := (b + 1) * length
				if b == count-1 {
					to = run.Seconds
				}
				block := run.Stretch(l.Operation, b*length, to)
				block.seconds = int64(to - b*length)
				blocks = append(blocks, block)
			}
			series[l.Operation] = blocks
		}
		random := rand.New(rand.NewPCG(run.Seed, uint64(i)))
		judged = append(judged, l.judge(blocks, length, run.Seconds, random))
	}
	return judged
}

// blocksOf is the length of a block in seconds and how many a run has; the last one may be longer.
func blocksOf(seconds int) (length, count int) {
	length = min(wantedBlock, max(1, seconds/wantedBlocks))
	if seconds/length > mostBlocks {
		length = (seconds + mostBlocks - 1) / mostBlocks
	}
	return length, max(1, seconds/length)
}

func judgeRecovery(l Limit, storm *reports.Storm) reports.Limit {
	verdict := reports.Limit{Expression: l.Expression, Verdict: reports.Fail}
	switch {
	case storm == nil:
		verdict.Verdict, verdict.Reason = reports.Error, "the run had no storm"
	case storm.Recovered < 0:
		verdict.Value, verdict.Reason = "never", "not every client was signed in when the run ended"
	default:
		verdict.Value = limitTime(float64(storm.Recovered))
		if l.keeps(float64(storm.Recovered)) {
			verdict.Verdict = reports.Pass
		}
		verdict.Reason = "one storm is one figure; it has no interval"
	}
	return verdict
}

// judge decides one limit from the blocks of its population.
func (l Limit) judge(blocks []stretch, length, seconds int, random *rand.Rand) reports.Limit {
	verdict := reports.Limit{Expression: l.Expression, Verdict: reports.Inconclusive}
	var total stretch
	for _, b := range blocks {
		total.Sent += b.Sent
		total.Right += b.Right
		total.Wrong += b.Wrong
		total.Throttled += b.Throttled
	}
	if total.Sent == 0 {
		verdict.Value, verdict.Reason = "–", "nothing was sent"
		return verdict
	}
	figure := l.figureOf(blocks)
	if l.isTime() && total.Right == 0 {
		verdict.Verdict, verdict.Value, verdict.Reason = reports.Fail, "–", "no answer was right, so no right answer came in time"
		return verdict
	}

	all := make([]int, len(blocks))
	for i := range all {
		all[i] = i
	}
	value := figure(all)
	verdict.Value = l.shown(value)
	if l.Metric == "max" {
		verdict.Reason = "the largest value of this run; it has no interval"
		verdict.Verdict = reports.Fail
		if l.keeps(value) {
			verdict.Verdict = reports.Pass
		}
		return verdict
	}
	if seconds < leastBlocks {
		verdict.Reason = fmt.Sprintf("the run took %d s; an interval needs %d s at least", seconds, leastBlocks)
		return verdict
	}

	interval := stats.BlockBootstrap(random, len(blocks), 2000, limitLevel, figure)
	// Few blocks vary less among themselves than a normal population would: the percentile interval is expanded accordingly (T. C.
	// Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015), section 4.1.3).
	m := float64(len(blocks))
	expand := stats.StudentQuantile(1-(1-limitLevel)/2, m-1) / stats.NormalQuantile(1-(1-limitLevel)/2) * math.Sqrt(m/(m-1))
	low, high := value-(value-interval.Low)*expand, value+(interval.High-value)*expand
	missing := int64(0)
	switch {
	case l.Quantile > 0:
		below, above, enough := l.orderInterval(blocks, total.Right)
		low, high = min(low, below), max(high, above)
		if !enough {
			high = math.Inf(1)
			missing = int64(math.Ceil(math.Log((1-limitLevel)/2) / math.Log(l.Quantile)))
		}
	case l.Metric == "errors":
		below, above := shareInterval(total.Wrong, total.Sent)
		low, high = min(low, below), max(high, above)
	case l.Metric == "throttled":
		below, above := shareInterval(total.Throttled, total.Sent)
		low, high = min(low, below), max(high, above)
	}
	low = max(low, 0)
	if l.Metric == "errors" || l.Metric == "throttled" {
		high = min(high, 1)
	}
	verdict.Interval = l.shown(low) + " – " + l.shown(high)

	better, worse := high, low
	if l.Above {
		better, worse = low, high
	}
	switch {
	case l.keeps(better):
		verdict.Verdict = reports.Pass
	case !l.keeps(worse):
		verdict.Verdict = reports.Fail
	case missing > 0:
		verdict.Reason = fmt.Sprintf("%s right answers are too few for %s; %s at least are needed",
			reports.Count(total.Right), l.Metric, reports.Count(missing))
	default:
		verdict.Reason = "the interval holds the limit itself; " + l.needed(value, low, high, total.Sent, seconds)
	}
	if note := shortBlocks(length, seconds); note != "" {
		if verdict.Reason != "" {
			verdict.Reason += "; "
		}
		verdict.Reason += note
	}
	return verdict
}

func shortBlocks(length, seconds int) string {
	if length >= wantedBlock {
		return ""
	}
	return fmt.Sprintf("judged in blocks of %d s, as the run took %d s; neighbouring seconds are alike, so the interval may be too narrow, and %d s give blocks of %d s",
		length, seconds, wantedBlock*wantedBlocks, wantedBlock)
}

// needed estimates how long a run would have to be: the interval shrinks with the root of the length.
func (l Limit) needed(value, low, high float64, sent int64, seconds int) string {
	side := value - low
	if l.Bound > value {
		side = high - value
	}
	distance := math.Abs(value - l.Bound)
	if distance == 0 || side <= 0 || side/distance > 100 {
		return "the figure is so near to the limit that no longer run of a sensible length would decide"
	}
	factor := math.Pow(side/distance, 2)
	if value == 0 && l.Bound > 0 && sent > 0 && !l.Above {
		// With no event at all the upper end falls with the number of answers itself.
		factor = high / l.Bound
	}
	longer := time.Duration(math.Ceil(float64(seconds)*max(factor, 1))) * time.Second
	return "at this spread a run of about " + reports.Elapsed(longer) + " would decide"
}

// figureOf makes the function that the figure is of drawn blocks.
func (l Limit) figureOf(blocks []stretch) func([]int) float64 {
	ratio := func(part, whole func(*stretch) int64) func([]int) float64 {
		return func(drawn []int) float64 {
			var p, w int64
			for _, b := range drawn {
				p += part(&blocks[b])
				w += whole(&blocks[b])
			}
			return float64(p) / float64(w) // NaN without any: left out by the bootstrap
		}
	}
	sent := func(s *stretch) int64 { return s.Sent }
	switch l.Metric {
	case "errors":
		return ratio(func(s *stretch) int64 { return s.Wrong }, sent)
	case "throttled":
		return ratio(func(s *stretch) int64 { return s.Throttled }, sent)
	case "rate":
		return ratio(sent, func(s *stretch) int64 { return s.seconds })
	case "throughput":
		return ratio(func(s *stretch) int64 { return s.Right }, func(s *stretch) int64 { return s.seconds })
	case "mean":
		sums := make([]int64, len(blocks))
		for i := range blocks {
			for _, v := range l.times(&blocks[i]) {
				sums[i] += v.Value * v.Count
			}
		}
		return func(drawn []int) float64 {
			var sum, count int64
			for _, b := range drawn {
				sum += sums[b]
				count += blocks[b].Right
			}
			return float64(sum) / float64(count)
		}
	case "max":
		return func(drawn []int) float64 {
			var largest int64
			for _, b := range drawn {
				if times := l.times(&blocks[b]); len(times) > 0 {
					largest = max(largest, times[len(times)-1].Value)
				}
			}
			return float64(largest)
		}
	}
	return l.quantileOf(blocks)
}

func (l Limit) times(s *stretch) []valueCount {
	if l.Service {
		return s.Service
	}
	return s.Response
}

// quantileOf finds the percentile of drawn blocks by bisection over cumulative counts, which are summed up once: drawing does not go
// through the distributions again.
func (l Limit) quantileOf(blocks []stretch) func([]int) float64 {
	values := l.distinctValues(blocks)
	cumulative := make([][]int64, len(blocks)) // by block: how many of its answers took at most values[i]
	for b := range blocks {
		cumulative[b] = make([]int64, len(values))
		times, next, sum := l.times(&blocks[b]), 0, int64(0)
		for i, value := range values {
			for next < len(times) && times[next].Value <= value {
				sum += times[next].Count
				next++
			}
			cumulative[b][i] = sum
		}
	}
	weights := make([]int64, len(blocks))
	return func(drawn []int) float64 {
		if len(values) == 0 {
			return math.NaN()
		}
		clear(weights)
		for _, b := range drawn {
			weights[b]++
		}
		upTo := func(i int) (sum int64) {
			for b, weight := range weights {
				if weight > 0 {
					sum += weight * cumulative[b][i]
				}
			}
			return sum
		}
		count := upTo(len(values) - 1)
		if count == 0 {
			return math.NaN()
		}
		rank := max(1, int64(math.Ceil(l.Quantile*float64(count)-1e-9)))
		low, high := 0, len(values)-1
		for low < high {
			middle := (low + high) / 2
			if upTo(middle) >= rank {
				high = middle
			} else {
				low = middle + 1
			}
		}
		return float64(values[low])
	}
}

func (l Limit) distinctValues(blocks []stretch) []int64 {
	var values []int64
	for b := range blocks {
		for _, v := range l.times(&blocks[b]) {
			values = append(values, v.Value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// orderInterval is the interval for a percentile that the number of answers allows, whatever the distribution (H. A. David and H. N.
// Nagaraja, Order Statistics, section 7.1). With too few answers not even the largest is surely above the percentile: then enough is
// false.
func (l Limit) orderInterval(blocks []stretch, count int64) (low, high float64, enough bool) {
	tail := (1 - limitLevel) / 2
	n := float64(count)
	// atLeast(k) is the probability that k or more answers are below the true percentile.
	atLeast := func(k int64) float64 {
		if k <= 0 {
			return 1
		}
		if k > count {
			return 0
		}
		return stats.IncompleteBeta(float64(k), n-float64(k)+1, l.Quantile)
	}
	first := func(holds func(k int64) bool) int64 { // the smallest k in 1 … count+1 from which on it holds
		from, to := int64(1), count+1
		for from < to {
			if middle := (from + to) / 2; holds(middle) {
				to = middle
			} else {
				from = middle + 1
			}
		}
		return from
	}
	upper := first(func(k int64) bool { return atLeast(k) <= tail })
	lower := first(func(k int64) bool { return atLeast(k) < 1-tail }) - 1
	values := l.distinctValues(blocks)
	at := func(rank int64) float64 {
		i, _ := slices.BinarySearchFunc(values, rank, func(value, rank int64) int {
			if l.countUpTo(blocks, value) >= rank {
				return 1
			}
			return -1
		})
		return float64(values[min(i, len(values)-1)])
	}
	if lower >= 1 {
		low = at(lower)
	}
	if upper > count {
		return low, math.Inf(1), false
	}
	return low, at(upper), true
}

func (l Limit) countUpTo(blocks []stretch, value int64) (sum int64) {
	for b := range blocks {
		for _, v := range l.times(&blocks[b]) {
			if v.Value > value {
				break
			}
			sum += v.Count
		}
	}
	return sum
}

// shareInterval is the interval for a share that its count alone allows (C. J. Clopper and E. S. Pearson, "The use of confidence or
// fiducial limits", Biometrika 26 (1934)): never too narrow for independent events, also for none of many.
func shareInterval(part, whole int64) (low, high float64) {
	tail := (1 - limitLevel) / 2
	x, n := float64(part), float64(whole)
	solve := func(a, b, p float64) float64 {
		from, to := 0.0, 1.0
		for range 60 {
			middle := (from + to) / 2
			if stats.IncompleteBeta(a, b, middle) < p {
				from = middle
			} else {
				to = middle
			}
		}
		return to
	}
	low, high = 0, 1
	if part > 0 {
		low = solve(x, n-x+1, tail)
	}
	if part < whole {
		high = solve(x+1, n-x, 1-tail)
	}
	return low, high
}

// shown is a figure of the limit's metric for people.
func (l Limit) shown(figure float64) string {
	switch {
	case math.IsInf(figure, 1):
		return "unknown"
	case math.IsNaN(figure):
		return "–"
	case l.Metric == "errors" || l.Metric == "throttled":
		if figure == 0 {
			return "0 %"
		}
		digits := 2
		for share := figure * 100; share < 0.1 && digits < 8; share *= 10 {
			digits++
		}
		return strconv.FormatFloat(figure*100, 'f', digits, 64) + " %"
	case l.Metric == "rate" || l.Metric == "throughput":
		return reports.Rate(figure)
	}
	return limitTime(figure)
}

func limitTime(nanoseconds float64) string {
	if nanoseconds >= float64(10*time.Second) {
		return reports.Elapsed(time.Duration(nanoseconds))
	}
	return reports.Milliseconds(int64(math.Round(nanoseconds)))
}
