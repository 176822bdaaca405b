package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
)

// maxExp is the largest exp in seconds that the SSP tokens reference allows.
const maxExp = 4294967295

// token is the readable part of one token of a pair.
type token struct {
	name   string            // access token, refresh token
	member *strictjson.Value // of the body; nil if absent
	jws    *JWS
	claims *strictjson.Value
	err    error // why jws or claims is nil
	access bool
	opaque bool // a refresh token whose content is for the service alone
}

// tokenPair is a pair with the members beside it.
type tokenPair struct {
	body            *strictjson.Value
	access, refresh token
}

func (p *tokenPair) both() []*token { return []*token{&p.access, &p.refresh} }

func (j *judge) pair(body *strictjson.Value) *tokenPair {
	p := &tokenPair{body: body}
	p.access = readToken(body.Get("access_token"), "access token", true, j.takeApart)
	p.refresh = readToken(body.Get("refresh_token"), "refresh token", false, j.takeApart)
	return p
}

func readToken(member *strictjson.Value, name string, access bool, takeApart func(string) parts) token {
	t := token{name: name, member: member, access: access}
	if member == nil || member.Kind == ags.String && member.Text == "" {
		return t
	}
	if member.Kind != ags.String {
		t.err = fmt.Errorf("it is %s and not a string", describe(member))
		return t
	}
	if t.opaque = !access && Opaque(member.Text); t.opaque {
		return t
	}
	p := takeApart(member.Text)
	t.jws, t.claims, t.err = p.jws, p.claims, p.err
	return t
}

// exp reads a deadline of a token in seconds.
func (t *token) seconds(claim string) (int64, bool) {
	n, ok := t.claims.Get(claim).Int()
	return n, ok && n >= 0 && n <= maxExp
}

// structure judges each token by itself: TOK-01 to TOK-10, TOK-19 and TOK-20. A requirement on both tokens gets one
// finding.
func (j *judge) structure(p *tokenPair) {
	j.overBoth("TOK-01", "compact JWS of three parts in base64url", p, func(t *token) (string, bool) {
		if t.err != nil {
			return t.err.Error(), false
		}
		if t.opaque { // the page shows one sample, and no sentence says what a client reads in it
			return "it is opaque: nothing of it can be read", true
		}
		return "", false
	})
	j.headers(p)
	j.algorithms(p)
	j.typeClaim("TOK-04", &p.access, ags.AccessType)
	j.typeClaim("TOK-05", &p.refresh, ags.RefreshType)
	j.overClaims("TOK-06", "the string 1.0", p, func(t *token) (string, bool) {
		if v := t.claims.Get("ver"); v.String() != "1.0" {
			return "ver is " + shown(v), true
		}
		return "", false
	})
	j.claimSet("TOK-07", "the 18 claims of an access token with their kinds", &p.access)
	j.claimSet("TOK-08", "the 11 claims of a refresh token with their kinds", &p.refresh)
	j.accessOnly(&p.refresh)
	j.overClaims("TOK-10", "integers of seconds, at most 4294967295", p, deadlineProblem)
	j.jtiKind(p)
	j.sessionControl(p)
}

// overBoth adds one finding for a rule on each token that is there: Broken, Soft or Held.
func (j *judge) overBoth(id, expected string, p *tokenPair, problem func(*token) (text string, soft bool)) {
	var broken, soft []string
	evaluated := false
	for _, t := range p.both() {
		if t.member == nil || t.member.Kind == ags.String && t.member.Text == "" {
			continue
		}
		evaluated = true
		switch text, isSoft := problem(t); {
		case text == "":
		case isSoft:
			soft = append(soft, t.name+": "+text)
		default:
			broken = append(broken, t.name+": "+text)
		}
	}
	switch {
	case len(broken) > 0:
		j.add(id, Broken, expected, strings.Join(append(broken, soft...), "; "))
	case len(soft) > 0:
		j.add(id, Soft, expected, strings.Join(soft, "; "))
	case evaluated:
		j.add(id, Held, expected, "")
	}
}

// overClaims is overBoth for tokens whose claims can be read.
func (j *judge) overClaims(id, expected string, p *tokenPair, problem func(*token) (string, bool)) {
	readable := &tokenPair{body: p.body}
	if p.access.claims != nil {
		readable.access = p.access
	}
	if p.refresh.claims != nil {
		readable.refresh = p.refresh
	}
	j.overBoth(id, expected, readable, problem)
}

func (j *judge) headers(p *tokenPair) {
	j.overClaims("TOK-02", "the strings alg, typ and kid, and typ JWT", p, func(t *token) (string, bool) {
		h := t.jws.Header
		if v := h.Get("alg"); v.String() == "" {
			return "alg is " + describe(v), false
		}
		if v := h.Get("typ"); !strings.EqualFold(v.String(), "JWT") {
			return "typ is " + shown(v), false
		}
		if v := h.Get("kid"); v.String() == "" {
			return "kid is " + describe(v), true
		}
		return "", false
	})
}

