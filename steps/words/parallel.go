package words

import (
	"context"

	"agstest/steps/scene"
	"agstest/steps/talk"
)

// parallelSignOns sends first-time sign-ons at the same moment and records them in the order in which they were
// prepared.
func parallelSignOns(ctx context.Context, w *scene.World, n int) error {
	if err := w.MayCreateDevices(); err != nil {
		return err
	}
	if err := w.Stage.NeedsTwoTokens(); err != nil {
		return err
	}
	if n == 2 && w.SharesDevices() {
		return w.PairShared(ctx)
	}
	if err := w.MayMake(n, false); err != nil {
		return err
	}
	var requests []*talk.Request
	for range n {
		w.SessionToken = ""
		r, err := w.SignOnWithSessionToken(ctx)
		if err != nil {
			return err
		}
		if token := r.Parameters(); len(requests) > 0 && len(token) > 0 &&
			token[0].Value == requests[0].Parameters()[0].Value {
			return talk.Lacking(w.Stage.Example("operator"),
				"only one session token can be had, and each client needs its own")
		}
		r.Set("deviceInformation", []byte(w.Device()))
		requests = append(requests, r)
	}
	answers, err := w.AtOnce(ctx, requests)
	if err != nil {
		return err
	}
	for _, x := range answers {
		if err := w.RoomForDevices(ctx, x); err != nil {
			return err
		}
		w.Count(x, false)
		c := &talk.Client{Class: scene.ClassOf([]byte(w.Device())), Own: true}
		if x.Status/100 == 2 && w.Adopt(x, c) == nil {
			w.Add(c)
		}
	}
	return nil
}

func parallelRefreshes(ctx context.Context, w *scene.World) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	requests := []*talk.Request{w.RefreshRequest(), w.RefreshRequest()}
	_, err := w.AtOnce(ctx, requests)
	return err
}
