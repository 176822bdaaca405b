package steps

import (
	"context"
	"errors"
	"slices"
	"strings"
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
	w := r.beside(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		defer failure.Guard()
		r.offerUsersDevice(ctx)
	})
	all.Go(func() {
		defer failure.Guard()
		for _, s := range r.selection.scenarios { // while the service answers; they are asked for when it has
			for _, step := range s.Pickle.Steps {
				sharedBy(step.Text)
			}
		}
	})
	refused := w != nil && r.lookAtSessions(ctx, w)
	all.Wait()
	if refused {
		r.lookAtSessionTokens(ctx, w)
	}
}

func (r *run) offerUsersDevice(ctx context.Context) {
	r.OfferUsersDevice(ctx, r.anyStep(func(text string) bool { return text == "odd requests are sent to signOut" }))
}

// lookAtSessions finds out, with a dozen requests or so, whether a sign-on of a device leaves other sessions alone, its
// own and those of another device: then scenarios do not disturb each other. Where that is not so, or is not known,
// they run one after the other. Few scenarios do so anyway; there it only looks whether session tokens are good beside
// each other. It tells whether one was refused.
func (r *run) lookAtSessions(ctx context.Context, w *scene.World) (refused bool) {
	few := len(r.selection.scenarios) < fewScenarios
	sessions := make([]*talk.Client, 2, 3)
	if !few && r.anyStep(secondsLater.MatchString) {
		sessions = append(sessions, nil) // one of them is kept for the scenarios that wait
	}
	signedOn, refused := r.signOnBeside(ctx, w, sessions)
	if !signedOn || few {
		return refused
	}
	r.SessionsApart = r.fillSessions(ctx, w, sessions[0]) && r.sessionsLast(ctx, w, sessions)
	if r.SessionsApart && len(sessions) > 2 && r.options.Actions == nil { // which may end it
		r.Early.Store(sessions[2])
	}
	return false
}

// beside is a world that acts for the account and the device of most scenarios, before the first of them. Nil: they
// cannot be had, or scenarios do not meet. Where the device is made for that, no session token is minted ahead: it may
// end the one before.
func (r *run) beside(ctx context.Context) *scene.World {
	concurrency := r.Concurrency
	if concurrency == 1 || r.Environment.Situations["active"].SessionToken != "" ||
		len(r.selection.scenarios) < fewScenarios && !r.severalMint() {
		return nil
	}
	w := scene.New(r.Stage, &script.Scenario{ID: "sessions"})
	w.Control, w.Sharing = true, true
	r.Concurrency = 1
	if w.UseAccount(ctx, "active", 0) != nil || w.MakeClient(ctx) != nil {
		w = nil
	}
	if r.NeedsTwoTokens() == nil {
		r.Concurrency = concurrency
	}
	return w
}

// mostSessions is up to which limit of sessions lookAtSessions tries whether a service keeps to it.
const mostSessions = 20

// fillSessions signs the device on as often as a token says that its account may have sessions (sessionControl), so
// that those from before have ended where a sign-on beyond the limit ends the oldest. False: a sign-on failed. Tokens
// of a pool are few, and not used up for it.
func (r *run) fillSessions(ctx context.Context, w *scene.World, first *talk.Client) bool {
	limit := scene.SessionLimit(first.Pair.AccessToken)
	source := r.Environment.Situations["active"].SessionTokens
	if limit == 0 || limit > mostSessions || source != nil && source.Pool != "" {
		return true
	}
	filled, _ := r.signOnBeside(ctx, w, make([]*talk.Client, limit))
	return filled
}

