package scene

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
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
		return talk.Offer{}, talk.Missf("an account "+strconv.Itoa(n)+" to pick from", "%s in the answer",
			figures.Plural(len(w.Offers), "account"))
	}
	c := w.Offers[n-1]
	if c.Token == "" {
		return c, talk.Lacking("",
			"could not tell: no userAccountToken was found for account %d, and where it stands is not published", n)
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
	w.Count(x, false)
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

// PickAgain picks an account of a new list as a device that is known: as the acting client, or as the device of another
// account. Its id stands in the sign-on and in the pick; where the pick minds it, only in the sign-on.
func (w *World) PickAgain(ctx context.Context, n int) error {
	if w.Client == nil || w.Client.ID == "" || n > len(w.Offers) {
		return talk.Unknownf("no account was picked before")
	}
	picked := w.Offers[n-1]
	if w.Client.ID == w.Foreign || len(w.Changes) > 0 {
		if err := w.mayPickForeign(picked); err != nil {
			return err
		}
	}
	for range 2 {
		x, err := w.pickOfNewList(ctx, picked.Information, n)
		if err != nil || x == nil {
			return err
		}
		switch {
		case EffectiveStatus(x)/100 == 2:
			w.Count(x, false)
			w.pickedAgain = true
			if w.Client.ID != w.Foreign {
				_ = w.Adopt(x, w.Client) // the Then steps report what is wrong
				w.Client.Stale = false
			}
			return nil
		case EffectiveStatus(x) != http.StatusBadRequest || w.bare || w.pickedAgain:
			return nil
		}
		w.bare = true
	}
	return nil
}

// pickOfNewList signs on as the acting client and picks the account that a list told before. The last answer is that of
// the pick, or of a sign-on that gave no list. Nil: no account of the list can be picked, which is told.
func (w *World) pickOfNewList(ctx context.Context, information string, n int) (*talk.Exchange, error) {
	ask, err := w.CredentialRequest(ags.SignOn)
	if err != nil {
		return nil, err
	}
	ask.Set("clientId", talk.JSON(w.Client.ID))
	changes := w.Changes // of the pick
	w.Changes = nil
	x, err := w.Call(ctx, ask)
	if err != nil || EffectiveStatus(x) != http.StatusMultipleChoices { // the device may tell which account it is
		return x, err
	}
	account := w.Offers[n-1].Account
	w.readOffers(x)
	if at := slices.IndexFunc(w.Offers, func(o talk.Offer) bool { return o.Information == information }); at >= 0 {
		n = at + 1 // lists may be in any order
	}
	c, err := w.Offer(n)
	if err != nil {
		return nil, err
	}
	w.Offers[n-1].Account = account
	r, _ := w.pickRequest(c)
	if w.bare {
		r.Drop("clientId")
	}
	w.Changes = changes
	return w.Call(ctx, r)
}

// mayPickForeign: that a device is refused shows something only if one of the account itself is accepted, and if it is
// known to be of another account than the one that is picked.
func (w *World) mayPickForeign(picked talk.Offer) error {
	switch {
	case !w.pickedAgain:
		return talk.Unknownf(
			"no account can be picked again as the device that it got, so that a refusal would show nothing")
	case w.Owner == "":
		return talk.Lacking("situations.foreign-device: {accountId: …}",
			"the environment does not say whose the device of situations.foreign-device is, which may be that of the picked "+
				"account")
	case w.Owner == picked.Account:
		return talk.Lacking("another device in situations.foreign-device",
			"the device of situations.foreign-device is of the account that is picked")
	}
	return nil
}

// PickTroubled picks an account of the list that must be refused for its state, or for the devices that it has.
func (w *World) PickTroubled(ctx context.Context, state string) error {
	name, codes := state+"-account", codesOfStanding[strings.ToUpper(state)]
	if state == "full of devices" {
		name, codes = "device-limit", []int{20007}
	}
	s, err := w.Situation(name)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(w.Offers, func(o talk.Offer) bool {
		return s.AccountID != "" &&
			tells(o.Information, s.AccountID)
	})
	if n < 0 {
		return talk.Lacking(
			fmt.Sprintf(
				"a user in situations.multi-account one of whose accounts is that of situations.%s, which has an accountId",
				name),
			"no accountInformation of the list names the account of situations.%s", name)
	}
	if slices.ContainsFunc(w.Offers, func(o talk.Offer) bool {
		return o.Token == w.Offers[n].Token && o.Information != w.Offers[n].Information
	}) {
		return talk.Lacking("",
			"all accounts of the list have the same userAccountToken, which does not say which of them is picked")
	}
	w.Refusal = true
	w.Subject = &Subject{Situation: name, Unknown: "a User-Token that nobody issued", Codes: codes,
		MadeUp: func(w *World, r *talk.Request) bool {
			r.SetHeader(ags.HeaderUserToken, w.Lookalike(r.HeaderValue(ags.HeaderUserToken)))
			return true
		}}
	return w.PickAccount(ctx, n+1)
}

// tells looks for an id among the values of JSON.
func tells(text, id string) bool {
	value, _ := strictjson.Parse([]byte(text))
	var found func(*strictjson.Value) bool
	found = func(v *strictjson.Value) bool {
		if v == nil {
			return false
		}
		n, isNumber := v.Int()
		return v.String() == id || isNumber && strconv.FormatInt(n, 10) == id || slices.ContainsFunc(v.Items, found) ||
			slices.ContainsFunc(v.Members, func(m strictjson.Member) bool { return found(m.Value) })
	}
	return found(value)
}
