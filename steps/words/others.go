package words

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// Somebody else, whom a request with a good token names beside it.
var besidePhrases = []Sentence{
	given("the next request names the account and device of somebody else in its <body|head|body and head>",
		"The accountId and the clientId of a device of another account stand in the request too: as members and parameters "+
			"of the body, as headers and in the query. What picks an account names the account alone. In the environment "+
			"file: situations.foreign-device with an accountId.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := w.KnowSomebodyElse(ctx); err != nil {
				return err
			}
			w.Changes = append(w.Changes, func(r *talk.Request) error {
				device := w.Foreign
				if r.Operation == ags.SubsequentSignOn {
					device = ""
				}
				nameBeside(r, a.words[0], w.Owner, device)
				return nil
			})
			return nil
		}).like("the next request names the account and device of somebody else in its body").reading(
		`the next request names the account and device of somebody else in its (body and head|body|head)`),
	given("the next request names the second client",
		"The accountId and the clientId of the second client stand in the request of the first one too: as members, "+
			"parameters, headers and in the query.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Clients) < 2 {
				return talk.Unknownf("there is no second client in this scenario")
			}
			second := w.Clients[1].ID
			w.Changes = append(w.Changes, func(r *talk.Request) error {
				nameBeside(r, "body and head", w.Account.ID,
					second)
				return nil
			})
			return nil
		}),
	then("a session token that comes is of the account of the OperatorAuthToken",
		"The last answer is a refusal, or its session token signs a device of the account on, and not to the account of "+
			"somebody else whom the request named.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return ofTheOperatorsAccount(ctx, w) }),
}

// ofTheOperatorsAccount signs on with a session token that getSessionToken gave though its request named somebody else.
func ofTheOperatorsAccount(ctx context.Context, w *scene.World) error {
	x, err := w.Last()
	if err != nil {
		return err
	}
	if scene.EffectiveStatus(x)/100 != 2 {
		return noneOfOthers(w, x)
	}
	minted, err := scene.ReadSessionToken(x)
	if err != nil {
		return talk.Unknownf("the answer has no session token: %v", err)
	}
	if err := w.HasClient(); err != nil {
		return err
	}
	try := func(token string) (*talk.Exchange, error) {
		w.SessionToken = token
		r, err := w.SignOnWithSessionToken(ctx)
		if err != nil {
			return nil, err
		}
		r.Set("clientId", talk.JSON(w.Client.ID))
		return w.Send(ctx, r, false)
	}
	x, err = try(minted)
	if err != nil || scene.EffectiveStatus(x)/100 == 2 {
		if err == nil {
			err = noneOfOthers(w, x)
		}
		return err
	}
	control, err := try("") // a token of a request that names nobody else
	if err != nil {
		return err
	}
	if scene.EffectiveStatus(control)/100 != 2 {
		return talk.Unknownf("the device of the account cannot sign on with any session token (%s), so that whose the "+
			"first was could not be told", w.Describe(control))
	}
	if x, err = try(minted); err != nil || scene.EffectiveStatus(x)/100 == 2 { // the first refusal was another's
		if err == nil {
			err = noneOfOthers(w, x)
		}
		return err
	}
	return talk.Missf("a session token of the account that the OperatorAuthToken names",
		"one with which the device of that account is refused (%s), where one of a request that names nobody else lets it in",
		w.Describe(x))
}

// nameBeside puts an account and a device into a request that shows the token of others. Either may be empty.
func nameBeside(r *talk.Request, place, account, device string) {
	values := []talk.Parameter{{Name: "accountId", Value: account}, {Name: "clientId", Value: device},
		{Name: "deviceId", Value: device}}
	if r.Operation == ags.GetSessionToken {
		values = append(values, talk.Parameter{Name: ags.OperatorToken.Account, Value: account})
	}
	values = slices.DeleteFunc(values, func(p talk.Parameter) bool { return p.Value == "" })
	switch place {
	case "body", "head", "body and head":
		for part := range strings.SplitSeq(place, " and ") {
			for _, within := range map[string][]string{"body": {"members", "parameters"},
				"head": {"headers", "the query"}}[part] {
				nameBeside(r, within, account, device)
			}
		}
	case "a member", "members":
		for _, v := range values {
			if v.Name != "clientId" || r.Get(v.Name) == nil { // the device that signs on stays
				r.Set(v.Name, talk.JSON(v.Value))
			}
		}
	case "a parameter", "parameters":
		r.Set("parameters", talk.JSON(append(r.Parameters(), values...)))
	case "a header", "headers":
		for _, v := range values {
			r.SetHeader(cmp.Or(map[string]string{"accountId": "X-Account-Id", "clientId": "X-Client-Id",
				"deviceId": "X-Device-Id"}[v.Name], v.Name), v.Value)
		}
	case "the query":
		query := url.Values{}
		for _, v := range values {
			query.Set(v.Name, v.Value)
		}
		r.Path += "?" + query.Encode()
	}
}

