package scene

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// operatorKey is the key of the next OperatorAuthToken: each of the file in turn.
func (r *Stage) operatorKey() (environment.SigningKey, error) {
	keys, err := r.OperatorKeys()
	if err != nil {
		return environment.SigningKey{}, talk.Unknownf("the key of the operator %v", err)
	}
	return keys[int(r.signed.Add(1)-1)%len(keys)], nil
}

// HeadEndRequest is the documented call of getSessionToken for the account, before the changes that a scenario wants.
func (w *World) HeadEndRequest() (*talk.Request, error) {
	o := w.Stage.Environment.Operator
	if o == nil {
		return nil, talk.Lacking(w.Stage.Example("operator"),
			"the environment does not say how to act as a head-end system (operator)")
	}
	key, err := w.Stage.operatorKey()
	if err != nil {
		return nil, err
	}
	t := talk.OperatorToken{Algorithm: key.Algorithm, Key: key}
	further := o.Further()
	t.Names = o.Names()
	t.Set("typ", further["typ"])
	t.Set(ags.OperatorToken.Account, w.OperatorAccount())
	t.Set(ags.OperatorToken.Tenant, w.Tenant)
	now := time.Now().Add(w.Ahead)
	t.Set("exp", now.Add(o.Life()).Unix())
	t.Set("aud", further["aud"])
	for _, name := range slices.Sorted(maps.Keys(further)) {
		t.Set(name, json.RawMessage(environment.ClaimsOfOne(further[name], now, rand.Text())))
	}
	changes := w.Operator
	w.Operator = nil
	for _, change := range changes {
		if err := change(&t); err != nil {
			return nil, err
		}
	}
	token, err := t.Sign()
	if err != nil {
		return nil, talk.Unknownf("no OperatorAuthToken could be signed: %v", err)
	}
	r := w.Prepare(ags.GetSessionToken)
	if o.Service != "" {
		r.SetHeader(ags.HeaderService, o.Service)
	}
	r.Set("parameters",
		talk.JSON(talk.WithGiven(talk.Parameter{Name: w.Stage.OperatorParameter(w.Service), Value: token},
			o.Parameters)))
	if o.Header != "" {
		r.Set("parameters", unlike(talk.JSON(talk.WithGiven(talk.Parameter{}, o.Parameters)[1:])))
		w.PresentOperator(r, token)
	}
	r.Forged = len(changes) > 0
	return r, nil
}

// OperatorAccount returns the scenario's account as an OperatorAuthToken names it; empty if it is not known.
func (w *World) OperatorAccount() string {
	o := w.Stage.Environment.Operator
	if o == nil {
		return ""
	}
	if w.Account == nil {
		return o.OwnAccount()
	}
	return o.AccountFor(w.Account.OperatorAccount, w.Account.ID)
}

// PresentOperator puts an OperatorAuthToken, or a value in its place, into a request.
func (w *World) PresentOperator(r *talk.Request, token string) {
	if name := w.Stage.Environment.Operator.Header; strings.EqualFold(name, ags.HeaderAuthorization) {
		w.Authorize(r, token)
		return
	} else if name != "" {
		r.SetHeader(name, token)
		return
	}
	list := r.Parameters()
	if len(list) > 0 {
		list[0].Value = token
	}
	r.Set("parameters", talk.JSON(list))
}

// PresentedOperator returns the OperatorAuthToken in a request; empty if there is none.
func (w *World) PresentedOperator(r *talk.Request) string {
	if o := w.Stage.Environment.Operator; o != nil && o.Header != "" {
		return Bearerless(r.HeaderValue(o.Header))
	}
	if list := r.Parameters(); len(list) > 0 {
		return list[0].Value
	}
	return ""
}

// unlike is the same JSON in other bytes, which no step writes: so it shows whether one has put something in its place.
func unlike(list json.RawMessage) json.RawMessage {
	return append(json.RawMessage("[ "), list[1:]...)
}

// withoutOperator removes the header of the OperatorAuthToken from a request whose parameters a step has taken away or
// replaced: the step means a request without the token.
func (w *World) withoutOperator(r *talk.Request) {
	o := w.Stage.Environment.Operator
	if o != nil && o.Header != "" && r.Operation == ags.GetSessionToken && !bytes.HasPrefix(r.Get("parameters"),
		[]byte("[ ")) {
		r.DropHeader(o.Header)
	}
}

// ClientOf returns the client that sends a request: getSessionToken may be at an address of its own.
func (r *Stage) ClientOf(q *talk.Request) *wire.Client {
	if r.operatorClient != nil && q.Operation == ags.GetSessionToken {
		return r.operatorClient
	}
	return r.Client
}

// ReachHeadEnd returns an error if getSessionToken, which gave this answer, cannot be where the section operator of the
// environment file puts it.
func (r *Stage) ReachHeadEnd(ctx context.Context, answer *talk.Exchange) error {
	o := r.Environment.Operator
	if r.operatorClient == nil || o.URL == "" && o.TLS == (environment.TLS{}) {
		return nil
	}
	if _, err := ReadSessionToken(answer); err == nil {
		return nil
	}
	return r.operatorClient.ReachHeadEnd(ctx)
}

// useOperator sets the stage up as the section operator of the environment file says.
func (r *Stage) useOperator(o Setting) error {
	if o.Environment.Operator == nil {
		return nil
	}
	r.OperatorKeys = sync.OnceValues(o.Environment.Operator.Keys)
	target, own, err := o.Environment.OperatorTarget()
	if err != nil || !own {
		return err
	}
	target.Timeout, target.Sleep = cmp.Or(o.Timeout, target.Timeout), o.Sleep
	target.Renewed = r.values.Headers(o.Environment.OperatorRenewedHeaders())
	r.operatorClient, err = wire.NewClient(target)
	return err
}
