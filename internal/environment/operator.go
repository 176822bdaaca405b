package environment

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/wire"
)

// Defaults of the OperatorAuthToken: the algorithm of the page "Requesting a session token", and a life that is long enough for one call.
const (
	defaultAlgorithm = "HS256"
	defaultLifetime  = 5 * time.Minute
)

// Life is how long an OperatorAuthToken is good for.
func (o *Operator) Life() time.Duration { return cmp.Or(o.Lifetime, defaultLifetime) }

// AccountFor is what an OperatorAuthToken calls an account; empty: the file does not say which one is meant. The first argument is what a
// situation says of it, the second is the accountId.
func (o *Operator) AccountFor(own, accountID string) string {
	switch {
	case own != "":
		return own
	case strings.Contains(o.Account, accountInBraces):
		if accountID == "" {
			return ""
		}
		return strings.ReplaceAll(o.Account, accountInBraces, accountID)
	}
	return cmp.Or(accountID, o.Account)
}

// OwnAccount is the account of the section operator itself; empty: it names none.
func (o *Operator) OwnAccount() string {
	if strings.Contains(o.Account, accountInBraces) {
		return ""
	}
	return o.Account
}

// accountInBraces stands for an accountId in operator.account.
const accountInBraces = "{accountId}"

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

// checkOperator finds what cannot work in how OperatorAuthTokens are made and sent. Messages quote nothing of a secret.
func (r *reader) checkOperator(e *Environment) {
	o := e.Operator
	if o.Lifetime < 0 || o.Lifetime > 24*time.Hour || o.Lifetime > 0 && o.Lifetime < time.Second {
		r.wrong("operator.lifetime", "must be between 1s and 24h")
	}
	r.checkClaims(o)
	switch first := (OperatorKey{o.Secret, o.Encoding, o.Algorithm, o.Key}); {
	case first.Secret+first.Key != "" || len(o.More) == 0 && first.Algorithm != "" && first.Algorithm != defaultAlgorithm:
		r.checkKey("operator", first)
	case len(o.More) == 0:
		r.wrong("operator", "needs secret: the HMAC key of the OperatorAuthToken, such as \"${AGS_OPERATOR_SECRET}\"")
	case first.Encoding+first.Algorithm+o.KeyID != "":
		r.wrong("operator", "encoding, alg and kid belong to secret or key; where keys alone are given, they stand in each")
	}
	for _, id := range sortedKeys(o.More) {
		switch at := "operator.keys." + id; {
		case o.More[id] == nil || o.More[id].Secret+o.More[id].Key == "":
			r.wrong(at, "needs secret, or key with alg: RS256 or ES256")
		case id == o.KeyID && o.Secret+o.Key != "":
			r.wrong(at, "is the kid of the first key too")
		default:
			r.checkKey(at, *o.More[id])
		}
	}
	r.checkOperatorCall(e)
}

// checkOperatorCall finds what cannot work in how getSessionToken is called.
func (r *reader) checkOperatorCall(e *Environment) {
	o := e.Operator
	r.checkHeaders("operator.headers", o.Headers)
	if o.Header != "" {
		own, set := ownHeaders[strings.ToLower(o.Header)]
		switch {
		case !headerName.MatchString(o.Header):
			r.wrong("operator.header", "is not a header name (letters, digits and - only)")
		case set:
			r.wrong("operator.header", "%s carries something else%s", o.Header, map[bool]string{true: " (" + own + ")"}[own != ""])
		case o.Parameter != "" && o.Parameter != DefaultOperatorParameter:
			r.wrong("operator.header", "carries the token in place of a parameter; leave parameter out")
		}
		for name := range o.Headers {
			if strings.EqualFold(name, o.Header) {
				r.wrong("operator.headers."+name, "is the header that carries the OperatorAuthToken")
			}
		}
	}
	secure := strings.HasPrefix(e.URL, "https://")
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
			r.wrong("operator.url", "must be an address that starts with https:// or http://, such as https://operator.staging.example.com")
			return
		case u.Scheme == "http" && !onLoopback(o.URL):
			r.warn("operator.url", "starts with http://, so session tokens go over the network in clear")
		}
		secure = u.Scheme == "https"
	}
	if o.TLS == (TLS{}) {
		return
	}
	if _, err := o.TLS.config(""); err != nil {
		r.wrong("operator", "%v", err)
	}
	if !secure {
		r.warn("operator.tls", "is not used, because the address starts with http://")
	}
	if o.TLS.Key != "" {
		r.warnOfReaders("operator.tls.key", o.TLS.Key)
	}
}

// OperatorTarget says how to reach getSessionToken where that is not at the address of the service, or not with its certificate. False: it
// is called as everything.
func (e *Environment) OperatorTarget() (wire.Target, bool, error) {
	o := e.Operator
	if o == nil || o.URL == "" && o.TLS == (TLS{}) && len(o.Headers) == 0 {
		return wire.Target{}, false, nil
	}
	target, err := e.Target()
	if err != nil {
		return target, false, err
	}
	headers := copied(target.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	if o.URL != "" {
		target.URL = strings.TrimRight(o.URL, "/")
		if e.Host != "" {
			delete(headers, "Host") // of the service
		}
		target.Proxy = nil
		if u, err := url.Parse(o.URL); err == nil {
			target.Proxy = e.ProxyFor(u)
		}
	}
	for name, value := range o.Headers {
		for had := range headers {
			if strings.EqualFold(had, name) {
				delete(headers, had)
			}
		}
		headers[name] = value
	}
	target.Headers = headers
	if o.URL != "" || o.TLS != (TLS{}) {
		settings, name := o.TLS, e.SNI
		if o.URL != "" {
			name = ""
		}
		if settings == (TLS{}) {
			settings = e.TLS
		}
		if target.TLS, err = settings.config(name); err != nil {
			return target, false, failure.Usagef("environment %s: operator: %w", e.Name, err)
		}
	}
	return target, true, nil
}
