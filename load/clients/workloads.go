package clients

import (
	"cmp"
	"slices"
	"time"

	"agstest/load/hit"
)

// The workloads, by what an AGS sees of its users.
const (
	WorkloadSignOn      = "signon"       // sign-ons of known devices (n-th time)
	WorkloadSignOnFirst = "signon-first" // first-time sign-ons, each of which creates a device
	// clients that stay signed in: each refresh uses the token of the answer before
	WorkloadRefresh   = "refresh"
	WorkloadMixed     = "mixed"     // sign-ons, refreshes and discoveries in given shares
	WorkloadLifecycle = "lifecycle" // discover, sign on, refresh several times, sign out
	WorkloadHeadEnd   = "head-end"  // getSessionToken, then sign on with it
)

// workload is one row of the table of workloads: the requests of its clients, their order, and what they need.
type workload struct {
	name string
	// steps are the operations that it sends, its main ones first; nil: those of its mix.
	steps []step
	// creates: each sign-on makes a device that stays.
	creates bool
	// mints tells that clients ask for their session tokens themselves, so that none must be there before.
	mints bool
	// whole tells that a client goes through a whole life, in which later steps use the tokens of a sign-on.
	whole bool
	// shares are the parts of the hits by operation; nil: it is of one operation.
	shares func(Traffic) map[string]int
	// takes returns how many sign-ons the given hits hold at most, and the rates at which clients that stay signed in
	// and those that sign on are needed; nil: every hit is for a client that signs on.
	takes func(c *Crowd, hits uint64, peak float64) (signOns uint64, chainRate, starterRate float64)
	// queues returns where a hit looks for its client, the better place first; nil: among clients at the start of their
	// steps. A hit without any needs no client: it discovers.
	queues func(c *Crowd, seq uint64) (first, second *queue)
	// next returns the next step of a client.
	next func(c *Crowd, n uint32) step
	// after takes a client on after an answer that decided something.
	after func(c *Crowd, h *sender, answer *hit.Answer, outcome hit.Outcome, kept bool)
}

// workloads are all of them, the usual ones first.
var workloads = []workload{
	{
		name: WorkloadSignOn, steps: []step{stepSignOn},
		next: always(stepSignOn), after: startAgain,
	},
	{
		name: WorkloadRefresh, steps: []step{stepRefresh},
		takes:  func(_ *Crowd, _ uint64, peak float64) (uint64, float64, float64) { return 0, peak, 0 },
		queues: func(c *Crowd, _ uint64) (first, second *queue) { return &c.ongoing, nil },
		next:   staySignedIn, after: goOnRefreshing,
	},
	{
		name:   WorkloadMixed,
		shares: func(t Traffic) map[string]int { return t.Mix },
		takes: func(c *Crowd, hits uint64, peak float64) (uint64, float64, float64) {
			return c.mix.most(stepSignOn, hits), peak * c.mix.part(stepRefresh), peak * c.mix.part(stepSignOn)
		},
		queues: func(c *Crowd, seq uint64) (first, second *queue) {
			switch c.mix.at(seq) {
			case stepDiscover:
				return nil, nil
			case stepRefresh:
				return &c.ongoing, nil
			}
			return &c.fresh, nil
		},
		next: staySignedIn, after: goOnRefreshing,
	},
	{
		name: WorkloadLifecycle, steps: []step{stepDiscover, stepSignOn, stepRefresh, stepSignOut}, whole: true,
		shares: func(t Traffic) map[string]int {
			return map[string]int{hit.OpDiscover: 1, hit.OpSignOn: 1,
				hit.OpRefresh: cmp.Or(t.Refreshes, DefaultRefreshes), hit.OpSignOut: 1}
		},
		takes: func(c *Crowd, hits uint64, peak float64) (uint64, float64, float64) {
			// Lives are begun in turn; some more are under way at the end.
			return (hits+c.life()-1)/c.life() + uint64(enough(peak)), 0, peak
		},
		queues: func(c *Crowd, seq uint64) (first, second *queue) {
			// As many lives begin as end; in between, the client that has waited longest goes on.
			if seq%c.life() == 0 {
				return &c.fresh, &c.ongoing
			}
			return &c.ongoing, &c.fresh
		},
		next: nextOfLife, after: goOnLiving,
	},
	{
		name: WorkloadHeadEnd, steps: []step{stepMint, stepSignOn}, mints: true,
		shares: func(Traffic) map[string]int { return map[string]int{hit.OpMint: 1, hit.OpSignOn: 1} },
		queues: func(c *Crowd, seq uint64) (first, second *queue) {
			if seq%2 == 1 {
				return &c.ongoing, &c.fresh
			}
			return &c.fresh, &c.ongoing
		},
		next: func(c *Crowd, n uint32) step {
			if c.clients[n].holds == holdsSession {
				return stepSignOn
			}
			return stepMint
		},
		after: func(c *Crowd, h *sender, _ *hit.Answer, _ hit.Outcome, _ bool) {
			c.put(h.client, c.clients[h.client].holds != holdsSession, time.Time{}, false)
		},
	},
	{
		name: WorkloadSignOnFirst, steps: []step{stepSignOnFirst}, creates: true,
		next: always(stepSignOnFirst), after: startAgain,
	},
}

