// Package schedule says when each hit of a load is due: constant rates, ramps, steps, spikes, sines, Poisson arrivals,
// curves from a file, and the steady state of a population, alone or one after the other.
//
// A Schedule is pure: the time of hit n can be computed at once, without state and without new random numbers. So
// response times are exact (they count from the time a hit was due), ShardOf can deal a schedule out to several
// generators, and a seed replays a run. ParseRate reads a rate, ReadProfile a file of stages, requests and limits. The
// package knows no service and sends nothing.
package schedule

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"
)

// Schedule says when each hit is due. It is pure: the same arguments always give the same answer, on any goroutine,
// which makes response time, sharding and replay exact. For every n below Hits: At(n) < At(n+1) < Length and
// Count(At(n)) = n+1.
type Schedule interface {
	// At returns the time at which hit n, counted from 0, is due, from the start of the run. Callers ask only for n
	// below Hits.
	At(n uint64) time.Duration
	// Count is how many hits are due at t or before.
	Count(t time.Duration) uint64
	// Hits is the number of hits of the whole schedule.
	Hits() uint64
	// Peak is the highest rate, in hits a second.
	Peak() float64
	// Length is the time the schedule spans. The last hit is due before it.
	Length() time.Duration
	// String describes the schedule in words, such as "constant 200/s for 30s".
	String() string
}

// Constant is evenly spaced hits: the first at 0, hit n at n divided by the rate.
func Constant(rate Rate, length time.Duration) Schedule {
	return constant{rate: rate, length: length, total: rate.HitsBefore(length)}
}

type constant struct {
	rate   Rate
	length time.Duration
	total  uint64
}

func (c constant) At(n uint64) time.Duration { return c.rate.Due(n) }
func (c constant) Hits() uint64              { return c.total }
func (c constant) Peak() float64             { return c.rate.PerSecond() }
func (c constant) Length() time.Duration     { return c.length }
func (c constant) String() string            { return fmt.Sprintf("constant %s for %s", c.rate, c.length) }
func (c constant) Count(t time.Duration) uint64 {
	if t < 0 {
		return 0
	}
	return min(c.rate.HitsBefore(t+1), c.total)
}

// curve is a schedule whose rate changes with time: it is given by the number of hits expected by each instant, a
// function that never falls. Hit n is due at the first nanosecond where that number reaches n.
type curve struct {
	length time.Duration
	total  uint64
	words  string
	peak   float64
	// reached is the expected number of hits by t seconds, 0 at 0.
	reached func(t float64) float64
	// guess inverts reached roughly, or is nil.
	guess func(hits float64) float64
}

func newCurve(length time.Duration, words string, peak float64, reached, guess func(float64) float64) *curve {
	c := &curve{length: max(length, 0), words: words, peak: peak, reached: reached, guess: guess}
	if length <= 0 {
		return c
	}
	// Hit n is part of the curve when it is due before the end; a sum that misses a whole number by rounding alone
	// counts as that.
	c.total = uint64(math.Max(0, math.Ceil(reached(length.Seconds())-1e-6)))
	for c.total > 0 && c.At(c.total-1) >= length {
		c.total--
	}
	return c
}

func (c *curve) Hits() uint64          { return c.total }
func (c *curve) Peak() float64         { return c.peak }
func (c *curve) Length() time.Duration { return c.length }
func (c *curve) String() string        { return c.words }

