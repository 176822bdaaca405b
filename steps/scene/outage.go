package scene

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Bounds of waiting for a service that nobody can reach in the middle of a run.
const (
	longestOutage = 15 * time.Second // all waits of a run together
	outagePause   = 250 * time.Millisecond
	maxLooks      = 20 // that found the service up: then losses are taken for its own
)

// outage is what a run knows of times in which nothing reaches the service, as while it restarts or while a firewall
// lets nobody through. Servicediscovery shows it: it was answered at the start, and is not now.
type outage struct {
	mu     sync.Mutex // held by the request that looks; the others wait for what it sees
	begun  bool       // servicediscovery was answered at the start
	looks  int        // that found the service up at once
	times  int        // that it was away and came back
	again  int        // requests that were sent again then
	waited time.Duration
	back   time.Time // when it was seen to be up again
	gone   time.Time // since when no more waits are worth it; zero: they are
	how    string    // servicediscovery was answered then
	lost   time.Time // when the first request of it was lost
	ended  []ending

	well     time.Time      // when the last request left that was answered as it should be
	compared map[string]int // looks that showed no passing outage, by the likeness of the answer that made them
	spells   []spell
}

// spell is a time in which servicediscovery, and what else was asked, got one answer that no outage usually has.
type spell struct {
	from, to time.Time
	like     string
}

// ending is a request that a service may not have survived.
type ending struct {
	Scenario string // its id
	Exchange *talk.Exchange
}

// NoteEnd keeps a request that was changed on purpose, was under way when the service went, and was given no answer,
// where the service stays away. A machine that nobody reaches lets time run out or refuses connections: those say
// nothing of the request.
func (w *World) NoteEnd(x *talk.Exchange) {
	if x.Away == "" || x.LongAway || x.Status != 0 || RanOut(x) || errors.Is(x.Err, syscall.ECONNREFUSED) {
		return
	}
	o := &w.Stage.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	if x.Sent.Before(o.lost) {
		o.ended = append(o.ended, ending{w.Scenario.ID, x})
	}
}

// EndedIn lists the requests of a scenario that the service may not have survived.
func (r *Stage) EndedIn(scenario string) (all []*talk.Exchange) {
	r.outage.mu.Lock()
	defer r.outage.mu.Unlock()
	for _, e := range r.outage.ended {
		if e.Scenario == scenario {
			all = append(all, e.Exchange)
		}
	}
	return all
}

// lost tells of an exchange that may have met a service which nobody can reach.
func lost(x *talk.Exchange) bool {
	if wire.StandIn(x.Exchange) != "" {
		return true
	}
	if wire.Unreached(x.Status) {
		return true
	}
	switch x.Status {
	case 0:
		return x.Unsent() == nil && !RanOut(x)
	case http.StatusServiceUnavailable:
		return true
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable:
		_, page := wire.GatewayPage(x.Exchange)
		return page
	}
	return false
}

