package clients

import (
	"sync/atomic"
	"time"
)

// recent is how long exchanges took of late, on average. It is safe for concurrent use.
type recent struct{ average atomic.Int64 }

// recentShare is one part in this many of the average: the share of the latest exchange.
const recentShare = 16

func (r *recent) add(took time.Duration) {
	for {
		before := r.average.Load()
		now := int64(took)
		if before > 0 {
			now = before + (int64(took)-before)/recentShare
		}
		if r.average.CompareAndSwap(before, now) {
			return
		}
	}
}

// typical is 0 before the first.
func (r *recent) typical() time.Duration { return time.Duration(r.average.Load()) }
