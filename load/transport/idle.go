package transport

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// longestIdle is below the idle time-out of common servers and proxies (nginx: 75 s, most load balancers: 60 s).
	longestIdle = 50 * time.Second
	// lookAfter: a connection that was idle for this long is looked at before it is used again, which costs a twentieth of
	// a hit (BenchmarkLook). Where it is used sooner and was closed, the system proves that the request never reached the
	// service, so that it is sent once more.
	lookAfter = time.Millisecond
	// lookAfterUnproven is the same for systems without such a proof.
	lookAfterUnproven = 20 * time.Microsecond
	// sweepEvery is how often idle connections are looked at, and so how well it is known when the service closed one.
	sweepEvery = 100 * time.Millisecond
	// maxSwept bounds how many are looked at in one sweep, which holds the pool: those that are idle longest.
	maxSwept = 128
)

// idleTimeout learns how long this service keeps an idle connection. Many goroutines use it at once.
type idleTimeout struct {
	limit atomic.Int64 // in ns; 0: nothing is known

	mu   sync.Mutex // guards the rest
	age  time.Duration
	seen time.Time
}

// announce reads the header of an answer: "timeout=5, max=100" (RFC 2068 section 19.7.1.1).
func (t *idleTimeout) announce(keepAlive string) {
	for parameter := range strings.SplitSeq(keepAlive, ",") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "timeout") {
			continue
		}
		if seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31); err == nil {
			t.lower(time.Duration(seconds)*time.Second - min(time.Second, time.Duration(seconds)*time.Second/2))
		}
	}
}

// closed takes in that the service closed a connection that was idle for so long. One may be a reload; a second of the
// same age, at another time, is a time-out.
func (t *idleTimeout) closed(age time.Duration, now time.Time) {
	if age < 3*sweepEvery {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	alike := (age - t.age).Abs() <= sweepEvery+age/10
	if alike && now.Sub(t.seen) < 3*sweepEvery {
		return // the same event
	}
	if alike {
		t.lower(min(age, t.age) - max(2*sweepEvery, age/10))
	}
	t.age, t.seen = age, now
}

func (t *idleTimeout) lower(limit time.Duration) {
	for limit = max(limit, sweepEvery); ; {
		known := t.limit.Load()
		if known != 0 && known <= int64(limit) || t.limit.CompareAndSwap(known, int64(limit)) {
			return
		}
	}
}

// over tells that a connection which was idle for so long may be closed by the service at any moment.
func (t *idleTimeout) over(idle time.Duration) bool {
	limit := t.limit.Load()
	if limit == 0 {
		limit = math.MaxInt64
	}
	return idle > longestIdle || idle > time.Duration(limit)
}

// sweep looks at idle connections until the transport is closed, lets go of those that the service has closed, and
// learns when it does.
func (l *leanTransport) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-l.closing:
			return
		case now := <-ticker.C:
			for _, c := range l.sweepOnce(now) {
				l.discard(c)
			}
		}
	}
}

// sweepOnce takes out of the pool what must not be used again.
func (l *leanTransport) sweepOnce(now time.Time) (gone []*connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := l.idle[:0]
	for i, c := range l.idle {
		age := now.Sub(c.since)
		if i >= maxSwept || age < sweepEvery { // those behind it were used later
			keep = append(keep, l.idle[i:]...)
			break
		}
		switch {
		case l.timeouts.over(age):
		case c.stillOpen():
			keep = append(keep, c)
			continue
		default:
			l.timeouts.closed(age, now)
		}
		gone = append(gone, c)
	}
	clear(l.idle[len(keep):])
	l.idle = keep
	return gone
}
