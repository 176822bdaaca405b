package engine

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// A generator makes much garbage and keeps little, so the collector would run some dozen times a second. During a load
// it waits until the garbage is four times the live heap, or 64 MB if much is live: a hit costs a twentieth less.
const (
	usualPercent  = 100 // of Go
	loadPercent   = 400
	maxGarbage    = 64 << 20
	liveHeapBytes = "/gc/heap/live:bytes"
)

// collecting counts the loads of this process, which share one collector.
var collecting struct {
	mu     sync.Mutex // guards the rest
	loads  int
	before int
}

// collectLess lets the collector of this process run less often until restore is called, where nobody has said how
// often it shall, as GOGC does.
func collectLess() (restore func()) {
	collecting.mu.Lock()
	defer collecting.mu.Unlock()
	if collecting.loads++; collecting.loads == 1 {
		collecting.before = debug.SetGCPercent(percentFor(liveHeap()))
		if collecting.before != usualPercent {
			debug.SetGCPercent(collecting.before)
		}
	}
	return sync.OnceFunc(func() {
		collecting.mu.Lock()
		defer collecting.mu.Unlock()
		if collecting.loads--; collecting.loads == 0 {
			debug.SetGCPercent(collecting.before)
		}
	})
}

// percentFor returns how much garbage there may be beside live bytes, in percent of them.
func percentFor(live uint64) int {
	return int(min(loadPercent, max(usualPercent, 100*maxGarbage/max(live, 1))))
}

// liveHeap returns the bytes that the last collection left.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: liveHeapBytes}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
