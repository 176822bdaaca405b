package steps

import (
	"context"
	"fmt"
	"sync"

	"agstest/internal/failure"
	"agstest/internal/wire"
)

// parallelSignOns sends first-time sign-ons at the same moment and records them in the order in which they were prepared.
func (w *world) parallelSignOns(ctx context.Context, n int) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	if n == 2 && w.sharesDevices() {
		return w.pairShared(ctx)
	}
	if err := w.mayMake(n, false); err != nil {
		return err
	}
	var requests []*request
	for range n {
		w.sessionToken = ""
		r, err := w.signOnWithSessionToken(ctx)
		if err != nil {
			return err
		}
		if token := r.parameters(); len(requests) > 0 && len(token) > 0 && token[0].Value == requests[0].parameters()[0].Value {
			return lacking(w.run.example("operator"), "only one session token can be had, and each client needs its own")
		}
		r.set("deviceInformation", []byte(w.device()))
		requests = append(requests, r)
	}
	answers, err := w.atOnce(ctx, requests)
	if err != nil {
		return err
	}
	for _, x := range answers {
		if err := w.roomForDevices(x); err != nil {
			return err
		}
		w.count(x, false)
		c := &client{class: classOf([]byte(w.device())), own: true}
		if x.Status/100 == 2 && w.adopt(x, c) == nil {
			w.add(c)
		}
	}
	return nil
}

func (w *world) parallelRefreshes(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	requests := []*request{w.refreshRequest(), w.refreshRequest()}
	_, err := w.atOnce(ctx, requests)
	return err
}

// atOnce sends requests at the same moment.
func (w *world) atOnce(ctx context.Context, requests []*request) ([]*exchange, error) {
	answers := make([]*exchange, len(requests))
	for _, r := range requests {
		w.keepSecret(r)
		if err := w.run.pace(ctx); err != nil {
			return nil, err
		}
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, r := range requests {
		all.Add(1)
		go func() {
			defer all.Done()
			defer failure.Guard()
			<-start
			answers[i] = &exchange{Exchange: w.run.clientOf(r).Do(ctx, r.call()), request: r}
		}()
	}
	close(start)
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i, x := range answers {
		if len(x.Attempts) > 0 && effectiveStatus(x)/100 == 4 {
			again, err := w.sendAfresh(ctx, requests[i], x, false)
			if err != nil {
				return nil, err
			}
			if answers[i] = again; again != x {
				continue // it is recorded
			}
		}
		w.record(x, w.knownOf(x.request, false), false)
		if x.Status == 0 {
			return nil, &unknown{fmt.Sprintf("no answer came to one of %d calls that were sent at the same moment: %s", len(requests), wire.Explain(x.Err)), !ranOut(x)}
		}
		if why := noRoom(x); why != "" {
			return nil, passingf("%s", why)
		}
	}
	return answers, nil
}