func (c *curve) At(n uint64) time.Duration {
	want := float64(n)
	if want <= 0 && c.reached(1e-9) >= 0 {
		return 0
	}
	enough := func(t time.Duration) bool { return c.reached(float64(t)*1e-9) >= want }
	low, high := time.Duration(0), c.length // not enough at low, taken as enough at high
	if c.guess != nil {
		// Close in on the guess: it is right to a few nanoseconds.
		at := time.Duration(c.guess(want) * 1e9)
		for step := time.Duration(4); ; step *= 16 {
			if lower := at - step; lower > low && lower < high {
				if enough(lower) {
					high = lower
				} else {
					low = lower
				}
			}
			if upper := at + step; upper > low && upper < high {
				if enough(upper) {
					high = upper
				} else {
					low = upper
				}
			}
			if (at-step <= low || !enough(at-step)) && (at+step >= high || enough(at+step)) || step > c.length {
				break
			}
		}
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		if enough(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

func (c *curve) Count(t time.Duration) uint64 {
	if t < 0 {
		return 0
	}
	if t >= c.length {
		return c.total
	}
	return countBy(c, uint64(math.Max(0, c.reached(float64(t)*1e-9)))+1, t)
}

// countBy corrects a guess of Count by asking At, so that the two can never disagree.
func countBy(s Schedule, guess uint64, t time.Duration) uint64 {
	n := min(guess, s.Hits())
	for n < s.Hits() && s.At(n) <= t {
		n++
	}
	for n > 0 && s.At(n-1) > t {
		n--
	}
	return n
}

// Ramp changes the rate evenly from one to the other. Either may be 0.
func Ramp(from, to Rate, length time.Duration) Schedule {
	if from == to {
		return Constant(from, length)
	}
	r0, r1, seconds := from.PerSecond(), to.PerSecond(), length.Seconds()
	slope := (r1 - r0) / seconds
	reached := func(t float64) float64 { return t * (r0 + slope*t/2) }
	// The root of reached(t) = n in the form that does not cancel digits for small slopes.
	guess := func(n float64) float64 { return 2 * n / (r0 + math.Sqrt(math.Max(0, r0*r0+2*slope*n))) }
	return newCurve(length, fmt.Sprintf("ramp %s to %s over %s", from, to, length), max(r0, r1), reached, guess)
}

// sineCurve swings the rate around a mean: mean + amplitude·sin(2π·t/period). The amplitude is at most the mean.
func sineCurve(mean, amplitude Rate, period, length time.Duration) Schedule {
	m, a, w := mean.PerSecond(), amplitude.PerSecond(), 2*math.Pi/period.Seconds()
	reached := func(t float64) float64 { return m*t + a/w*(1-math.Cos(w*t)) }
	words := fmt.Sprintf("sine %s ± %s with a period of %s for %s", mean, amplitude, period, length)
	return newCurve(length, words, m+a, reached, nil)
}

// stepCurve goes from one rate to another in the given number of even steps of the same length.
func stepCurve(from, to Rate, steps int, length time.Duration) Schedule {
	stages := make([]Schedule, steps)
	for i := range stages {
		r := from.PerSecond()
		if steps > 1 {
			r += (to.PerSecond() - from.PerSecond()) * float64(i) / float64(steps-1)
		}
		begin, end := length*time.Duration(i)/time.Duration(steps), length*time.Duration(i+1)/time.Duration(steps)
		stages[i] = Constant(RateOf(r), end-begin)
	}
	return sequence(fmt.Sprintf("%d steps from %s to %s over %s", steps, from, to, length), stages...)
}

// RateOf makes a rate of a number, exact to a millionth of a hit a second.
func RateOf(r float64) Rate {
	rate := Rate{Hits: int64(math.Round(r * 1e6)), Per: time.Second * 1e6}
	for _, divisor := range []int64{1e6, 1e3, 10} {
		if rate.Hits%divisor == 0 {
			return Rate{Hits: rate.Hits / divisor, Per: rate.Per / time.Duration(divisor)}
		}
	}
	return rate
}

// spikeCurve is a base rate with one peak in the middle: base, a rise, a hold at the peak, a fall, base again.
func spikeCurve(base, peak Rate, rise, hold, fall, length time.Duration) Schedule {
	rest := length - rise - hold - fall
	before := rest / 2
	words := fmt.Sprintf("spike from %s to %s (rise %s, hold %s, fall %s) in %s", base, peak, rise, hold, fall, length)
	return sequence(words, Constant(base, before), Ramp(base, peak, rise), Constant(peak, hold),
		Ramp(peak, base, fall), Constant(base, rest-before))
}

// Sequence runs schedules one after the other.
func Sequence(stages ...Schedule) Schedule {
	words := make([]string, len(stages))
	for i, stage := range stages {
		words[i] = stage.String()
	}
	return sequence(strings.Join(words, ", then "), stages...)
}

func sequence(words string, stages ...Schedule) Schedule {
	s := &stageSequence{words: words}
	for _, stage := range stages {
		if stage.Length() <= 0 {
			continue
		}
		s.stages = append(s.stages, stage)
		s.starts = append(s.starts, s.length)
		s.firsts = append(s.firsts, s.total)
		s.length += stage.Length()
		s.total += stage.Hits()
	}
	return s
}

type stageSequence struct {
	words  string
	stages []Schedule
	starts []time.Duration // of each stage
	firsts []uint64        // number of the first hit of each stage
	length time.Duration
	total  uint64
}

func (s *stageSequence) Hits() uint64          { return s.total }
func (s *stageSequence) Length() time.Duration { return s.length }
func (s *stageSequence) String() string        { return s.words }

func (s *stageSequence) Peak() float64 {
	peak := 0.0
	for _, stage := range s.stages {
		peak = max(peak, stage.Peak())
	}
	return peak
}

func (s *stageSequence) At(n uint64) time.Duration {
	// The last stage that begins at hit n or before; stages without hits share their first with the next one and are
	// passed over.
	i := sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > n }) - 1
	return s.starts[i] + s.stages[i].At(n-s.firsts[i])
}

func (s *stageSequence) Count(t time.Duration) uint64 {
	i := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > t }) - 1
	if i < 0 {
		return 0
	}
	return s.firsts[i] + s.stages[i].Count(t-s.starts[i])
}

// Shard names one of several generators that share one schedule: Index from 1 to Of. The zero value is the only one of
// one.
type Shard struct {
	Index, Of int
}

func (s Shard) String() string {
	if s.Of <= 1 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// ShardOf gives the part of a schedule that one of several generators runs: every Of-th hit. The union of all parts is
// the schedule.
func ShardOf(s Schedule, shard Shard) Schedule {
	if shard.Of <= 1 {
		return s
	}
	return sharded{Schedule: s, shard: shard}
}

type sharded struct {
	Schedule
	shard Shard
}

func (s sharded) At(n uint64) time.Duration {
	return s.Schedule.At(n*uint64(s.shard.Of) + uint64(s.shard.Index-1))
}
func (s sharded) Peak() float64                { return s.Schedule.Peak() / float64(s.shard.Of) }
func (s sharded) Hits() uint64                 { return s.share(s.Schedule.Hits()) }
func (s sharded) Count(t time.Duration) uint64 { return s.share(s.Schedule.Count(t)) }

// share is how many of the first n hits of the whole schedule are this shard's.
func (s sharded) share(n uint64) uint64 {
	return (n + uint64(s.shard.Of) - uint64(s.shard.Index)) / uint64(s.shard.Of)
}
