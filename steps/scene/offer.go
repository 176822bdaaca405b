package scene

import (
	"context"
	"net/http"
	"strconv"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/steps/talk"
)

func (w *World) readOffers(x *talk.Exchange) {
	if x.Status != http.StatusMultipleChoices {
		return
	}
	w.Offers = nil
	list, err := check.Accounts(x.Exchange)
	if err != nil {
		return
	}
	for _, a := range list {
		w.Stage.Keep(a.Token)
		w.Offers = append(w.Offers, talk.Offer{Information: a.Information, Token: a.Token})
	}
}

func (w *World) Offer(n int) (talk.Offer, error) {
	if n < 1 || n > len(w.Offers) {
		return talk.Offer{}, talk.Missf("an account "+strconv.Itoa(n)+" to pick from", "%s in the answer", figures.Plural(len(w.Offers), "account"))
	}
	c := w.Offers[n-1]
	if c.Token == "" {
		return c, talk.Lacking("", "could not tell: no userAccountToken was found for account %d, and where it stands is not published", n)
	}
	return c, nil
}

// PickAccount finishes a sign-on.
func (w *World) PickAccount(ctx context.Context, n int) error {
	c, err := w.Offer(n)
	if err != nil {
		return err
	}
	r, class := w.pickRequest(c)
	var picked *talk.Client
	if w.SharesDevices() {
		picked, err = w.pickShared(ctx, r, n, class)
	} else {
		picked, err = w.pickAlone(ctx, r, class)
	}
	if picked != nil {
		w.Add(picked)
		w.Offers[n-1].Account = picked.Pair.AccountID
	}
	if x, none := w.Last(); err == nil && none == nil {
		return w.RoomForDevices(ctx, x)
	}
	return err
}

func (w *World) pickAlone(ctx context.Context, r *talk.Request, class string) (*talk.Client, error) {
	x, err := w.Call(ctx, r)
	if err != nil {
		return nil, err
	}
	picked := &talk.Client{Class: class, Own: true}
	if x.Status/100 != 2 || w.Adopt(x, picked) != nil {
		return nil, nil // the Then steps report what is wrong
	}
	return picked, nil
}

// pickRequest picks an account. The device argument of the sign-on before is sent again, as some services want it
// (ambiguity 7.22).
func (w *World) pickRequest(c talk.Offer) (r *talk.Request, class string) {
	r = w.Prepare(ags.SubsequentSignOn)
	r.SetHeader("User-Token", c.Token)
	r.Set("parameters", talk.JSON(w.Hints()))
	for i := len(w.Exchanges) - 1; i >= 0; i-- {
		before := w.Exchanges[i].Request
		if before == nil || before.Operation != ags.SignOn {
			continue
		}
		for _, name := range []string{"deviceInformation", "clientId"} {
			if v := before.Get(name); v != nil {
				r.Set(name, v)
				class = ClassOf(v)
			}
		}
		break
	}
	return r, class
}
