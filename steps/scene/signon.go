package scene

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/steps/talk"
)

// SignOnWithSessionToken is the documented request without its device argument.
func (w *World) SignOnWithSessionToken(ctx context.Context) (*talk.Request, error) {
	token := w.SessionToken
	if token == "" {
		var err error
		if token, err = w.FreshSessionToken(ctx); err != nil {
			return nil, err
		}
	}
	r := w.Prepare(ags.SignOnWithSessionToken)
	r.Set("parameters",
		talk.JSON(talk.WithGiven(talk.Parameter{Name: w.Stage.SessionParameter(w.Service), Value: token},
			w.Stage.Environment.SignOn.Parameters)))
	return r, nil
}

// CredentialRequest is a call with the credentials of the user, each parameter spelt as discovery spells it (ambiguity
// 7.19).
func (w *World) CredentialRequest(operation string) (*talk.Request, error) {
	if w.Account == nil || len(w.Account.Parameters) == 0 {
		return nil, talk.Lacking(w.Stage.Example("credentials"), "the environment gives no credentials of a user")
	}
	r := w.Prepare(operation)
	path := w.pathOf(operation)
	var list []talk.Parameter
	for _, p := range w.Account.Parameters {
		list = append(list, talk.Parameter{Name: w.Stage.ParameterName(w.Service, path, p.Name), Value: p.Value})
	}
	r.Set("parameters", talk.JSON(list))
	return r, nil
}

// MistypePassword puts a password that nobody has in the place of the one in a request.
func (w *World) MistypePassword(r *talk.Request) error {
	if w.Account == nil || r.Operation != ags.SignOn && r.Operation != ags.Register {
		return talk.Unknownf("the request has no password that could be wrong: only signOn and register have one")
	}
	list, found := r.Parameters(), false
	for i, p := range list {
		if w.IsPassword(r.Operation, p.Name) {
			list[i].Value, found = cmp.Or(w.Stage.Environment.WrongPassword, "not-the-password-"+w.Invented(8)), true
		}
	}
	if !found {
		return talk.Lacking(fmt.Sprintf("situations.%s: {passwordParameter: …}", w.Account.Situation),
			"it is not known which of the parameters %s is the password: none is called so, servicediscovery calls none so, "+
				"and passwordParameter names none",
			strings.Join(talk.Names(list, func(p talk.Parameter) string { return p.Name }), ", "))
	}
	r.Set("parameters", talk.JSON(list))
	return nil
}

// IsPassword tells whether a parameter of signOn or register is a password: the environment file knows best, then
// servicediscovery, then its name.
func (w *World) IsPassword(operation, name string) bool {
	if own := w.Stage.Environment.Situations[w.Account.Situation].PasswordParameter; own != "" {
		return strings.EqualFold(own, name)
	}
	known := false
	for _, p := range w.Stage.ParametersOf(w.Service, w.pathOf(operation)) {
		if p.Password && w.Account.Has(p.Name) {
			if strings.EqualFold(p.Name, name) {
				return true
			}
			known = true
		}
	}
	return !known && strings.EqualFold(name, "password")
}

// pathOf is the path of a call with credentials in servicediscovery.
func (w *World) pathOf(operation string) string {
	if operation == ags.Register {
		return "/register/" + w.Registration
	}
	return "/signOn"
}

// SignOn sends a sign-on and, when it is granted, lets the client hold the tokens.
func (w *World) SignOn(ctx context.Context, r *talk.Request, c *talk.Client) error {
	changed := len(w.Changes) > 0
	x, err := w.Call(ctx, r)
	if err != nil {
		return err
	}
	if err := w.Cautious(x, changed); err != nil {
		return err
	}
	if err := w.RoomForDevices(ctx, x); err != nil {
		return err
	}
	w.readOffers(x)
	if x.Status/100 != 2 {
		return nil
	}
	if w.Adopt(x, c) == nil && (w.Client != c || len(w.Clients) == 0) {
		w.Add(c)
	}
	return nil
}

func (w *World) FirstTime(ctx context.Context, operation, device string) error {
	if w.namedRefused { // what was to be refused is the device that had been named
		w.Refusal = false
	}
	device = strings.TrimSpace(device)
	if w.SharesDevices() && !strings.HasPrefix(w.Account.Situation, "multi-") {
		return w.firstTimeShared(ctx, operation, device)
	}
	r, err := w.FirstTimeRequest(ctx, operation, device)
	if err != nil {
		return err
	}
	return w.SignOn(ctx, r, &talk.Client{Class: ClassOf([]byte(device)), Own: true, Operation: operation})
}

// FirstTimeRequest is the documented request of a client that was never there.
func (w *World) FirstTimeRequest(ctx context.Context, operation, device string) (r *talk.Request, err error) {
	if err := w.MayCreateDevices(); err != nil {
		return nil, err
	}
	if operation == ags.SignOn {
		r, err = w.CredentialRequest(operation)
	} else {
		r, err = w.SignOnWithSessionToken(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.Set("deviceInformation", []byte(device))
	return r, nil
}

// CredentialNames are the names of the parameters with which a user signs on, as one writes them into the environment
// file: those of discovery, else those of the user whom the file gives, else the usual ones.
func (w *World) CredentialNames() string {
	var names []string
	for _, p := range w.Stage.ParametersOf(w.Service, "/signOn") {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(w.Stage.Environment.Situations["credentials"].Parameters))
	}
	if len(names) == 0 {
		names = []string{"username", "password"}
	}
	return strings.Join(names, ": …, ") + ": …"
}
