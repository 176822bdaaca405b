package load

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/reports"
)

// ABOptions are the question of a comparison of two services by turns. Old, Workload and Rate must be given, and New unless AA is set; the
// zero value of everything else works.
type ABOptions struct {
	Old, New *environment.Environment
	// AA compares Old with itself: whatever is found then is the doing of this place, not of a build.
	AA       bool
	Workload string
	Mix      map[string]int
	Rate     Rate // of each side in its blocks; both never send at once
	Clients  int  // of each side
	Workers  int
	// Pairs of blocks in a round; 0: 60.
	Pairs int
	// Block is how long each side sends before the other takes over; its first tenth is not counted. 0: 5 s, or up to 10 s where the
	// rate is so low that a block would not carry a p99, or an operation so rare that it would not carry its p95.
	Block time.Duration
	Seed  uint64
	// Placement says how it is kept from mattering where the two run; with Swap it is reports.Swapped.
	Placement reports.Placement
	// Swap is called half-way through each round and returns when both builds have changed places.
	Swap func(context.Context) error
	// Confirm repeats a round that found a regression, and only what both rounds found counts.
	Confirm bool
	// LastAA is the last comparison of a build with itself here, for the report.
	LastAA *reports.SelfComparison
	Rules  reports.Rules
	// OverrideMaxRate and YesLoad are as in Consent; YesLoad names one or both environments.
	OverrideMaxRate bool
	YesLoad         []string
	// Refreshes, ReuseSessions, IgnoreRetryAfter, JudgeEvery, Timeout, MaxLag and Secrets are as in Options.
	Refreshes        int
	ReuseSessions    bool
	IgnoreRetryAfter bool
	JudgeEvery       int
	Timeout          time.Duration
	MaxLag           time.Duration
	Secrets          *wire.Redactor
	// Progress is called about once a second, on a goroutine of the run.
	Progress func(ABProgress)
	// Keep is called after each pair with the comparison so far, marked partial, to be stored: so that what was measured outlives a
	// process that is killed. It is called by one goroutine of the run, never after AB has returned.
	Keep func(*reports.Comparison)
	Now  func() time.Time
	Run  reports.Run
}

// ABProgress is how a comparison stands.
type ABProgress struct {
	Round         int // 1, or 2 for the confirming one
	Pair, Pairs   int // pairs of the round that have begun, the warm-up being 0
	Elapsed, Left time.Duration
	Wrong         int64 // answers of either side so far, in this round
}

const (
	defaultPairs = 60
	fewestPairs  = 10
	defaultBlock = 5 * time.Second
	longestAuto  = 10 * time.Second
	shortestTurn = 200 * time.Millisecond
	settleShare  = 10 // one part of so many of a block is not counted
	// lead is from when all is set up to the first hit, so that both sides start at one moment.
	lead = 500 * time.Millisecond
)

// AB lets two services answer by turns in one process and tells whether the new one is worse. Sets up both sides first. When ctx ends it
// sends no more, and what was measured is in the comparison, which is then inconclusive. An error is of the kind failure.Usage (nothing
// was sent) or failure.Setup, or that of ctx when it ended before the clock started; where something failed later, such as the change of
// places, the comparison of what was measured until then comes with the error.
func AB(ctx context.Context, o ABOptions) (*reports.Comparison, error) {
	job, err := newABJob(&o)
	if err != nil {
		return nil, err
	}
	defer job.close()
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	run := o.Run
	if run.Start.IsZero() {
		run.Start = now()
	}
	var broken error
	for round := 1; round == 1 || job.valid() && reports.NeedsConfirmation(job.found); round++ {
		began, err := job.round(ctx, round)
		if err != nil && !began && round == 1 {
			return nil, err
		}
		switch {
		case ctx.Err() != nil:
			run.Partial = "it was interrupted"
		case err != nil:
			run.Partial, broken = err.Error(), err
		}
		if run.Partial != "" {
			break
		}
	}
	run.End = run.Start.Add(now().Sub(run.Start)) // however the clock of this machine was set meanwhile
	old, new := job.old.joined(), job.new.joined()
	run = job.named(run)
	run.Machine = old.Run.Machine
	c := reports.InterleavedComparison(run, old, new, job.found)
	for _, s := range []*abSide{job.old, job.new} {
		for i, wrong := range s.wrong {
			if i == 5 {
				break
			}
			c.Notes = append(c.Notes, fmt.Sprintf("Wrong answer of the %s side: %s %s: %s", s.name, wrong.Operation, wrong.Kind, wrong.Message))
		}
	}
	return c, broken
}