// algorithms judges TOK-03. The signature itself cannot be verified, because the key is the service's secret.
func (j *judge) algorithms(p *tokenPair) {
	if a, r := p.access.jws, p.refresh.jws; a != nil && r != nil && len(a.Signature) > 0 &&
		bytes.Equal(a.Signature, r.Signature) && p.access.member.Text != p.refresh.member.Text {
		j.add("TOK-03", Broken, "a signature of each token", "two tokens that differ have the same signature")
		return
	}
	j.overClaims("TOK-03", "HS256 with a signature of 32 bytes", p, func(t *token) (string, bool) {
		algorithm, n := t.jws.Header.Get("alg"), len(t.jws.Signature)
		switch {
		case strings.EqualFold(algorithm.String(), "none"):
			return "alg is " + strictjson.Brief(algorithm.Text), false
		case algorithm.String() == "":
			return "alg is " + describe(algorithm), false
		case n == 0:
			return "the signature is empty", false
		case algorithm.Text == "HS256" && n != 32:
			return "the signature has " + figures.Plural(n, "byte"), false
		case algorithm.Text != "HS256":
			return "alg is " + strictjson.Brief(algorithm.Text), true
		case bytes.Count(t.jws.Signature, t.jws.Signature[:1]) == n:
			return "all bytes of the signature are the same", false
		}
		return "", false
	})
}

func (j *judge) typeClaim(id string, t *token, want string) {
	if t.claims == nil {
		return
	}
	v := t.claims.Get("typ")
	j.rule(id, v.String() == want, want, "typ is "+shown(v))
}

// claimSet judges TOK-07 and TOK-08: a miss in a core claim breaks, in another it is soft.
func (j *judge) claimSet(id, expected string, t *token) {
	if t.claims == nil {
		return
	}
	var broken, soft []string
	for _, c := range ags.Claims {
		if t.access && !c.Access || !t.access && !c.Refresh {
			continue
		}
		v := t.claims.Get(c.Name)
		problem := ""
		switch {
		case v == nil && !t.access && (c.Name == "jti" || c.Name == "sessionControl"):
			// other releases' refresh tokens do without
		case v == nil:
			problem = c.Name + " is absent"
		case !slices.Contains(c.Kinds, v.Kind):
			problem = c.Name + " is " + describe(v)
		}
		switch {
		case problem == "":
		case c.Core && !(t.access && c.Name == "fixed_exp" && v == nil):
			// samples of other pages have it in the refresh token alone
			broken = append(broken, problem)
		default:
			soft = append(soft, problem)
		}
	}
	switch {
	case len(broken) > 0:
		j.add(id, Broken, expected, strings.Join(append(broken, soft...), "; "))
	case len(soft) > 0:
		j.add(id, Soft, expected, strings.Join(soft, "; "))
	default:
		j.add(id, Held, expected, figures.Plural(len(t.claims.Members), "claim"))
	}
}

// accessOnly judges TOK-09, all of whose claims are outside the core.
func (j *judge) accessOnly(t *token) {
	if t.claims == nil {
		return
	}
	var carried []string
	for _, c := range ags.Claims {
		if !c.Refresh && t.claims.Get(c.Name) != nil {
			carried = append(carried, c.Name)
		}
	}
	if len(carried) > 0 {
		j.add("TOK-09", Soft, "no claims of the access token alone", "it carries "+strings.Join(carried, ", "))
		return
	}
	j.add("TOK-09", Held, "no claims of the access token alone", "none")
}

// deadlineProblem returns what is wrong with exp and fixed_exp.
func deadlineProblem(t *token) (string, bool) {
	var problems []string
	for _, name := range []string{"exp", "fixed_exp"} {
		v := t.claims.Get(name)
		n, ok := v.Int()
		switch {
		case v == nil && t.access && name == "fixed_exp":
		case !ok:
			problems = append(problems, name+" is "+describe(v))
		case n < 0:
			problems = append(problems, name+" is "+describe(v))
		case n > maxExp && n/1000 <= maxExp:
			problems = append(problems, fmt.Sprintf("%s is %d: milliseconds? It would be %s", name, n,
				time.UnixMilli(n).UTC().Format(time.RFC3339)))
		case n > maxExp:
			problems = append(problems, fmt.Sprintf("%s is %d", name, n))
		}
	}
	return strings.Join(problems, "; "), false
}

func (j *judge) jtiKind(p *tokenPair) {
	with := &tokenPair{body: p.body}
	if p.access.claims.Get("jti") != nil {
		with.access = p.access
	}
	if p.refresh.claims.Get("jti") != nil {
		with.refresh = p.refresh
	}
	j.overClaims("TOK-19", "a JSON string jti", with, func(t *token) (string, bool) {
		if v := t.claims.Get("jti"); v.Kind != ags.String {
			return "jti is " + describe(v), false
		}
		return "", false
	})
}

func (j *judge) sessionControl(p *tokenPair) {
	with := &tokenPair{body: p.body}
	for _, pair := range []struct{ from, to *token }{{&p.access, &with.access}, {&p.refresh, &with.refresh}} {
		if pair.from.claims.Get("sessionControl") != nil {
			*pair.to = *pair.from
		}
	}
	j.overClaims("TOK-20", "an integer maxSessions of at least 0 and a boolean sessionControlEnabled", with,
		func(t *token) (string, bool) {
			control := t.claims.Get("sessionControl")
			if control.Kind != ags.Object { // how sessions without a limit look is not published
				return "sessionControl is " + describe(control), true
			}
			if v := control.Get("sessionControlEnabled"); v == nil || v.Kind != ags.Boolean {
				return "sessionControlEnabled is " + describe(v), v == nil
			}
			if n, ok := control.Get("maxSessions").Int(); !ok || n < 0 {
				v := control.Get("maxSessions")
				return "maxSessions is " + describe(v), v == nil || v.Kind == ags.Null || ok
			}
			return "", false
		})
}

// shown is describe for values that are no secret: it shows text.
func shown(v *strictjson.Value) string {
	if v != nil && v.Kind == ags.String && v.Text != "" {
		return strictjson.Brief(v.Text)
	}
	return describe(v)
}
