package steps

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"agstest/internal/check"
	"agstest/internal/strictjson"
)

// Calls of the platform around the service. They show that the tokens are of use; the service itself is not judged by them.
var surroundingPhrases = []phrase{
	when(`the client asks for the devices of the account`, "the client asks for the devices of the account", "the client asks for the devices of the account",
		"Calls GET /adm/v1/user/devices with the access token. On a live service: allow.surroundings.",
		func(ctx context.Context, w *world, _ arguments) error {
			return w.askForDevices(ctx, "as a bearer token")
		}),
	when(`the client asks for the devices of the account with a token that nobody issued`, "the client asks for the devices of the account with a token that nobody issued", "the client asks for the devices of the account with a token that nobody issued",
		"Calls GET /adm/v1/user/devices with a made-up token.",
		func(ctx context.Context, w *world, _ arguments) error { return w.askForDevices(ctx, "made up") }),
	when(`the client asks for the devices of the account with the token in (the header "[^"]+"|the query)`, `the client asks for the devices of the account with the token in <the header "name"|the query>`, `the client asks for the devices of the account with the token in the header "Client-token"`,
		"Calls GET /adm/v1/user/devices with the access token in another place than Authorization.",
		func(ctx context.Context, w *world, a arguments) error { return w.askForDevices(ctx, a.words[0]) }),
	when(`the client refreshes its tokens at the platform's identity service`, "the client refreshes its tokens at the platform's identity service", "the client refreshes its tokens at the platform's identity service",
		"Calls POST /ias/v3/token/actions/refresh with the refresh token.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.ready(ctx); err != nil {
				return err
			}
			r, err := w.around(http.MethodPost, "/ias/v3/token/actions/refresh", w.client.pair.RefreshToken)
			if err != nil {
				return err
			}
			x, err := w.sendAround(ctx, r)
			if err == nil && x.Status/100 == 2 {
				_ = w.adopt(x, w.client) // what is wrong with the tokens is the Then steps' to say
			}
			return err
		}),
	when(`another device asks for a registration code`, "another device asks for a registration code", "another device asks for a registration code",
		"Calls GET /dsra/v1/user/deviceRegistrationCode, the first step of the companion flow.",
		func(ctx context.Context, w *world, _ arguments) error {
			r, err := w.around(http.MethodGet, "/dsra/v1/user/deviceRegistrationCode", "")
			if err != nil {
				return err
			}
			x, err := w.sendAround(ctx, r)
			if err != nil {
				return err
			}
			body, _ := strictjson.Parse(x.Body)
			w.companion.code, w.companion.token = body.Get("deviceRegistrationCode").String(), body.Get("dsraToken").String()
			w.run.keep(w.companion.token)
			if x.Status != http.StatusOK || w.companion.code == "" || w.companion.token == "" {
				return missf("status 200 with deviceRegistrationCode and dsraToken", "%s", w.describe(x))
			}
			return nil
		}),
	when(`the client approves the registration code`, "the client approves the registration code", "the client approves the registration code",
		"Calls PUT /dsra/v1/user/deviceRegistrationCode/actions/approve as the companion app.",
		func(ctx context.Context, w *world, _ arguments) error {
			if err := w.ready(ctx); err != nil {
				return err
			}
			r, err := w.around(http.MethodPut, "/dsra/v1/user/deviceRegistrationCode/actions/approve", w.client.pair.AccessToken)
			if err != nil {
				return err
			}
			r.set("deviceRegistrationCode", rawJSON(w.companion.code))
			x, err := w.sendAround(ctx, r)
			if err != nil {
				return err
			}
			if x.Status != http.StatusAccepted && x.Status != http.StatusOK {
				return missf("status 202", "%s", w.describe(x))
			}
			return nil
		}),
	when(`the other device signs on with its activation token`, "the other device signs on with its activation token", "the other device signs on with its activation token",
		"Polls PUT /dsra/v1/user/signOnActivationToken and calls POST /ias/v3/token/actions/signOnBySignOnActivationToken.",
		func(ctx context.Context, w *world, _ arguments) error { return w.activate(ctx) }),
	then(`the tokens belong to the account of the client`, "the tokens belong to the account of the client", "the tokens belong to the account of the client",
		"accountId of the last answer and of its tokens is that of the client who acted before.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			want := w.clients[0].pair.AccountID
			if p.AccountID != want || p.Access.Account != want || p.Refresh.Account != want {
				return missf("accountId "+want, "%q in the answer, %q and %q in the tokens", p.AccountID, p.Access.Account, p.Refresh.Account)
			}
			return nil
		})),
}

// companion is what a device holds while a companion app lets it in.
type companion struct{ code, token string }

// around prepares a call of the platform beside the service, with a bearer token if one is given.
func (w *world) around(method, path, token string) (*request, error) {
	if w.run.control == nil && !w.run.environment.Allow.Surroundings {
		return nil, lacking("allow: {surroundings: true}", "the environment does not allow calls of the platform beside the service")
	}
	r := &request{method: method, path: path, proxy: w.proxy}
	r.setHeader("Accept", "application/json")
	r.setHeader("nv-tenant-id", w.tenant)
	if method != http.MethodGet {
		r.setHeader("Content-Type", "application/json")
	}
	if token != "" {
		r.setHeader("Authorization", "Bearer "+token)
	}
	return r, nil
}

// sendAround sends a call to another service of the platform, which may not be offered here.
func (w *world) sendAround(ctx context.Context, r *request) (*exchange, error) {
	x, err := w.send(ctx, r, true)
	if err == nil && x.Status == http.StatusNotFound {
		return x, lacking("", "%s %s answered 404: this service of the platform is not offered at the address of the environment", r.method, r.path)
	}
	return x, err
}

func (w *world) askForDevices(ctx context.Context, how string) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	token := w.client.pair.AccessToken
	if how == "made up" {
		token = w.invented(40)
		w.run.keep(token)
	}
	r, err := w.around(http.MethodGet, "/adm/v1/user/devices", token)
	if err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(how, `the header "`); ok {
		r.dropHeader("Authorization")
		r.setHeader(strings.TrimSuffix(name, `"`), token)
	}
	if how == "the query" {
		r.dropHeader("Authorization")
		r.path += "?token=" + url.QueryEscape(token)
	}
	_, err = w.sendAround(ctx, r)
	return err
}

func (w *world) activate(ctx context.Context) error {
	if err := w.mayMake(1, false); err != nil {
		return err
	}
	r, err := w.around(http.MethodPut, "/dsra/v1/user/signOnActivationToken", w.companion.token)
	if err != nil {
		return err
	}
	r.set("deviceInformation", []byte(w.device()))
	x, err := w.sendAround(ctx, r)
	if err != nil {
		return err
	}
	body, _ := strictjson.Parse(x.Body)
	token := body.Get("signOnActivationToken").String()
	w.run.keep(token)
	if x.Status != http.StatusAccepted && x.Status != http.StatusOK || token == "" {
		return missf("status 202 with a signOnActivationToken", "%s", w.describe(x))
	}
	if r, err = w.around(http.MethodPost, "/ias/v3/token/actions/signOnBySignOnActivationToken", token); err != nil {
		return err
	}
	if x, err = w.sendAround(ctx, r); err == nil && x.Status/100 == 2 {
		w.count(x, false)
		c := &client{class: classOf([]byte(w.device())), own: true}
		if w.adopt(x, c) == nil {
			w.add(c)
		}
	}
	return err
}
