package clients

import (
	"context"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/tokens"
	"agstest/load/schedule"
	"agstest/load/unique"
)

// ofSession is the client that session token number i of the set-up is for.
func (c *Crowd) ofSession(i int) uint32 {
	ahead := c.supply.rounds * c.planned.starters
	if i < ahead {
		return uint32(i % c.planned.starters)
	}
	return uint32(c.planned.starters + i - ahead)
}

// enoughInPool refuses a run that needs more session tokens than the pool of its environment holds. The error is of the
// kind failure.Usage.
func (c *Crowd) enoughInPool(e *environment.Environment, need demand, shard schedule.Shard) error {
	if c.supply.from == nil || c.supply.from.Pool == "" {
		return nil
	}
	if shard.Of > 1 {
		return failure.Usagef("the session tokens of load.clients of %s come from a pool, which shards cannot share, as "+
			"each token is used once; give operator or a command, or load.clients.file", e.Name)
	}
	unused, err := tokens.Unused(c.supply.from)
	if err != nil {
		return failure.Usagef("load.clients.sessionToken: %w", err)
	}
	if unused < need.sessions {
		return failure.Usagef("the workload %s needs %s session tokens, and %s holds %s that are not used yet; add fresh "+
			"ones, or lower rate or duration",
			c.Workload, figures.Count(int64(need.sessions)), c.supply.from.Pool, figures.Count(int64(unused)))
	}
	return nil
}

// fetchSessions gets all session tokens of the run from the source that the environment file names. The error is of the
// kind failure.Setup, or that of the context.
func (c *Crowd) fetchSessions(ctx context.Context, rate float64) error {
	if c.supply.from.Pool != "" {
		taken, err := tokens.TakePool(c.supply.from, c.planned.sessions)
		if err != nil {
			return failure.Setupf("set-up: %w", err)
		}
		copy(c.supply.minted, taken)
		return nil
	}
	return paced(ctx, c.planned.sessions, rate, func(ctx context.Context, i int) error {
		n := c.ofSession(i)
		var account, device [256]byte
		token, err := c.supply.tokens.Take(ctx, c.supply.from, tokens.Names{
			AccountID: string(c.who.appendAccount(account[:0], n)), ClientID: string(c.who.appendDevice(device[:0], n)),
			Tenant: c.tenant, Number: int(c.who.number(n)) + 1,
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return failure.Setupf("set-up: a session token for %s could not be had: %w", c.clientName(n), err)
		}
		if earlier, again := c.seen.Claim(c.seen.Digest(unique.Session, []byte(token)), n); again {
			return failure.Setupf("set-up: the session token for %s was given before, for %s", c.clientName(n),
				c.clientName(earlier))
		}
		c.supply.minted[i] = token
		c.standing.done()
		return nil
	})
}
