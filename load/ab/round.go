package ab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/reports"
	"agstest/reports/compare"
)

// legs are how many pairs are measured without a break: all of a round, or each half around the change of places.
func (j *job) legs() []int {
	if j.options.Swap == nil {
		return []int{j.options.Pairs}
	}
	half := j.options.Pairs / 2
	return []int{half, j.options.Pairs - half}
}

// hits is how many hits of one side a round has at most, with those that warm up.
func (j *job) hits() uint64 {
	total := uint64(0)
	for _, pairs := range j.legs() {
		total += uint64(pairs+1) * j.options.Rate.HitsBefore(j.block)
	}
	return total
}

// round measures one round. It tells whether any hit was sent.
func (j *job) round(ctx context.Context, number int) (began bool, err error) {
	for _, s := range []*side{j.old, j.new} {
		if err := s.ready(ctx); err != nil {
			return false, err
		}
	}
	round := compare.Round{Pairs: []compare.Pair{}}
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
		measured, err := j.leg(ctx, number, round, pairs)
		if err != nil {
			return began, err
		}
		began, round = true, measured
		if ctx.Err() != nil || j.ranOut != "" {
			break
		}
	}
	return began, nil
}

// leg lets both sides send by turns for the given number of pairs. Each side is an engine of its own with a schedule of
// its own; they share only the moment at which both start, and keep their connections all along. Before is what the
// round has measured so far; it is returned with the pairs of the leg.
func (j *job) leg(ctx context.Context, number int, before compare.Round, pairs int) (compare.Round, error) {
	oldTurns, newTurns, oldFirst := takeTurns(j.random, j.options.Rate, j.block, pairs)
	began := time.Now().Add(lead)
	j.old.begin(oldTurns, began)
	j.new.begin(newTurns, began)
	outer := ctx
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	// Sign-ons that only mend a broken chain are too few to be judged; they are in the counts of the sides.
	judged := j.old.prepared.Crowd().Measures()
	pair := func(n int) compare.Pair {
		return compare.Pair{OldFirst: oldFirst[n], Old: j.old.counter.figures(n+1, judged),
			New: j.new.counter.figures(n+1, judged)}
	}
	so := func(over int) compare.Round {
		round := compare.Round{Pairs: slices.Clone(before.Pairs), WarmUp: clone(before.WarmUp),
			Settling: clone(before.Settling)}
		for n := range over {
			round.Pairs = append(round.Pairs, pair(n))
		}
		j.old.counter.uncounted(round.WarmUp.Old, round.Settling.Old, judged)
		j.new.counter.uncounted(round.WarmUp.New, round.Settling.New, judged)
		return round
	}
	told := make(chan int, 1)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		defer failure.Guard()
		for n := range told {
			j.keep(so(n))
		}
	})
	var latest atomic.Pointer[engine.Progress]
	latest.Store(&engine.Progress{})
	tell := j.options.Side
	if tell == nil {
		tell = func(bool, engine.Progress) {}
	}
	whole := j.teller(number, len(before.Pairs), pairs, told, &latest)
	j.new.progress = func(p engine.Progress) { latest.Store(&p); tell(true, p) }
	j.old.progress = func(p engine.Progress) { tell(false, p); whole(p) }
	sides := []*side{j.old, j.new}
	var sending sync.WaitGroup
	var errs [2]error
	var sent [2]*reports.Load
	for i, s := range sides {
		sending.Go(func() {
			defer failure.Guard()
			switch sent[i], errs[i] = s.send(ctx); {
			case errs[i] != nil:
				cancel(errs[i]) // one side without the other measures nothing
			case sent[i].Run.Partial != "":
				// no cause if something else ended both
				cancel(failure.Setupf("the %s side ended early: %s", s.name, sent[i].Run.Partial))
			}
		})
	}
	sending.Wait()
	close(told)
	keeper.Wait()
	if errs[0] != nil || errs[1] != nil {
		return before, context.Cause(ctx) // the first of them, or why it was interrupted
	}
	for i, s := range sides {
		s.took(sent[i])
	}
	if ctx.Err() == nil {
		return so(pairs), nil
	}
	if outer.Err() == nil {
		j.ranOut = context.Cause(ctx).Error()
	}
	return so(j.over(0, pairs)), nil // of a leg that ended early only pairs count that were over
}

// over is how many pairs of the leg are over, of which the first known are: all their hits were answered. A pair does
// not count before, however late it is, as the answers that it lacks are its slowest.
func (j *job) over(known, pairs int) int {
	for known < pairs && j.old.counter.whole(known+1) && j.new.counter.whole(known+1) {
		known++
	}
	return known
}

// teller passes the progress of the old side's engine on as that of the whole, and tells how many of the leg's pairs
// are over.
func (j *job) teller(round, before, pairs int, over chan<- int,
	latest *atomic.Pointer[engine.Progress]) func(engine.Progress) {
	length := j.old.counter.schedule.length
	rest := time.Duration(0)
	if before == 0 && len(j.legs()) > 1 {
		rest = time.Duration(2*(j.legs()[1]+1)) * j.block
	}
	told := 0
	return func(p engine.Progress) {
		if n := j.over(told, pairs); n > told && j.options.Keep != nil {
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
		other := latest.Load()
		j.options.Progress(Progress{
			Round: round, Pair: min(pair, j.options.Pairs), Pairs: j.options.Pairs, Elapsed: p.Elapsed,
			Left: max(0, length-p.Elapsed) + rest, Wrong: p.Wrong + other.Wrong, Old: p, New: *other,
		})
	}
}

// clone returns a copy that can be added to.
func clone(u compare.Uncounted) compare.Uncounted {
	copied := func(m map[string]compare.Answers) map[string]compare.Answers {
		if m == nil {
			return map[string]compare.Answers{}
		}
		return maps.Clone(m)
	}
	return compare.Uncounted{Old: copied(u.Old), New: copied(u.New)}
}

// keep hands on the comparison so far, with what is over of the present round.
func (j *job) keep(round compare.Round) {
	run := j.named(j.options.Run)
	run.Partial = "it goes on, or was killed"
	so := j.found
	so.Rounds = append(slices.Clone(j.found.Rounds), round)
	j.options.Keep(compare.InterleavedComparison(run, j.old.soFar(), j.new.soFar(), so))
}
