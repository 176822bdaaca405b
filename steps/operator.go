package steps

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
)

// operatorToken is an OperatorAuthToken: the JWT with which a head-end system asks for a session token (the page "Requesting a session
// token"). Its fields are changed to make the wrong tokens of the scenarios.
type operatorToken struct {
	algorithm string // such as HS256, or none
	key       environment.SigningKey
	claims    []member          // in order, by their documented names
	names     map[string]string // what the platform calls them
}

func (t *operatorToken) set(name string, value any) {
	for i := range t.claims {
		if t.claims[i].name == name {
			t.claims[i].value = rawJSON(value)
			return
		}
	}
	t.claims = append(t.claims, member{name, rawJSON(value)})
}

func (t *operatorToken) drop(name string) {
	kept := t.claims[:0]
	for _, c := range t.claims {
		if c.name != name {
			kept = append(kept, c)
		}
	}
	t.claims = kept
}

// sign makes the compact form (RFC 7515 section 3.1).
func (t *operatorToken) sign() (string, error) {
	header := request{members: []member{{"alg", rawJSON(t.algorithm)}, {"typ", rawJSON("JWT")}}}
	if t.key.ID != "" {
		header.set("kid", rawJSON(t.key.ID))
	}
	named := slices.Clone(t.claims)
	for i := range named {
		named[i].name = cmp.Or(t.names[named[i].name], named[i].name)
	}
	payload := request{members: named}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header.bytes()) + "." + encode(payload.bytes())
	if t.algorithm == "none" {
		return signed + ".", nil // it has an empty signature (RFC 7518 section 3.6)
	}
	key := t.key
	key.Algorithm = t.algorithm
	signature, err := key.Sign(signed)
	return signed + "." + encode(signature), err
}

// operatorKey is the key of the next OperatorAuthToken: each of the file in turn.
func (r *run) operatorKey() (environment.SigningKey, error) {
	keys, err := r.operatorKeys()
	if err != nil {
		return environment.SigningKey{}, unknownf("the key of the operator %v", err)
	}
	return keys[int(r.signed.Add(1)-1)%len(keys)], nil
}

// headEndRequest is the documented call of getSessionToken for the account, before the changes that a scenario wants.
func (w *world) headEndRequest() (*request, error) {
	o := w.run.environment.Operator
	if o == nil {
		return nil, lacking(w.run.example("operator"), "the environment does not say how to act as a head-end system (operator)")
	}
	key, err := w.run.operatorKey()
	if err != nil {
		return nil, err
	}
	t := operatorToken{algorithm: key.Algorithm, key: key}
	further := o.Further()
	t.names = o.Names()
	t.set("typ", further["typ"])
	t.set(ags.OperatorToken.Account, w.operatorAccount())
	t.set(ags.OperatorToken.Tenant, w.tenant)
	t.set("exp", time.Now().Add(w.ahead).Add(o.Life()).Unix())
	t.set("aud", further["aud"])
	for _, name := range sortedKeys(further) {
		t.set(name, further[name])
	}
	changes := w.operator
	w.operator = nil
	for _, change := range changes {
		if err := change(&t); err != nil {
			return nil, err
		}
	}
	token, err := t.sign()
	if err != nil {
		return nil, unknownf("no OperatorAuthToken could be signed: %v", err)
	}
	r := w.prepare(ags.GetSessionToken)
	if o.Service != "" {
		r.setHeader(ags.HeaderService, o.Service)
	}
	r.set("parameters", rawJSON(withGiven(parameter{w.run.operatorParameter(w.service), token}, o.Parameters)))
	if o.Header != "" {
		r.set("parameters", unlike(rawJSON(withGiven(parameter{}, o.Parameters)[1:])))
		w.presentOperator(r, token)
	}
	return r, nil
}

// operatorAccount is what an OperatorAuthToken calls the account of the scenario; empty: it is not known.
func (w *world) operatorAccount() string {
	o := w.run.environment.Operator
	if o == nil {
		return ""
	}
	if w.account == nil {
		return o.OwnAccount()
	}
	return o.AccountFor(w.account.operatorAccount, w.account.id)
}

// presentOperator puts an OperatorAuthToken, or what stands in its place, into a request.
func (w *world) presentOperator(r *request, token string) {
	if name := w.run.environment.Operator.Header; strings.EqualFold(name, ags.HeaderAuthorization) {
		w.authorize(r, token)
		return
	} else if name != "" {
		r.setHeader(name, token)
		return
	}
	list := r.parameters()
	if len(list) > 0 {
		list[0].Value = token
	}
	r.set("parameters", rawJSON(list))
}

// presentedOperator is the OperatorAuthToken in a request; empty: there is none.
func (w *world) presentedOperator(r *request) string {
	if o := w.run.environment.Operator; o != nil && o.Header != "" {
		return bearerless(r.headerValue(o.Header))
	}
	if list := r.parameters(); len(list) > 0 {
		return list[0].Value
	}
	return ""
}

// unlike is the same JSON in other bytes, which no step writes: so it shows whether one has put something in its place.
func unlike(list json.RawMessage) json.RawMessage {
	return append(json.RawMessage("[ "), list[1:]...)
}

// withoutOperator leaves the header of the OperatorAuthToken out of a request whose parameters a step has taken away or replaced: what is
// meant is a request without the token.
func (w *world) withoutOperator(r *request) {
	o := w.run.environment.Operator
	if o != nil && o.Header != "" && r.operation == ags.GetSessionToken && !bytes.HasPrefix(r.get("parameters"), []byte("[ ")) {
		r.dropHeader(o.Header)
	}
}

// clientOf is what a request is sent with: getSessionToken may be at an address of its own.
func (r *run) clientOf(q *request) *wire.Client {
	if r.operatorClient != nil && q.operation == ags.GetSessionToken {
		return r.operatorClient
	}
	return r.client
}

// useOperator prepares what the section operator of the environment file asks for.
func (r *run) useOperator(o Options) error {
	if o.Environment.Operator == nil {
		return nil
	}
	r.operatorKeys = sync.OnceValues(o.Environment.Operator.Keys)
	target, own, err := o.Environment.OperatorTarget()
	if err != nil || !own {
		return err
	}
	target.Timeout, target.Sleep = cmp.Or(o.Timeout, target.Timeout), o.Sleep
	r.operatorClient, err = wire.NewClient(target)
	return err
}
