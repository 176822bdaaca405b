package ab

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"agstest/load/schedule"
)

// turns is the part of one side in a job where two services take turns: the same number of evenly spaced hits in each
// of its blocks, and none during the other's turn.
type turns struct {
	starts []time.Duration // of its blocks, ascending
	rate   schedule.Rate
	block  time.Duration
	each   uint64 // hits of a block
	length time.Duration
}

func (t turns) At(n uint64) time.Duration { return t.starts[n/t.each] + t.rate.Due(n%t.each) }
func (t turns) Hits() uint64              { return t.each * uint64(len(t.starts)) }
func (t turns) Peak() float64             { return t.rate.PerSecond() }
func (t turns) Length() time.Duration     { return t.length }
func (t turns) String() string {
	return fmt.Sprintf("%s in %d blocks of %s, by turns", t.rate, len(t.starts), t.block)
}

func (t turns) Count(at time.Duration) uint64 {
	// The first block that starts after the moment.
	next := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > at })
	if next == 0 {
		return 0
	}
	last := uint64(next - 1)
	return last*t.each + min(t.rate.HitsBefore(at-t.starts[last]+1), t.each)
}

// own is how much of the time before a moment lies in blocks of this side.
func (t turns) own(before time.Duration) (sum time.Duration) {
	for _, start := range t.starts {
		sum += max(0, min(t.block, before-start))
	}
	return sum
}

// takeTurns lays blocks of both sides one after the other, a pair to warm up before those that count. The order within
// each pair is drawn at random, so that whatever has a rhythm of its own cannot favour one side.
func takeTurns(random *rand.Rand, rate schedule.Rate, block time.Duration, pairs int) (old, new turns,
	oldFirst []bool) {
	old = turns{rate: rate, block: block, each: rate.HitsBefore(block), length: time.Duration(2*(pairs+1)) * block}
	new = old
	for pair := range pairs + 1 {
		first := random.IntN(2) == 0
		a, b := &old, &new
		if !first {
			a, b = b, a
		}
		a.starts = append(a.starts, time.Duration(2*pair)*block)
		b.starts = append(b.starts, time.Duration(2*pair+1)*block)
		if pair > 0 {
			oldFirst = append(oldFirst, first)
		}
	}
	return old, new, oldFirst
}
