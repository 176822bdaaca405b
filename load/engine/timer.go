package engine

import (
	"context"
	"time"
)

// preciseTimer lets one goroutine sleep. Sleep returns after the time, or early once the context is done.
type preciseTimer interface {
	sleep(ctx context.Context, d time.Duration)
	close()
}

// sleepTimer is the timer of the Go runtime. On Linux its steps are of about 1 ms, as the poller's epoll_wait counts
// milliseconds.
type sleepTimer struct {
	timer *time.Timer
}

func (s *sleepTimer) sleep(ctx context.Context, d time.Duration) {
	if s.timer == nil {
		s.timer = time.NewTimer(d)
	} else {
		s.timer.Reset(d)
	}
	select {
	case <-s.timer.C:
	case <-ctx.Done():
		s.timer.Stop()
	}
}

func (s *sleepTimer) close() {}