// named fills in what the run of the comparison is called, where that was left open.
func (j *abJob) named(run reports.Run) reports.Run {
	o := j.options
	if run.Kind == "" {
		run.Kind = "ab"
	}
	if run.Environment == "" {
		run.Environment = o.Old.Name
		if !o.AA && o.New.Name != o.Old.Name {
			run.Environment += "-" + o.New.Name
		}
	}
	return run
}

// abJob is one comparison under way.
type abJob struct {
	options  *ABOptions
	old, new *abSide
	found    reports.Interleaved
	block    time.Duration
	settle   time.Duration
	random   *rand.Rand
	workers  int // of each side
}

// newABJob checks everything that can be checked before anything is sent.
func newABJob(o *ABOptions) (*abJob, error) {
	if o.Old == nil || o.New == nil && !o.AA {
		return nil, failure.Usagef("a comparison by turns needs two environments: give --env OLD --env NEW, or --aa with one")
	}
	if o.AA {
		o.New = o.Old
	}
	switch {
	case o.Rate.Max:
		return nil, failure.Usagef("two services can be compared at one and the same rate only: give --rate, such as 200/s")
	case o.Rate.Hits <= 0:
		return nil, failure.Usagef("a comparison by turns needs a rate above 0: give --rate, such as 200/s")
	case o.Pairs < 0 || o.Pairs > 0 && o.Pairs < fewestPairs:
		return nil, failure.Usagef("%d pairs of blocks can show nothing; give --pairs %d or more", o.Pairs, fewestPairs)
	case o.Block < 0 || o.Block > 0 && o.Block < shortestTurn:
		return nil, failure.Usagef("blocks of %s are too short; give --block 200ms or more", o.Block)
	case o.Swap != nil && o.Placement == reports.SamePlacement:
		return nil, failure.Usagef("builds at the same place need not change places; leave one of them out")
	case o.Swap == nil && o.Placement == reports.Swapped:
		return nil, failure.Usagef("it is said that the builds change places, and nothing makes them; give the command that does")
	}
	workers, err := workersWithin(mostOpenFiles()/2, o.Workers) // both sides keep their connections all along
	if err != nil {
		return nil, err
	}
	if o.Pairs == 0 {
		o.Pairs = defaultPairs
	}
	if o.Swap != nil {
		o.Placement = reports.Swapped
	}
	switch {
	case o.AA && o.Swap == nil:
		o.Placement = reports.SamePlacement // one service is where it is
	case o.Placement == "":
		o.Placement = reports.Uncontrolled
	}
	j := &abJob{options: o, block: o.Block, workers: workers, random: rand.New(rand.NewPCG(o.Seed, 0x6162))}
	if j.block == 0 {
		j.block = abBlock(o.Rate.PerSecond(), rarest(o))
	}
	j.settle = j.block / settleShare
	if o.Rate.hits(j.block) < 2 {
		return nil, failure.Usagef("a block of %s at %s has no two hits; raise --rate or --block", j.block, o.Rate)
	}
	// Sides that share their clients take every other one each, so that no client is in two places.
	shared := reflect.DeepEqual(o.Old.Load.Clients, o.New.Load.Clients)
	for i, e := range []*environment.Environment{o.Old, o.New} {
		side := &abSide{name: []string{"old", "new"}[i], environment: e, job: j, seed: o.Seed + uint64(i)}
		if shared {
			side.part = Shard{Index: i + 1, Of: 2}
		}
		if slices.Contains(o.YesLoad, e.Name) {
			side.consent.YesLoad = e.Name
		} else if len(o.YesLoad) > 0 {
			side.consent.YesLoad = o.YesLoad[0]
		}
		side.consent.OverrideMaxRate = o.OverrideMaxRate
		var err error
		if side.target, err = e.Target(); err != nil {
			return nil, err
		}
		side.target.Timeout = o.Timeout
		planned, err := side.newCrowd()
		if err != nil {
			return nil, err
		}
		side.clients = planned.planned.starters + planned.planned.chains
		if i == 0 {
			j.old = side
		} else {
			j.new = side
		}
	}
	j.found = reports.Interleaved{LastAA: o.LastAA, Plan: reports.InterleavedPlan{
		Workload: o.Workload, Mix: o.Mix, Rate: o.Rate.PerSecond(), Clients: j.old.clients, Pairs: o.Pairs, Block: j.block, Settle: j.settle, Seed: o.Seed,
		Placement: o.Placement, Confirm: o.Confirm, AA: o.AA, Rules: o.Rules.WithDefaults(),
	}}
	if o.AA {
		j.found.LastAA = nil
	}
	return j, nil
}

