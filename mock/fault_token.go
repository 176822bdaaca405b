package mock

import (
	"encoding/base64"
	"strings"

	"agstest/ags"
)

// tokenFaults spoil tokens and the members beside them wherever a token body is given.
func tokenFaults() []Fault {
	part := func(change func([]string) []string) func(string) string {
		return func(compact string) string { return strings.Join(change(strings.Split(compact, ".")), ".") }
	}
	bodies := func(name, requirement, summary string, change func(*object)) Fault {
		f := spoiledBody(name, requirement, summary, nil, change)
		inner := f.reply
		f.reply = func(c *call, r *reply) {
			if r.pair != nil {
				inner(c, r)
			}
		}
		return f
	}
	header := func(name, requirement, summary string, change func(*object)) Fault {
		return spoiledBoth(name, requirement, summary, func(d *draft) { change(&d.header) })
	}
	both := func(name, requirement, summary string, change func(*object)) Fault {
		return spoiledBoth(name, requirement, summary, func(d *draft) { change(&d.claims) })
	}
	return []Fault{
		spoiledCompact("token-two-parts", "TOK-01", "tokens have two parts",
			part(func(p []string) []string { return p[:2] })),
		spoiledCompact("token-four-parts", "TOK-01", "tokens have four parts",
			part(func(p []string) []string { return append(p, "x") })),
		spoiledCompact("token-padded", "TOK-01", "the parts of tokens are padded", part(func(p []string) []string {
			for i := range p {
				p[i] += strings.Repeat("=", (4-len(p[i])%4)%4)
			}
			if !strings.Contains(strings.Join(p, ""), "=") {
				p[2] += "="
			}
			return p
		})),
		spoiledCompact("token-plain-base64", "TOK-01", "the parts of tokens are in plain base64",
			part(func(p []string) []string {
				for i := range p {
					raw, _ := base64.RawURLEncoding.DecodeString(p[i])
					p[i] = base64.StdEncoding.EncodeToString(raw)
				}
				return p
			})),
		spoiledCompact("token-opaque", "TOK-01", "tokens are opaque",
			func(compact string) string { return "opaque" + compact[len(compact)-20:len(compact)-1] }),
		spoiledCompact("token-header-no-json", "TOK-01", "the header of tokens is no JSON", part(func(p []string) []string {
			p[0] = base64.RawURLEncoding.EncodeToString([]byte("alg=HS256"))
			return p
		})),
		spoiledCompact("token-line-end", "TOK-01", "tokens end with a line end",
			func(compact string) string { return compact + "\n" }),
		header("token-typ-missing", "TOK-02", "the header has no typ", without("typ")),
		header("token-typ-other", "TOK-02", "the header says typ JWE", with("typ", "JWE")),
		header("token-alg-missing", "TOK-02", "the header has no alg", without("alg")),
		header("token-kid-number", "TOK-02", "kid is a number", with("kid", 259629)),
		{Name: "token-alg-none", Requirement: "TOK-03", Summary: "tokens are not signed", draft: func(_ *call, d *draft) { d.header.set("alg", "none") },
			compact: func(_ *call, _ *draft, compact string) string { return compact[:strings.LastIndexByte(compact, '.')+1] }},
		header("token-alg-none-signed", "TOK-03", "tokens say alg none and carry a signature", with("alg", "None")),
		spoiledCompact("token-signature-zeros", "TOK-03", "signatures are 32 bytes of nothing but zeros",
			part(func(p []string) []string {
				p[2] = strings.Repeat("A", 43)
				return p
			})),
		spoiledCompact("token-signature-short", "TOK-03", "signatures have 16 bytes", part(func(p []string) []string {
			raw, _ := base64.RawURLEncoding.DecodeString(p[2])
			p[2] = base64.RawURLEncoding.EncodeToString(raw[:16])
			return p
		})),
		lax("token-key-of-operator", "TOK-26", "tokens are signed with the key of the operator", nil, ruleOwnKey),
		lax("token-key-guessable", "TOK-26", "tokens are signed with the word secret", nil, ruleStrongKey),
		{Name: "token-access-for-a-year", Requirement: "TOK-25", Summary: "access tokens live for a year", draft: func(_ *call, d *draft) { d.claims = stretched(d.claims) },
			reply: func(_ *call, r *reply) {
				if r.pair != nil {
					r.body = stretched(r.body)
				}
			}},
		{Name: "session-of-ten-years", Requirement: "TOK-27", Summary: "sessions and refresh tokens live for ten years", draft: func(_ *call, d *draft) { d.claims = lasting(d.claims, d.refresh) },
			reply: func(_ *call, r *reply) {
				if r.pair != nil {
					shifted(tenYears, "refresh_expires_in", "fixed_refresh_expires_in")(&r.body)
				}
			}},
		spoiledAccess("token-access-typ", "TOK-04", "the access token has typ Bearer", with("typ", "Bearer")),
		spoiledAccess("token-access-typ-case", "TOK-04", "the access token has typ devauthn", with("typ", "devauthn")),
		spoiledRefresh("token-refresh-typ", "TOK-05", "the refresh token has the typ of an access token",
			with("typ", ags.AccessType)),
		both("token-ver-number", "TOK-06", "ver is a number", with("ver", literal("1.0"))),
		spoiledAccess("token-access-no-device", "TOK-07", "the access token has no deviceId", without("deviceId")),
		spoiledAccess("token-access-no-tenant", "TOK-07", "the access token has no tenantId", without("tenantId")),
		spoiledAccess("token-access-account-number", "TOK-07", "accountId of the access token is a number",
			with("accountId", 1663)),
		spoiledAccess("token-access-no-fixed-exp", "TOK-07", "the access token has no fixed_exp", without("fixed_exp")),
		spoiledAccess("token-access-no-profile", "TOK-07", "the access token has no accountProfileId",
			without("accountProfileId")),
		spoiledAccess("token-access-flag-text", "TOK-07", "geoBlockExempt is a text", with("geoBlockExempt", "false")),
		spoiledRefresh("token-refresh-no-account", "TOK-08", "the refresh token has no accountId", without("accountId")),
		spoiledRefresh("token-refresh-no-exp", "TOK-08", "the refresh token has no exp", without("exp")),
		spoiledRefresh("token-refresh-device-null", "TOK-08", "deviceId of the refresh token is null", with("deviceId", nil)),
		spoiledRefresh("token-refresh-network", "TOK-09", "the refresh token carries claims of the access token",
			func(o *object) {
				o.set("onNetwork", true)
				o.set("geoBlockExempt", false)
			}),
		both("token-exp-milliseconds", "TOK-10", "exp is in milliseconds", func(o *object) {
			exp, _ := o.get("exp")
			o.set("exp", exp.(int64)*1000)
		}),
		both("token-fixed-exp-milliseconds", "TOK-10", "fixed_exp is in milliseconds", func(o *object) {
			exp, _ := o.get("fixed_exp")
			o.set("fixed_exp", exp.(int64)*1000)
		}),
		both("token-exp-text", "TOK-10", "exp is a text", func(o *object) {
			exp, _ := o.get("exp")
			o.set("exp", string(appendJSON(nil, exp)))
		}),
		both("token-exp-fraction", "TOK-10", "exp has a fraction", func(o *object) {
			exp, _ := o.get("exp")
			o.set("exp", literal(string(appendJSON(nil, exp))+".5"))
		}),
		spoiledAccess("token-exp-negative", "TOK-10", "exp of the access token is negative", with("exp", -1)),
		both("token-exp-far", "TOK-10", "exp and fixed_exp are past the year 2106",
			shifted(5_000_000_000, "exp", "fixed_exp")),
		bodies("token-expires-in-off", "TOK-11", "expires_in is a minute off", shifted(60, "expires_in")),
		bodies("token-expires-in-milliseconds", "TOK-11", "expires_in is in milliseconds", func(o *object) {
			v, _ := o.get("expires_in")
			o.set("expires_in", v.(int64)*1000)
		}),
		bodies("token-refresh-expires-in-off", "TOK-12", "refresh_expires_in is five seconds off",
			shifted(5, "refresh_expires_in")),
		bodies("token-fixed-expires-in-off", "TOK-12", "fixed_refresh_expires_in is an hour off",
			shifted(-3600, "fixed_refresh_expires_in")),
		spoiledRefresh("token-fixed-exp-differs", "TOK-13", "fixed_exp differs within a pair", shifted(3600, "fixed_exp")),
		{Name: "token-access-outlives-refresh", Requirement: "TOK-14", Summary: "refresh tokens end before access tokens", draft: func(_ *call, d *draft) {
			if d.refresh {
				d.claims.set("exp", d.grant.now.Unix()+1800)
			}
		}, reply: func(_ *call, r *reply) {
			if r.pair != nil {
				r.body.set("refresh_expires_in", int64(1800))
			}
		}},
		spoiledRefresh("token-account-differs", "TOK-15", "accountId differs within a pair", with("accountId", "1700")),
		spoiledRefresh("token-device-differs", "TOK-15", "deviceId differs within a pair", with("deviceId", "OTH_1")),
		spoiledRefresh("token-user-differs", "TOK-15", "userId differs within a pair", with("userId", "somebody")),
		spoiledRefresh("token-jti-differs", "TOK-15", "jti differs within a pair", with("jti", "4789023423714089478")),
		bodies("token-body-other-account", "TOK-16", "accountId of the body is not that of the tokens",
			with("accountId", "1700")),
		bodies("token-body-other-client", "TOK-16", "client_id of the body is not that of the tokens",
			with("client_id", "OTH_1")),
		both("token-clock-ahead", "TOK-17", "tokens are issued ten minutes ahead", shifted(600, "exp", "fixed_exp")),
		spoiledAccess("token-not-before", "TOK-17", "access tokens are not good for an hour", func(o *object) {
			exp, _ := o.get("exp")
			o.set("nbf", exp)
		}),
		both("token-clock-zone", "TOK-17", "local time is taken for UTC, two hours behind",
			shifted(-7200, "exp", "fixed_exp")),
		bodies("token-type-mac", "TOK-18", "token_type is mac", with("token_type", "mac")),
		bodies("token-type-missing", "TOK-18", "token_type is missing", without("token_type")),
		both("token-jti-number", "TOK-19", "jti is a number", func(o *object) {
			jti, _ := o.get("jti")
			o.set("jti", literal(jti.(string)))
		}),
		both("token-sessions-text", "TOK-20", "maxSessions is a text",
			with("sessionControl", object{{"maxSessions", "3"}, {"sessionControlEnabled", true}})),
		both("token-sessions-negative", "TOK-20", "maxSessions is negative",
			with("sessionControl", object{{"maxSessions", -1}, {"sessionControlEnabled", true}})),
		both("token-sessions-flag", "TOK-20", "sessionControlEnabled is a number",
			with("sessionControl", object{{"maxSessions", 3}, {"sessionControlEnabled", 1}})),
		both("token-sessions-missing", "TOK-20", "sessionControl has no maxSessions",
			with("sessionControl", object{{"sessionControlEnabled", true}})),
		bodies("token-expires-in-text", "TOK-22", "expires_in is a text", with("expires_in", "3600")),
		bodies("token-expires-in-zero", "TOK-22", "expires_in is 0", with("expires_in", 0)),
		bodies("token-refresh-expires-in-negative", "TOK-22", "refresh_expires_in is negative",
			with("refresh_expires_in", -172800)),
		bodies("token-fixed-expires-in-fraction", "TOK-22", "fixed_refresh_expires_in has a fraction",
			with("fixed_refresh_expires_in", literal("2592000.5"))),
		spoiledAccess("token-class-forgotten", "TOK-23", "the class of the device is not in its token",
			with("playoutDeviceClass", nil)),
		spoiledAccess("token-class-other", "TOK-23", "every device has the class tv", with("playoutDeviceClass", "tv")),
	}
}

// stretched adds a year to each deadline or lifetime.
func stretched(o object) object {
	shifted(365*24*3600, "exp", "fixed_exp", "expires_in", "refresh_expires_in", "fixed_refresh_expires_in")(&o)
	return o
}

const tenYears = 3650 * 24 * 3600

// lasting are the claims of a session that goes on for ten years.
func lasting(o object, refresh bool) object {
	shifted(tenYears, "fixed_exp")(&o)
	if refresh {
		shifted(tenYears, "exp")(&o)
	}
	return o
}
