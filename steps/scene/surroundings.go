package scene

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"agstest/internal/strictjson"
	"agstest/steps/talk"
)

// companion is the credentials of a device that a companion app signs on.
type companion struct{ Code, Token string }

// Around prepares a call of the platform beside the service, with a bearer token if one is given.
func (w *World) Around(method, path, token string) (*talk.Request, error) {
	if w.Stage.Control == nil && !w.Stage.Environment.Allow.Surroundings {
		return nil, talk.Lacking("allow: {surroundings: true}", "the environment does not allow calls of the platform beside the service")
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
		return x, talk.Lacking("", "%s %s answered 404: this service of the platform is not offered at the address of the environment", r.Method, r.Path)
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