// abBlock is how long a block must be so that five counted answers lie beyond the p99 of all, and beyond the p95 of the operation with
// the least share, within 5 and 10 s.
func abBlock(rate, share float64) time.Duration {
	hits := math.Max(5/0.01, 5/0.05/share)
	need := time.Duration(math.Ceil(hits/rate*settleShare/(settleShare-1)*10)) * time.Second / 10
	return min(max(need, defaultBlock), longestAuto)
}

// rarest is the share of the hits that the rarest operation of a workload has.
func rarest(o *ABOptions) float64 {
	switch o.Workload {
	case WorkloadMixed:
		least, sum := math.Inf(1), 0.0
		for _, share := range o.Mix {
			if share > 0 {
				least, sum = math.Min(least, float64(share)), sum+float64(share)
			}
		}
		if sum > 0 {
			return least / sum
		}
	case WorkloadLifecycle:
		refreshes := o.Refreshes
		if refreshes == 0 {
			refreshes = defaultRefreshes
		}
		return 1 / float64(refreshes+3) // a life is discover, sign-on, refreshes and sign-out
	case WorkloadHeadEnd:
		return 0.5
	}
	return 1
}

func (j *abJob) close() {
	for _, s := range []*abSide{j.old, j.new} {
		if s.via != nil {
			s.via.Close()
		}
	}
}

// valid tells whether the figures so far speak of the services; else a second round cannot make them.
func (j *abJob) valid() bool {
	for _, s := range []*abSide{j.old, j.new} {
		if slices.ContainsFunc(s.reports, func(r *reports.Load) bool { return !r.Valid }) {
			return false
		}
	}
	return true
}

// legs are how many pairs are measured without a break: all of a round, or each half around the change of places.
func (j *abJob) legs() []int {
	if j.options.Swap == nil {
		return []int{j.options.Pairs}
	}
	half := j.options.Pairs / 2
	return []int{half, j.options.Pairs - half}
}

// hits is how many hits of one side a round has at most, with those that warm up.
func (j *abJob) hits() uint64 {
	total := uint64(0)
	for _, pairs := range j.legs() {
		total += uint64(pairs+1) * j.options.Rate.hits(j.block)
	}
	return total
}

// round measures one round. It tells whether any hit was sent.
func (j *abJob) round(ctx context.Context, number int) (began bool, err error) {
	for _, s := range []*abSide{j.old, j.new} {
		if err := s.ready(ctx); err != nil {
			return false, err
		}
	}
	round := reports.Round{Pairs: []reports.Pair{}}
	defer func() {
		if began {
			j.found.Rounds = append(j.found.Rounds, round)
		}
	}()
	for i, pairs := range j.legs() {
		if i > 0 {
			if err := j.options.Swap(ctx); err != nil {
				return began, fmt.Errorf("the builds could not change places: %w", err)
			}
		}
		measured, err := j.leg(ctx, number, round.Pairs, pairs)
		if err != nil {
			return began, err
		}
		began = true
		round.Pairs = append(round.Pairs, measured...)
		if ctx.Err() != nil {
			break
		}
	}
	return began, nil
}

