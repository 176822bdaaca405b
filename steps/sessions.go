package steps

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/internal/failure"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// liveConcurrency is how many scenarios run at the same time on a live service: most of their time they wait for
// answers.
const liveConcurrency = 32

// fewScenarios are over soon enough one after the other.
const fewScenarios = 40

// lookAround finds out what scenarios at the same time may count on, before the first of them.
func (r *run) lookAround(ctx context.Context) {
	if r.Control != nil || r.options.Calm != "" {
		return
	}
	var all sync.WaitGroup
	all.Go(func() {
		defer failure.Guard()
		r.OfferUsersDevice(ctx, r.anyStep(func(text string) bool { return text == "odd requests are sent to signOut" }))
	})
	all.Go(func() {
		defer failure.Guard()
		for _, s := range r.selection.scenarios { // while the service answers; they are asked for when it has
			for _, step := range s.Pickle.Steps {
				sharedBy(step.Text)
			}
		}
	})
	r.lookAtSessions(ctx)
	all.Wait()
}

// lookAtSessions finds out, with about six requests, whether a sign-on of a device leaves its other sessions alone:
// then scenarios that use the same device do not disturb each other. Where that is not so, or is not known, they run
// one after the other.
func (r *run) lookAtSessions(ctx context.Context) {
	if r.Concurrency == 1 || len(r.selection.scenarios) < fewScenarios || r.Environment.Situations["active"].SessionToken != "" {
		return
	}
	w := scene.New(r.Stage, &script.Scenario{ID: "sessions"})
	w.Control, w.Sharing = true, true
	if w.UseAccount(ctx, "active", 0) != nil || w.MakeClient(ctx) != nil {
		return
	}
	sessions := make([]*talk.Client, 2, 3)
	if r.anyStep(secondsLater.MatchString) {
		sessions = append(sessions, nil) // one of them is kept for the scenarios that wait
	}
	if w.InLanes(ctx, len(sessions), func(ctx context.Context, own *scene.World, i int) error {
		own.Client.Pair = nil
		sessions[i] = own.Client
		return own.EnsureTokens(ctx)
	}) != nil {
		return
	}
	var granted atomic.Int32
	err := w.InLanes(ctx, 2, func(ctx context.Context, own *scene.World, i int) error {
		own.Client = sessions[i]
		x, err := own.Send(ctx, own.RefreshRequest(), true)
		if err == nil && scene.Granted(x) {
			granted.Add(1)
		}
		return err
	})
	if r.SessionsApart = err == nil && granted.Load() == 2; r.SessionsApart && len(sessions) > 2 && r.options.Actions == nil { // which may end it
		r.Early.Store(sessions[2])
	}
}

// anyStep tells whether a selected scenario has such a sentence.
func (r *run) anyStep(is func(text string) bool) bool {
	return slices.ContainsFunc(r.selection.scenarios, func(s *script.Scenario) bool {
		return slices.ContainsFunc(s.Pickle.Steps, func(step *messages.PickleStep) bool { return is(step.Text) })
	})
}
