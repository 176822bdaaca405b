package limit

import (
	"math"
	"slices"

	"agstest/internal/stats"
)

func sentOf(s *Stretch) int64      { return s.Sent }
func rightOf(s *Stretch) int64     { return s.Right }
func wrongOf(s *Stretch) int64     { return s.Wrong }
func throttledOf(s *Stretch) int64 { return s.Throttled }
func sendingOf(s *Stretch) int64   { return s.sending }
func answeringOf(s *Stretch) int64 { return s.answering }

// ratio makes a figure: the sum of one count over that of another.
func ratio(part, whole func(*Stretch) int64) func(Limit, []Stretch) func([]int) float64 {
	return func(_ Limit, blocks []Stretch) func([]int) float64 {
		return func(drawn []int) float64 {
			var p, w int64
			for _, b := range drawn {
				p += part(&blocks[b])
				w += whole(&blocks[b])
			}
			return float64(p) / float64(w) // NaN without any: left out by the bootstrap
		}
	}
}

// perSecond makes a figure: the sum of one count over that of times in nanoseconds, in a second.
func perSecond(count, time func(*Stretch) int64) func(Limit, []Stretch) func([]int) float64 {
	return func(l Limit, blocks []Stretch) func([]int) float64 {
		each := ratio(count, time)(l, blocks)
		return func(drawn []int) float64 { return each(drawn) * 1e9 }
	}
}

func meanOf(l Limit, blocks []Stretch) func([]int) float64 {
	sumOf := func(s *Stretch) int64 { return s.ResponseSum }
	if l.Service {
		sumOf = func(s *Stretch) int64 { return s.ServiceSum }
	}
	return func(drawn []int) float64 {
		var sum, count int64
		for _, b := range drawn {
			sum += sumOf(&blocks[b])
			count += blocks[b].Right
		}
		return float64(sum) / float64(count)
	}
}

func largestOf(l Limit, blocks []Stretch) func([]int) float64 {
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

func (l Limit) times(s *Stretch) []ValueCount {
	if l.Service {
		return s.Service
	}
	return s.Response
}

// quantileOf finds the percentile of drawn blocks by bisection over cumulative counts, which are summed up once:
// drawing does not go through the distributions again.
func (l Limit) quantileOf(blocks []Stretch) func([]int) float64 {
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

func (l Limit) distinctValues(blocks []Stretch) []int64 {
	var values []int64
	for b := range blocks {
		for _, v := range l.times(&blocks[b]) {
			values = append(values, v.Value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// orderInterval is the interval for a percentile that the number of answers allows, whatever the distribution (H. A.
// David and H. N. Nagaraja, Order Statistics, section 7.1). With too few answers not even the largest is surely above
// the percentile: then enough is false.
func (l Limit) orderInterval(blocks []Stretch, count int64) (low, high float64, enough bool) {
	tail := (1 - level) / 2
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

func (l Limit) countUpTo(blocks []Stretch, value int64) (sum int64) {
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

// shareInterval returns the interval of a share by its count alone (C. J. Clopper and E. S. Pearson, "The use of
// confidence or fiducial limits", Biometrika 26 (1934)): never too narrow for independent events, also for none of
// many.
func shareInterval(part, whole int64) (low, high float64) {
	tail := (1 - level) / 2
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
