package steps

import (
	"context"
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
	r.set("parameters", rawJSON([]parameter{{w.run.parameterName(w.service, "/signOnWithSessionToken", "sessionToken"), token}}))
	return r, nil
}

// credentialRequest is a call with the credentials of the user, each parameter spelt as discovery spells it (ambiguity 7.19).
func (w *world) credentialRequest(operation string) (*request, error) {
	if w.account == nil || len(w.account.parameters) == 0 {
		return nil, lacking(w.run.example("credentials"), "the environment gives no credentials of a user")
	}
	r := w.prepare(operation)
	path := map[string]string{ags.SignOn: "/signOn", ags.Register: "/register/" + w.registration}[operation]
	var list []parameter
	for _, p := range w.account.parameters {
		list = append(list, parameter{w.run.parameterName(w.service, path, p.Name), p.Value})
	}
	r.set("parameters", rawJSON(list))
	return r, nil
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
	w.readChoices(x)
	if x.Status/100 != 2 {
		return nil
	}
	if w.adopt(x, c) == nil && (w.client != c || len(w.clients) == 0) {
		w.add(c)
	}
	return nil
}

func (w *world) firstTime(ctx context.Context, operation, device string) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	var r *request
	var err error
	if operation == ags.SignOn {
		r, err = w.credentialRequest(operation)
	} else {
		r, err = w.signOnWithSessionToken(ctx)
	}
	if err != nil {
		return err
	}
	r.set("deviceInformation", []byte(strings.TrimSpace(device)))
	return w.signOn(ctx, r, &client{class: classOf([]byte(device))})
}
