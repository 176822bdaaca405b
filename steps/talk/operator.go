package talk

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"agstest/internal/environment"
)

// OperatorToken is an OperatorAuthToken: the JWT with which a head-end system asks for a session token (the page
// "Requesting a session token"). Its fields are changed to make the wrong tokens of the scenarios.
type OperatorToken struct {
	Algorithm string // such as HS256, or none
	Key       environment.SigningKey
	Claims    []Member          // in order, by their documented names
	Names     map[string]string // the platform's names for them
	Header    []Member          // of its header, beside the usual ones
}

func (t *OperatorToken) Set(name string, value any) {
	for i := range t.Claims {
		if t.Claims[i].Name == name {
			t.Claims[i].Value = JSON(value)
			return
		}
	}
	t.Claims = append(t.Claims, Member{name, JSON(value)})
}

func (t *OperatorToken) Drop(name string) {
	kept := t.Claims[:0]
	for _, c := range t.Claims {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	t.Claims = kept
}

// Sign makes the compact form (RFC 7515 section 3.1).
func (t *OperatorToken) Sign() (string, error) {
	header := Request{Members: []Member{{"alg", JSON(t.Algorithm)}, {"typ", JSON("JWT")}}}
	if t.Key.ID != "" {
		header.Set("kid", JSON(t.Key.ID))
	}
	header.Members = append(header.Members, t.Header...)
	named := slices.Clone(t.Claims)
	for i := range named {
		named[i].Name = cmp.Or(t.Names[named[i].Name], named[i].Name)
	}
	payload := Request{Members: named}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header.Bytes()) + "." + encode(payload.Bytes())
	if strings.EqualFold(t.Algorithm, "none") {
		return signed + ".", nil // it has an empty signature (RFC 7518 section 3.6)
	}
	key := t.Key
	key.Algorithm = t.Algorithm
	signature, err := key.Sign(signed)
	return signed + "." + encode(signature), err
}
