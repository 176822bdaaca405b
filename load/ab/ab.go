// Package ab compares two services by turns: both get the same load from one process, in short blocks one after the
// other and in a random order, so that other changes meanwhile affect both. It then compares pairs of blocks; see
// compare.InterleavedComparison for how, and docs/load.md for what it can and cannot show.
package ab

import (
	"context"
	"fmt"
	"time"

	"agstest/internal/environment"
	"agstest/internal/redact"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/reports"
	"agstest/reports/compare"
)

// Options are the question of a comparison of two services by turns. Old, Workload and Rate must be given, and New
// unless AA is set; the zero value of everything else works.
type Options struct {
	Old, New *environment.Environment
	// AA compares Old with itself: whatever is found then is the doing of this place, not of a build.
	AA              bool
	clients.Traffic               // its Clients are those of each side
	Rate            schedule.Rate // of each side in its blocks; both never send at once
	Workers         int
	// Pairs of blocks in a round; 0: 60.
	Pairs int
	// Block is how long each side sends before the other takes over; its first tenth is not counted. 0: 5 s, or up to
	// 10 s where the rate is so low that a block would not carry a p99, or an operation so rare that it would not carry
	// its p95.
	Block time.Duration
	Seed  uint64
	// Placement says how it is kept from mattering where the two run; with Swap it is reports.Swapped.
	Placement compare.Placement
	// Swap is called half-way through each round and returns when both builds have changed places.
	Swap func(context.Context) error
	// Confirm repeats a round that found a regression, and only what both rounds found counts.
	Confirm bool
	// LastAA is the last comparison of a build with itself here, for the report.
	LastAA *compare.SelfComparison
	Rules  compare.Rules
	// OverrideMaxRate and YesLoad are as in Consent; YesLoad names one or both environments.
	OverrideMaxRate bool
	YesLoad         []string
	Yes             []string // hosts, as in load.Consent
	// Timeout, MaxLag and Secrets are as in Options.
	Timeout time.Duration
	MaxLag  time.Duration
	Secrets *redact.Redactor
	// SetUp is called once a second while a side is set up, and Progress about once a second after it, on goroutines of
	// the run.
	SetUp    func(clients.SetUp)
	Progress func(Progress)
	// Side is told once a second how the engine of one side stands, by a goroutine of that side; nil: nobody is.
	Side func(newer bool, at engine.Progress)
	// Keep is called after each pair with the comparison so far, marked partial, to be stored: so that what was
	// measured outlives a process that is killed. It is called by one goroutine of the run, never after Run has
	// returned.
	Keep func(*compare.Comparison)
	Now  func() time.Time
	Run  reports.Run
}

// Progress is how a comparison stands.
type Progress struct {
	Round         int // 1, or 2 for the confirming one
	Pair, Pairs   int // pairs of the round that have begun, the warm-up being 0
	Elapsed, Left time.Duration
	Wrong         int64 // answers of either side so far, in this round
	// Old and New are how the engines of both sides stand, whose schedules are the halves of one.
	Old, New engine.Progress
}

const (
	defaultPairs = 60
	defaultBlock = 5 * time.Second
	longestAuto  = 10 * time.Second
	shortestTurn = 200 * time.Millisecond
	settleShare  = 10 // one part in this many of a block is not counted
	// lead is from when all is set up to the first hit, so that both sides start at one moment.
	lead = 500 * time.Millisecond
)

// Asked is the most that a comparison asks for, with a second round if one confirms the finding of the first.
type Asked struct {
	Hits, Devices  uint64
	Peak           float64       // hits a second, of each side in its blocks
	Length         time.Duration // of all rounds
	Clients, SetUp int           // of both sides; SetUp is about how many requests come before the clock starts
}

// Check returns the errors of Run without sending anything, and what Run would send.
func Check(o Options) (*Asked, error) {
	j, err := newJob(&o)
	if err != nil {
		return nil, err
	}
	rounds := 1
	if o.Confirm {
		rounds = 2
	}
	turns := time.Duration(2 * o.Pairs * rounds)
	a := &Asked{Peak: o.Rate.PerSecond(), Length: turns * j.block, Hits: uint64(turns) * o.Rate.HitsBefore(j.block)}
	for _, s := range []*side{j.old, j.new} {
		a.Clients += s.clients
		a.SetUp += s.setUp
	}
	if clients.Creates(o.Workload) {
		a.Devices = a.Hits
	}
	return a, nil
}

// Run lets two services answer by turns in one process and tells whether the new one is worse. It sets up both sides
// first. When ctx ends it sends no more and returns the comparison of all measurements, which is then inconclusive. An
// error is of the kind failure.Usage (nothing was sent) or failure.Setup, or that of ctx when it ended before the clock
// started; if something failed later, such as the change of places, the comparison so far comes with the error.
func Run(ctx context.Context, o Options) (*compare.Comparison, error) {
	job, err := newJob(&o)
	if err != nil {
		return nil, err
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	run := o.Run
	if run.Start.IsZero() {
		run.Start = now()
	}
	var broken error
	for round := 1; round == 1 || job.valid() && compare.NeedsConfirmation(job.found); round++ {
		began, err := job.round(ctx, round)
		if err != nil && !began && round == 1 {
			return nil, err
		}
		switch {
		case ctx.Err() != nil:
			run.Partial = engine.Interrupted(ctx)
		case err != nil:
			run.Partial, broken = err.Error(), err
		default:
			run.Partial = job.ranOut
		}
		if run.Partial != "" {
			break
		}
	}
	run.End = run.Start.Add(now().Sub(run.Start)) // however the clock of this machine was set meanwhile
	old, new := job.old.joined(), job.new.joined()
	run = job.named(run)
	run.Machine = old.Run.Machine
	c := compare.InterleavedComparison(run, old, new, job.found)
	c.Interleaved.OldHits, c.Interleaved.NewHits = compare.JoinHits(job.old.reports), compare.JoinHits(job.new.reports)
	for _, s := range []*side{job.old, job.new} {
		for i, wrong := range (&reports.Load{Wrong: s.wrong}).KindsOfWrong() {
			if i == 5 {
				break
			}
			note := fmt.Sprintf("Wrong answer of the %s side: %s %s: %s", s.name, wrong.Operation, wrong.Kind,
				wrong.Message)
			if wrong.Hit != nil {
				note += "; such as " + wrong.Hit.Sentence()
			}
			c.Notes = append(c.Notes, note)
		}
	}
	return c, broken
}
