package clients

import (
	"fmt"
	"math"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
)

// demand is what a workload needs for a schedule.
type demand struct {
	starters int // clients that sign on, or go through a whole life
	chains   int // clients that are signed in before the clock starts
	rounds   int // session tokens of each starter that must be minted
	sessions int // all session tokens that must be minted
}

// demand works out how many clients and session tokens a schedule needs, and whether the environment has them.
func (c *Crowd) demand(e *environment.Environment, hits uint64, peak float64) (demand, error) {
	var d demand
	signOns, chainRate, starterRate := hits, 0.0, peak
	switch c.Workload {
	case WorkloadRefresh:
		signOns, chainRate, starterRate = 0, peak, 0
	case WorkloadMixed:
		signOns = c.mix.most(stepSignOn, hits)
		chainRate, starterRate = peak*c.mix.part(stepRefresh), peak*c.mix.part(stepSignOn)
	case WorkloadLifecycle:
		// Lives are begun in turn; some more are under way at the end.
		life := uint64(c.Refreshes + aroundRefreshes)
		signOns = (hits+life-1)/life + uint64(enough(peak))
	}
	if hits == 0 && starterRate > 0 && c.supply.source == mintedAhead {
		return d, failure.Usagef("the number of sign-ons of a run with --rate max is not known, so that their session tokens cannot be minted before it; give a rate, or sessionToken in load.clients")
	}
	offered := c.who.count
	chains, starters := 0, 0
	if chainRate > 0 {
		chains = enough(chainRate)
	}
	if starterRate > 0 {
		starters = enough(starterRate)
	}
	if hits > 0 {
		chains = int(min(uint64(chains), hits))
		starters = int(min(uint64(starters), max(1, signOns)))
	}
	if c.Clients > 0 {
		switch {
		case chains == 0:
			starters = c.Clients
		case starters == 0:
			chains = c.Clients
		default:
			chains = max(1, int(math.Round(float64(c.Clients)*chainRate/(chainRate+starterRate))))
			starters = c.Clients - chains
		}
	}
	if c.supply.source == ownOnce && starterRate > 0 {
		starters = int(min(signOns, math.MaxInt32))
		if hits == 0 { // not known: all that are left; the run ends with them
			starters = max(0, offered-chains)
			if c.Clients > 0 {
				starters = max(0, c.Clients-chains)
			}
		}
		if c.Clients > 0 && chains > 0 {
			chains = max(1, c.Clients-starters)
		}
		if c.Clients > 0 && starters+chains > c.Clients {
			return d, c.tooFew(e, starters, chains, c.Clients)
		}
	}
	if starterRate > 0 && starters < 1 || chainRate > 0 && chains < 1 {
		return d, failure.Usagef("%d virtual clients cannot do the workload %s; give more", c.Clients, c.Workload)
	}
	if c.Clients > offered {
		return d, failure.Usagef("%s virtual clients were asked for and load.clients of %s offers %s; lower --clients, or add clients",
			figures.Count(int64(c.Clients)), e.Name, figures.Count(int64(offered)))
	}
	if c.Clients == 0 && starters+chains > offered && c.supply.source != ownOnce {
		// Fewer clients than wanted still make the rate, if the service answers fast; where not, it shows as
		// starvation.
		chains = min(chains, max(1, offered-min(starters, offered/2)))
		starters = min(starters, offered-chains)
	}
	if c.Clients == 0 && c.supply.source == ownOnce && chains > 0 && starters+chains > offered && offered > starters {
		chains = offered - starters
	}
	if starters+chains > offered || starterRate > 0 && starters < 1 {
		return d, c.tooFew(e, starters, chains, offered)
	}
	d = demand{starters: starters, chains: chains}
	if c.supply.source == mintedAhead {
		if starterRate > 0 {
			// Clients take turns, so that each needs its part of the tokens; one more for those that come round early.
			d.rounds = int((signOns+uint64(starters)-1)/uint64(starters)) + 1
		}
		d.sessions = starters*d.rounds + chains
	}
	return d, nil
}

func (c *Crowd) tooFew(e *environment.Environment, starters, chains, offered int) error {
	if c.supply.source == ownOnce && starters > 0 {
		return failure.Usagef("the workload %s needs %s clients, as each of its sign-ons uses a session token of its own%s, and load.clients of %s offers %s; "+
			"add clients, lower rate or duration, leave sessionToken out so that the operator mints them, or, if this service takes a session token more than once, say --reuse-sessions",
			c.Workload, figures.Count(int64(starters+max(chains, 0))), andChains(chains), e.Name, figures.Count(int64(offered)))
	}
	return failure.Usagef("the workload %s needs %s clients and load.clients of %s offers %s; add clients",
		c.Workload, figures.Count(int64(starters+chains)), e.Name, figures.Count(int64(offered)))
}

func andChains(chains int) string {
	if chains == 0 {
		return ""
	}
	return fmt.Sprintf(" and %s clients stay signed in", figures.Count(int64(chains)))
}

// enough is how many clients make a rate while the service takes two seconds for an answer (J. D. C. Little's law), 16
// at least.
func enough(rate float64) int { return max(16, int(math.Ceil(2*rate))) }

// arrange puts the clients where they start: those that sign on first, then the chains, then spares.
func (c *Crowd) arrange(d demand) {
	size := d.starters + d.chains
	spares := 0
	if c.supply.source == ownOnce && d.chains > 0 {
		spares = c.who.count - size
	}
	c.clients = make([]client, size+spares)
	if !c.who.hasAccounts {
		c.accounts = make([]uint64, len(c.clients))
	}
	if c.Workload == WorkloadLifecycle {
		c.access = make([][]byte, len(c.clients))
	}
	for n := range d.starters {
		c.fresh.push(uint32(n))
	}
	c.live.Store(int64(size))
	c.spares.Store(int64(size))
	c.supply.rounds = d.rounds
	c.planned = d
}

// Consumed is how many clients' session tokens are used up.
func (c *Crowd) Consumed() int {
	if c.supply.source != ownOnce {
		return 0
	}
	return int(min(c.spares.Load(), int64(len(c.clients))))
}
