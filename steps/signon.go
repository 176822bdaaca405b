package steps

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"agstest/ags"
)

// signOnWithSessionToken is the documented request without its device argument.
func (w *world) signOnWithSessionToken(ctx context.Context) (*request, error) {
	token := w.sessionToken
	if token == "" {
		var err error
		if token, err = w.freshSessionToken(ctx); err != nil {
			return nil, err
		}
	}
	r := w.prepare(ags.SignOnWithSessionToken)
	r.set("parameters", rawJSON(withGiven(parameter{w.run.sessionParameter(w.service), token}, w.run.environment.SignOn.Parameters)))
	return r, nil
}

// credentialRequest is a call with the credentials of the user, each parameter spelt as discovery spells it (ambiguity 7.19).
func (w *world) credentialRequest(operation string) (*request, error) {
	if w.account == nil || len(w.account.parameters) == 0 {
		return nil, lacking(w.run.example("credentials"), "the environment gives no credentials of a user")
	}
	r := w.prepare(operation)
	path := w.pathOf(operation)
	var list []parameter
	for _, p := range w.account.parameters {
		list = append(list, parameter{w.run.parameterName(w.service, path, p.Name), p.Value})
	}
	r.set("parameters", rawJSON(list))
	return r, nil
}

// mistypePassword puts a password that nobody has in the place of the one in a request.
func (w *world) mistypePassword(r *request) error {
	if w.account == nil || r.operation != ags.SignOn && r.operation != ags.Register {
		return unknownf("the request has no password that could be wrong: only signOn and register have one")
	}
	list, found := r.parameters(), false
	for i, p := range list {
		if w.isPassword(r.operation, p.Name) {
			list[i].Value, found = cmp.Or(w.run.environment.WrongPassword, "not-the-password-"+w.invented(8)), true
		}
	}
	if !found {
		return lacking(fmt.Sprintf("situations.%s: {passwordParameter: …}", w.account.situation),
			"it is not known which of the parameters %s is the password: none is called so, servicediscovery calls none so, and passwordParameter names none",
			strings.Join(names(list, func(p parameter) string { return p.Name }), ", "))
	}
	r.set("parameters", rawJSON(list))
	return nil
}

// isPassword tells of a parameter of signOn or register: the environment file knows best, then servicediscovery, then its name.
func (w *world) isPassword(operation, name string) bool {
	if own := w.run.environment.Situations[w.account.situation].PasswordParameter; own != "" {
		return strings.EqualFold(own, name)
	}
	known := false
	for _, p := range w.run.parametersOf(w.service, w.pathOf(operation)) {
		if p.password && w.account.has(p.name) {
			if strings.EqualFold(p.name, name) {
				return true
			}
			known = true
		}
	}
	return !known && strings.EqualFold(name, "password")
}

// pathOf is the path by which servicediscovery tells of a call with credentials.
func (w *world) pathOf(operation string) string {
	if operation == ags.Register {
		return "/register/" + w.registration
	}
	return "/signOn"
}

// signOn sends a sign-on and, when it is granted, lets the client hold the tokens.
func (w *world) signOn(ctx context.Context, r *request, c *client) error {
	changed := len(w.changes) > 0
	x, err := w.call(ctx, r)
	if err != nil {
		return err
	}
	if err := w.cautious(x, changed); err != nil {
		return err
	}
	if err := w.roomForDevices(x); err != nil {
		return err
	}
	w.readOffers(x)
	if x.Status/100 != 2 {
		return nil
	}
	if w.adopt(x, c) == nil && (w.client != c || len(w.clients) == 0) {
		w.add(c)
	}
	return nil
}

func (w *world) firstTime(ctx context.Context, operation, device string) error {
	if w.namedRefused { // what was to be refused is the device that had been named
		w.refusal = false
	}
	device = strings.TrimSpace(device)
	if w.sharesDevices() && !strings.HasPrefix(w.account.situation, "multi-") {
		return w.firstTimeShared(ctx, operation, device)
	}
	r, err := w.firstTimeRequest(ctx, operation, device)
	if err != nil {
		return err
	}
	return w.signOn(ctx, r, &client{class: classOf([]byte(device)), own: true, operation: operation})
}

// firstTimeRequest is the documented request of a client that was never there.
func (w *world) firstTimeRequest(ctx context.Context, operation, device string) (r *request, err error) {
	if err := w.mayCreateDevices(); err != nil {
		return nil, err
	}
	if operation == ags.SignOn {
		r, err = w.credentialRequest(operation)
	} else {
		r, err = w.signOnWithSessionToken(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.set("deviceInformation", []byte(device))
	return r, nil
}
