package words

import (
	"context"

	"agstest/steps/scene"
	"agstest/steps/talk"
)

// signedOn notes that a client of the account has signed on. A service may keep one session an account, which ends
// those of the other devices: no page says how many devices of an account stay signed on at the same time.
func (m *model) signedOn(c *modelled) {
	for _, other := range m.clients {
		other.superseded = other != c
	}
}

// endedByAnother tells whether a refusal of the tokens of a client is what a service does that keeps one session an
// account: another device has signed on since, and on an account of its own it is found to be so, twice.
func endedByAnother(ctx context.Context, w *scene.World, c *modelled, x *talk.Exchange) bool {
	if !c.superseded || scene.EffectiveStatus(x)/100 != 4 || scene.HasTokens(x) || w.Live() {
		return false
	}
	own := scene.New(w.Stage, w.Scenario)
	own.Control = true
	if own.UseAccount(ctx, "active", manyClients) != nil {
		return false
	}
	var clients []*talk.Client
	for range 2 {
		if own.MakeClient(ctx) != nil {
			return false
		}
		clients = append(clients, own.Client)
	}
	first, second := clients[0], clients[1]
	for range 2 {
		// The second has signed on last.
		if !refused(ctx, own, first) || !granted(ctx, own, second) || !signsOnAgain(ctx, own, first) ||
			!refused(ctx, own, second) || !granted(ctx, own, first) || !signsOnAgain(ctx, own, second) {
			return false
		}
	}
	w.Stage.NoteOnce("a sign-on ends the sessions of the other devices of its account")
	return true
}

// manyClients are more than a sequence makes.
const manyClients = 40

// granted tells that the session of a client goes on.
func granted(ctx context.Context, w *scene.World, c *talk.Client) bool {
	w.Client = c
	x, err := w.Send(ctx, w.RefreshRequest(), true)
	return err == nil && scene.EffectiveStatus(x)/100 == 2 && w.Adopt(x, c) == nil
}

// refused tells that the session of a client has ended.
func refused(ctx context.Context, w *scene.World, c *talk.Client) bool {
	w.Client = c
	x, err := w.Send(ctx, w.RefreshRequest(), true)
	return err == nil && scene.EffectiveStatus(x)/100 == 4 && !scene.HasTokens(x)
}

func signsOnAgain(ctx context.Context, w *scene.World, c *talk.Client) bool {
	w.Client, c.Pair = c, nil
	return w.EnsureTokens(ctx) == nil
}
