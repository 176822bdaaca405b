package wire

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// mayWait takes a wait out of the client's total, so that a service that always asks to come later cannot hold up a run for long.
func (c *Client) mayWait(wait time.Duration, own bool) bool {
	total, most := &c.waited, maxTotalWaiting
	if own {
		total, most = &c.backedOff, maxTotalBackOff
	}
	if own && c.waited.Load()+int64(wait) > int64(maxTotalWaiting) {
		return false
	}
	if total.Add(int64(wait)) > int64(most) {
		total.Add(-int64(wait))
		return false
	}
	return true
}

// waitBefore tells how long to wait before a call that was answered with 429 or 503 is sent again, and whether to do that at all: as long
// as Retry-After says where the wait is bearable, else a back-off of ours that doubles with each attempt.
func waitBefore(x *Exchange, attempt int) (wait time.Duration, own, again bool) {
	if x.Err != nil || x.Status != http.StatusTooManyRequests && x.Status != http.StatusServiceUnavailable {
		return 0, false, false
	}
	text := strings.TrimSpace(textproto.MIMEHeader(x.Header).Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		wait := time.Duration(seconds) * time.Second
		return wait, false, err == nil && wait <= maxRetryAfter
	}
	if at, err := http.ParseTime(text); err == nil {
		now := x.Received
		if date, err := http.ParseTime(x.Header.Get("Date")); err == nil {
			now = date // both by the service's clock
		}
		wait := max(at.Sub(now), 0)
		return wait, false, wait <= maxRetryAfter
	}
	return firstBackOff << attempt, true, true
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
