package words

import (
	"context"
	"net/http"
	"strconv"

	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// Calls of the platform around the service. They show that the tokens are of use; the service itself is not judged by
// them.
var surroundingPhrases = []Sentence{
	when("the client asks for the devices of the account",
		"Calls GET /adm/v1/user/devices with the access token. On a live service: allow.surroundings.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			return w.AskForDevices(ctx, "as a bearer token")
		}),
	when("the client asks for the devices of the account with a token that nobody issued",
		"Calls GET /adm/v1/user/devices with a made-up token.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.AskForDevices(ctx, "made up") }),
	when(`the client asks for the devices of the account with the token in <the header "name"|the query|cookies>`,
		"Calls GET /adm/v1/user/devices with the access token in another place than Authorization.",
		func(ctx context.Context, w *scene.World, a arguments) error { return w.AskForDevices(ctx, a.words[0]) }).like(`the client asks for the devices of the account with the token in the header "Client-token"`).reading(`the client asks for the devices of the account with the token in (the header "[^"]+"|the query|cookies)`),
	when("the client refreshes its tokens at the platform's identity service",
		"Calls POST /ias/v3/token/actions/refresh with the refresh token.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			if err := w.Ready(ctx); err != nil {
				return err
			}
			r, err := w.Around(http.MethodPost, "/ias/v3/token/actions/refresh", w.Client.Pair.RefreshToken)
			if err != nil {
				return err
			}
			x, err := w.SendAround(ctx, r)
			if err == nil && x.Status/100 == 2 {
				_ = w.Adopt(x, w.Client) // the Then steps report what is wrong with the tokens
			}
			return err
		}),
	when("another device asks for a registration code",
		"Calls GET /dsra/v1/user/deviceRegistrationCode, the first step of the companion flow.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			r, err := w.Around(http.MethodGet, "/dsra/v1/user/deviceRegistrationCode", "")
			if err != nil {
				return err
			}
			x, err := w.SendAround(ctx, r)
			if err != nil {
				return err
			}
			body, _ := strictjson.Parse(x.Body)
			w.Companion.Code, w.Companion.Token = body.Get("deviceRegistrationCode").String(), body.Get("dsraToken").String()
			w.Stage.Keep(w.Companion.Token)
			if x.Status != http.StatusOK || w.Companion.Code == "" || w.Companion.Token == "" {
				return talk.Missf("status 200 with deviceRegistrationCode and dsraToken", "%s", w.Describe(x))
			}
			return nil
		}),
	when("the client approves the registration code",
		"Calls PUT /dsra/v1/user/deviceRegistrationCode/actions/approve as the companion app.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			if err := w.Ready(ctx); err != nil {
				return err
			}
			r, err := w.Around(http.MethodPut, "/dsra/v1/user/deviceRegistrationCode/actions/approve", w.Client.Pair.AccessToken)
			if err != nil {
				return err
			}
			r.Set("deviceRegistrationCode", talk.JSON(w.Companion.Code))
			x, err := w.SendAround(ctx, r)
			if err != nil {
				return err
			}
			if x.Status != http.StatusAccepted && x.Status != http.StatusOK {
				return talk.Missf("status 202", "%s", w.Describe(x))
			}
			return nil
		}),
	when("the other device signs on with its activation token",
		"Polls PUT /dsra/v1/user/signOnActivationToken and calls POST /ias/v3/token/actions/signOnBySignOnActivationToken.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.Activate(ctx) }),
	then("the tokens belong to the account of the client",
		"accountId of the last answer and of its tokens is that of the client who acted before.",
		withTokens(func(w *scene.World, p *check.Pair, _ arguments) error {
			want := w.Clients[0].Pair.AccountID
			if want == "" {
				want = w.Clients[0].Pair.Access.Account
			}
			if want == "" {
				return talk.Unknownf("neither the answer nor the access token of the client that approved says of which account it is")
			}
			if p.AccountID != want || p.Access.Account != want || p.Refresh.Account != want {
				return talk.Missf("accountId "+want+", that of the client which approved", "%s in the answer, %s in the access token and %s in the refresh token",
					orNone(p.AccountID), orNone(p.Access.Account), orNone(p.Refresh.Account))
			}
			return nil
		})),
}

// orNone shows a text, or says that there is none.
func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return strconv.Quote(text)
}
