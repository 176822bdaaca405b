package scene

import (
	"bytes"
	"context"
	"slices"
	"time"

	"agstest/ags"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// Say completes a request as the service expects it and sends it: with the renewed headers, and with its password
// encrypted if the environment file says how. An error says that nothing was sent; the exchange is returned all the
// same. Timeout bounds each attempt; 0: the usual one.
func (w *World) Say(ctx context.Context, r *talk.Request, timeout time.Duration) (*talk.Exchange, error) {
	call, err := w.sealed(ctx, r)
	if err != nil {
		now := time.Now()
		return &talk.Exchange{Exchange: &wire.Exchange{Call: call, Err: err, Sent: now, Received: now}, Request: r}, err
	}
	call.Timeout = timeout
	x := &talk.Exchange{Exchange: w.Stage.ClientOf(r).Do(ctx, call), Request: r}
	if w.outlasted(ctx, x) {
		before := sentBefore(x)
		x = &talk.Exchange{Exchange: w.Stage.ClientOf(r).Do(ctx, call), Request: r}
		x.Attempts = append(before, x.Attempts...)
	}
	if u := x.Unsent(); u != nil && ctx.Err() == nil {
		return x, talk.Unknownf("%s %s was not sent: %s", r.Method, r.Path, w.Stage.Secrets.Text(u.Error()))
	}
	return x, nil
}

// mostUnderWay is how many requests of a run on a live service may wait for their answers at the same time. Scenarios
// at the same time, and the rows of each, would be many more, and a small service would answer none of them in time.
const mostUnderWay = 48

// SayInTurn is Say when few enough others are under way.
func (w *World) SayInTurn(ctx context.Context, r *talk.Request, timeout time.Duration) (*talk.Exchange, error) {
	if w.Live() && w.Stage.underWay.enter(ctx, w.Scenario) { // the caller looks at ctx
		defer w.Stage.underWay.leave()
	}
	return w.Say(ctx, r, timeout)
}

// EncryptsPasswords tells that the environment file says how passwords are encrypted.
func (w *World) EncryptsPasswords() bool { return w.Stage.encryption != nil }

// sealed returns a request as it is sent: its passwords, right or wrong, are encrypted if the environment file says
// how.
func (w *World) sealed(ctx context.Context, r *talk.Request) (wire.Call, error) {
	call := r.Call()
	if w.Stage.encryption == nil || w.Account == nil || r.Operation != ags.SignOn && r.Operation != ags.Register {
		return call, nil
	}
	list, done := r.Parameters(), map[string]bool{}
	passwords := slices.Clone(list)
	for _, p := range w.Account.Parameters { // a request of an odd form may have no parameters that can be read, and holds it all the same
		if bytes.Contains(call.Body, talk.JSON(p.Value)) {
			passwords = append(passwords, p)
		}
	}
	for _, p := range passwords {
		if p.Value == "" || done[p.Value] || !w.IsPassword(r.Operation, p.Name) {
			continue
		}
		clear := talk.JSON(p.Value)
		twice := slices.ContainsFunc(list, func(other talk.Parameter) bool {
			return other.Value == p.Value && !w.IsPassword(r.Operation, other.Name)
		})
		if twice || !bytes.Contains(call.Body, clear) {
			return call, talk.Unknownf("the password stands in the request in another spelling, or in another place too, and is not encrypted so")
		}
		cipher, err := w.Stage.encryption.Encrypt(ctx, p.Value)
		switch {
		case ctx.Err() != nil:
			return call, ctx.Err()
		case err != nil:
			return call, talk.Unknownf("%s %s was not sent, as its password could not be encrypted: %s", r.Method, r.Path, w.Stage.Secrets.Text(err.Error()))
		}
		w.Stage.Keep(cipher)
		r.Ciphers, done[p.Value] = append(r.Ciphers, cipher), true
		call.Body = bytes.ReplaceAll(call.Body, clear, talk.JSON(cipher))
	}
	return call, nil
}
