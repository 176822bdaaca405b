package scene

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"agstest/ags"
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
	switch x.Status {
	case 0:
		return x.Unsent() == nil && !RanOut(x)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
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
	if !w.Live() || !lost(x) || x.Request.Proxy != nil || r.ClientOf(x.Request) != r.Client || ctx.Err() != nil {
		return false
	}
	o := &r.outage
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
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
			r.outage.how = "gets no answer"
		default:
			r.outage.how = fmt.Sprintf("is answered with status %d", x.Status)
		}
		if r.outage.waited >= longestOutage || r.Client.Target().Sleep(ctx, outagePause) != nil {
			return false, false
		}
		r.outage.waited += outagePause
	}
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
