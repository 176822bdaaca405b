package limit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"agstest/internal/figures"
	"agstest/internal/stats"
	"agstest/reports"
)

// Limits are judged with a block bootstrap, since neighbouring seconds of a service are alike and single answers are
// not independent.
const (
	wantedBlock  = 30  // seconds; shorter ones gave intervals that were too narrow, in simulations
	wantedBlocks = 10  // a run that is too short for ten gets shorter blocks, of a second at least
	maxBlocks    = 120 // a longer run gets longer blocks
	level        = 0.95
	// MinBlocks: with fewer blocks, each of a second at least, there is no interval.
	MinBlocks = 5
)

// ValueCount is a number of equal values of a distribution, in nanoseconds.
type ValueCount struct{ Value, Count int64 }

// Stretch is the counts and times of an operation, or of all of them, in a part of a run. The distributions hold right
// answers, ascending, and the sums are exact, in nanoseconds.
type Stretch struct {
	Sent, Right, Wrong, Throttled int64
	Response, Service             []ValueCount
	ResponseSum, ServiceSum       int64
	// Longer is by how much its hits took longer to be sent than its whole seconds, and LongerAnswers its right answers
	// to come; below 0: less long.
	Longer, LongerAnswers time.Duration
	// for how long hits were sent, and right answers came, in nanoseconds
	sending, answering int64
}

// Run is the data on which limits are judged. Stretch sums up whole seconds of the schedule, from inclusive to
// exclusive; the empty operation stands for all.
type Run struct {
	Seconds int
	Stretch func(operation string, from, to int) Stretch
	Storm   *reports.Storm
	Seed    uint64
	// Part: the run ended early, or is one shard of several, so that an operation which was never sent may have come
	// later, or elsewhere.
	Part bool
	// Piece says why the run has only a piece of the rate that limits speak of; empty: it has the whole.
	Piece string
	// Lag is by how much hits left late.
	Lag reports.Percentiles
}

// Judge decides for each limit whether the run keeps it. A figure is uncertain, so it gets an interval that holds the
// true value in 95 of 100 runs: pass if all of the interval is within the limit, fail if all of it is beyond, otherwise
// inconclusive, with what would decide. The interval is the wider one of a block bootstrap (expanded for few blocks by
// Student's t) and of what the number of answers alone allows: order statistics for percentiles, Clopper and Pearson's
// interval for shares. Errors, and slow answers, that come in bursts make the first one wide; if their number alone is
// beyond the limit, this run did not keep it, and that is a fail. A storm is over when everyone is in: its answers come
// at once and are few later, so that its blocks say nothing of each other, and the number alone counts. The same run
// and seed always give the same verdicts.
// Late are the limits that the lag of the generator itself may have decided. Sure are the limits on response times that
// the service times alone break: they would not have been kept however long hits waited before they were sent.
func Judge(limits []Limit, run Run) (judged []reports.Limit, late, sure []string) {
	judged = make([]reports.Limit, 0, len(limits))
	series := map[string][]Stretch{}
	length, count := blocksOf(run.Seconds)
	for i, l := range limits {
		if l.metric().storm {
			verdict := judgeRecovery(l, &run)
			if why := l.laggedRecovery(verdict, &run); why != "" {
				late = append(late, why)
			}
			judged = append(judged, verdict)
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
				block.lasts(time.Duration(to-b*length) * time.Second)
				blocks = append(blocks, block)
			}
			series[l.Operation] = blocks
		}
		random := rand.New(rand.NewPCG(run.Seed, uint64(i)))
		verdict := l.judge(blocks, length, run, random)
		if alone := l; l.IsTime() && !l.Service && verdict.Verdict == reports.Fail && sum(blocks).Right > 0 {
			alone.Service = true
			if alone.judge(blocks, length, run, random).Verdict == reports.Fail {
				sure = append(sure, l.Expression)
			}
		}
		if why := l.lagged(verdict, run.Lag); why != "" && !slices.Contains(sure, l.Expression) {
			late = append(late, why)
		}
		judged = append(judged, l.ofPiece(verdict.Limit, run.Piece))
	}
	return judged, late, sure
}

