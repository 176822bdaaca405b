package shards

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
)

// Coordinator runs one load on the shards of an engine. Engine and Folder must be given; the zero value of everything
// else works. A coordinator does one run at a time.
type Coordinator struct {
	Engine Engine
	// Folder is the run's own; the record of shard i comes into shards/i below it, from 1.
	Folder string

	ReadyWithin   time.Duration // from creation until all shards run and are set up; 0: 5 min
	PlacedWithin  time.Duration // how long a shard may be held up before it runs, as by the lack of a node; 0: 1 min
	Lead          time.Duration // from the moment all are ready to the first hit; 0: 5 s, and more for many shards
	MaxClockError time.Duration // how wrong the reading of a shard's clock may be; 0: 50 ms
	Linger        time.Duration // how long a shard keeps its result for somebody to fetch it; 0: 15 min
	Keep          bool          // nothing is removed
	// WithoutDial is for engines that connect nobody to a shard: the shards start by themselves, ReadyWithin (2 min if
	// it is 0) and Lead after their work was made, and their records come home with their output or from the results
	// URL. Their clocks must agree within MaxClockError. It is for NewWork; existing work tells itself which way it
	// goes.
	WithoutDial bool

	// Tell is told in sentences what happens; Warn what somebody should do something about. Both may be nil, and are
	// called by one goroutine at a time.
	Tell, Warn func(sentence string)
	// Progress is told once a second how the run stands; it may be nil.
	Progress func(Whole)

	telling sync.Mutex // one call of Tell, Warn and Progress at a time
}

const (
	defaultReadyWithin   = 5 * time.Minute
	defaultPlacedWithin  = time.Minute
	defaultLead          = 5 * time.Second
	leadOfShard          = 20 * time.Millisecond
	defaultMaxClockError = 50 * time.Millisecond
	defaultLinger        = 15 * time.Minute

	maxClocksAtOnce = 4  // more of them widen each other's round trips
	maxAtOnce       = 16 // of all other calls
	maxFetchesAt    = 4
	removeWithin    = time.Minute
	pollEvery       = time.Second
	readyEvery      = 250 * time.Millisecond
)

// MaxShards is how many shards a run may have.
const MaxShards = 1000

// minLead is the time that all shards need to hear of the start.
const minLead = 500 * time.Millisecond

func (c *Coordinator) lead(shards int) time.Duration {
	return cmp.Or(c.Lead, defaultLead+time.Duration(shards)*leadOfShard)
}

// check refuses times that mean nothing.
func (c *Coordinator) check() error {
	switch {
	case c.Lead != 0 && c.Lead < minLead:
		return failure.Usagef("a lead of %s is too short for all shards to hear of the start; give %s or more", c.Lead,
			minLead)
	case c.ReadyWithin < 0 || c.PlacedWithin < 0 || c.MaxClockError < 0 || c.Linger < 0:
		return failure.Usagef("how long a coordinator waits cannot be below 0")
	}
	return nil
}

// NewWork makes the work of a run. The plan has its run, its version, its shards, its arguments and how long the load
// and its last answers take; the rest of it, and the token of the control interface, are added here. Errors are of the
// kind failure.Usage.
func (c *Coordinator) NewWork(plan Plan, files, secrets map[string][]byte) (Work, error) {
	if plan.Shards < 1 || plan.Shards > MaxShards {
		return Work{}, failure.Usagef("a load can have 1 to %d shards, not %d", MaxShards, plan.Shards)
	}
	if err := c.check(); err != nil {
		return Work{}, err
	}
	plan.Schema = PlanSchema
	ready := cmp.Or(c.ReadyWithin, defaultReadyWithin)
	if c.WithoutDial {
		ready = cmp.Or(c.ReadyWithin, defaultReadyAlone)
		ahead := ready + c.lead(plan.Shards)
		if ahead > maxAhead {
			return Work{}, failure.Usagef(
				"a load that starts by itself %s after it was made is too far ahead; %s is the most", ahead, maxAhead)
		}
		plan.StartAt = time.Now().Add(ahead).UnixNano()
	}
	// A shard does not give up before its coordinator does, which may have to wait for another shard to be placed.
	plan.ReadyWithin = ready + c.lead(plan.Shards) + time.Minute
	secret := map[string][]byte{}
	if !c.WithoutDial {
		plan.Linger = cmp.Or(c.Linger, defaultLinger)
		secret[TokenFile] = []byte(rand.Text())
	}
	text, err := encode(plan)
	if err != nil {
		return Work{}, err
	}
	w := Work{
		Run: plan.Run, Shards: plan.Shards, Files: map[string][]byte{PlanFile: text}, Secrets: secret,
		Within: plan.ReadyWithin + plan.Duration + plan.Drain + plan.Linger + time.Minute,
	}
	maps.Copy(w.Files, files)
	maps.Copy(w.Secrets, secrets)
	return w, nil
}

