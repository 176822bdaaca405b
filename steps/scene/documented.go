package scene

import (
	"context"
	"errors"
	"strings"

	"agstest/ags"
	"agstest/steps/talk"
)

// Equip prepares the client for the documented request of an operation.
func (w *World) Equip(ctx context.Context, operation string) error {
	switch operation {
	case ags.ServiceDiscovery:
		return nil
	case ags.GetSessionToken:
		if w.Stage.Environment.Operator == nil {
			return talk.Lacking(w.Stage.Example("operator"),
				"the environment does not say how to act as a head-end system (operator)")
		}
		return w.UseAccount(ctx, "active", 0)
	case ags.SignOn, ags.SubsequentSignOn:
		name := "credentials"
		if operation == ags.SubsequentSignOn {
			return w.UseShared("multi-account")
		}
		if err := w.UseAccount(ctx, name, 0); err != nil {
			return err
		}
		return w.MakeClient(ctx)
	case ags.Register:
		return w.UseAccount(ctx, "registration", 0)
	case ags.SubsequentRegister:
		return w.UseShared("multi-registration")
	case ags.SignOnWithSessionToken, ags.Refresh, ags.SignOut:
		if err := w.UseAccount(ctx, "active", 0); err != nil {
			return err
		}
		if operation == ags.SignOut && w.Live() {
			return w.UseOwnDevice(ctx)
		}
		if err := w.MakeClient(ctx); err != nil {
			return err
		}
		return w.EnsureTokens(ctx)
	}
	return talk.Unknownf("there is no operation %q", operation)
}

// Documented makes the documented request of an operation anew, and returns the credential in it too.
func (w *World) Documented(ctx context.Context, operation string) (r *talk.Request, credential string, err error) {
	switch operation {
	case ags.ServiceDiscovery:
		return w.Prepare(operation), "", nil
	case ags.GetSessionToken:
		if r, err = w.HeadEndRequest(); err == nil {
			credential = w.PresentedOperator(r)
		}
		return r, credential, err
	case ags.SignOn, ags.Register:
		return w.documentedSignOn(operation)
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		return w.documentedPick(ctx, operation)
	case ags.SignOnWithSessionToken:
		if r, err = w.SignOnWithSessionToken(ctx); err == nil {
			r.Set("clientId", talk.JSON(w.Client.ID))
			credential = r.Parameters()[0].Value
		}
		return r, credential, err
	case ags.Refresh:
		return w.RefreshRequest(), w.Client.Pair.RefreshToken, nil
	}
	r = w.Prepare(ags.SignOut)
	w.Authorize(r, w.Client.Pair.AccessToken)
	r.Set("parameters", talk.JSON(w.Hints()))
	return r, w.Client.Pair.AccessToken, nil
}

// documentedSignOn is signOn as a known device, or register.
func (w *World) documentedSignOn(operation string) (r *talk.Request, credential string, err error) {
	if r, err = w.CredentialRequest(operation); err != nil {
		return nil, "", err
	}
	if operation == ags.SignOn {
		if err := w.HasClient(); err != nil {
			return nil, "", err
		}
		r.Set("clientId", talk.JSON(w.Client.ID))
	}
	r.Path = strings.Replace(r.Path, "{type}", w.Registration, 1)
	for _, p := range r.Parameters() {
		if w.IsPassword(operation, p.Name) {
			credential = p.Value
		}
	}
	return r, credential, nil
}

// documentedPick picks the first account of a list. It asks for a list if the scenario has none.
func (w *World) documentedPick(ctx context.Context, operation string) (r *talk.Request, credential string, err error) {
	first := ags.SignOn
	if operation == ags.SubsequentRegister {
		first = ags.Register
	}
	if len(w.Offers) == 0 {
		ask, err := w.CredentialRequest(first)
		if err != nil {
			return nil, "", err
		}
		ask.Path = strings.Replace(ask.Path, "{type}", w.Registration, 1)
		switch {
		case w.PickAs != "":
			ask.Set("clientId", talk.JSON(w.PickAs))
		case first == ags.SignOn:
			if err := w.MayCreateDevices(); err != nil {
				return nil, "", err
			}
			ask.Set("deviceInformation", []byte(w.Device()))
		}
		x, err := w.Send(ctx, ask, false)
		if err != nil {
			return nil, "", err
		}
		if why := w.strangeDevice(x); why != "" {
			return nil, "", talk.Unknownf("%s", why)
		}
		w.readOffers(x)
	}
	c, err := w.Offer(1)
	var lack *talk.NotTestable
	if errors.As(err, &lack) {
		return nil, "", err
	}
	if err != nil {
		return nil, "", talk.Unknownf("no list of accounts came to pick from: %v", err)
	}
	r = w.Prepare(operation)
	r.SetHeader("User-Token", c.Token)
	if w.Live() && !w.Control && !w.Precise { // each success would make a device
		r.SetHeader("User-Token", w.Invented(40))
	}
	r.Set("parameters", talk.JSON(w.Hints()))
	if w.PickAs != "" {
		r.Set("clientId", talk.JSON(w.PickAs))
	} else if operation == ags.SubsequentSignOn {
		// some services want the device of the sign-on before again (ambiguity 7.22)
		r.Set("deviceInformation", []byte(w.Device()))
	}
	return r, c.Token, nil
}
