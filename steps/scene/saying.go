package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Say completes a request as the service expects it and sends it: with the renewed headers, and with its password
// encrypted if the environment file says how. An error says that nothing was sent; the exchange is returned all the
// same. Timeout bounds each attempt; 0: the usual one.
func (w *World) Say(ctx context.Context, r *talk.Request, timeout time.Duration) (*talk.Exchange, error) {
	call, err := w.sealed(ctx, r)
	if err != nil {
		now := time.Now()
		return &talk.Exchange{Exchange: &wire.Exchange{Call: call, Err: err, Sent: now, Received: now}, Request: r}, err
	}
	call.Timeout = timeout
	x := &talk.Exchange{Exchange: w.Stage.ClientOf(r).Do(ctx, call), Request: r}
	for n := 0; n == 0 && w.outlasted(ctx, x) || n < maxTurned && w.turnedAway(ctx, x); n++ {
		before := sentBefore(x)
		x = &talk.Exchange{Exchange: w.Stage.ClientOf(r).Do(ctx, call), Request: r}
		x.Attempts = append(before, x.Attempts...)
	}
	x.Turned = w.Stage.Turned(x)
	if u := x.Unsent(); u != nil && ctx.Err() == nil {
		return x, talk.Unknownf("%s %s was not sent: %s", r.Method, r.Path, w.Stage.Secrets.Text(u.Error()))
	}
	return x, nil
}

// maxUnderWay is how many requests of a run on a live service may wait for their answers at the same time. Scenarios
// at the same time, and the rows of each, would be many more, and a small service would answer none of them in time.
const maxUnderWay = 48

// SayInTurn is Say when few enough others are under way.
func (w *World) SayInTurn(ctx context.Context, r *talk.Request, timeout time.Duration) (*talk.Exchange, error) {
	if w.Live() && w.Stage.underWay.enter(ctx, w.Scenario) { // the caller looks at ctx
		defer w.Stage.underWay.leave()
	}
	return w.Say(ctx, r, timeout)
}

// EncryptsPasswords tells that the environment file says how passwords are encrypted.
func (w *World) EncryptsPasswords() bool { return w.Stage.encryption != nil }

// sealed returns a request as it is sent: its passwords, right or wrong, are encrypted if the environment file says
// how.
func (w *World) sealed(ctx context.Context, r *talk.Request) (wire.Call, error) {
	call := r.Call()
	if w.Stage.encryption == nil || w.Account == nil || r.Operation != ags.SignOn && r.Operation != ags.Register {
		return call, nil
	}
	list, done := r.Parameters(), map[string]bool{}
	passwords := slices.Clone(list)
	// a request of an odd form may have no parameters that can be read, and holds it all the same
	for _, p := range w.Account.Parameters {
		if bytes.Contains(call.Body, talk.JSON(p.Value)) {
			passwords = append(passwords, p)
		}
	}
	for _, p := range passwords {
		if p.Value == "" || done[p.Value] || !w.IsPassword(r.Operation, p.Name) {
			continue
		}
		clear := talk.JSON(p.Value)
		twice := slices.ContainsFunc(list, func(other talk.Parameter) bool {
			return other.Value == p.Value && !w.IsPassword(r.Operation, other.Name)
		})
		if twice || !bytes.Contains(call.Body, clear) {
			return call, talk.Unknownf("the password stands in the request in another spelling, or in another place too, and " +
				"is not encrypted so")
		}
		cipher, err := w.Stage.encryption.Encrypt(ctx, p.Value)
		switch {
		case ctx.Err() != nil:
			return call, ctx.Err()
		case err != nil:
			return call, talk.Unknownf("%s %s was not sent, as its password could not be encrypted: %s", r.Method,
				r.Path, w.Stage.Secrets.Text(err.Error()))
		}
		w.Stage.Keep(cipher)
		r.Ciphers, done[p.Value] = append(r.Ciphers, cipher), true
		call.Body = bytes.ReplaceAll(call.Body, clear, talk.JSON(cipher))
	}
	return call, nil
}

// refusedAgain sends a documented request once more that was refused for the state of an account or a device: the
// refusal must stay. It does not ask twice about a state that an operator changes while a scenario runs, since the
// change may reach one node after another, nor send a request twice that could make a device of a live service.
func (w *World) refusedAgain(ctx context.Context, x *talk.Exchange, changed bool) error {
	state := w.Account != nil && w.Refusal && !changed && !w.Control
	if !state || EffectiveStatus(x)/100 != 4 || x.Uncontrolled != "" || x.Request.Get("deviceInformation") != nil &&
		w.Live() {
		return nil
	}
	again, err := w.aside(ctx, x.Request, func(*talk.Request) bool { return true })
	if err != nil {
		return err
	}
	switch status := EffectiveStatus(again); {
	case status/100 == 2:
		return talk.Missf("refused again, as the first time", "%s when the same was asked once more", w.Describe(again))
	case status == http.StatusMultipleChoices: // lets nobody in yet: what is picked from the list may still be refused
		return talk.Unknownf("%s was refused first (%s), and a list of accounts came when the same was asked once more",
			x.Request.Operation, w.Describe(x))
	}
	return nil
}

// maxSilences is how many requests of one kind may go without an answer before the rest of the kind is not sent: each
// costs a whole time-out, and more of them say no more. Of good requests so many in a row: an answer may be lost now
// and then, and maxLost is how many of them may be.
const (
	maxSilences = 2
	maxLost     = 6
)

// documented begins the kinds of good requests.
const documented = "documented "

// KindOf describes what is unusual about a request, the same for all calls. A documented request is a kind of its own
// for each call, and for each call of which a device is new; so is one that is to be refused for what it says, such as
// a token that nobody issued.
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
		case a.silences >= maxSilences:
			return talk.Unknownf("two of the %s got no answer in time before, so this one was not sent", kind)
		case a.lost >= maxLost:
			return talk.Unknownf("%d of the %s got no answer in time before, so this one was not sent", maxLost, kind)
		case a.answered || a.pending+a.silences < maxSilences:
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
