package steps

import (
	"errors"
	"net/http"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// mostSilences is how many requests of one kind may go without an answer before the rest of the kind is not sent: each costs a whole
// time-out, and more of them say no more.
const mostSilences = 2

// kindOf says what is unusual about a request, the same for all calls; a documented request is a kind of its own for each call.
func kindOf(r *request, changed bool) string {
	if !changed {
		return "documented requests of " + r.operation
	}
	if r.operation == "" {
		return "requests with another method"
	}
	if r.method == http.MethodPost {
		body, _ := strictjson.Parse(r.bytes())
		if body == nil || body.Kind != ags.Object {
			return "requests whose body is no JSON object"
		}
		media := strings.ToLower(r.headerValue("Content-Type"))
		if !strings.HasPrefix(strings.TrimSpace(media), "application/json") {
			return "requests in another media type"
		}
		if list := body.Get("parameters"); list == nil || list.Kind != ags.Array || len(list.Items) == 0 {
			return "requests with odd parameters"
		}
		if r.headerValue(ags.HeaderService) == "" {
			return "requests without " + ags.HeaderService
		}
	}
	return "changed requests of " + r.operation
}

// silent tells why a request is not worth its time: two of its kind got no answer before.
func (r *run) silent(kind string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silences[kind] < mostSilences {
		return nil
	}
	return unknownf("two of the %s got no answer in time before, so this one was not sent", kind)
}

// aside counts an exchange that belongs to no step.
func (r *run) aside(x *exchange) {
	r.besides.Add(1)
	if len(x.Attempts) > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waited = append(r.waited, x)
	}
}

// heard remembers a request that got no answer in time.
func (r *run) heard(kind string, x *exchange, hung bool) {
	if x.Status != 0 || !hung && !ranOut(x) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silences[kind]++
}

// ranOut tells that the time for an exchange ran out.
func ranOut(x *exchange) bool {
	var timed interface{ Timeout() bool }
	return errors.As(x.Err, &timed) && timed.Timeout()
}