// ofPiece is the verdict on a limit of a run that is a piece of the whole: that its rate is lower breaks no limit.
func (l Limit) ofPiece(verdict reports.Limit, piece string) reports.Limit {
	if l.metric().unit == asRate && verdict.Verdict != reports.Pass && piece != "" {
		verdict.Verdict, verdict.Reason = reports.Inconclusive, piece
	}
	return verdict
}

// lasts sets for how long hits of a stretch were sent, and answers came, beside its whole seconds.
func (s *Stretch) lasts(seconds time.Duration) {
	s.sending, s.answering = int64(max(1, seconds+s.Longer)), int64(max(1, seconds+s.LongerAnswers))
}

// blocksOf is the length of a block in seconds and how many a run has; the last one may be longer.
func blocksOf(seconds int) (length, count int) {
	length = min(wantedBlock, max(1, seconds/wantedBlocks))
	if seconds/length > maxBlocks {
		length = (seconds + maxBlocks - 1) / maxBlocks
	}
	return length, max(1, seconds/length)
}

// judgeRecovery decides a limit on the end of a storm. One that was ended before is not decided, unless the limit had
// passed.
func judgeRecovery(l Limit, run *Run) reports.Limit {
	storm := run.Storm
	verdict := reports.Limit{Expression: l.Expression, Verdict: reports.Fail}
	switch {
	case storm == nil:
		verdict.Verdict, verdict.Reason = reports.Error, "the run had no storm"
	case storm.Recovered < 0 && run.Part && l.Keeps(float64(time.Duration(run.Seconds)*time.Second)):
		verdict.Verdict, verdict.Value, verdict.Reason = reports.Inconclusive, "–",
			"the run ended before every client was signed in"
	case storm.Recovered < 0:
		verdict.Value, verdict.Reason = "never", "not every client was signed in when the run ended"+storm.AwayInWords()
	default:
		verdict.Value = ShowTime(float64(storm.Recovered))
		if l.Keeps(float64(storm.Recovered)) {
			verdict.Verdict = reports.Pass
		}
		verdict.Reason = "one storm is one figure; it has no interval"
	}
	return verdict
}

// judge decides one limit from the blocks of its population. A limit that judged nothing is not kept.
func (l Limit) judge(blocks []Stretch, length int, run Run, random *rand.Rand) judgement {
	seconds := run.Seconds
	verdict := judgement{Limit: reports.Limit{Expression: l.Expression, Verdict: reports.Inconclusive}}
	total := sum(blocks)
	if total.Sent == 0 {
		verdict.Value, verdict.Reason = "–", "nothing was sent"
		if !run.Part {
			verdict.Verdict, verdict.Reason = reports.Fail, "nothing was sent that it speaks of, so it judged nothing"
		}
		return verdict
	}
	row := l.metric()
	figure := row.figure(l, blocks)
	if l.IsTime() && total.Right == 0 {
		verdict.Verdict, verdict.Value, verdict.Reason = reports.Fail, "–",
			"no answer was right, so no right answer came in time"
		return verdict
	}

	all := make([]int, len(blocks))
	for i := range all {
		all[i] = i
	}
	value := figure(all)
	verdict.Value, verdict.figure, verdict.low, verdict.high = l.shown(value), value, value, value
	if none := l.Bound == 0 && l.Inclusive; none || row.exact {
		verdict.Reason = "the largest value of this run; it has no interval"
		if none {
			verdict.Reason = "counted in this run; what a longer one would hold is not said"
		}
		verdict.Verdict = l.verdict(value)
		return verdict
	}
	storm := run.Storm != nil
	if seconds < MinBlocks && !storm {
		verdict.Verdict, verdict.Reason = l.judgeShort(blocks, &total, seconds)
		return verdict
	}

	low, high := value, value
	if !storm {
		low, high = spread(len(blocks), value, figure, random)
	}
	low, high, missing := l.byNumber(blocks, &total, low, high)
	low = max(low, 0)
	verdict.low, verdict.high = low, high
	verdict.Interval = l.shown(max(low, l.least(blocks))) + " – " + l.shown(high)
	more, note := "a storm of more clients would decide", ""
	if !storm {
		more, note = l.needed(value, low, high, total.Sent, seconds), shortBlocks(length, seconds)
	}
	l.judgeByInterval(&verdict, blocks, &total, missing, more)
	if note != "" {
		if verdict.Reason != "" {
			verdict.Reason += "; "
		}
		verdict.Reason += note
	}
	return verdict
}

