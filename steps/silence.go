package steps

import (
	"context"
	"encoding/json"
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
		if body == nil || body.Kind != ags.Object || !json.Valid(r.bytes()) {
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

// silent tells why a request is not worth its time: two of its kind got no answer before. Until one of the kind was answered, no more than two of it
// are under way at the same time. Who is told that it is worth it sends the request, and tells heard of the answer.
func (r *run) silent(ctx context.Context, kind string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		a := r.asked[kind]
		if a == nil {
			a = &asked{change: make(chan struct{})}
			r.asked[kind] = a
		}
		switch {
		case a.silences >= mostSilences:
			return unknownf("two of the %s got no answer in time before, so this one was not sent", kind)
		case a.answered || a.pending+a.silences < mostSilences:
			a.pending++
			return nil
		}
		change := a.change
		r.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
		}
		r.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// asked is what came of the requests of one kind.
type asked struct {
	silences int  // without an answer
	pending  int  // under way
	answered bool // one was
	change   chan struct{}
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

// hungIn remembers that a scenario waited in vain for an answer: it is not tried again, since what it sends then is not worth its time.
func (r *run) hungIn(s *scenario) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hung[s.id] = true
}

// heard remembers how a request ended, above all one that got no answer in time.
func (r *run) heard(kind string, x *exchange, hung bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.asked[kind]
	a.pending--
	a.answered = a.answered || x.Status != 0
	if x.Status == 0 && (hung || ranOut(x)) {
		a.silences++
	}
	close(a.change)
	a.change = make(chan struct{})
}

// ranOut tells that the time for an exchange ran out.
func ranOut(x *exchange) bool {
	var timed interface{ Timeout() bool }
	return errors.As(x.Err, &timed) && timed.Timeout()
}
