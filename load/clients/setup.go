package clients

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/reports"
)

// setUpWorkers is how many calls of the set-up are under way at once.
const setUpWorkers = 16

// SetUp makes the calls that come before the clock starts: it finds the authentication service if the environment names
// none, mints the session tokens of the run, and signs the chains on, all at the given rate in calls a second at most.
// An error is of the kind failure.Setup, or that of the context. An answer in a wanted status that belongs to another
// client, or breaks a rule of tokens, is a finding about the service and no failed set-up: SetUp returns it, and its
// client takes no part. Calls that a service or gateway in trouble left undecided are made again a few times. If tell
// is not nil, a goroutine of SetUp calls it once a second with the progress.
func (c *Crowd) SetUp(ctx context.Context, via *wire.Client, rate float64, tell func(SetUp)) ([]reports.Wrong, error) {
	defer c.standing.told(tell)()
	var found misfits
	err := c.setUpAll(ctx, via, rate, &found)
	wrong := found.all()
	if err != nil {
		if len(wrong) > 0 { // graver than what ended the set-up, and not to be lost with it
			err = fmt.Errorf("%w; besides, %s", err, wrong[0].Message)
		}
		err = c.standing.explain(ctx, err)
	}
	return wrong, err
}

// misfits are the answers of a set-up that belong to somebody else or break a rule. They are safe for concurrent use.
type misfits struct {
	mu    sync.Mutex // guards what follows
	wrong []reports.Wrong
	times map[string]int64
}

func (m *misfits) add(outcome hit.Outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.times == nil {
		m.times = map[string]int64{}
	}
	if m.times[outcome.Kind]++; m.times[outcome.Kind] <= hit.MaxExamples {
		m.wrong = append(m.wrong, reports.Wrong{Operation: hit.SetUp, Kind: outcome.Kind, Message: outcome.Message,
			Requirement: outcome.Requirement})
	}
}

func (m *misfits) all() []reports.Wrong {
	for i := range m.wrong {
		m.wrong[i].Times = m.times[m.wrong[i].Kind]
	}
	return m.wrong
}

func (c *Crowd) setUpAll(ctx context.Context, via *wire.Client, rate float64, found *misfits) error {
	if run := c.requests.run; run != "" {
		c.requests.run = run + "set-up-"
		defer func() { c.requests.run = run }()
	}
	if c.service == "" {
		service, err := c.discoverService(ctx, via)
		if err != nil {
			return err
		}
		c.useService(service)
	}
	if err := c.requests.learnParameters(ctx, via, c.service); err != nil {
		return err
	}
	if err := c.mintSessions(ctx, via, rate, found); err != nil {
		return err
	}
	err := c.signChainsOn(ctx, via, rate, found)
	c.judged.Store(0) // notes speak of the run
	return err
}

// useService sets x-auth-service-id of all calls.
func (c *Crowd) useService(service string) {
	c.service = service
	for s := range c.requests.headers {
		for i := range c.requests.headers[s] {
			if field := &c.requests.headers[s][i]; field.Name == ags.HeaderService {
				field.Value = service
				if o := c.requests.mintAs; step(s) == stepMint && o != nil && o.Service != "" {
					field.Value = o.Service
				}
			}
		}
	}
}

func (c *Crowd) discoverService(ctx context.Context, via *wire.Client) (string, error) {
	var x *wire.Exchange
	_, _, err := c.standing.patiently(ctx, func() (hit.Outcome, *hit.Answer) {
		var request hit.Request
		c.requests.begin(&request, stepDiscover)
		x = via.Do(ctx, callOf(&request, stepDiscover))
		return c.refused(&sender{client: noClient, step: stepDiscover}, answerOf(x)), answerOf(x)
	})
	if err != nil {
		return "", err
	}
	if x.Err != nil {
		return "", failure.Setupf("set-up: %s %s got no whole answer: %s", x.Call.Method, x.URL, wire.Explain(x.Err))
	}
	if x.Status != http.StatusOK {
		return "", failure.Setupf("set-up: %s %s was answered with status %d instead of a list of authentication services; "+
			"check tenant, or name one with service",
			x.Call.Method, x.URL, x.Status)
	}
	body, err := strictjson.Parse(x.Body)
	if err == nil {
		if services := body.Get("availableServices"); services != nil {
			for _, service := range services.Items {
				if name := service.Get("authServiceName").String(); name != "" {
					return name, nil
				}
			}
		}
	}
	return "", failure.Setupf(
		"set-up: %s %s names no authentication service; name one with service in the environment file",
		x.Call.Method, x.URL)
}

// mintSessions asks for all session tokens of the run. One that was given to another account before is not used.
func (c *Crowd) mintSessions(ctx context.Context, via *wire.Client, rate float64, found *misfits) error {
	if c.supply.source != mintedAhead {
		return nil
	}
	c.standing.begin("session tokens minted", c.planned.sessions)
	c.supply.minted, c.supply.at = make([]string, c.planned.sessions), time.Now()
	if c.supply.from != nil {
		return c.fetchSessions(ctx, rate)
	}
	if c.mintAt != nil {
		own, err := wire.NewClient(*c.mintAt)
		if err != nil {
			return err
		}
		defer own.Close()
		via = own
	}
	err := paced(ctx, c.planned.sessions, rate, func(trying context.Context, i int) error {
		n := c.ofSession(i)
		outcome, _, err := c.standing.patiently(trying, func() (outcome hit.Outcome, answer *hit.Answer) {
			var request hit.Request
			var room [256]byte
			c.requests.begin(&request, stepMint)
			c.requests.mint(&request, c.who.appendAccount(room[:0], n), time.Now())
			answer = c.patientDo(ctx, via, &request, stepMint)
			outcome, c.supply.minted[i] = c.judgeMint(n, answer)
			return outcome, answer
		})
		if err != nil {
			return err
		}
		switch outcome.Kind {
		case "":
			c.standing.done()
			return nil
		case hit.KindDuplicate:
			found.add(outcome)
			return nil
		}
		if c.mintAt != nil {
			if err := via.ReachHeadEnd(trying); err != nil {
				return err
			}
		}
		return failure.Setupf("set-up: a session token for %s could not be had: %s", c.clientName(n), outcome.Message)
	})
	if err == nil && len(found.wrong) > 0 {
		c.passOver()
	}
	return err
}

