package words

import (
	"context"
	"net/http"
	"strconv"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// The calls of the service, as the actors make them. Each sends the documented request, changed as the steps before
// asked for.
var callPhrases = []Sentence{
	when("the client asks for the authentication services",
		"Calls servicediscovery.", func(ctx context.Context, w *scene.World,
			_ arguments) error {
			return w.AskForServices(ctx)
		}),
	when("the client signs on with a session token and its clientId",
		"Calls signOnWithSessionToken as a known device (n-th sign-on).",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			r, err := w.SignOnWithSessionToken(ctx)
			return knownDevice(ctx, w, r, err)
		}),
	when("the client signs on with a session token for the first time",
		"Calls signOnWithSessionToken with the deviceInformation of an Android phone.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			return w.FirstTime(ctx, ags.SignOnWithSessionToken, w.Device())
		}),
	when("the client signs on with a session token for the first time with this deviceInformation: (text)",
		"Calls signOnWithSessionToken with the JSON below as deviceInformation.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.FirstTime(ctx, ags.SignOnWithSessionToken, a.Text)
		}),
	when("<number> clients sign on for the first time at the same moment",
		"Calls signOnWithSessionToken in parallel, each time with another session token and the deviceInformation of a "+
			"new device.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return parallelSignOns(ctx, w, number(a.words[0]))
		}).like("2 clients sign on for the first time at the same moment"),
	when("the head-end system asks for a session token",
		"Calls getSessionToken with an OperatorAuthToken for the account.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.AskForSessionToken(ctx) }),
	when("the [first|second] client refreshes its tokens",
		"Calls refresh with the refresh token of the client.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := w.Pick(a.words[0]); err != nil {
				return err
			}
			return w.Refresh(ctx)
		}).like("the client refreshes its tokens"),
	when("the client refreshes its tokens <number> times, each time with the token of the answer before",
		"Calls refresh in a chain and stops at the first answer other than 200.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			for range number(a.words[0]) {
				if err := w.Refresh(ctx); err != nil {
					return err
				}
				if x, _ := w.Last(); x.Status != http.StatusOK {
					return nil
				}
			}
			return nil
		}).like("the client refreshes its tokens 5 times, each time with the token of the answer before"),
	when("the client refreshes its tokens some seconds later",
		"Calls refresh when so much time has passed that what must move has moved. A mock's clock is moved by a minute; on "+
			"a live service the run waits once, for as long as --patience allows, and all scenarios with this step look at "+
			"the same refresh.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.RefreshLater(ctx) }),
	when("the client refreshes twice at the same moment with the same token",
		"Calls refresh in parallel; for the record.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return parallelRefreshes(ctx, w) }),
	when("the user signs on with the credentials and the clientId",
		"Calls signOn as a known device (n-th sign-on).",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			r, err := w.CredentialRequest(ags.SignOn)
			return knownDevice(ctx, w, r, err)
		}),
	when("the user signs on with the credentials for the first time",
		"Calls signOn with the deviceInformation of an Android phone.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			return w.FirstTime(ctx, ags.SignOn, w.Device())
		}),
	when("the user picks account <number>",
		"Calls subsequentSignOn with the userAccountToken of that account in the last answer 300.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.PickAccount(ctx, number(a.words[0]))
		}).like("the user picks account 2"),
	when("the user picks the account of the list that is <suspended|cancelled|full of devices>",
		"Calls subsequentSignOn for the account of the last list whose accountInformation holds the accountId of "+
			"situations.suspended-account, cancelled-account or device-limit.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.PickTroubled(ctx, a.words[0])
		}).like("the user picks the account of the list that is suspended"),
	when("the user picks account <number> again as <the device that it got|that device>",
		"Calls signOn with the clientId of the acting client, and subsequentSignOn for that account of the new list with "+
			"the same clientId. A service that wants no device at subsequentSignOn is asked once more without.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.PickAgain(ctx, number(a.words[0]))
		}).like("the user picks account 1 again as the device that it got"),
	when("the [first|second] client signs out",
		"Calls signOut with the access token of the client.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := w.Pick(a.words[0]); err != nil {
				return err
			}
			return w.SignOut(ctx)
		}).like("the client signs out"),
	when("the installer registers the device",
		"Calls register with the type and the credentials of the environment.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return w.Register(ctx, w.Registration) }),
	when("the installer registers the device with a type that discovery does not offer",
		"Calls register with a made-up type.",
		func(ctx context.Context, w *scene.World, _ arguments) error {
			return w.Register(ctx, "agstest-"+w.Invented(8))
		}),
	when("the installer picks account <number>",
		"Calls subsequentRegister with the userAccountToken of that account in the last answer 300.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			c, err := w.Offer(number(a.words[0]))
			if err != nil {
				return err
			}
			r := w.Prepare(ags.SubsequentRegister)
			r.SetHeader("User-Token", c.Token)
			r.Set("parameters", talk.JSON(w.Hints()))
			_, err = w.Call(ctx, r)
			return err
		}).like("the installer picks account 2"),
}

// knownDevice signs the client of the scenario on as the device that it is, with a request that was made, or not.
func knownDevice(ctx context.Context, w *scene.World, r *talk.Request, err error) error {
	if err != nil {
		return err
	}
	if err := w.HasClient(); err != nil {
		return err
	}
	r.Set("clientId", talk.JSON(w.Client.ID))
	return w.SignOn(ctx, r, w.Client)
}

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
		func(ctx context.Context, w *scene.World, a arguments) error {
			return w.AskForDevices(ctx,
				a.words[0])
		}).like(`the client asks for the devices of the account with the token in the header "Client-token"`).reading(
		`the client asks for the devices of the account with the token in (the header "[^"]+"|the query|cookies)`),
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
			w.Companion.Code, w.Companion.Token = body.Get("deviceRegistrationCode").String(),
				body.Get("dsraToken").String()
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
			r, err := w.Around(http.MethodPut, "/dsra/v1/user/deviceRegistrationCode/actions/approve",
				w.Client.Pair.AccessToken)
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
				return talk.Unknownf(
					"neither the answer nor the access token of the client that approved says of which account it is")
			}
			if p.AccountID != want || p.Access.Account != want || p.Refresh.Account != want {
				return talk.Missf("accountId "+want+", that of the client which approved",
					"%s in the answer, %s in the access token and %s in the refresh token",
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
