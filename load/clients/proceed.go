package clients

import (
	"time"

	"agstest/internal/check"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// sender is a request's knowledge of its sender.
type sender struct {
	client  uint32
	step    step
	turn    uint64
	starter bool // the client was taken from those at the start of their steps
	held    bool // the client held a session token of its own before
	// excused: a refusal may be our own doing: an earlier try may have used the token up, or it had expired.
	excused bool
	tokens  check.Tokens
}

// Begin is part of Workload.
func (c *Crowd) Begin(seq uint64, request *hit.Request) bool {
	n, turn, s, starter, ok := c.pick(seq)
	if !ok {
		return false
	}
	h := c.hits.Get().(*sender)
	h.client, h.turn, h.step, h.starter, h.held, h.excused = n, turn, s, starter, false, false
	if n != noClient {
		h.held, h.excused = c.clients[n].holds == holdsSession, c.clients[n].unsure
	}
	c.prepare(request, n, s)
	request.Operation, request.Client = c.index[s], h
	return true
}

// pick chooses the client of a hit, whose turn it is in its queue, and its next step.
func (c *Crowd) pick(seq uint64) (n uint32, turn uint64, s step, starter, ok bool) {
	first, second := c.queuesOf(seq)
	if first == nil {
		return noClient, 0, stepDiscover, false, true
	}
	from := first
	n, turn, ok = first.pop()
	if !ok && second != nil {
		from = second
		n, turn, ok = second.pop()
	}
	if !ok {
		return 0, 0, 0, false, false
	}
	return n, turn, c.does.next(c, n), from == &c.fresh, true
}

// queuesOf returns where a hit looks for its client, the better place first; none where it needs no client.
func (c *Crowd) queuesOf(seq uint64) (first, second *queue) {
	if c.does.queues != nil {
		return c.does.queues(c, seq)
	}
	return &c.fresh, nil
}

// prepare builds the request of a step of a client.
func (c *Crowd) prepare(request *hit.Request, n uint32, s step) {
	c.requests.begin(request, s)
	if request.Who = 0; n != noClient {
		request.Who = c.who.number(n) + 1
	}
	var room [1024]byte
	switch s {
	case stepSignOn:
		var more [256]byte
		c.requests.signOn(request, c.takeSession(room[:0], n), c.who.appendDevice(more[:0], n), n)
	case stepSignOnFirst:
		c.requests.signOn(request, c.takeSession(room[:0], n), nil, n)
	case stepRefresh:
		c.requests.authorized(request, s, c.seal.opened(room[:], c.clients[n].token), c.who, n)
	case stepSignOut:
		c.requests.authorized(request, s, c.seal.opened(room[:], c.access[n]), c.who, n)
	case stepMint:
		c.requests.mint(request, c.who.appendAccount(room[:0], n), time.Now())
	}
	c.cookies.send(request, n)
}

// hasSession tells whether a client has a session token that may be used.
func (c *Crowd) hasSession(n uint32) bool {
	cl := &c.clients[n]
	switch c.supply.source {
	case ownOnce:
		return cl.used == 0
	case ownReusable:
		return true
	case mintedAhead:
		at, ok := c.supply.place(n, cl.used, c.planned)
		for ok && c.supply.minted[at] == "" { // it was another account's
			cl.used++
			at, ok = c.supply.place(n, cl.used, c.planned)
		}
		return ok
	}
	return false
}

// place returns the index of a client's session token number i among the minted ones.
func (s *supply) place(n, i uint32, planned demand) (int, bool) {
	if int(n) < planned.starters {
		return int(i)*planned.starters + int(n), int(i) < s.rounds
	}
	return s.rounds*planned.starters + int(n) - planned.starters, i == 0
}

func (c *Crowd) takeSession(dst []byte, n uint32) []byte {
	cl := &c.clients[n]
	if cl.holds == holdsSession {
		cl.holds = holdsNothing
		return c.seal.open(dst, cl.token)
	}
	if c.supply.source == mintedAhead {
		if !c.hasSession(n) {
			return dst
		}
		at, _ := c.supply.place(n, cl.used, c.planned)
		cl.used++
		return append(dst, c.supply.minted[at]...)
	}
	cl.used++
	return c.who.appendSession(dst, n)
}

// End is part of Workload.
func (c *Crowd) End(request *hit.Request, answer *hit.Answer) hit.Outcome {
	h := request.Client.(*sender)
	outcome, kept := c.judge(h, answer)
	if h.client != noClient {
		c.proceed(h, answer, outcome, kept)
	}
	request.Client = nil
	c.hits.Put(h)
	return outcome
}

// proceed moves a client on after its answer. Kept tells that the client holds the token of the answer.
func (c *Crowd) proceed(h *sender, answer *hit.Answer, outcome hit.Outcome, kept bool) {
	n := h.client
	cl := &c.clients[n]
	if undecided(outcome, answer) {
		// The client's token may still be good, and its planned step stays due.
		if h.step == stepSignOn || h.step == stepSignOnFirst {
			c.giveBack(h)
		}
		cl.unsure = cl.unsure || !untouched(outcome, answer)
		wait := time.Duration(0)
		if !c.IgnoreRetryAfter {
			wait = askedWait(answer)
		}
		if wait > longestWait {
			c.sentAway.Add(1)
			c.retire(n)
			return
		}
		c.put(n, h.starter, answer.Received.Add(wait), wait > 0)
		return
	}
	cl.unsure = false
	if !kept && h.step != stepDiscover {
		cl.holds = holdsNothing
	}
	c.does.after(c, h, answer, outcome, kept)
}

// giveBack undoes takeSession.
func (c *Crowd) giveBack(h *sender) {
	cl := &c.clients[h.client]
	if h.held {
		cl.holds = holdsSession // its token is still there
		return
	}
	cl.used--
}

// again puts a client back to the start, or lets it go when it has used all of its session tokens.
func (c *Crowd) again(n uint32) {
	if c.hasSession(n) {
		c.put(n, true, time.Time{}, false)
		return
	}
	c.starters.Add(-1)
}

func (c *Crowd) put(n uint32, starter bool, moment time.Time, wait bool) {
	to := &c.ongoing
	if starter {
		to = &c.fresh
	}
	if wait {
		to.pushAt(n, moment)
		return
	}
	to.push(n)
}

// askedWait is how long an answer asks its client to stay away. A date is held against the service's own clock.
func askedWait(answer *hit.Answer) time.Duration {
	wait, _ := wire.RetryAfter(answer.RetryAfter, answer.Date, answer.Received)
	return wait
}

// longestWait is the longest Retry-After that is kept; a client that is asked to come again in the year 9999 takes no
// part any more.
const longestWait = 24 * time.Hour

// retire takes a client out of the run, with its token; a spare one that has not signed on yet takes the place of one
// that stays signed in, if there is one.
func (c *Crowd) retire(n uint32) {
	c.clients[n].token, c.clients[n].holds = nil, holdsNothing
	if int(n) < c.planned.starters {
		c.starters.Add(-1)
		return
	}
	if spare := c.spares.Add(1) - 1; spare < int64(len(c.clients)) {
		c.put(uint32(spare), false, time.Time{}, false)
		return
	}
	c.chains.Add(-1)
}

// ClientName names a client of the roster, by its number from 1, in reports.
func (c *Crowd) ClientName(number uint32) string { return c.who.name(number - 1) }

// ClientIDs are the ids of the account and the device of a client of the roster, by its number from 1.
func (c *Crowd) ClientIDs(number uint32) []string {
	var room [256]byte
	ids := []string{string(c.who.appendDeviceOf(room[:0], number-1))}
	return append(ids, string(c.who.appendAccountOf(room[:0], number-1)))
}

// clientName names a client in messages.
func (c *Crowd) clientName(n uint32) string { return c.who.name(c.who.number(n)) }
