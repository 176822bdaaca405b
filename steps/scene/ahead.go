package scene

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// How many session tokens of an account are minted, or under way, before a scenario asks for them, and the age above
// which one is not used.
const (
	mintedBefore = 4
	longestAhead = 5 * time.Second
)

// ahead are session tokens that were minted before a scenario asks for them. On a far service that spares each sign-on
// a round trip.
type ahead struct {
	mu    sync.Mutex // guards what follows
	ready map[string][]*World
	begun map[string]int // under way
	count int
	all   sync.WaitGroup
}

// mayMintAhead tells whether a session token that the acting head-end system would ask for here is like any other of
// the account.
func (w *World) mayMintAhead() bool {
	r := w.Stage
	return w.Live() && r.Concurrency > 1 && r.Options.MaxRate <= 0 && r.Options.Calm == "" && w.jar == nil && w.proxy == nil && len(w.header) == 0 && w.Correlation == "" &&
		len(w.Operator) == 0 && w.Ahead == 0
}

// takeAhead returns the exchange that minted a session token ahead of time, as if the scenario had sent it; nil if
// there is none. It has more minted for the next scenarios.
func (w *World) takeAhead(ctx context.Context) *talk.Exchange {
	a := &w.Stage.ahead
	key := strings.Join([]string{w.Tenant, w.Service, w.Account.ID, w.OperatorAccount()}, "\n")
	a.mu.Lock()
	var taken *World
	for list := a.ready[key]; len(list) > 0 && taken == nil; list = a.ready[key] {
		if a.ready[key] = list[1:]; time.Since(list[0].Exchanges[0].Received) < longestAhead {
			taken = list[0]
		} else {
			w.Stage.Aside(list[0].Exchanges[0])
		}
	}
	for len(a.ready[key])+a.begun[key] < mintedBefore {
		w.beginAhead(ctx, key)
	}
	a.mu.Unlock()
	if taken == nil {
		return nil
	}
	w.takeIn(taken)
	return taken.Exchanges[0]
}

// beginAhead mints a session token for the account of the scenario. The lock is held.
func (w *World) beginAhead(ctx context.Context, key string) {
	a := &w.Stage.ahead
	if a.ready == nil {
		a.ready, a.begun = map[string][]*World{}, map[string]int{}
	}
	a.begun[key]++
	a.count++
	own := New(w.Stage, &script.Scenario{ID: fmt.Sprintf("minted ahead %d", a.count)})
	account := *w.Account
	own.Tenant, own.Service, own.Account = w.Tenant, w.Service, &account
	a.all.Go(func() {
		defer failure.Guard()
		minted := own.mintOnce(ctx)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.begun[key]--; minted {
			a.ready[key] = append(a.ready[key], own)
		}
	})
}

// mintOnce asks for a session token as the head-end system; false if none came, and a scenario that needs one asks for
// itself.
func (w *World) mintOnce(ctx context.Context) bool {
	r, err := w.HeadEndRequest()
	if err != nil {
		return false
	}
	x, err := w.Send(ctx, r, false)
	if x != nil && err != nil {
		w.Stage.Aside(x)
	}
	if err != nil || len(w.Exchanges) != 1 {
		return false
	}
	_, err = ReadSessionToken(x)
	return err == nil
}

// EndAhead waits for the calls under way, and counts the tokens that nobody asked for.
func (r *Stage) EndAhead() {
	r.ahead.all.Wait()
	r.ahead.mu.Lock()
	defer r.ahead.mu.Unlock()
	for key, list := range r.ahead.ready {
		for _, w := range list {
			r.Aside(w.Exchanges[0])
		}
		delete(r.ahead.ready, key)
	}
}
