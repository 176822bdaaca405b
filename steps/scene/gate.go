package scene

import (
	"container/heap"
	"context"
	"math"
	"sync"

	"agstest/steps/script"
)

// gate lets a number of requests be under way at the same time. Of those that wait, the one whose scenario has the
// longest way to the end of the run goes first, and of those the one that came first.
type gate struct {
	mu      sync.Mutex // guards what follows
	free    int
	came    int
	waiting waiters
	way     func(*script.Scenario) int // negative: it is none of the scenarios in play
}

// waiter is a request that waits.
type waiter struct {
	way, place int
	at         int           // in the heap; -1: it may go
	given      chan struct{} // closed when it may go
}

// Ways tells how long the way of a scenario to the end of the run is.
func (r *Stage) Ways(way func(*script.Scenario) int) {
	r.underWay.mu.Lock()
	defer r.underWay.mu.Unlock()
	r.underWay.way = way
}

// enter waits for its turn; false: the context ended first.
func (g *gate) enter(ctx context.Context, s *script.Scenario) bool {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return true
	}
	g.came++
	// what belongs to no scenario is for several
	own := &waiter{way: math.MaxInt, place: g.came, given: make(chan struct{})}
	if g.way != nil {
		if way := g.way(s); way >= 0 {
			own.way = way
		}
	}
	heap.Push(&g.waiting, own)
	g.mu.Unlock()
	select {
	case <-own.given:
		return true
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if own.at < 0 { // it was let in at this moment
		return true
	}
	heap.Remove(&g.waiting, own.at)
	return false
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.free++
		return
	}
	close(heap.Pop(&g.waiting).(*waiter).given)
}

// waiters has the one that goes first at its top.
type waiters []*waiter

func (h waiters) Len() int { return len(h) }
func (h waiters) Less(i, j int) bool {
	return h[i].way > h[j].way || h[i].way == h[j].way && h[i].place < h[j].place
}
func (h waiters) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
func (h *waiters) Push(x any) {
	own := x.(*waiter)
	own.at = len(*h)
	*h = append(*h, own)
}
func (h *waiters) Pop() any {
	old := *h
	last := old[len(old)-1]
	last.at = -1
	*h = old[:len(old)-1]
	return last
}