// outlasted tells that a request was lost to an outage which is over, so that it is sent again. Where the outage lasts
// longer than a run waits, x.Away says so.
func (w *World) outlasted(ctx context.Context, x *talk.Exchange) bool {
	r := w.Stage
	if !w.Live() || x.Request.Proxy != nil || r.ClientOf(x.Request) != r.Client || ctx.Err() != nil {
		return false
	}
	o, isLost := &r.outage, lost(x)
	o.mu.Lock()
	defer o.mu.Unlock()
	if !isLost && Granted(x) && x.Sent.After(o.well) {
		o.well = x.Sent
	}
	switch {
	case !isLost:
		return w.outOfSorts(ctx, x)
	case !o.begun || o.looks >= maxLooks:
		return false
	case o.back.After(x.Sent):
		o.again++
		return true
	case o.gone.IsZero():
		o.lost = x.Received
		if up, atOnce := r.lookForService(ctx); up {
			if atOnce {
				o.looks++
				return false
			}
			o.times, o.again, o.back = o.times+1, o.again+1, time.Now()
			r.Client.NotLimited()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		o.gone = time.Now()
	}
	x.Away = fmt.Sprintf(
		"the service cannot be reached any more: servicediscovery, which was answered at the start, %s too", o.how)
	x.LongAway = x.Sent.After(o.gone)
	return false
}

// maxSpellLooks is how many looks are taken for each likeness of answers that showed no passing outage.
const maxSpellLooks = 10

// outOfSorts tells that an answer which no outage usually has was nevertheless one's, and that the outage is over: the
// service, or what is before it, gave one answer for a while whatever was asked, as 404 while a route is made anew, or
// 500 while a database is away. Servicediscovery shows it: it was answered at the start, got the same, and then was
// answered again. What stays so is not waited for again: then the answer is the service's. The caller holds the lock.
func (w *World) outOfSorts(ctx context.Context, x *talk.Exchange) bool {
	o := &w.Stage.outage
	if !o.begun || x.Status < http.StatusBadRequest || wire.SaysTooMany(x.Exchange) ||
		mayBeLimiter(x) {
		return false
	}
	like := Likeness(x, true)
	if slices.ContainsFunc(o.spells, func(s spell) bool { return s.covers(x, like) }) {
		o.again++
		return true
	}
	unexpected := x.Request.Good || x.Status/100 == 5
	if !unexpected || x.Request.Operation == ags.ServiceDiscovery || o.compared[like] >= maxSpellLooks {
		return false
	}
	s := spell{from: o.well, like: like}
	if !w.Stage.comesBackFrom(ctx, like) {
		o.compared[like]++
		return false
	}
	s.to = time.Now()
	o.times, o.again, o.spells = o.times+1, o.again+1, append(o.spells, s)
	return true
}

// covers tells of an answer that was given in a spell.
func (s spell) covers(x *talk.Exchange, like string) bool {
	return s.like == like && x.Received.After(s.from) && x.Sent.Before(s.to)
}

// comesBackFrom tells that servicediscovery gets the answer of some likeness now, and is answered again in time. The
// caller holds the lock.
func (r *Stage) comesBackFrom(ctx context.Context, like string) bool {
	o := &r.outage
	for seen := false; ; seen = true {
		x := &talk.Exchange{Request: r.asksForServices()}
		x.Exchange = r.Client.Do(ctx, x.Request.Call())
		r.Besides.Add(1)
		switch {
		case x.Status == http.StatusOK && wire.StandIn(x.Exchange) == "":
			return seen
		case x.Status == 0 || Likeness(x, true) != like && !lost(x):
			return false
		}
		if o.waited >= longestOutage || r.Client.Target().Sleep(ctx, outagePause) != nil {
			return false
		}
		o.how, o.waited = fmt.Sprintf("is answered with status %d", x.Status), o.waited+outagePause
	}
}

// inSpell says why an answer is not the call's: it came while servicediscovery got the same. Empty: it may well be.
func (r *Stage) inSpell(x *talk.Exchange) string {
	o := &r.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.spells) == 0 || x.Status < http.StatusBadRequest || x.Request.Operation == "" {
		return ""
	}
	if slices.ContainsFunc(x.Attempts, func(a wire.Attempt) bool { return a.Status == x.Status }) {
		return "" // it was sent again when the spell was over, and may be the reason of the next one
	}
	like := Likeness(x, true)
	if !slices.ContainsFunc(o.spells, func(s spell) bool { return s.covers(x, like) }) {
		return ""
	}
	return fmt.Sprintf("status %d came while servicediscovery, which was answered before and after, got the same: "+
		"the service, or what is before it, gave one answer whatever was asked, which says nothing about the call",
		x.Status)
}

// lookForService asks for the services until they come, as long as a run may wait. The caller holds the lock.
func (r *Stage) lookForService(ctx context.Context) (up, atOnce bool) {
	for atOnce = true; ; atOnce = false {
		x := &talk.Exchange{Exchange: r.Client.Do(ctx,
			New(r, &script.Scenario{ID: "outage"}).Prepare(ags.ServiceDiscovery).Call())}
		r.Besides.Add(1)
		instead := wire.StandIn(x.Exchange)
		switch {
		case instead != "":
			r.outage.how = "is answered with " + r.Secrets.Text(instead)
		case x.Status == http.StatusOK:
			return true, atOnce
		case x.Status == 0:
			r.outage.how = "gets no answer (" + r.Secrets.Text(wire.Explain(x.Err)) + ")"
		default:
			r.outage.how = fmt.Sprintf("is answered with status %d", x.Status)
		}
		if r.outage.waited >= longestOutage || r.Client.Target().Sleep(ctx, outagePause) != nil {
			return false, false
		}
		r.outage.waited += outagePause
	}
}