// passOver takes the clients that begin with a sign-on and have no session token that is theirs alone out of the run.
func (c *Crowd) passOver() {
	for range c.planned.starters {
		n, _, ok := c.fresh.pop()
		switch {
		case !ok:
			return
		case c.hasSession(n):
			c.fresh.push(n)
		default:
			c.starters.Add(-1)
		}
	}
}

// signChainsOn signs the clients on that refresh.
func (c *Crowd) signChainsOn(ctx context.Context, via *wire.Client, rate float64, found *misfits) error {
	if c.planned.chains > 0 {
		c.standing.begin("clients signed on", c.planned.chains)
	}
	return paced(ctx, c.planned.chains, rate, func(trying context.Context, i int) error {
		n := uint32(c.planned.starters + i)
		if c.supply.source == mintedAhead && !c.hasSession(n) { // that of another account was minted for it
			c.retire(n)
			return nil
		}
		outcome, kept, tries, err := c.signOneOn(ctx, trying, via, n)
		if err != nil {
			return err
		}
		unsure := c.clients[n].unsure
		c.clients[n].unsure = false
		switch outcome.Kind {
		case "":
			c.standing.done()
		case hit.KindIdentity, hit.KindToken, hit.KindDuplicate, hit.KindShape:
			found.add(outcome)
		case hit.KindStatus:
			// If an earlier try got lost behind the service, its token is used up: that says nothing about the others.
			if tries > 1 && tries < setUpTries && unsure {
				break
			}
			fallthrough
		default:
			return failure.Setupf("set-up: %s could not be signed on: %s", c.clientName(n), outcome.Message)
		}
		switch {
		case kept, c.supply.source == mintedAhead && c.mintsMore() && c.clients[n].holds == holdsNothing &&
			outcome.Kind == hit.KindStatus:
			c.ongoing.push(n) // without a token it has a new one minted first
		default:
			c.retire(n)
		}
		return nil
	})
}

// signOneOn signs one client on, and tells whether it holds a token then and how many tries that took. It tries again
// until trying ends.
func (c *Crowd) signOneOn(ctx, trying context.Context, via *wire.Client, n uint32) (outcome hit.Outcome, kept bool,
	tries int, err error) {
	who := &sender{client: n, step: stepSignOn}
	outcome, _, err = c.standing.patiently(trying, func() (outcome hit.Outcome, answer *hit.Answer) {
		if tries++; tries > 1 {
			c.giveBack(who) // the same session token again: nobody knows that it was used
		}
		var request hit.Request
		c.prepare(&request, n, stepSignOn)
		answer = c.patientDo(ctx, via, &request, stepSignOn)
		outcome, kept = c.judge(who, answer)
		cl := &c.clients[n]
		cl.unsure = undecided(outcome, answer) && (cl.unsure || !untouched(outcome, answer)) || cl.unsure &&
			outcome.Kind != ""
		return outcome, answer
	})
	return outcome, kept, tries, err
}

// patientDo makes a call of the set-up as the conformance side's client does, which waits out limiters.
func (c *Crowd) patientDo(ctx context.Context, via *wire.Client, request *hit.Request, s step) *hit.Answer {
	x := via.Do(ctx, callOf(request, s))
	c.standing.waited(calls[s].name, x)
	return answerOf(x)
}

// callOf is a request as the conformance side's client sends it.
func callOf(request *hit.Request, s step) wire.Call {
	header := make(http.Header, len(request.Header))
	for _, field := range request.Header {
		header[field.Name] = []string{field.Value}
	}
	if len(request.Authorization) > 0 {
		header.Set(ags.HeaderAuthorization, string(request.Authorization))
	}
	return wire.Call{Operation: calls[s].operation, Method: request.Method, Path: request.Path, Header: header,
		Body: request.Body}
}

func answerOf(x *wire.Exchange) *hit.Answer {
	return &hit.Answer{
		Status: x.Status, Body: x.Body, RetryAfter: x.Header.Get("Retry-After"), Date: x.Header.Get(
			"Date"), SetCookie: x.Header.Values("Set-Cookie"), Truncated: x.Truncated, Err: x.Err, Sent: x.Sent,
		Received: x.Received,
	}
}

// paced calls do count times, several at once and no faster than a rate, until all are done, one fails or the context
// ends. It returns the first error after all calls that were begun have ended. The context that it gives them ends when
// one has failed: a call makes its request no more then, but does not cut short the one that is under way, whose answer
// may be graver than that failure.
func paced(ctx context.Context, count int, rate float64, do func(context.Context, int) error) error {
	if count == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(setUpWorkers, count) {
		workers.Go(func() {
			defer failure.Guard()
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
feeding:
	for i := range count {
		if rate > 0 {
			if wait := time.Until(
				start.Add(time.Duration(float64(i) / rate * float64(time.Second)))); wait > time.Millisecond {
				timer.Reset(wait)
				select {
				case <-ctx.Done():
					break feeding
				case <-timer.C:
				}
			}
		}
		select {
		case <-ctx.Done():
			break feeding
		case next <- i:
		}
	}
	close(next)
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}
