package scene

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// maxLanes is how many requests of one row of tries are under way at the same time.
const maxLanes = 8

// maxOfLane is more than one try sends.
const maxOfLane = 50

// lane returns a world beside the scenario for tries that do not depend on one another. It holds copies of all that a
// try may use up or change, so that tries at the same time do not disturb each other.
func (w *World) lane(i int) *World {
	own := *w
	own.Exchanges, own.Findings, own.Observed, own.Changes, own.firsts = nil, nil, nil, nil, nil
	own.Random = rand.New(rand.NewPCG(w.Stage.Options.Seed, laneSeed(w.Scenario.ID, w.Step, i)))
	own.Offers, own.Operator, own.Clients = slices.Clone(w.Offers), slices.Clone(w.Operator), slices.Clone(w.Clients)
	if w.Account != nil {
		account := *w.Account
		own.Account = &account
	}
	if w.Client != nil {
		client := *w.Client
		own.Client = &client
	}
	return &own
}

// takeIn adds what was sent and judged in a lane to the scenario.
func (w *World) takeIn(own *World) {
	for _, f := range own.Findings {
		if f.Exchange >= 0 {
			f.Exchange += len(w.Exchanges)
		}
		w.Findings = append(w.Findings, f)
	}
	w.Exchanges = append(w.Exchanges, own.Exchanges...)
}

func laneSeed(scenario string, step, i int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(scenario))
	h.Write([]byte{byte(step), byte(i), byte(i >> 8)})
	return h.Sum64()
}

// InLanes does n tries, several at the same time where the run may, each in a world of its own, and gives the error of
// the first that has one. The tries themselves are the same however many run at the same time.
func (w *World) InLanes(ctx context.Context, n int, do func(ctx context.Context, own *World, i int) error) error {
	errs, lanes := make([]error, n), make([]*World, n)
	for i := range lanes {
		lanes[i] = w.lane(i)
		lanes[i].sentBefore = w.sentBefore + len(w.Exchanges) + i*maxOfLane
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
	for range min(n, w.Stage.lanes()) - 1 {
		all.Go(func() {
			defer failure.Guard()
			work()
		})
	}
	work()
	all.Wait()
	w.sentBefore += n * maxOfLane
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

// fewTries are over as soon in one session as in several, each of which begins with a sign-on.
const fewTries = 4

// InSessions does n tries that use up the token which they show: one after the other or, if a sign-on of a device
// leaves its other sessions alone, in several rows at the same time, each in a session of its own. The row of a try
// does not depend on how many may run at the same time.
func (w *World) InSessions(ctx context.Context, n int, do func(ctx context.Context, own *World, i int) error) error {
	rows := min(n/fewTries, maxLanes)
	if !w.Stage.SessionsApart || w.Stage.lanes() == 1 || rows < 2 {
		for i := range n {
			if err := do(ctx, w, i); err != nil {
				return err
			}
		}
		return nil
	}
	return w.InLanes(ctx, rows, func(ctx context.Context, own *World, row int) error {
		own.Client.Pair = nil
		if err := own.EnsureTokens(ctx); err != nil {
			return err
		}
		for i := row; i < n; i += rows {
			if err := do(ctx, own, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// InBursts does n tries that show the same token, which those that are accepted use up; do tells whether it was, and
// sees to another token. They go one after the other. On a live service, as long as all are refused, there are ever
// more of them at the same time: then the token was good for each. Those that were refused beside one that was
// accepted, which may be why, are done again.
func (w *World) InBursts(ctx context.Context, n int, do func(ctx context.Context, own *World, i int) (accepted bool,
	err error)) error {
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	for most := 1; len(left) > 0; {
		burst := left[:min(most, len(left))]
		left = left[len(burst):]
		again, accepted, err := w.burst(ctx, burst, do)
		if err != nil {
			return err
		}
		if most = min(2*most, maxLanes); accepted || !w.Live() || w.Stage.lanes() == 1 {
			most = max(1, len(again)) // most of which are refused for their own sake
		}
		left = slices.Concat(again, left)
	}
	return nil
}

// burst does tries at the same time, and tells which of them are to be done again, and whether one was accepted.
func (w *World) burst(ctx context.Context, tries []int, do func(ctx context.Context, own *World, i int) (bool,
	error)) (again []int, accepted bool, err error) {
	if len(tries) == 1 {
		accepted, err = do(ctx, w, tries[0])
		return nil, accepted, err
	}
	lanes, took := make([]*World, len(tries)), make([]bool, len(tries))
	err = w.InLanes(ctx, len(tries), func(ctx context.Context, own *World, i int) (err error) {
		lanes[i] = own
		took[i], err = do(ctx, own, tries[i])
		return err
	})
	if err != nil {
		return nil, false, err
	}
	for i, own := range lanes {
		if !took[i] {
			again = append(again, tries[i])
			continue
		}
		w.OddLost = w.OddLost || own.OddLost
		if accepted = true; w.Client != nil && own.Client != nil {
			*w.Client = *own.Client
		}
	}
	if !accepted {
		again = nil
	}
	return again, accepted, nil
}

// lanes is how many tries of one row may be under way at the same time: one, where scenarios run one after the other.
func (r *Stage) lanes() int {
	if r.Concurrency == 1 || r.Options.MaxRate > 0 && r.Options.MaxRate < maxLanes {
		return 1
	}
	return maxLanes
}

// AtOnce sends requests at the same moment.
func (w *World) AtOnce(ctx context.Context, requests []*talk.Request) ([]*talk.Exchange, error) {
	answers := make([]*talk.Exchange, len(requests))
	for _, r := range requests {
		w.KeepSecret(r)
		if err := w.Stage.Pace(ctx); err != nil {
			return nil, err
		}
	}
	unsent := make([]error, len(requests))
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, r := range requests {
		all.Go(func() {
			defer failure.Guard()
			<-start
			answers[i], unsent[i] = w.Say(ctx, r, 0)
		})
	}
	close(start)
	all.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i, x := range answers {
		if unsent[i] != nil {
			return nil, unsent[i]
		}
		if len(x.Attempts) > 0 && EffectiveStatus(x)/100 == 4 {
			again, err := w.sendAfresh(ctx, requests[i], x, false)
			if err != nil {
				return nil, err
			}
			if answers[i] = again; again != x {
				continue // it is recorded
			}
		}
		w.record(x, w.knownOf(x, false), false)
		if x.Status == 0 {
			return nil, &talk.Unknown{Reason: fmt.Sprintf(
				"no answer came to one of %d calls that were sent at the same moment: %s", len(requests),
				wire.Explain(x.Err)), Passing: !RanOut(x)}
		}
		if why := NoRoom(x); why != "" {
			return nil, talk.Passingf("%s", why)
		}
	}
	return answers, nil
}
