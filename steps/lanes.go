package steps

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"agstest/internal/failure"
)

// mostLanes is how many requests of one row of tries are under way at the same time.
const mostLanes = 8

// mostOfLane is more than one try sends.
const mostOfLane = 50

// lane is a world beside the scenario for tries that do not depend on one another: it holds copies of what a try may use up or change, so that
// tries which run at the same time do not get into each other's way.
func (w *world) lane(i int) *world {
	own := *w
	own.exchanges, own.findings, own.observed, own.changes, own.firsts = nil, nil, nil, nil, nil
	own.random = rand.New(rand.NewPCG(w.run.options.Seed, laneSeed(w.scenario.id, w.step, i)))
	own.offers, own.operator, own.clients = slices.Clone(w.offers), slices.Clone(w.operator), slices.Clone(w.clients)
	if w.account != nil {
		account := *w.account
		own.account = &account
	}
	if w.client != nil {
		client := *w.client
		own.client = &client
	}
	return &own
}

// takeIn adds what was sent and judged in a lane to the scenario.
func (w *world) takeIn(own *world) {
	for _, f := range own.findings {
		if f.exchange >= 0 {
			f.exchange += len(w.exchanges)
		}
		w.findings = append(w.findings, f)
	}
	w.exchanges = append(w.exchanges, own.exchanges...)
}

func laneSeed(scenario string, step, i int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(scenario))
	h.Write([]byte{byte(step), byte(i), byte(i >> 8)})
	return h.Sum64()
}

// inLanes does n tries, several at the same time where the run may, each in a world of its own, and gives the error of the first that has one.
// The tries themselves are the same however many run at the same time.
func (w *world) inLanes(ctx context.Context, n int, do func(ctx context.Context, own *world, i int) error) error {
	errs, lanes := make([]error, n), make([]*world, n)
	for i := range lanes {
		lanes[i] = w.lane(i)
		lanes[i].sentBefore = w.sentBefore + len(w.exchanges) + i*mostOfLane
	}
	var next atomic.Int64
	var broken atomic.Bool
	work := func() {
		for !broken.Load() && ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if errs[i] = do(ctx, lanes[i], i); errs[i] != nil {
				broken.Store(true)
			}
		}
	}
	var all sync.WaitGroup
	for range min(n, w.run.lanes()) - 1 {
		all.Go(func() {
			defer failure.Guard()
			work()
		})
	}
	work()
	all.Wait()
	w.sentBefore += n * mostOfLane
	for _, own := range lanes {
		w.takeIn(own)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// lanes is how many tries of one row may be under way at the same time: one, where scenarios run one after the other.
func (r *run) lanes() int {
	if r.concurrency == 1 || r.options.MaxRate > 0 && r.options.MaxRate < mostLanes {
		return 1
	}
	return mostLanes
}
