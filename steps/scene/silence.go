package scene

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// mostSilences is how many requests of one kind may go without an answer before the rest of the kind is not sent: each
// costs a whole time-out, and more of them say no more. Of good requests so many in a row: an answer may be lost now and
// then, and mostLost is how many of them may be.
const (
	mostSilences = 2
	mostLost     = 6
)

// documented begins the kinds of good requests.
const documented = "documented "

// KindOf describes what is unusual about a request, the same for all calls. A documented request is a kind of its own
// for each call, and for each call of which a device is new; so is one that is to be refused for what it says, such as a
// token that nobody issued.
func KindOf(r *talk.Request, changed, refusal bool) string {
	if !changed {
		what := "requests of "
		if r.Get("deviceInformation") != nil {
			what = "first-time requests of "
		}
		if refusal {
			return what + r.Operation + " that are to be refused"
		}
		return documented + what + r.Operation
	}
	if r.Operation == "" {
		return "requests with another method"
	}
	if r.Method == http.MethodPost {
		body, _ := strictjson.Parse(r.Bytes())
		if body == nil || body.Kind != ags.Object || !json.Valid(r.Bytes()) {
			return "requests whose body is no JSON object"
		}
		media := strings.ToLower(r.HeaderValue("Content-Type"))
		if !strings.HasPrefix(strings.TrimSpace(media), "application/json") {
			return "requests in another media type"
		}
		if list := body.Get("parameters"); list == nil || list.Kind != ags.Array || len(list.Items) == 0 {
			return "requests with odd parameters"
		}
		if r.HeaderValue(ags.HeaderService) == "" {
			return "requests without " + ags.HeaderService
		}
	}
	if refusal {
		return "changed requests of " + r.Operation + " that are to be refused"
	}
	return "changed requests of " + r.Operation
}

// Silent returns an error if a request is not worth its time: two of its kind got no answer before. Until one of the
// kind was answered, at most two of it are under way at the same time. A caller without an error sends the request, and
// reports the answer with Heard.
func (r *Stage) Silent(ctx context.Context, kind string) error {
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
			return talk.Unknownf("two of the %s got no answer in time before, so this one was not sent", kind)
		case a.lost >= mostLost:
			return talk.Unknownf("%d of the %s got no answer in time before, so this one was not sent", mostLost, kind)
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

// asked is the results of the requests of one kind.
type asked struct {
	silences int  // without an answer; of good requests since the last that was answered
	lost     int  // good requests without an answer
	pending  int  // under way
	answered bool // one was
	change   chan struct{}
}

// Aside counts an exchange that belongs to no step.
func (r *Stage) Aside(x *talk.Exchange) {
	r.Besides.Add(1)
	if len(x.Attempts) > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.Waited = append(r.Waited, x)
	}
}

// HungIn remembers that a scenario waited in vain for an answer: it is not tried again, because its requests are not
// worth their time then.
func (r *Stage) HungIn(s *script.Scenario) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Hung[s.ID] = true
}

// Heard remembers how a request ended, above all one that got no answer in time.
func (r *Stage) Heard(kind string, x *talk.Exchange, hung bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.asked[kind]
	a.pending--
	a.answered = a.answered || x.Status != 0
	good := strings.HasPrefix(kind, documented)
	switch {
	case x.Status == 0 && (hung || RanOut(x)):
		a.silences++
		if good {
			a.lost++
		}
	case x.Status != 0 && good:
		a.silences = 0
	}
	close(a.change)
	a.change = make(chan struct{})
}

// Answered remembers that a documented request from before the scenarios was answered, if it was.
func (r *Stage) Answered(x *talk.Exchange) {
	if x.Status == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kind := KindOf(x.Request, false, false)
	if r.asked[kind] == nil {
		r.asked[kind] = &asked{change: make(chan struct{})}
	}
	r.asked[kind].answered = true
}

// RanOut tells that the time for an exchange ran out.
func RanOut(x *talk.Exchange) bool {
	var timed interface{ Timeout() bool }
	return errors.As(x.Err, &timed) && timed.Timeout()
}