// startedWell tells that servicediscovery was answered at the start.
func (r *Stage) startedWell() bool {
	r.outage.mu.Lock()
	defer r.outage.mu.Unlock()
	return r.outage.begun
}

// sentBefore are the attempts of an exchange that is sent again, with itself.
func sentBefore(x *talk.Exchange) []wire.Attempt {
	return append(slices.Clone(x.Attempts), wire.Attempt{Status: x.Status, RetryAfter: x.Header.Get("Retry-After"),
		Limited: wire.Limited(x.Exchange)})
}

// OutageNote tells of outages that are over; empty: there were none.
func (r *Stage) OutageNote() string {
	o := &r.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.times == 0 {
		return ""
	}
	return fmt.Sprintf("%s in the middle of the run nothing reached the service (servicediscovery %s): it was waited "+
		"for, %s in all, and what had been sent was sent again (%s)",
		figures.Plural(o.times, "time"), o.how, o.waited, figures.Plural(o.again, "request"))
}

// unreachable counts the answers to good requests with which a gateway says that it got no answer of the service.
type unreachable struct {
	mu    sync.Mutex
	calls map[string]*reached
	last  bool // the last answer was one
	turns int  // how often one came after another answer
	lost  int  // how many got no answer at all, since their connection ended
}

// reached is how the good requests of a call were answered.
type reached struct{ all, not int }

// fewestTurns is how often answers of a gateway must come and go to tell of a node and not of a moment.
const fewestTurns = 5

func (u *unreachable) count(x *talk.Exchange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls == nil {
		u.calls = map[string]*reached{}
	}
	call := u.calls[x.Request.Operation]
	if call == nil {
		call = &reached{}
		u.calls[x.Request.Operation] = call
	}
	for _, a := range append(slices.Clone(x.Attempts), wire.Attempt{Status: x.Status}) {
		if call.all++; wire.Unreached(a.Status) {
			call.not++
		}
	}
	if x.Status == 0 && !RanOut(x) {
		u.lost++
	}
	not := wire.Unreached(x.Status) // what was sent again after an outage was answered in its turn
	if not && !u.last {
		u.turns++
	}
	u.last = not
}

// TimesToAsk is how often a request is sent again whose connection ended without an answer, before that is taken for
// the request's fault: more often where good requests are lost as well.
func (r *Stage) TimesToAsk() int {
	r.unreachable.mu.Lock()
	defer r.unreachable.mu.Unlock()
	if r.unreachable.lost >= 2 {
		return 5
	}
	return 1
}

// NodeNote tells that a gateway now and then reaches nobody for good requests, which it reaches somebody for at other
// times; empty: it does not.
func (r *Stage) NodeNote() string {
	u := &r.unreachable
	u.mu.Lock()
	defer u.mu.Unlock()
	all, not := 0, 0
	for _, call := range u.calls {
		if call.not < call.all {
			all, not = all+call.all, not+call.not
		}
	}
	if u.turns < fewestTurns || not == 0 || 20*not < all {
		return ""
	}
	return fmt.Sprintf("about one answer in %d to good requests was a 502 or its like, which a gateway gives (%d of %d), "+
		"with others in between: of several nodes behind it one may be down, or too slow", (all+not/2)/not, not, all)
}

// Bounds of what a run does about a limiter or a firewall that refuses with 403 whatever is asked.
const (
	longestTurning = 15 * time.Second // all waits of a run together
	maxCompared    = 10               // looks for each likeness of refusals that showed no limiter
	maxTurned      = 3                // times that one request is sent again
)

