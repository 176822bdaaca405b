package schedule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync/atomic"
	"time"
)

// poissonProcess is random arrivals of independent users at a mean rate, the same ones for the same seed. The schedule
// is cut into short cells of about 64 hits: how many hits a cell has is drawn when the schedule is made, where they lie
// is drawn anew whenever it is asked, so that memory grows with the cells and not with the hits. Given their number,
// the arrivals of a Poisson process are independent and evenly distributed, so this is one exactly.
func poissonProcess(rate Rate, length time.Duration, seed uint64) Schedule {
	p := &poisson{rate: rate, length: length, seed: seed}
	p.cell = time.Duration(64 / math.Max(rate.PerSecond(), 1e-9) * 1e9)
	p.cell = min(max(p.cell, 10*time.Microsecond), length)
	count := 0
	if p.cell > 0 {
		count = int((length + p.cell - 1) / p.cell)
	}
	p.firsts = make([]uint64, count+1)
	for i := range count {
		begin, end := p.span(i)
		p.firsts[i+1] = p.firsts[i] + draw(p.random(i), rate.PerSecond()*(end-begin).Seconds())
	}
	return p
}

type poisson struct {
	rate   Rate
	length time.Duration
	seed   uint64
	cell   time.Duration
	firsts []uint64 // number of the first hit of each cell, and after the last one the number of all
	recent [64]atomic.Pointer[poissonCell]
}

// poissonCell is the due times of one cell.
type poissonCell struct {
	index int
	at    []time.Duration
}

func (p *poisson) random(cell int) *rand.Rand {
	return rand.New(rand.NewPCG(p.seed, uint64(cell)*0x9e3779b97f4a7c15+1))
}

func (p *poisson) span(cell int) (begin, end time.Duration) {
	return p.cell * time.Duration(cell), min(p.cell*time.Duration(cell+1), p.length)
}

// draw is a Poisson variate: the number of exponential gaps that fit. The mean is about 64 at most.
func draw(random *rand.Rand, mean float64) uint64 {
	n := uint64(0)
	for sum := random.ExpFloat64(); sum < mean; sum += random.ExpFloat64() {
		n++
	}
	return n
}

func (p *poisson) at(cell int) []time.Duration {
	slot := &p.recent[cell%len(p.recent)]
	if c := slot.Load(); c != nil && c.index == cell {
		return c.at
	}
	begin, end := p.span(cell)
	at := make([]time.Duration, p.firsts[cell+1]-p.firsts[cell])
	random := p.random(cell)
	draw(random, p.rate.PerSecond()*(end-begin).Seconds()) // the same stream as when the number was drawn, then on
	for i := range at {
		at[i] = begin + time.Duration(random.Int64N(int64(end-begin)))
	}
	slices.Sort(at)
	// Two hits in the same nanosecond would make Count skip one: move them apart, and back from the end of the cell.
	for i := 1; i < len(at); i++ {
		at[i] = max(at[i], at[i-1]+1)
	}
	for i := len(at) - 1; i >= 0; i-- {
		at[i] = min(at[i], end-time.Duration(len(at)-i))
	}
	slot.Store(&poissonCell{index: cell, at: at})
	return at
}

func (p *poisson) At(n uint64) time.Duration {
	cell := sort.Search(len(p.firsts), func(i int) bool { return p.firsts[i] > n }) - 1
	return p.at(cell)[n-p.firsts[cell]]
}

func (p *poisson) Count(t time.Duration) uint64 {
	if t < 0 {
		return 0
	}
	if t >= p.length {
		return p.Hits()
	}
	cell := int(t / p.cell)
	at := p.at(cell)
	return p.firsts[cell] + uint64(sort.Search(len(at), func(i int) bool { return at[i] > t }))
}

func (p *poisson) Hits() uint64          { return p.firsts[len(p.firsts)-1] }
func (p *poisson) Peak() float64         { return p.rate.PerSecond() }
func (p *poisson) Length() time.Duration { return p.length }
func (p *poisson) String() string {
	return fmt.Sprintf("Poisson arrivals at %s for %s", p.rate, p.length)
}
