//go:build race

package shards

import "runtime"

// In a bubble of testing/synctest all timers share one context of the race detector (runtime.synctestBubble, Go 1.26).
// If two threads meet timers that are due already, at the same moment, the detector falls over with a segmentation
// violation. With one processor there is one such thread. Races are found all the same: the detector goes by the order
// of events, not by what happens at once.
func init() { runtime.GOMAXPROCS(1) }
