package environment

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"agstest/ags"
)

// Defaults of the OperatorAuthToken: the algorithm of the page "Requesting a session token", and a life that is long enough for one call.
const (
	defaultAlgorithm = "HS256"
	defaultLifetime  = 5 * time.Minute
)

// Signing is the algorithm of the OperatorAuthToken, such as HS256.
func (o *Operator) Signing() string { return cmp.Or(o.Algorithm, defaultAlgorithm) }

// Life is how long an OperatorAuthToken is good for.
func (o *Operator) Life() time.Duration { return cmp.Or(o.Lifetime, defaultLifetime) }

// Key is the HMAC key, decoded. An error means that the file has been refused for it.
func (o *Operator) Key() ([]byte, error) {
	switch o.Encoding {
	case "", "text":
		return []byte(o.Secret), nil
	case "hex":
		key, err := hex.DecodeString(o.Secret)
		if err != nil {
			return nil, errors.New("is no text in hexadecimal digits, two for each byte, as encoding: hex says")
		}
		return key, nil
	case "base64":
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(o.Secret, "="))
		key, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil {
			return nil, errors.New("is no text in base64, as encoding: base64 says")
		}
		return key, nil
	}
	return nil, errors.New("has an unknown encoding")
}

// Names are what the platform calls the documented claims of account and tenant.
func (o *Operator) Names() map[string]string {
	return map[string]string{
		ags.OperatorToken.Account: cmp.Or(o.ClaimNames.Account, ags.OperatorToken.Account),
		ags.OperatorToken.Tenant:  cmp.Or(o.ClaimNames.Tenant, ags.OperatorToken.Tenant),
	}
}

// Further are the claims of the file beside those of account and tenant and exp, by name, as JSON. Among them are typ and aud, with the
// documented value where the file does not say.
func (o *Operator) Further() map[string]json.RawMessage {
	claims := map[string]json.RawMessage{}
	if o.Claims != "" {
		_ = json.Unmarshal([]byte(o.Claims), &claims) // the reader of the file has refused what is none
	}
	for name, documented := range map[string]string{"typ": ags.OperatorToken.Type, "aud": ags.OperatorToken.Audience} {
		if claims[name] == nil {
			claims[name], _ = json.Marshal(documented)
		}
	}
	return claims
}

// checkClaims finds claims that have a value of their own.
func (r *reader) checkClaims(o *Operator) {
	names := o.Names()
	account, tenant := names[ags.OperatorToken.Account], names[ags.OperatorToken.Tenant]
	if account == tenant {
		r.wrong("operator.claimNames", "gives account and tenant the same name")
	}
	for _, name := range []string{account, tenant} {
		if slices.Contains([]string{"typ", "aud", "exp"}, name) {
			r.wrong("operator.claimNames", "%s is a claim of its own", name)
		}
	}
	further := o.Further()
	for _, name := range []string{account, tenant, "exp"} {
		if further[name] != nil {
			r.wrong("operator.claims", "must not hold the claims of account and tenant and exp: situations, tenant and operator.lifetime say them")
			break
		}
	}
}

// checkOperator finds what cannot work in how OperatorAuthTokens are signed. Messages quote nothing of the secret.
func (r *reader) checkOperator(o *Operator) {
	algorithms, encodings := []string{"HS256", "HS384", "HS512"}, []string{"text", "base64", "hex"}
	if o.Algorithm != "" && !slices.Contains(algorithms, o.Algorithm) {
		r.wrong("operator.alg", "is %s; it must be one of %s", o.Algorithm, strings.Join(algorithms, ", "))
	}
	if o.Lifetime < 0 || o.Lifetime > 24*time.Hour || o.Lifetime > 0 && o.Lifetime < time.Second {
		r.wrong("operator.lifetime", "must be between 1s and 24h")
	}
	r.checkClaims(o)
	switch {
	case o.Secret == "":
		r.wrong("operator", "needs secret: the HMAC key of the OperatorAuthToken, such as \"${AGS_OPERATOR_SECRET}\"")
		return
	case o.Encoding != "" && !slices.Contains(encodings, o.Encoding):
		r.wrong("operator.encoding", "must be one of %s", strings.Join(encodings, ", "))
		return
	}
	key, err := o.Key()
	if err != nil {
		r.wrong("operator.secret", "%v", err)
		return
	}
	// RFC 7518 section 3.2: a key of the size of the hash or larger.
	if least := map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}[o.Signing()]; o.Algorithm+o.Encoding != "" && len(key) < least {
		r.warn("operator.secret", "has %d bytes; %s wants at least %d (RFC 7518), and a service may refuse what is signed with fewer", len(key), o.Signing(), least)
	}
}
