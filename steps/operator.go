package steps

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"time"

	"agstest/ags"
)

// operatorToken is an OperatorAuthToken: the JWT with which a head-end system asks for a session token (the page "Requesting a session
// token"). Its fields are changed to make the wrong tokens of the scenarios.
type operatorToken struct {
	algorithm string // HS256, HS384, HS512 or none
	keyID     string
	secret    []byte
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
func (t *operatorToken) sign() string {
	header := request{members: []member{{"alg", rawJSON(t.algorithm)}, {"typ", rawJSON("JWT")}}}
	if t.keyID != "" {
		header.set("kid", rawJSON(t.keyID))
	}
	named := slices.Clone(t.claims)
	for i := range named {
		named[i].name = cmp.Or(t.names[named[i].name], named[i].name)
	}
	payload := request{members: named}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header.bytes()) + "." + encode(payload.bytes())
	var algorithm func() hash.Hash
	switch t.algorithm {
	case "HS256":
		algorithm = sha256.New
	case "HS384":
		algorithm = sha512.New384
	case "HS512":
		algorithm = sha512.New
	default:
		return signed + "." // alg none has an empty signature (RFC 7518 section 3.6)
	}
	mac := hmac.New(algorithm, t.secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// headEndRequest is the documented call of getSessionToken for the account, before the changes that a scenario wants.
func (w *world) headEndRequest() (*request, error) {
	o := w.run.environment.Operator
	if o == nil {
		return nil, lacking(w.run.example("operator"), "the environment does not say how to act as a head-end system (operator)")
	}
	secret, err := o.Key()
	if err != nil {
		return nil, unknownf("the secret of the operator %v", err)
	}
	t := operatorToken{algorithm: o.Signing(), keyID: o.KeyID, secret: secret}
	further := o.Further()
	t.names = o.Names()
	t.set("typ", further["typ"])
	account := o.Account
	if w.account != nil && w.account.id != "" {
		account = w.account.id
	}
	t.set(ags.OperatorToken.Account, account)
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
	r := w.prepare(ags.GetSessionToken)
	r.set("parameters", rawJSON(withGiven(parameter{w.run.operatorParameter(w.service), t.sign()}, o.Parameters)))
	return r, nil
}
