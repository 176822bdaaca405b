package steps

import (
	"context"
	"net/http"
	"strconv"

	"agstest/ags"
	"agstest/internal/check"
)

// offer is one of the accounts that an answer 300 offers.
type offer struct {
	information, token string
	account            string // as the answer to picking it said
}

func (w *world) readOffers(x *exchange) {
	if x.Status != http.StatusMultipleChoices {
		return
	}
	w.offers = nil
	list, err := check.Accounts(x.Exchange)
	if err != nil {
		return
	}
	for _, a := range list {
		w.run.keep(a.Token)
		w.offers = append(w.offers, offer{information: a.Information, token: a.Token})
	}
}

func (w *world) offer(n int) (offer, error) {
	if n < 1 || n > len(w.offers) {
		return offer{}, missf("an account "+strconv.Itoa(n)+" to pick from", "%s in the answer", plural(len(w.offers), "account"))
	}
	c := w.offers[n-1]
	if c.token == "" {
		return c, lacking("", "could not tell: no userAccountToken was found for account %d, and where it stands is not published", n)
	}
	return c, nil
}

// pickAccount finishes a sign-on.
func (w *world) pickAccount(ctx context.Context, n int) error {
	c, err := w.offer(n)
	if err != nil {
		return err
	}
	r, class := w.pickRequest(c)
	var picked *client
	if w.sharesDevices() {
		picked, err = w.pickShared(ctx, r, n, class)
	} else {
		picked, err = w.pickAlone(ctx, r, class)
	}
	if picked != nil {
		w.add(picked)
		w.offers[n-1].account = picked.pair.AccountID
	}
	if x, none := w.last(); err == nil && none == nil {
		return w.roomForDevices(x)
	}
	return err
}

func (w *world) pickAlone(ctx context.Context, r *request, class string) (*client, error) {
	x, err := w.call(ctx, r)
	if err != nil {
		return nil, err
	}
	picked := &client{class: class, own: true}
	if x.Status/100 != 2 || w.adopt(x, picked) != nil {
		return nil, nil // what is wrong is the Then steps' to say
	}
	return picked, nil
}

// pickRequest picks an account. The device argument of the sign-on before is sent again, as some services want it (ambiguity 7.22).
func (w *world) pickRequest(c offer) (r *request, class string) {
	r = w.prepare(ags.SubsequentSignOn)
	r.setHeader("User-Token", c.token)
	r.set("parameters", rawJSON(w.hints()))
	for i := len(w.exchanges) - 1; i >= 0; i-- {
		before := w.exchanges[i].request
		if before == nil || before.operation != ags.SignOn {
			continue
		}
		for _, name := range []string{"deviceInformation", "clientId"} {
			if v := before.get(name); v != nil {
				r.set(name, v)
				class = classOf(v)
			}
		}
		break
	}
	return r, class
}
