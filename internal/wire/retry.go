package wire

import (
	"context"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// mayWait takes a wait out of the client's total, so that a service that always asks to come later cannot hold up a run for long.
func (c *Client) mayWait(wait time.Duration) bool {
	if c.waited.Add(int64(wait)) > int64(maxTotalWaiting) {
		c.waited.Add(-int64(wait))
		return false
	}
	return true
}

// retryAfter tells how long an answer asks to wait, where it does and the wait is bearable.
func retryAfter(x *Exchange) (time.Duration, bool) {
	if x.Err != nil || x.Status != http.StatusTooManyRequests && x.Status != http.StatusServiceUnavailable {
		return 0, false
	}
	text := strings.TrimSpace(textproto.MIMEHeader(x.Header).Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait := time.Duration(seconds) * time.Second
		return wait, wait <= maxRetryAfter
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now := x.Received
	if date, err := http.ParseTime(x.Header.Get("Date")); err == nil {
		now = date // both by the service's clock
	}
	wait := max(at.Sub(now), 0)
	return wait, wait <= maxRetryAfter
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
