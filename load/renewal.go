package load

import (
	"context"
	"errors"
	"maps"
	"sync"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/internal/tokens"
)

// renewal keeps the headers fresh whose values the environment file renews. Hits take the newest values and do not
// wait.
type renewal struct {
	values *tokens.Values
	// of the service, and those of getSessionToken under names with a space before them
	headers map[string]*environment.Fresh
	tell    func(headers, minting map[string]string)
	clean   func(string) string
}

func newRenewal(e *environment.Environment, secrets *redact.Redactor,
	tell func(headers, minting map[string]string)) *renewal {
	r := &renewal{headers: maps.Clone(e.RenewedHeaders), tell: tell, clean: func(text string) string { return text }}
	keep := func(...string) {}
	if secrets != nil {
		keep, r.clean = secrets.Add, secrets.Text
	}
	if e.Operator != nil {
		for name, f := range e.OperatorRenewedHeaders() {
			if r.headers == nil {
				r.headers = map[string]*environment.Fresh{}
			}
			r.headers[ofMinting+name] = f
		}
	}
	r.values = tokens.NewValues(e, keep)
	return r
}

// ofMinting stands before the name of a header of getSessionToken; no name of a header has it.
const ofMinting = " "

func (r *renewal) set(values map[string]string) {
	headers, minting := map[string]string{}, map[string]string{}
	for name, value := range values {
		if name[:1] == ofMinting {
			minting[name[1:]] = value
		} else {
			headers[name] = value
		}
	}
	r.tell(headers, minting)
}

// keep sets the headers and renews them until done is called. If a header cannot be renewed, the context that keep
// returns ends, with the reason as its cause: without the header no hit would show anything of the service. An error is
// of the kind failure.Setup, or that of ctx.
func (r *renewal) keep(ctx context.Context) (kept context.Context, done func(), err error) {
	if len(r.headers) == 0 {
		return ctx, func() {}, nil
	}
	values, err := r.values.Headers(r.headers)(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return nil, nil, failure.Setupf("nothing was sent: %s", r.clean(err.Error()))
	}
	r.set(values)
	kept, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer failure.Guard()
		if err := r.values.Renew(kept, r.headers, r.set); err != nil {
			cancel(&unrenewedError{r.clean(err.Error())})
		}
	})
	return kept, func() {
		cancel(nil)
		renewing.Wait()
	}, nil
}

// unrenewedError ends a load whose requests lack a header.
type unrenewedError struct{ why string }

func (u *unrenewedError) Error() string { return "it was ended, as it could not go on: " + u.why }

// unrenewed makes the end of a set-up for want of a header a failure of it.
func unrenewed(ctx context.Context, err error) error {
	var u *unrenewedError
	if err != nil && errors.As(context.Cause(ctx), &u) {
		return failure.Setupf("set-up: %s", u.why)
	}
	return err
}