// planOf reads the plan of a work, and its hash.
func planOf(w *Work) (plan Plan, hash string, err error) {
	text := w.Files[PlanFile]
	if err := json.Unmarshal(text, &plan); err != nil {
		return plan, "", failure.Setupf("the plan of the run %s cannot be read: %w", w.Run, err)
	}
	if plan.Schema != PlanSchema {
		return plan, "", failure.Setupf(
			"the run %s has a plan of the form %q, and this agstest knows %q; use the agstest that made it (%s)", w.Run,
			plan.Schema, PlanSchema, plan.Version)
	}
	return plan, HashOf(text), nil
}

// Run makes the shards, starts them together, and brings home their results. At the end, however the run ended, it
// removes all it made, unless Keep says otherwise. An error means that nothing was measured: of the kind failure.Setup
// or failure.Usage, or that of ctx when it ended before the start. When ctx ends later, Run stops all shards and brings
// home the results they have.
func (c *Coordinator) Run(ctx context.Context, work Work) (*Outcome, error) {
	plan, hash, err := planOf(&work)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.Check(ctx); err != nil {
		return nil, err
	}
	created := time.Now()
	c.tell("creating %s of the run %s", figures.Plural(plan.Shards, "shard"), work.Run)
	if err := c.Engine.Create(ctx, work); err != nil {
		// an engine removes its work before it returns an error; an interrupted call may not have done so
		if ctx.Err() != nil {
			c.remove(ctx, work.Run, false)
		}
		return nil, err
	}
	r := c.newConductor(ctx, &work, plan, hash)
	outcome, err := r.conduct(ctx, created)
	r.end()
	c.remove(ctx, work.Run, c.Keep)
	return outcome, err
}

// Adopt is Run for shards that somebody has made already, by applying the manifests of Create. It removes them at the
// end unless Keep says otherwise, or the run could not be started.
func (c *Coordinator) Adopt(ctx context.Context, run string) (*Outcome, error) {
	r, err := c.find(ctx, run)
	if err != nil {
		return nil, err
	}
	outcome, err := r.conduct(ctx, time.Now())
	r.end()
	c.remove(ctx, run, c.Keep || err != nil)
	return outcome, err
}

// find makes the conductor of a run that another coordinator, or nobody yet, has begun.
func (c *Coordinator) find(ctx context.Context, run string) (*conductor, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	work, err := c.Engine.Find(ctx, run)
	if err != nil {
		return nil, err
	}
	plan, hash, err := planOf(work)
	if err != nil {
		return nil, err
	}
	return c.newConductor(ctx, work, plan, hash), nil
}

// Collect brings home the results of a run that another coordinator began: at once from the shards whose load is over,
// from the others when theirs is. At the end it removes the rest of the run, unless Keep says otherwise or nothing came
// home.
func (c *Coordinator) Collect(ctx context.Context, run string) (*Outcome, error) {
	r, err := c.find(ctx, run)
	if err != nil {
		return nil, err
	}
	outcome, err := r.collect(ctx)
	r.end()
	c.remove(ctx, run, c.Keep || err != nil)
	return outcome, err
}

// remove deletes everything of a run, also when ctx has ended.
func (c *Coordinator) remove(ctx context.Context, run string, keep bool) {
	if keep {
		c.tell("what was made for the run %s is kept; remove it with: agstest kubernetes clean %s", run, run)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	if err := c.Engine.Remove(ctx, run); err != nil {
		c.warn("what was made for the run %s could not be removed (%v); remove it with: agstest kubernetes clean %s",
			run, err, run)
	}
}

func (c *Coordinator) tell(format string, args ...any) { c.say(c.Tell, format, args...) }
func (c *Coordinator) warn(format string, args ...any) { c.say(c.Warn, format, args...) }

func (c *Coordinator) say(to func(string), format string, args ...any) {
	if to == nil {
		return
	}
	c.telling.Lock()
	defer c.telling.Unlock()
	to(fmt.Sprintf(format, args...))
}
