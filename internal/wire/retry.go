package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// waits is how long a client has waited out answers. Waits of several requests at the same time count once: a service
// that always asks to come later can hold up a run only so long, however many requests are under way. Many goroutines
// may use it at once.
type waits struct {
	mutex     sync.Mutex
	asked     time.Duration // on Retry-After, and on waits of ours that helped
	backedOff time.Duration // on waits of ours that helped nothing, or whose end is not known yet
	waiting   int           // requests that wait now
	until     time.Time     // when the last of these leaves
}

// begin takes a wait out of the totals and tells by how much they grew, or that it is more than they hold. After each
// wait comes end.
func (w *waits) begin(wait time.Duration, own bool) (counted time.Duration, may bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	counted, end := wait, time.Now().Add(wait)
	if w.waiting > 0 {
		counted = min(max(end.Sub(w.until), 0), wait)
	}
	if w.asked+counted > maxTotalWaiting || own && w.backedOff+counted > maxTotalBackOff {
		return 0, false
	}
	if own {
		w.backedOff += counted
	} else {
		w.asked += counted
	}
	w.waiting++
	if w.waiting == 1 || end.After(w.until) {
		w.until = end
	}
	return counted, true
}

func (w *waits) end() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.waiting--
}

// helped takes in that a request was answered after waits of ours.
func (w *waits) helped(counted time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.backedOff -= counted
	w.asked += counted
}

// siteIsOverloaded is a status of some clouds and gateways that is in no standard; it is meant as 503 is.
const siteIsOverloaded = 529

// TooMany tells of a status which says that there were too many requests, or that there is no room for this one.
func TooMany(status int) bool {
	return LimitsRequests(status) || status == http.StatusServiceUnavailable || status == siteIsOverloaded
}

// LimitsRequests tells of a status that limits requests: 429, and 420 and 509, which have no such meaning in HTTP and
// which some limiters give in its place.
func LimitsRequests(status int) bool {
	return status == http.StatusTooManyRequests || status == 420 || status == 509
}

// quotaSpent matches what gateways say in JSON where a quota or a limit on the rate is used up, under statuses that
// mean something else: Apigee (500 or 403), Azure API Management and Tyk (403), WSO2 (403 or 500).
var quotaSpent = regexp.MustCompile(`"policies\.ratelimit\.(QuotaViolation|SpikeArrestViolation)"|` +
	`"Out of call volume quota\.|^\s*\{\s*"error"\s*:\s*"Quota exceeded"\s*\}\s*$|` +
	`"code"\s*:\s*"?90080[0-46-7]"?\s*,\s*"message"\s*:\s*"Message throttled out"`)

// SaysTooMany tells of an answer that says there were too many requests, or that there is no room for this one: by its
// status, or in the words of a gateway.
func SaysTooMany(x *Exchange) bool { return TooMany(x.Status) || saysQuota(x) }

func saysQuota(x *Exchange) bool {
	return x.Status >= http.StatusBadRequest && len(x.Body) < 4<<10 && json.Valid(x.Body) && quotaSpent.Match(x.Body)
}

// tooMany tells whether a whole answer says so.
func tooMany(x *Exchange) bool { return x.Err == nil && SaysTooMany(x) }

// waitBefore tells how long to wait before a call that was answered with 429 or 503 is sent again, and whether to do
// that at all: as long as Retry-After says where the wait is bearable, else a back-off of ours that doubles with each
// attempt.
func waitBefore(x *Exchange, attempt int) (wait time.Duration, own, again bool) {
	if !tooMany(x) {
		return 0, false, false
	}
	if wait, said := RetryAfter(textproto.MIMEHeader(x.Header).Get("Retry-After"), x.Header.Get("Date"),
		x.Received); said {
		return wait, false, wait <= maxRetryAfter
	}
	return firstBackOff << attempt, true, true
}

// RetryAfter reads a Retry-After, seconds or a date (RFC 9110 section 10.2.3), and tells whether it says either. A date
// counts from the Date of the answer, if there is one, for both are by the service's clock, which may be another than
// that of this machine. It may end in UTC too, as some limiters write it; the zone is the same.
func RetryAfter(text, date string, received time.Time) (wait time.Duration, said bool) {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, 1<<31)) * time.Second, true
	}
	if inUTC, cut := strings.CutSuffix(text, " UTC"); cut {
		text = inUTC + " GMT"
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if now, err := http.ParseTime(date); err == nil {
		received = now
	}
	return max(at.Sub(received), 0), true
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

// Limited tells of an answer that says there were too many requests: by its status, or it asks to come later, tells of
// a limit on the rate (RateLimit and X-RateLimit- headers, in any of their spellings) or is a gateway's own page, as
// that of nginx's limit_req is.
func Limited(x *Exchange) bool {
	if LimitsRequests(x.Status) || saysQuota(x) || x.Header.Get("Retry-After") != "" {
		return true
	}
	for name := range x.Header {
		plain := strings.ReplaceAll(strings.ToLower(name), "-", "")
		if strings.HasPrefix(plain, "ratelimit") || strings.HasPrefix(plain, "xratelimit") {
			return true
		}
	}
	_, page := GatewayPage(x)
	return page
}
