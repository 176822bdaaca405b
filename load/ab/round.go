package ab

import (
	"context"
	"fmt"
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

// leg lets both sides send by turns for the given number of pairs. Each side is an engine of its own with a schedule of
// its own; they share only the moment at which both start, and keep their connections all along. Before are the pairs
// of the round that are over.
func (j *job) leg(ctx context.Context, round int, before []compare.Pair, pairs int) ([]compare.Pair, error) {
	oldTurns, newTurns, oldFirst := takeTurns(j.random, j.options.Rate, j.block, pairs)
	began := time.Now().Add(lead)
	j.old.begin(oldTurns, began)
	j.new.begin(newTurns, began)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Sign-ons that only mend a broken chain are too few to be judged; they are in the counts of the sides.
	judged := j.old.prepared.Crowd().Measures()
	pair := func(n int) compare.Pair {
		return compare.Pair{OldFirst: oldFirst[n], Old: j.old.recorder.figures(n+1, judged), New: j.new.recorder.figures(n+1, judged)}
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
	var latest atomic.Pointer[engine.Progress]
	latest.Store(&engine.Progress{})
	tell := j.options.Side
	if tell == nil {
		tell = func(bool, engine.Progress) {}
	}
	whole := j.teller(round, len(before), over, &latest)
	j.new.progress = func(p engine.Progress) { latest.Store(&p); tell(true, p) }
	j.old.progress = func(p engine.Progress) { tell(false, p); whole(p) }
	sides := []*side{j.old, j.new}
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
	var measured []compare.Pair
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
func (j *job) teller(round, before int, over chan<- int, latest *atomic.Pointer[engine.Progress]) func(engine.Progress) {
	length := j.old.recorder.schedule.length
	rest := time.Duration(0)
	if before == 0 && len(j.legs()) > 1 {
		rest = time.Duration(2*(j.legs()[1]+1)) * j.block
	}
	told := 0
	return func(p engine.Progress) {
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
		other := latest.Load()
		j.options.Progress(Progress{
			Round: round, Pair: min(pair, j.options.Pairs), Pairs: j.options.Pairs, Elapsed: p.Elapsed, Left: max(0, length-p.Elapsed) + rest, Wrong: p.Wrong + other.Wrong, Old: p, New: *other,
		})
	}
}

// keep hands on the comparison so far, with the pairs of the present round that are over.
func (j *job) keep(pairs []compare.Pair) {
	run := j.named(j.options.Run)
	run.Partial = "it goes on, or was killed"
	so := j.found
	so.Rounds = append(slices.Clone(j.found.Rounds), compare.Round{Pairs: pairs})
	j.options.Keep(compare.InterleavedComparison(run, j.old.soFar(), j.new.soFar(), so))
}
