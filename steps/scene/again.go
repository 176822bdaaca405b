package scene

import (
	"context"
	"net/http"

	"agstest/steps/talk"
)

// refusedAgain sends a documented request once more that was refused for the state of an account or a device: the
// refusal must stay. It does not ask twice about a state that an operator changes while a scenario runs, since the
// change may reach one node after another, nor send a request twice that could make a device of a live service.
func (w *World) refusedAgain(ctx context.Context, x *talk.Exchange, changed bool) error {
	state := w.Account != nil && w.Refusal && !changed && !w.Control
	if !state || EffectiveStatus(x)/100 != 4 || x.Uncontrolled != "" || x.Request.Get("deviceInformation") != nil && w.Live() {
		return nil
	}
	again, err := w.aside(ctx, x.Request, func(*talk.Request) bool { return true })
	if err != nil {
		return err
	}
	if status := EffectiveStatus(again); status/100 == 2 || status == http.StatusMultipleChoices {
		return talk.Missf("refused again, as the first time", "%s when the same was asked once more", w.Describe(again))
	}
	return nil
}
