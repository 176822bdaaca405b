package ab

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/schedule"
	"agstest/load/transport"
	"agstest/reports"
	"agstest/reports/compare"
)

// job is one comparison under way.
type job struct {
	options  *Options
	old, new *side
	found    compare.Interleaved
	block    time.Duration
	settle   time.Duration
	random   *rand.Rand
	workers  int    // of each side
	ranOut   string // why a side could not go on; empty: both could
}

// mostPairs is more than a day of the shortest blocks; blocks are planned before the first is sent.
const mostPairs = 100_000

// check refuses what makes no sense, whatever the environments say.
func (o *Options) check() error {
	if o.Old == nil || o.New == nil && !o.AA {
		return failure.Usagef(
			"a comparison by turns needs two environments: give --env OLD --env NEW, or --aa with one")
	}
	switch {
	case o.Rate.Max:
		return failure.Usagef("two services can be compared at one and the same rate only: give --rate, such as 200/s")
	case o.Rate.Hits <= 0:
		return failure.Usagef("a comparison by turns needs a rate above 0: give --rate, such as 200/s")
	case o.Pairs < 0 || o.Pairs > 0 && o.Pairs < compare.FewestPairs:
		return failure.Usagef("%d pairs of blocks can show nothing; give --pairs %d or more", o.Pairs,
			compare.FewestPairs)
	case o.Pairs > mostPairs:
		return failure.Usagef("%d pairs of blocks are more than a job can hold; give --pairs %d or fewer", o.Pairs, mostPairs)
	case o.Block < 0 || o.Block > 0 && o.Block < shortestTurn:
		return failure.Usagef("blocks of %s are too short; give --block 200ms or more", o.Block)
	case o.Swap != nil && o.Placement == compare.SamePlacement:
		return failure.Usagef("builds at the same place need not change places; leave one of them out")
	case o.Swap == nil && o.Placement == compare.Swapped:
		return failure.Usagef(
			"it is said that the builds change places, and nothing makes them; give the command that does")
	}
	return nil
}

// fill completes what was left open.
func (o *Options) fill() {
	if o.AA {
		o.New = o.Old
	}
	if o.Pairs == 0 {
		o.Pairs = defaultPairs
	}
	switch {
	case o.Swap != nil:
		o.Placement = compare.Swapped
	case o.AA:
		o.Placement = compare.SamePlacement // one service is where it is
	case o.Placement == "":
		o.Placement = compare.Uncontrolled
	}
}

// newJob checks everything that can be checked before anything is sent.
func newJob(o *Options) (*job, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.fill()
	// both sides keep their connections all along
	workers, err := transport.WorkersWithin(transport.MostOpenFiles()/2, o.Workers)
	if err != nil {
		return nil, err
	}
	j := &job{options: o, block: o.Block, workers: workers, random: rand.New(rand.NewPCG(o.Seed, 0x6162))}
	if j.block == 0 {
		j.block = blockOf(o.Rate.PerSecond(), o.Rarest())
	}
	j.settle = j.block / settleShare
	if o.Rate.HitsBefore(j.block) < 2 {
		return nil, failure.Usagef("a block of %s at %s has no two hits; raise --rate or --block", j.block, o.Rate)
	}
	// Sides that share their clients take every other one each, so that no client is in two places.
	shared := reflect.DeepEqual(o.Old.Load.Clients, o.New.Load.Clients)
	for i, e := range []*environment.Environment{o.Old, o.New} {
		side := j.side(i, e)
		if shared {
			side.part = schedule.Shard{Index: i + 1, Of: 2}
		}
		planned, err := side.prepare()
		if err != nil {
			return nil, err
		}
		side.clients, side.setUp = planned.Crowd().Size(), planned.Crowd().SetUpCalls()
		if i == 0 {
			j.old = side
		} else {
			j.new = side
		}
	}
	j.found = compare.Interleaved{LastAA: o.LastAA, Plan: compare.InterleavedPlan{
		Workload: o.Workload, Mix: o.Mix, Rate: o.Rate.PerSecond(), Clients: j.old.clients, Pairs: o.Pairs, Block: j.block,
		Settle: j.settle, Seed: o.Seed,
		Placement: o.Placement, Confirm: o.Confirm, AA: o.AA, Rules: o.Rules.WithDefaults(),
	}}
	if o.AA {
		j.found.LastAA = nil
	}
	return j, nil
}

// side is one side, with the consent that was given for it.
func (j *job) side(i int, e *environment.Environment) *side {
	o := j.options
	s := &side{name: []string{"old", "new"}[i], environment: e, job: j, seed: o.Seed + uint64(i)}
	if slices.Contains(o.YesLoad, e.Name) {
		s.consent.YesLoad = e.Name
	} else if len(o.YesLoad) > 0 {
		s.consent.YesLoad = o.YesLoad[0]
	}
	s.consent.OverrideMaxRate = o.OverrideMaxRate
	other := slices.ContainsFunc([]*environment.Environment{o.Old, o.New}, func(of *environment.Environment) bool {
		return of != nil && of != e && of.Agreed(o.Yes)
	})
	if !other || e.Agreed(o.Yes) { // to the other side alone is no mistake, and no yes to this one
		s.consent.Yes = o.Yes
	}
	return s
}

// blockOf is how long a block must be so that five counted answers lie beyond the p99 of all, and beyond the p95 of the
// operation with the least share, within 5 and 10 s.
func blockOf(rate, share float64) time.Duration {
	hits := math.Max(5/0.01, 5/0.05/share)
	need := time.Duration(math.Ceil(hits/rate*settleShare/(settleShare-1)*10)) * time.Second / 10
	return min(max(need, defaultBlock), longestAuto)
}

// named fills in the name of the comparison's run if it was left open.
func (j *job) named(run reports.Run) reports.Run {
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

// valid tells whether the figures so far speak of the services; else a second round cannot make them.
func (j *job) valid() bool {
	for _, s := range []*side{j.old, j.new} {
		if slices.ContainsFunc(s.reports, func(r *reports.Load) bool { return !r.Valid }) {
			return false
		}
	}
	return true
}