// limiter is what a run knows of something on the way that refuses with 403, whatever is asked, once there were too
// many requests. Such a refusal is like that of a service. Servicediscovery tells them apart: it was answered at the
// start, needs no token, and is not refused by a service for what another call got wrong.
type limiter struct {
	mu     sync.Mutex      // held by the request that looks; the others wait for what it sees
	alike  map[string]bool // likenesses of refusals that servicediscovery got too
	looks  map[string]int  // that showed nothing, by likeness
	waited time.Duration
	back   time.Time // when servicediscovery was answered again
	again  int       // requests that were sent again then
}

// mayBeLimiter tells of a refusal that names none of the documented reasons and is no page.
func mayBeLimiter(x *talk.Exchange) bool {
	_, page := wire.GatewayPage(x.Exchange)
	if page || x.Status != http.StatusForbidden || wire.SaysTooMany(x.Exchange) {
		return false
	}
	code, coded := check.SubCode(x.Exchange)
	return !coded || !ags.IsSubCode(code)
}

// turnedAway tells that a limiter refused a request and lets requests through again, so that it is sent again.
func (w *World) turnedAway(ctx context.Context, x *talk.Exchange) bool {
	r := w.Stage
	if !w.Live() || !mayBeLimiter(x) || x.Request.Proxy != nil || r.ClientOf(x.Request) != r.Client {
		return false
	}
	like, l := Likeness(x, true), &r.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if !r.startedWell() {
		return false
	}
	if asksAsDocumented(x.Request, r.asksForServices()) {
		l.alike[like] = true
	}
	if !l.alike[like] && l.looks[like] >= maxCompared {
		return false
	}
	for !l.alike[like] || !l.back.After(x.Sent) {
		if l.waited >= longestTurning {
			return false
		}
		seen := &talk.Exchange{Request: r.asksForServices()}
		seen.Exchange = r.Client.Do(ctx, seen.Request.Call())
		r.Besides.Add(1)
		switch {
		case mayBeLimiter(seen) && Likeness(seen, true) == like:
			l.alike[like] = true
			if r.Client.Target().Sleep(ctx, outagePause) != nil {
				return false
			}
			l.waited += outagePause
		case !l.alike[like]:
			l.looks[like]++
			return false
		case seen.Status == http.StatusOK:
			l.back = time.Now()
		default:
			return false
		}
	}
	l.again++
	return true
}

// asksForServices is the documented request of servicediscovery.
func (r *Stage) asksForServices() *talk.Request {
	return New(r, &script.Scenario{ID: "limiter"}).Prepare(ags.ServiceDiscovery)
}

// asksAsDocumented tells that a request is a documented one, but for the number of its correlation id. One that holds
// odd text may be refused for that.
func asksAsDocumented(r, documented *talk.Request) bool {
	same := func(a, b talk.Field) bool {
		if a.Name != b.Name || !strings.EqualFold(a.Name, ags.HeaderCorrelation) {
			return a == b
		}
		const digits = "0123456789"
		return strings.TrimRight(a.Value, digits) == strings.TrimRight(b.Value, digits)
	}
	return r.Method == documented.Method && r.Path == documented.Path && len(r.Members) == 0 &&
		slices.EqualFunc(r.Header, documented.Header, same)
}

// Turned says why an answer is not the service's: servicediscovery was refused alike. Empty: it may well be.
func (r *Stage) Turned(x *talk.Exchange) string {
	if why := r.inSpell(x); why != "" {
		return why
	}
	if !mayBeLimiter(x) || x.Request.Operation == "" {
		return ""
	}
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	if !r.limiter.alike[Likeness(x, true)] {
		return ""
	}
	return "status 403 came just as it came to servicediscovery, which was answered at the start: a limiter or a " +
		"firewall on the way may refuse good requests alike, which says nothing about the call; load.maxRate in the " +
		"environment file slows a run down"
}

// LimiterNote tells of requests that were sent again when a limiter let them through; empty: there were none.
func (r *Stage) LimiterNote() string {
	l := &r.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again == 0 {
		return ""
	}
	return fmt.Sprintf("a limiter or a firewall on the way refused good requests with 403 now and then, servicediscovery "+
		"too: it was waited for, %s in all, and what had been refused was sent again (%s); load.maxRate in the "+
		"environment file slows a run down", l.waited, figures.Plural(l.again, "time"))
}
