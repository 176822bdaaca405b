package environment

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/wire"
)

// Defaults of the OperatorAuthToken: the algorithm of the page "Requesting a session token", and a life that is long
// enough for one call.
const (
	defaultAlgorithm = "HS256"
	defaultLifetime  = 5 * time.Minute
)

// Life is how long an OperatorAuthToken is good for.
func (o *Operator) Life() time.Duration { return cmp.Or(o.Lifetime, defaultLifetime) }

// AccountFor returns the name of an account in an OperatorAuthToken; empty if the file does not say which account to
// use. Own is the name that a situation gives it.
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

// OwnAccount returns the account of the section operator itself; empty if it names none.
func (o *Operator) OwnAccount() string {
	if strings.Contains(o.Account, accountInBraces) {
		return ""
	}
	return o.Account
}

// accountInBraces stands for an accountId in operator.account.
const accountInBraces = "{accountId}"

// Names returns the platform's names for the documented claims of account and tenant.
func (o *Operator) Names() map[string]string {
	return map[string]string{
		ags.OperatorToken.Account: cmp.Or(o.ClaimNames.Account, ags.OperatorToken.Account),
		ags.OperatorToken.Tenant:  cmp.Or(o.ClaimNames.Tenant, ags.OperatorToken.Tenant),
	}
}

// Further returns the claims of the file other than account, tenant and exp, by name, as JSON. Among them are typ and
// aud, with the documented value if the file does not give them.
func (o *Operator) Further() map[string]json.RawMessage {
	claims := map[string]json.RawMessage{}
	if o.Claims != "" {
		_ = json.Unmarshal([]byte(o.Claims), &claims) // the reader of the file has refused wrong claims
	}
	for name, documented := range map[string]string{"typ": ags.OperatorToken.Type, "aud": ags.OperatorToken.Audience} {
		if claims[name] == nil {
			claims[name], _ = json.Marshal(documented)
		}
	}
	return claims
}

// Placeholders in Claims that differ for each token: the time in seconds, for iat and nbf, and a text that no other
// token has, for jti (RFC 7519 section 4.1).
const (
	claimNow    = `"{now}"`
	claimUnique = `"{unique}"`
)

// EachItsOwn tells whether claims, as JSON, hold what each token has of its own.
func EachItsOwn(claims []byte) bool {
	return bytes.Contains(claims, []byte(claimNow)) || bytes.Contains(claims, []byte(claimUnique))
}

// ClaimsOfOne fills in the placeholders for one token. Unique is a text without quotes and backslashes.
func ClaimsOfOne(claims []byte, now time.Time, unique string) []byte {
	claims = bytes.ReplaceAll(claims, []byte(claimNow), strconv.AppendInt(nil, now.Unix(), 10))
	return bytes.ReplaceAll(claims, []byte(claimUnique), []byte(`"`+unique+`"`))
}

var claimInBraces = regexp.MustCompile(`"\{\w*\}"`)

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
	for _, found := range claimInBraces.FindAllString(string(o.Claims), -1) {
		if found != claimNow && found != claimUnique {
			r.wrong("operator.claims", "knows {now} and {unique}, not %s", strings.Trim(found, `"`))
		}
	}
	further := o.Further()
	for _, name := range []string{account, tenant, "exp"} {
		if further[name] != nil {
			r.wrong("operator.claims",
				"must not hold the claims of account and tenant and exp: situations, tenant and operator.lifetime say them")
			break
		}
	}
}

// checkOperator finds mistakes in how OperatorAuthTokens are made and sent. Messages quote nothing of a secret.
func (r *reader) checkOperator(e *Environment) {
	o := e.Operator
	if o.Lifetime < 0 || o.Lifetime > 24*time.Hour || o.Lifetime > 0 && o.Lifetime < time.Second {
		r.wrong("operator.lifetime", "must be between 1s and 24h")
	}
	r.checkClaims(o)
	r.checkBraces("operator.account", o.Account, map[string]bool{accountInBraces: true})
	switch first := (OperatorKey{o.Secret, o.Encoding, o.Algorithm, o.Key}); {
	case first.Secret+first.Key != "" || len(o.More) == 0 && first.Algorithm != "" &&
		first.Algorithm != defaultAlgorithm:
		r.checkKey("operator", first)
	case len(o.More) == 0:
		r.wrong("operator", "needs secret: the HMAC key of the OperatorAuthToken, such as \"${AGS_OPERATOR_SECRET}\"")
	case first.Encoding+first.Algorithm+o.KeyID != "":
		r.wrong("operator",
			"encoding, alg and kid belong to secret or key; where keys alone are given, they stand in each")
	}
	for _, id := range slices.Sorted(maps.Keys(o.More)) {
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
	r.checkRenewed("operator.headers", o.RenewedHeaders, o.Headers, e)
	if o.Header != "" {
		r.checkTokenHeader(o)
	}
	secure := strings.HasPrefix(e.URL, "https://")
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil ||
			u.RawQuery != "" || u.Fragment != "":
			r.wrong("operator.url",
				"must be an address that starts with https:// or http://, such as https://operator.staging.example.com")
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

// checkTokenHeader finds what cannot work where a header carries the OperatorAuthToken.
func (r *reader) checkTokenHeader(o *Operator) {
	own, set := ownHeaders[strings.ToLower(o.Header)]
	switch {
	case !headerName.MatchString(o.Header):
		r.wrong("operator.header", "is not a header name (letters, digits and - only)")
	case set:
		r.wrong("operator.header", "%s carries something else%s", o.Header,
			map[bool]string{true: " (" + own + ")"}[own != ""])
	case o.Parameter != "" && o.Parameter != DefaultOperatorParameter:
		r.wrong("operator.header", "carries the token in place of a parameter; leave parameter out")
	}
	for _, name := range append(slices.Sorted(maps.Keys(o.Headers)), slices.Sorted(maps.Keys(o.RenewedHeaders))...) {
		if strings.EqualFold(name, o.Header) {
			r.wrong("operator.headers."+name, "is the header that carries the OperatorAuthToken")
		}
	}
}

// OperatorTarget says how to reach getSessionToken where that is not at the address of the service, or not with its
// certificate. False: it is called as everything.
func (e *Environment) OperatorTarget() (wire.Target, bool, error) {
	o := e.Operator
	if o == nil || o.URL == "" && o.TLS == (TLS{}) && len(o.Headers)+len(o.RenewedHeaders) == 0 {
		return wire.Target{}, false, nil
	}
	target, err := e.Target()
	if err != nil {
		return target, false, err
	}
	headers := maps.Clone(target.Headers)
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
	for name := range o.RenewedHeaders {
		deleteHeader(headers, name)
	}
	for name, value := range o.Headers {
		deleteHeader(headers, name)
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

// deleteHeader takes a header out, however its name is spelled.
func deleteHeader(headers map[string]string, name string) {
	for had := range headers {
		if strings.EqualFold(had, name) {
			delete(headers, had)
		}
	}
}
