package wire

import (
	"context"
	"sync"
	"time"
)

// When a client slows down, and how far.
const (
	throttleWindow = 20 // answers that are looked at together
	// as many 429 and 503 among them mean a limit on the rate, not a service that fails now and then
	throttleMany = 5
	// between two requests, doubled while that is not enough, and lessened where it is
	firstSpacing   = 5 * time.Millisecond
	minSpacing     = 2 * time.Millisecond // below which there is none
	maxSpacing     = 250 * time.Millisecond
	throttleInVain = 24 // answers in a row at the widest spacing that all say there are too many: no pace helps
)

// throttle spaces the requests of a client once many of its answers say that there were too many. A limit on the rate
// is of all requests together, so waiting out each for itself does not help where many are under way. It may be used by
// many goroutines at once.
type throttle struct {
	mutex   sync.Mutex
	spacing time.Duration // 0: requests leave as they come
	most    time.Duration // that it has been
	changed time.Time     // answers to requests that left before tell nothing of the spacing
	answers int           // since the last look
	refused int           // of these, 429 and 503
	vain    int           // answers in a row at the widest spacing that were 429 or 503
	given   bool          // up, since no pace helps

	line chan struct{} // holds the request that leaves next, and no other
	left time.Time     // when the last one left; belongs to that one
}

// turn waits until the next request may leave, in the order in which they come. A spacing that grows meanwhile holds
// for all that wait: those in line when a limit narrows must not leave at the pace of before. It gives up when the
// context ends.
func (t *throttle) turn(ctx context.Context, wait func(context.Context, time.Duration) error) error {
	if t.now() == 0 {
		return nil
	}
	select {
	case t.line <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-t.line }()
	for waited := time.Duration(0); ; {
		spacing := t.now()
		if waited >= spacing {
			t.left = later(t.left.Add(spacing), time.Now())
			return nil
		}
		if ahead := time.Until(t.left.Add(spacing)); ahead > 0 {
			if err := wait(ctx, ahead); err != nil {
				return err
			}
		}
		waited = spacing
	}
}

// now is the spacing as it stands.
func (t *throttle) now() time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.spacing
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// answered takes in whether the answer to a request that left at sent said that there were too many.
func (t *throttle) answered(sent time.Time, tooMany bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.given || sent.Before(t.changed) {
		return
	}
	t.answers++
	if tooMany {
		t.refused++
	}
	if t.vain++; !tooMany || t.spacing < maxSpacing {
		t.vain = 0
	}
	switch {
	case t.vain >= throttleInVain:
		t.given, t.spacing, t.most = true, 0, 0
	case t.refused >= throttleMany:
		t.spacing = min(max(2*t.spacing, firstSpacing), maxSpacing)
		t.most = max(t.most, t.spacing)
		t.changed = time.Now()
	case t.answers < throttleWindow:
		return
	case t.refused == 0:
		if t.spacing = t.spacing * 3 / 4; t.spacing < minSpacing {
			t.spacing = 0
		}
	}
	t.answers, t.refused = 0, 0
}

// NotLimited ends the spacing: what said that there were too many requests was no limit on the rate.
func (c *Client) NotLimited() {
	t := &c.throttle
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.spacing, t.answers, t.refused, t.changed = 0, 0, 0, time.Now()
}

// giveUp ends the spacing for good: waiting helped nothing, so the service refuses at any pace.
func (t *throttle) giveUp() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.given, t.spacing, t.most = true, 0, 0
}

// Spacing is how far apart requests of the client left at most, since the service said too often that there were too
// many; 0 where it did not.
func (c *Client) Spacing() time.Duration {
	c.throttle.mutex.Lock()
	defer c.throttle.mutex.Unlock()
	return c.throttle.most
}
