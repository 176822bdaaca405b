package wire

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// A service with a limit of requests a second is asked at a pace that it takes: many callers at once are all answered.
func TestManyAtOncePaceThemselvesByALimit(t *testing.T) {
	var mutex sync.Mutex
	var next time.Time
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		if now := time.Now(); now.Before(next) {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			next = now.Add(2 * time.Millisecond)
		}
	})
	client := newClient(t, Target{URL: address})
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				if client.Do(t.Context(), Call{Method: "GET", Path: "/"}).Status != 200 {
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	assert.Positive(t, client.Spacing())
	assert.Less(t, refused.Load(), int64(40), "of 160; most while the pace was not known yet")
}

// One refusal now and then is no limit on the rate.
func TestAFewRefusalsSlowNothingDown(t *testing.T) {
	var calls atomic.Int64
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	client := newClient(t, Target{URL: address, Sleep: func(context.Context, time.Duration) error { return nil }})
	for range 100 {
		assert.Equal(t, 200, client.Do(t.Context(), Call{Method: "GET", Path: "/"}).Status)
	}
	assert.Zero(t, client.Spacing())
}

// Waits at the same time count once against the bound of all waiting.
func TestWaitsSideBySideCountOnce(t *testing.T) {
	var w waits
	for range 100 {
		_, may := w.begin(500*time.Millisecond, true)
		assert.True(t, may)
	}
	assert.Less(t, w.backedOff, time.Second)
	for range 100 {
		w.end()
	}
	for range 18 {
		_, may := w.begin(500*time.Millisecond, true)
		assert.True(t, may)
		w.end()
	}
	var late bool
	for range 4 {
		if _, may := w.begin(500*time.Millisecond, true); may {
			w.end()
		} else {
			late = true
		}
	}
	assert.True(t, late, "one after the other they count in full")
}

// A service that refuses at any pace, as one does that has banned its caller, is not asked slowly for ever.
func TestNoPaceHelpsAgainstABan(t *testing.T) {
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	slept := 0
	client := newClient(t, Target{URL: address, Sleep: func(context.Context, time.Duration) error { slept++; return nil }})
	for range 200 {
		assert.Equal(t, 429, client.Do(t.Context(), Call{Method: "GET", Path: "/"}).Status)
	}
	assert.Positive(t, slept)
	assert.Less(t, slept, 80, "then the rest goes out as it comes")
	assert.Zero(t, client.Spacing())
}

// Requests that wait in line when the limit turns out to be narrower leave at the wider spacing too. HAProxy counts those
// that it denies, so that a pace over its limit keeps all of them out.
func TestThoseInLineHeedAWiderSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := throttle{spacing: 40 * time.Millisecond, line: make(chan struct{}, 1)}
		left := make(chan time.Time, 24)
		for range cap(left) {
			go func() {
				assert.NoError(t, line.turn(t.Context(), sleep))
				left <- time.Now()
			}()
		}
		before := <-left
		for i := 1; i < cap(left); i++ {
			now := <-left
			want := 40 * time.Millisecond
			if i > 3 {
				want = maxSpacing
			}
			assert.GreaterOrEqual(t, now.Sub(before), want, "the %dth", i)
			if before = now; i == 3 {
				line.mutex.Lock()
				line.spacing = maxSpacing
				line.mutex.Unlock()
			}
		}
	})
}
