package scene

import (
	"context"
	"slices"
	"strings"

	"agstest/ags"
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
		asked := slices.ContainsFunc(listed, func(l talk.ParameterProperty) bool { return strings.EqualFold(l.Name, p.Name) })
		if asked || strings.EqualFold(p.Name, "username") {
			hints = append(hints, talk.Parameter{Name: w.Stage.ParameterName(w.Service, "/refresh", p.Name), Value: p.Value})
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