// signOnBeside signs a device on several times at the same moment, when all session tokens for that are there. It tells
// whether all sign-ons were accepted, and whether one was refused.
func (r *run) signOnBeside(ctx context.Context, w *scene.World, sessions []*talk.Client) (accepted, refused bool) {
	requests := make([]*talk.Request, len(sessions))
	if w.InLanes(ctx, len(sessions), func(ctx context.Context, own *scene.World, i int) (err error) {
		own.Client.Pair = nil
		sessions[i] = own.Client
		if requests[i], err = own.SignOnWithSessionToken(ctx); err == nil {
			requests[i].Set("clientId", talk.JSON(own.Client.ID))
		}
		return err
	}) != nil {
		return false, false
	}
	var granted, no atomic.Int32
	err := w.InLanes(ctx, len(sessions), func(ctx context.Context, own *scene.World, i int) error {
		x, err := own.Send(ctx, requests[i], false)
		switch {
		case err != nil:
			return err
		case scene.EffectiveStatus(x)/100 == 4:
			no.Add(1)
		case scene.Granted(x) && own.Adopt(x, sessions[i]) == nil:
			granted.Add(1)
		}
		return nil
	})
	return err == nil && int(granted.Load()) == len(sessions), no.Load() > 0
}

// sessionsLast tells whether the first two sessions of a device go on beside each other and beside the sign-on of
// another device of the account, if the run makes one.
func (r *run) sessionsLast(ctx context.Context, w *scene.World, sessions []*talk.Client) bool {
	refreshed := func(ctx context.Context, own *scene.World, c *talk.Client) error {
		own.Client = c
		x, err := own.Send(ctx, own.RefreshRequest(), true)
		if err == nil && !scene.Granted(x) {
			err = errSessionEnded
		}
		if err != nil {
			return err
		}
		return own.Adopt(x, c)
	}
	steps := []func(ctx context.Context, own *scene.World) error{
		func(ctx context.Context, own *scene.World) error { return refreshed(ctx, own, sessions[0]) },
		func(ctx context.Context, own *scene.World) error { return refreshed(ctx, own, sessions[1]) },
	}
	another := false
	if r.anyStep(makesDevice) {
		steps = append(steps, func(ctx context.Context, own *scene.World) error {
			another = own.SignOnOtherDevice(ctx)
			return nil
		})
	}
	if w.InLanes(ctx, len(steps), func(ctx context.Context, own *scene.World,
		i int) error {
		return steps[i](ctx, own)
	}) != nil {
		return false
	}
	return !another || refreshed(ctx, w, sessions[0]) == nil
}

var errSessionEnded = errors.New("a session has ended")

// makesDevice tells of a sentence that signs on a device which all scenarios share.
func makesDevice(text string) bool {
	return text == "the client signs on with a session token for the first time" ||
		strings.HasPrefix(text, "a second client of the account")
}

// severalMint tells whether several of the selected scenarios sign on with session tokens.
func (r *run) severalMint() bool {
	if source := r.Environment.Situations["active"].SessionTokens; source != nil && source.Pool != "" {
		return false // whose tokens are there already
	}
	several := 0
	for _, s := range r.selection.scenarios {
		if slices.ContainsFunc(s.Pickle.Steps, func(step *messages.PickleStep) bool {
			return slices.ContainsFunc(sharedBy(step.Text), func(c claim) bool {
				return c.what == sessionsOfDevice ||
					c.what == firstDevice
			})
		}) {
			several++
		}
	}
	return several > 1
}

// lookAtSessionTokens finds out, when a sign-on was refused beside others, whether a session token ends the one that
// its account had. Then nothing is done at the same time as anything else.
func (r *run) lookAtSessionTokens(ctx context.Context, w *scene.World) {
	r.EndAhead()
	concurrency := r.Concurrency
	r.Concurrency = 1
	if !w.TokensReplaced(ctx, w.Client.ID) {
		r.Concurrency = concurrency
		return
	}
	r.offerUsersDevice(ctx)
}

// anyStep tells whether a selected scenario has such a sentence.
func (r *run) anyStep(is func(text string) bool) bool {
	return slices.ContainsFunc(r.selection.scenarios, func(s *script.Scenario) bool {
		return slices.ContainsFunc(s.Pickle.Steps, func(step *messages.PickleStep) bool { return is(step.Text) })
	})
}
