package talk

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"agstest/internal/check"
	"agstest/internal/wire"
)

// FromCache returns the headers of an answer that show that a cache gave it and not the service: an Age above 0 (RFC
// 9111 section 5.1), a hit in X-Cache, or two numbers in X-Varnish, which are the request's and that of the one that
// filled the cache.
func FromCache(x *Exchange) string {
	if x.Status == 0 {
		return ""
	}
	var told []string
	if age, err := strconv.Atoi(strings.TrimSpace(x.Header.Get("Age"))); err == nil && age > 0 {
		told = append(told, fmt.Sprintf("Age %d", age))
	}
	if strings.Contains(strings.ToLower(x.Header.Get("X-Cache")), "hit") {
		told = append(told, "X-Cache")
	}
	if len(strings.Fields(x.Header.Get("X-Varnish"))) == 2 {
		told = append(told, "X-Varnish")
	}
	return strings.Join(told, ", ")
}

// Copied returns an exchange for another scenario, without the judge's findings.
func (x *Exchange) Copied() *Exchange { return &Exchange{Exchange: x.Exchange, Request: x.Request} }

// Exchange is a call and its answer, with the judge's findings.
type Exchange struct {
	*wire.Exchange
	Request *Request
	Known   check.Known
	Judged  []check.Finding
	// Uncontrolled says why a refusal shows nothing.
	Uncontrolled string
	// Unneeded: the scenario does not hold because it was refused, since it may be accepted too, or must be. Scenarios
	// that share the exchange say the same.
	Unneeded atomic.Bool
	// Stray says why the answer to a request that a service may refuse is not the service's; empty: it may well be.
	Stray string
	// Turned says why the refusal is that of a limiter on the way; empty: it may well be the service's.
	Turned string
	// Tampered describes how the request differs from the documented one, in the words of the steps.
	Tampered string
	// Away: nothing reaches the service any more, in words; empty: something does.
	Away string
	// LongAway: the request was sent when that was known already.
	LongAway bool
	// Shared: other scenarios look at the same exchange, so that it shows nothing anew when a scenario is tried again.
	Shared bool
}

// Finding is a finding of the judge or of a step, before it is weighed.
type Finding struct {
	Requirement string
	Outcome     check.Outcome
	Expected    string
	Got         string
	Exchange    int // index, −1: none
	Needs       string
	Skipped     bool
	Noted       bool // says only that the scenario held, it adds no text
	Passing     bool // what could not be told may well be told by another try
	Cause       string
}