// noneOfOthers looks whether an answer holds tokens of the account or device that the request named beside its token.
func noneOfOthers(w *scene.World, x *talk.Exchange) error {
	if scene.EffectiveStatus(x)/100 == 4 {
		if why := w.Unproven(x); why != "" {
			return talk.Unknownf("%s", why)
		}
		return scene.NoTokens(x)
	}
	pair, err := scene.ReadPair(x)
	if err != nil {
		return talk.Missf("tokens of the client, or a refusal", "%s", w.Describe(x))
	}
	for _, one := range []struct{ what, got, other string }{
		{"accountId", pair.AccountID, w.Owner}, {"client_id", pair.ClientID, w.Foreign},
		{"accountId of the access token", pair.Access.Account, w.Owner},
		{"deviceId of the access token", pair.Access.Device, w.Foreign},
		{"accountId of the refresh token", pair.Refresh.Account, w.Owner},
		{"deviceId of the refresh token", pair.Refresh.Device, w.Foreign},
	} {
		if one.other != "" && one.got == one.other {
			return talk.Missf("tokens of the client, or a refusal",
				"%s with the %s of the other, whom the request names", w.Describe(x), one.what)
		}
	}
	return nil
}

// unknownUser puts a made-up user in the place of the one that the scenario acts for.
func unknownUser(w *scene.World, r *talk.Request) error {
	name := matching["user name"]
	right := name.right(w, r)
	if right == "" {
		return talk.Lacking("situations.credentials: {passwordParameter: …}",
			"it is not known which of the parameters is the name of the user")
	}
	if err := w.MistypePassword(r); err != nil {
		return err
	}
	name.put(w, r, w.Lookalike(right))
	return nil
}

// tellsUsers compares the refusal of a wrong password with those of two users whom nobody knows.
func tellsUsers(w *scene.World) error {
	if len(w.Exchanges) < 3 {
		return talk.Unknownf("fewer than three calls were sent")
	}
	last := w.Exchanges[len(w.Exchanges)-3:]
	known, first, second := last[0], last[1], last[2]
	refusalWasWanted(w, second)
	for _, x := range last {
		if why := scene.NoRoom(x); why != "" {
			return talk.Unknownf("%s", why)
		}
	}
	for _, part := range []struct {
		words string
		of    func(*talk.Exchange) string
	}{
		{"", func(x *talk.Exchange) string { return scene.Likeness(x, false) }},
		{", in other words", func(x *talk.Exchange) string { return scene.Likeness(x, true) }},
		{", with other headers", namesOfHeaders},
	} {
		if part.of(first) == part.of(second) && part.of(known) != part.of(first) {
			w.Observe("yes: an unknown user gets %s, and a wrong password %s%s", w.Describe(first), w.Describe(known),
				part.words)
			return nil
		}
	}
	w.Observe("no: an unknown user is refused as a wrong password is (%s)", w.Describe(known))
	return nil
}

func namesOfHeaders(x *talk.Exchange) string {
	var names []string
	for name := range x.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

const otherOrigin = "https://agstest.example"

// preflight makes of a call what a browser asks before it sends one for a page of another origin.
func preflight(r *talk.Request) {
	wanted := []string{"content-type"}
	for _, f := range r.Header {
		if name := strings.ToLower(f.Name); strings.HasPrefix(name, "x-") || name == ags.HeaderTenant ||
			name == "authorization" {
			wanted = append(wanted, name)
		}
	}
	slices.Sort(wanted)
	method := r.Method
	r.Method, r.Operation, r.Body, r.Header = http.MethodOptions, "", []byte{}, nil
	r.SetHeader("Origin", otherOrigin)
	r.SetHeader("Access-Control-Request-Method", method)
	r.SetHeader("Access-Control-Request-Headers", strings.Join(slices.Compact(wanted), ","))
}

// crossOrigin says what the answer to a preflight lets pages of other origins do.
func crossOrigin(x *talk.Exchange) string {
	status := fmt.Sprintf("status %d", x.Status)
	switch origin := x.Header.Get("Access-Control-Allow-Origin"); {
	case origin == "":
		return status + " without Access-Control-Allow-Origin: pages of other origins may not call"
	case origin != "*" && origin != otherOrigin:
		return status + ": pages of some origins may call, and not those of any"
	case strings.EqualFold(x.Header.Get("Access-Control-Allow-Credentials"), "true"):
		return status + ": pages of any origin may call, with what the browser keeps for the service"
	}
	return status + ": pages of any origin may call"
}
