package clients

import (
	"cmp"
	"fmt"
	"math"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
)

// demand is the clients and tokens that a workload needs for a schedule.
type demand struct {
	starters int // clients that sign on, or go through a whole life
	chains   int // clients that are signed in before the clock starts
	rounds   int // session tokens of each starter that must be minted
	sessions int // all session tokens that must be minted
}

// wish is what a workload would like to have for a schedule, whatever there is.
type wish struct {
	hits, signOns          uint64
	chainRate, starterRate float64 // hits a second
	chains, starters       int
}

// demand works out how many clients and session tokens a schedule needs, and whether the environment has them.
func (c *Crowd) demand(e *environment.Environment, hits uint64, peak float64) (demand, error) {
	w := c.wish(hits, peak)
	if hits == 0 && w.starterRate > 0 && c.supply.source == mintedAhead {
		return demand{}, failure.Usagef("the number of sign-ons of a run with --rate max is not known, so that their " +
			"session tokens cannot be minted before it; give a rate, or sessionToken in load.clients")
	}
	offered := c.who.count
	if c.supply.source == ownOnce && w.starterRate > 0 {
		if c.useUp(&w, offered); c.Clients > 0 && w.starters+w.chains > c.Clients {
			return demand{}, c.tooFew(e, w.starters, w.chains, c.Clients)
		}
	}
	switch {
	case w.starterRate > 0 && w.starters < 1, w.chainRate > 0 && w.chains < 1:
		return demand{}, failure.Usagef("%s cannot do the workload %s; give more",
			figures.Plural(c.Clients, "virtual client"),
			c.Workload)
	case c.Clients > offered:
		return demand{}, failure.Usagef(
			"%s virtual clients were asked for and load.clients of %s offers %s; lower --clients, or add clients",
			figures.Count(int64(c.Clients)), e.Name, figures.Count(int64(offered)))
	}
	if c.Clients == 0 {
		c.makeDo(&w, offered)
	}
	if w.starters+w.chains > offered || w.starterRate > 0 && w.starters < 1 {
		return demand{}, c.tooFew(e, w.starters, w.chains, offered)
	}
	d := demand{starters: w.starters, chains: w.chains}
	if c.supply.source == mintedAhead {
		if w.starterRate > 0 {
			// Clients take turns, so that each needs its part of the tokens; one more for those that come round early.
			d.rounds = int((w.signOns+uint64(d.starters)-1)/uint64(d.starters)) + 1
		}
		d.sessions = d.starters*d.rounds + d.chains
	}
	return d, nil
}

// wish is the number of clients that suits the rate, or the number asked for.
func (c *Crowd) wish(hits uint64, peak float64) wish {
	w := wish{hits: hits, signOns: hits, starterRate: peak}
	if c.does.takes != nil {
		w.signOns, w.chainRate, w.starterRate = c.does.takes(c, hits, peak)
	}
	if w.chainRate > 0 {
		w.chains = enough(w.chainRate)
	}
	if w.starterRate > 0 {
		w.starters = enough(w.starterRate)
	}
	if hits > 0 {
		w.chains = int(min(uint64(w.chains), hits))
		w.starters = int(min(uint64(w.starters), max(1, w.signOns)))
	}
	switch {
	case c.Clients == 0:
	case w.chains == 0:
		w.starters = c.Clients
	case w.starters == 0:
		w.chains = c.Clients
	default:
		w.chains = max(1, int(math.Round(float64(c.Clients)*w.chainRate/(w.chainRate+w.starterRate))))
		w.starters = c.Clients - w.chains
	}
	return w
}

// useUp wants a client for each sign-on, as each has one session token that is used once.
func (c *Crowd) useUp(w *wish, offered int) {
	w.starters = int(min(w.signOns, math.MaxInt32))
	if w.hits == 0 { // not known: all that are left; the run ends with them
		w.starters = max(0, cmp.Or(c.Clients, offered)-w.chains)
	}
	if c.Clients > 0 && w.chains > 0 {
		w.chains = max(1, c.Clients-w.starters)
	}
}

// makeDo takes fewer clients where fewer are offered. They still make the rate, if the service answers fast; where not,
// it shows as starvation.
func (c *Crowd) makeDo(w *wish, offered int) {
	switch {
	case w.starters+w.chains <= offered:
	case c.supply.source != ownOnce:
		w.chains = min(w.chains, max(1, offered-min(w.starters, offered/2)))
		w.starters = min(w.starters, offered-w.chains)
	case w.chains > 0 && offered > w.starters:
		w.chains = offered - w.starters
	}
}

func (c *Crowd) tooFew(e *environment.Environment, starters, chains, offered int) error {
	if c.supply.source == ownOnce && starters > 0 {
		return failure.Usagef("the workload %s needs %s clients, as each of its sign-ons uses a session token of its "+
			"own%s, and load.clients of %s offers %s; add clients, lower rate or duration, leave sessionToken out so that the "+
			"operator mints them, or, if this service takes a session token more than once, say --reuse-sessions",
			c.Workload, figures.Count(int64(starters+max(chains, 0))), andChains(chains), e.Name,
			figures.Count(int64(offered)))
	}
	return failure.Usagef("the workload %s needs %s clients and load.clients of %s offers %s; add clients",
		c.Workload, figures.Count(int64(starters+chains)), e.Name, figures.Count(int64(offered)))
}

func andChains(chains int) string {
	if chains == 0 {
		return ""
	}
	return fmt.Sprintf(" and %s signed in", figures.PluralOf(int64(chains), "client stays", "clients stay"))
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
	c.seal.plain = size <= fewClients // a spare client holds a token only in place of one that retired
	if !c.who.hasAccounts {
		c.accounts = make([]uint64, len(c.clients))
	}
	if c.does.sends(stepSignOut) {
		c.access = make([][]byte, len(c.clients))
	}
	for n := range d.starters {
		c.fresh.push(uint32(n))
	}
	c.starters.Store(int64(d.starters))
	c.chains.Store(int64(d.chains))
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
