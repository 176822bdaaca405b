package scene

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/steps/talk"
)

func (w *World) AskForServices(ctx context.Context) error {
	x, err := w.Call(ctx, w.Prepare(ags.ServiceDiscovery))
	if err != nil {
		return err
	}
	w.Services, _ = talk.ReadServices(x.Exchange)
	return nil
}

func (w *World) AskForSessionToken(ctx context.Context) error {
	r, err := w.HeadEndRequest()
	if err != nil {
		return err
	}
	x, err := w.Call(ctx, r)
	if err != nil {
		return err
	}
	if token, err := ReadSessionToken(x); err == nil {
		w.Issued = append(w.Issued, token)
		w.Stage.Keep(token)
	}
	return nil
}

// Pick makes the first or the second client the acting one.
func (w *World) Pick(which string) error {
	i := map[string]int{"first": 0, "second": 1}[which]
	if which == "" {
		return nil
	}
	if i >= len(w.Clients) {
		return talk.Unknownf("there is no %s client in this scenario", which)
	}
	w.Client = w.Clients[i]
	return nil
}

func (w *World) RefreshRequest() *talk.Request {
	r := w.Prepare(ags.Refresh)
	w.Authorize(r, w.Client.Pair.RefreshToken)
	r.Set("parameters", talk.JSON(w.Hints()))
	return r
}

func (w *World) Refresh(ctx context.Context) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	x, err := w.Call(ctx, w.RefreshRequest())
	if err != nil {
		return err
	}
	if x.Status/100 == 2 {
		// The judge and the Then steps report what is wrong with the body.
		_ = w.Adopt(x, w.Client)
	}
	return nil
}

func (w *World) SignOut(ctx context.Context) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	if err := w.MaySignOut(); err != nil {
		return err
	}
	r := w.Prepare(ags.SignOut)
	w.Authorize(r, w.Client.Pair.AccessToken)
	r.Set("parameters", talk.JSON(w.Hints()))
	_, err := w.Call(ctx, r)
	return err
}

// Hints are the parameters of calls whose token identifies the client: those that discovery asks for and the account
// has, else none (ambiguity 7.18).
func (w *World) Hints() []talk.Parameter {
	hints := []talk.Parameter{}
	if w.Account == nil {
		return hints
	}
	listed := slices.Concat(w.Stage.ParametersOf(w.Service, "/refresh"), w.Stage.ParametersOf(w.Service, "/signOut"))
	for _, p := range w.Account.Parameters {
		asked := slices.ContainsFunc(listed,
			func(l talk.ParameterProperty) bool { return strings.EqualFold(l.Name, p.Name) })
		if asked || strings.EqualFold(p.Name, "username") {
			hints = append(hints, talk.Parameter{Name: w.Stage.ParameterName(w.Service, "/refresh", p.Name),
				Value: p.Value})
		}
	}
	return hints
}

func (w *World) Register(ctx context.Context, kind string) error {
	r, err := w.CredentialRequest(ags.Register)
	if err != nil {
		return err
	}
	r.Path = strings.Replace(r.Path, "{type}", kind, 1)
	x, err := w.Call(ctx, r)
	if err != nil {
		return err
	}
	w.readOffers(x)
	return nil
}

// companion is the credentials of a device that a companion app signs on.
type companion struct{ Code, Token string }

// Around prepares a call of the platform beside the service, with a bearer token if one is given.
func (w *World) Around(method, path, token string) (*talk.Request, error) {
	if w.Stage.Control == nil && !w.Stage.Environment.Allow.Surroundings {
		return nil, talk.Lacking("allow: {surroundings: true}",
			"the environment does not allow calls of the platform beside the service")
	}
	r := &talk.Request{Method: method, Path: path, Proxy: w.proxy}
	r.SetHeader("Accept", "application/json")
	r.SetHeader("nv-tenant-id", w.Tenant)
	if method != http.MethodGet {
		r.SetHeader("Content-Type", "application/json")
	}
	if token != "" {
		r.SetHeader("Authorization", "Bearer "+token)
	}
	return r, nil
}

// SendAround sends a call to another service of the platform, which may not be offered here.
func (w *World) SendAround(ctx context.Context, r *talk.Request) (*talk.Exchange, error) {
	x, err := w.Send(ctx, r, true)
	if err == nil && x.Status == http.StatusNotFound {
		return x, talk.Lacking("",
			"%s %s answered 404: this service of the platform is not offered at the address of the environment",
			r.Method, r.Path)
	}
	return x, err
}

func (w *World) AskForDevices(ctx context.Context, how string) error {
	if err := w.Ready(ctx); err != nil {
		return err
	}
	token := w.Client.Pair.AccessToken
	if how == "made up" {
		token = w.Invented(40)
		w.Stage.Keep(token)
	}
	r, err := w.Around(http.MethodGet, "/adm/v1/user/devices", token)
	if err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(how, `the header "`); ok {
		r.DropHeader("Authorization")
		r.SetHeader(strings.TrimSuffix(name, `"`), token)
	}
	if how == "the query" {
		r.DropHeader("Authorization")
		r.Path += "?token=" + url.QueryEscape(token)
	}
	if how == "cookies" {
		r.DropHeader("Authorization")
		r.SetHeader("Cookie", "token="+token+"; access_token="+token)
	}
	_, err = w.SendAround(ctx, r)
	return err
}

func (w *World) Activate(ctx context.Context) error {
	if err := w.MayMake(1, false); err != nil {
		return err
	}
	r, err := w.Around(http.MethodPut, "/dsra/v1/user/signOnActivationToken", w.Companion.Token)
	if err != nil {
		return err
	}
	r.Set("deviceInformation", []byte(w.Device()))
	x, err := w.SendAround(ctx, r)
	if err != nil {
		return err
	}
	body, _ := strictjson.Parse(x.Body)
	token := body.Get("signOnActivationToken").String()
	w.Stage.Keep(token)
	if x.Status != http.StatusAccepted && x.Status != http.StatusOK || token == "" {
		return talk.Missf("status 202 with a signOnActivationToken", "%s", w.Describe(x))
	}
	if r, err = w.Around(http.MethodPost, "/ias/v3/token/actions/signOnBySignOnActivationToken", token); err != nil {
		return err
	}
	if x, err = w.SendAround(ctx, r); err == nil && x.Status/100 == 2 {
		w.Count(x, false)
		c := &talk.Client{Class: ClassOf([]byte(w.Device())), Own: true}
		if w.Adopt(x, c) == nil {
			w.Add(c)
		}
	}
	return err
}