// judgeByInterval decides a limit by its interval. Missing is how many right answers a percentile lacks, more says what
// would decide.
func (l Limit) judgeByInterval(verdict *judgement, blocks []Stretch, total *Stretch, missing int64, more string) {
	better, worse := verdict.high, verdict.low
	if l.Above {
		better, worse = worse, better
	}
	switch {
	case l.Keeps(better):
		verdict.Verdict = reports.Pass
	case !l.Keeps(worse):
		verdict.Verdict = reports.Fail
	default:
		l.judgeByNumber(verdict, blocks, total)
		switch {
		case verdict.Verdict == reports.Fail:
		case missing > 0:
			verdict.Reason = fmt.Sprintf("%s right answers are too few for %s; %s at least are needed",
				figures.Count(total.Right), l.Metric, figures.Count(missing))
		default:
			verdict.Reason = "the interval holds the limit itself; " + more
		}
	}
}

// judgeByNumber fails a limit that is within its interval, where what breaks it is too much by its number alone.
func (l Limit) judgeByNumber(verdict *judgement, blocks []Stretch, total *Stretch) {
	const inBursts = "their number alone is too much; they came in bursts, so that what a longer run would hold " +
		"is less sure"
	if l.tooMany(*total) {
		verdict.Verdict, verdict.Reason = reports.Fail, inBursts
	} else if l.allSlower(blocks, total.Right) {
		verdict.Verdict, verdict.Reason = reports.Fail, noneWithin
	} else if least, many := l.tooManySlower(blocks, total.Right); many {
		verdict.Verdict, verdict.Reason, verdict.low = reports.Fail, l.slower(blocks, total.Right)+inBursts, least
	}
}