// leg lets both sides send by turns for so many pairs. Each side is an engine of its own with a schedule of its own; they share nothing
// but the moment at which both start, and keep their connections all along. Before are the pairs of the round that are over.
func (j *abJob) leg(ctx context.Context, round int, before []reports.Pair, pairs int) ([]reports.Pair, error) {
	oldTurns, newTurns, oldFirst := takeTurns(j.random, j.options.Rate, j.block, pairs)
	began := time.Now().Add(lead)
	j.old.prepare(oldTurns, began)
	j.new.prepare(newTurns, began)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Sign-ons that only mend a broken chain are too few to be judged; they are in the counts of the sides.
	judged := j.old.crowd.measures()
	pair := func(n int) reports.Pair {
		return reports.Pair{OldFirst: oldFirst[n], Old: j.old.recorder.figures(n+1, judged), New: j.new.recorder.figures(n+1, judged)}
	}
	over := make(chan int, 1)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		defer failure.Guard()
		for n := range over {
			so := slices.Clone(before)
			for i := range min(n, pairs) {
				so = append(so, pair(i))
			}
			j.keep(so)
		}
	})
	j.old.progress = j.teller(round, len(before), over)
	sides := []*abSide{j.old, j.new}
	var sending sync.WaitGroup
	var errs [2]error
	var sent [2]*reports.Load
	for i, s := range sides {
		sending.Go(func() {
			defer failure.Guard()
			if sent[i], errs[i] = s.send(ctx); errs[i] != nil {
				cancel(errs[i]) // one side without the other measures nothing
			}
		})
	}
	sending.Wait()
	close(over)
	keeper.Wait()
	if errs[0] != nil || errs[1] != nil {
		return nil, context.Cause(ctx) // the first of them, or why it was interrupted
	}
	for i, s := range sides {
		s.took(sent[i])
	}
	var measured []reports.Pair
	interrupted := ctx.Err() != nil
	for n := range pairs {
		// Of an interrupted job only pairs count that were over.
		if interrupted && !(j.old.recorder.whole(n+1) && j.new.recorder.whole(n+1)) {
			break
		}
		measured = append(measured, pair(n))
	}
	return measured, nil
}

// teller passes the progress of the old side's engine on as that of the whole, and tells how many pairs are over.
func (j *abJob) teller(round, before int, over chan<- int) func(Progress) {
	length := j.old.recorder.schedule.length
	rest := time.Duration(0)
	if before == 0 && len(j.legs()) > 1 {
		rest = time.Duration(2*(j.legs()[1]+1)) * j.block
	}
	told := 0
	return func(p Progress) {
		// A second after its end the answers of a pair are in, but for the latest.
		if n := int((p.Elapsed-time.Second)/(2*j.block)) - 1; n > told && j.options.Keep != nil {
			select {
			case over <- n:
				told = n
			default: // the one before is still being kept
			}
		}
		if j.options.Progress == nil {
			return
		}
		pair := int(p.Elapsed / (2 * j.block))
		if pair > 0 {
			pair += before
		}
		j.options.Progress(ABProgress{
			Round: round, Pair: min(pair, j.options.Pairs), Pairs: j.options.Pairs, Elapsed: p.Elapsed, Left: max(0, length-p.Elapsed) + rest, Wrong: p.Wrong,
		})
	}
}

// keep hands on the comparison as it stands, with the pairs of the present round that are over.
func (j *abJob) keep(pairs []reports.Pair) {
	run := j.named(j.options.Run)
	run.Partial = "it goes on, or was killed"
	so := j.found
	so.Rounds = append(slices.Clone(j.found.Rounds), reports.Round{Pairs: pairs})
	j.options.Keep(reports.InterleavedComparison(run, j.old.soFar(), j.new.soFar(), so))
}