// Workloads are the names of all of them, the usual ones first.
var Workloads = func() (names []string) {
	for i := range workloads {
		names = append(names, workloads[i].name)
	}
	return names
}()

// Creates tells whether each sign-on of a workload makes a device that stays at the service.
func Creates(name string) bool {
	w := workloadOf(name)
	return w != nil && w.creates
}

// workloadOf finds a row by its name; nil if there is none.
func workloadOf(name string) *workload {
	for i := range workloads {
		if workloads[i].name == name {
			return &workloads[i]
		}
	}
	return nil
}

// sends tells whether the workload is made for a step.
func (w *workload) sends(s step) bool {
	if w.steps == nil {
		return s == stepSignOn || s == stepRefresh || s == stepDiscover
	}
	return slices.Contains(w.steps, s)
}

// life is how many hits a life of the workload lifecycle has.
func (c *Crowd) life() uint64 { return uint64(c.Refreshes + aroundRefreshes) }

// aroundRefreshes are the operations of a life beside its refreshes: a discovery, a sign-on and a sign-out.
const aroundRefreshes = 3

// always is the same step, whatever the client holds.
func always(s step) func(*Crowd, uint32) step { return func(*Crowd, uint32) step { return s } }

// staySignedIn refreshes, signs on where there is nothing to refresh with, and mints where there is nothing to sign on
// with.
func staySignedIn(c *Crowd, n uint32) step {
	switch holds := c.clients[n].holds; {
	case holds == holdsRefresh:
		return stepRefresh
	case holds == holdsSession || c.hasSession(n):
		return stepSignOn
	}
	return stepMint
}

// nextOfLife discovers, signs on, refreshes several times and signs out.
func nextOfLife(c *Crowd, n uint32) step {
	switch stage := int(c.clients[n].stage); {
	case stage == 0:
		return stepDiscover
	case stage == 1:
		return stepSignOn
	case stage < 2+c.Refreshes:
		return stepRefresh
	}
	return stepSignOut
}

// startAgain puts a client back to the start of its steps.
func startAgain(c *Crowd, h *sender, _ *hit.Answer, _ hit.Outcome, _ bool) { c.again(h.client) }

// goOnLiving takes a client to the next stage of its life, or ends the life.
func goOnLiving(c *Crowd, h *sender, _ *hit.Answer, outcome hit.Outcome, kept bool) {
	cl := &c.clients[h.client]
	if h.step == stepSignOut || !kept && h.step != stepDiscover {
		cl.stage = 0
		c.again(h.client)
		return
	}
	if outcome.Kind == "" || h.step != stepDiscover {
		cl.stage++
	}
	c.put(h.client, false, time.Time{}, false)
}

// goOnRefreshing keeps a client signed in. One whose chain broke signs on again. One that has nothing to sign on with
// sends the refused token again at each of its turns, so that users who are shut out are as large a part of the answers
// as of the clients, and one who was refused by chance goes on. It retires where the refusal may be our own doing.
func goOnRefreshing(c *Crowd, h *sender, answer *hit.Answer, outcome hit.Outcome, kept bool) {
	if h.starter {
		c.again(h.client)
		return
	}
	cl := &c.clients[h.client]
	if kept && h.step == stepRefresh {
		c.refreshes.add(answer.Received.Sub(answer.Sent))
	}
	switch {
	case kept && cl.refused:
		cl.refused = false
		c.shutOut.Add(-1)
	case h.step == stepRefresh && !kept && !cl.refused:
		c.broken.Add(1)
	}
	cannotMint := c.supply.source == ownOnce || !c.mintsMore()
	if cannotMint && cl.holds == holdsNothing && !c.hasSession(h.client) {
		switch {
		case cl.refused:
		case h.step == stepRefresh && !h.excused && refusal(h.step, answer, outcome):
			cl.refused = true
			c.shutOut.Add(1)
		default:
			if h.step == stepRefresh {
				c.gone.Add(1)
			}
			c.retire(h.client)
			return
		}
		cl.holds = holdsRefresh // the token is still there
		// A refusal is quick, and its client would be back before those who refresh. Were its turns closer together than
		// theirs, they would be a larger part of all, and the more so the slower the service.
		c.ongoing.pushInTurn(h.client, h.turn+uint64(c.chains.Load()), answer.Sent.Add(c.refreshes.typical()))
		return
	}
	if cl.mends(h.step, outcome) {
		c.ongoing.pushFirst(h.client)
		return
	}
	c.put(h.client, false, time.Time{}, false)
}

// mends tells that a client whose chain broke signs on again before others have their turns, as a user does at once:
// were each step of that a turn of its own, those who are refused again and again would refresh less often than the
// others, and be a smaller part of the refreshes than of the clients. One whose step failed waits with the others.
func (cl *client) mends(after step, outcome hit.Outcome) bool {
	return cl.holds != holdsRefresh && (after == stepRefresh || outcome.Kind == "")
}