// least is the fastest right answer that a limit on times speaks of: an interval that few blocks stretch below all
// that was seen is shown from there on. It is judged as it is.
func (l Limit) least(blocks []Stretch) float64 {
	least := math.Inf(1)
	if l.IsTime() {
		for b := range blocks {
			if times := l.times(&blocks[b]); len(times) > 0 {
				least = min(least, float64(times[0].Value))
			}
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// judgeShort judges a run that is too short for an interval: by numbers alone it may fail.
func (l Limit) judgeShort(blocks []Stretch, total *Stretch, seconds int) (reports.Verdict, string) {
	short := fmt.Sprintf("the run took %d s", seconds)
	need := fmt.Sprintf("an interval needs %d s at least", MinBlocks)
	_, many := l.tooManySlower(blocks, total.Right)
	switch {
	case many && !l.allSlower(blocks, total.Right):
		return reports.Fail, l.slower(blocks, total.Right) + "their number alone is too much; " + short + ", and " + need
	case l.tooMany(*total):
		return reports.Fail, "their number alone is too much; " + short + ", and " + need
	case l.allSlower(blocks, total.Right):
		return reports.Fail, noneWithin
	}
	return reports.Inconclusive, short + "; " + need
}

// verdict returns the verdict on a figure that is known for sure.
func (l Limit) verdict(value float64) reports.Verdict {
	if l.Keeps(value) {
		return reports.Pass
	}
	return reports.Fail
}

// spread returns the interval in which a longer run would find the figure of so many blocks, as far as they differ.
func spread(blocks int, value float64, figure func([]int) float64, random *rand.Rand) (low, high float64) {
	interval := stats.BlockBootstrap(random, blocks, 2000, level, figure)
	// Few blocks vary less among themselves than a normal population would: the percentile interval is expanded
	// accordingly (T. C. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69
	// (2015), section 4.1.3).
	m := float64(blocks)
	expand := stats.StudentQuantile(1-(1-level)/2, m-1) / stats.NormalQuantile(1-(1-level)/2) * math.Sqrt(m/(m-1))
	return value - (value-interval.Low)*expand, value + (interval.High-value)*expand
}

// byNumber widens an interval to what the number of answers alone allows, and returns how many right answers it lacks
// to have an end.
func (l Limit) byNumber(blocks []Stretch, total *Stretch, from, to float64) (low, high float64, missing int64) {
	low, high = from, to
	switch {
	case l.Quantile > 0:
		below, above, enough := l.orderInterval(blocks, total.Right)
		low, high = min(low, below), max(high, above)
		if !enough {
			high = math.Inf(1)
			missing = int64(math.Ceil(math.Log((1-level)/2) / math.Log(l.Quantile)))
		}
	case l.metric().counted != nil:
		below, above := shareInterval(l.metric().counted(total), total.Sent)
		low, high = min(low, below), min(max(high, above), 1)
	}
	return low, high, missing
}

// sum is the counts of several stretches.
func sum(blocks []Stretch) (total Stretch) {
	for _, b := range blocks {
		total.Sent += b.Sent
		total.Right += b.Right
		total.Wrong += b.Wrong
		total.Throttled += b.Throttled
	}
	return total
}

// tooMany tells whether the number of answers alone is beyond a limit on a share, however they were spread over the
// run.
func (l Limit) tooMany(total Stretch) bool {
	counted := l.metric().counted
	if counted == nil {
		return false
	}
	low, _ := shareInterval(counted(&total), total.Sent)
	return !l.Keeps(low)
}

// tooManySlower tells whether more answers than twice as many as a percentile leaves were slower than its limit allows,
// however they were spread over the run; least is the fastest that the percentile may be then. Neighbouring seconds are
// alike, so that some more than it leaves may be chance.
func (l Limit) tooManySlower(blocks []Stretch, right int64) (least float64, many bool) {
	lower := l
	lower.Quantile = 2*l.Quantile - 1
	if lower.Quantile <= 0 || right == 0 {
		return 0, false
	}
	if least, _, _ = lower.orderInterval(blocks, right); l.Keeps(least) {
		return 0, false
	}
	return least, true
}

// slower begins a sentence with how many right answers were slower than a limit allows.
func (l Limit) slower(blocks []Stretch, right int64) string {
	within := int64(0)
	for b := range blocks {
		for _, v := range l.times(&blocks[b]) {
			if l.Keeps(float64(v.Value)) {
				within += v.Count
			}
		}
	}
	return fmt.Sprintf("%s of %s right answers took longer, and ", figures.Count(right-within), figures.Count(right))
}

const noneWithin = "not one right answer came within it"

// allSlower tells whether even the fastest right answer took longer than a limit on times allows, of so many that this
// is no chance. Few blocks vary so much that their interval may reach down below all that was seen.
func (l Limit) allSlower(blocks []Stretch, right int64) bool {
	if !l.IsTime() {
		return false
	}
	for b := range blocks {
		if times := l.times(&blocks[b]); len(times) > 0 && l.Keeps(float64(times[0].Value)) {
			return false
		}
	}
	below := l.Quantile // of the answers are below the figure
	if below == 0 {
		below = 0.5 // of a mean, about
	}
	return math.Pow(1-below, float64(right)) < (1-level)/2
}

func shortBlocks(length, seconds int) string {
	if length >= wantedBlock {
		return ""
	}
	return fmt.Sprintf("judged in blocks of %d s, as the run took %d s, so that the interval may be too narrow; from %d "+
		"s on blocks have %d s",
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
	return "at this spread a run of about " + figures.Elapsed(longer) + " would decide"
}
