package steps

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/check"
)

// pairTolerance is how far apart the clocks may be that the two tokens of a pair were minted by, in seconds.
const pairTolerance = 2

// What the tokens must be. The judge applies its own reading of the same rules to every pair of tokens that comes, in any scenario.
var tokenPhrases = []phrase{
	then(`both tokens are compact JWS of three parts in base64url without padding`, "both tokens are compact JWS of three parts in base64url without padding", "both tokens are compact JWS of three parts in base64url without padding",
		"RFC 7515 section 3.1.",
		eachToken(func(string, *token, arguments) error { return nil })),
	then(`the header of both tokens has "([^"]+)" with the value "([^"]*)"`, `the header of both tokens has "<name>" with the value "<text>"`, `the header of both tokens has "alg" with the value "HS256"`,
		"A member of the JOSE header is this text.",
		eachToken(func(which string, t *token, a arguments) error {
			if v := t.header.Get(a.words[0]); v.String() != a.words[1] {
				return missf(fmt.Sprintf("%s %q in the header of the %s token", a.words[0], a.words[1], which), "%s", shown(v))
			}
			return nil
		})),
	then(`the header of both tokens has a text "([^"]+)"`, `the header of both tokens has a text "<name>"`, `the header of both tokens has a text "kid"`,
		"A member of the JOSE header is a non-empty text.",
		eachToken(func(which string, t *token, a arguments) error {
			if v := t.header.Get(a.words[0]); v.String() == "" {
				return missf("a text "+a.words[0]+" in the header of the "+which+" token", "%s", shown(v))
			}
			return nil
		})),
	then(`both tokens are signed`, "both tokens are signed", "both tokens are signed",
		"alg is not none, in any spelling, and the signature is not empty; that of HS256 has 32 bytes.",
		eachToken(func(which string, t *token, _ arguments) error {
			algorithm := t.header.Get("alg").String()
			switch {
			case algorithm == "" || strings.EqualFold(algorithm, "none"):
				return missf("an algorithm that signs", "alg %q in the %s token", algorithm, which)
			case len(t.signature) == 0:
				return missf("a signature", "none in the %s token", which)
			case algorithm == "HS256" && len(t.signature) != 32:
				return missf("a signature of 32 bytes", "%d bytes in the %s token", len(t.signature), which)
			}
			return nil
		})),
	then(`the (access|refresh) token has these claims:`, "the <access|refresh> token has these claims: (table)", "the access token has these claims:",
		"Rows of | claim | kind |, the kinds being string, integer, boolean, object, array, null, joined by \"or\".",
		oneToken(func(t *token, a arguments) error {
			return checking("the claims of the table", func(e *expectations) {
				for _, row := range a.table[1:] {
					kindHolds(e, row[0], t.claims.Get(row[0]), row[1])
				}
			})
		})),
	then(`the (access|refresh) token has the claim "([^"]+)" with the value "([^"]*)"`, `the <access|refresh> token has the claim "<name>" with the value "<text>"`, `the access token has the claim "typ" with the value "DevAuthN"`,
		"A claim is this text.",
		oneToken(func(t *token, a arguments) error {
			if v := t.claims.Get(a.words[1]); v.String() != a.words[2] {
				return missf(fmt.Sprintf("the claim %s %q", a.words[1], a.words[2]), "%s", shown(v))
			}
			return nil
		})),
	then(`the (access|refresh) token has none of the claims (.+)`, `the <access|refresh> token has none of the claims <names>`, `the refresh token has none of the claims geoBlockExempt, onNetwork`,
		"Claims that must be absent.",
		oneToken(func(t *token, a arguments) error {
			return checking("none of "+a.words[1], func(e *expectations) {
				for _, name := range strings.Split(a.words[1], ", ") {
					assert.Nil(e, t.claims.Get(name), "the claim %s is there", name)
				}
			})
		})),
	then(`the claims? (.+) (?:is|are) the same in both tokens`, "the claims <names> are the same in both tokens", "the claims accountId, deviceId are the same in both tokens",
		"Compares claims of the access token and the refresh token.",
		func(_ context.Context, w *world, a arguments) error {
			access, err := w.token("access")
			if err != nil {
				return err
			}
			refresh, err := w.token("refresh")
			if err != nil {
				return err
			}
			return checking("equal claims "+a.words[0], func(e *expectations) {
				for _, name := range claimNames(a.words[0]) {
					x, y := access.claims.Get(name), refresh.claims.Get(name)
					if (x == nil || y == nil) && name != "accountId" && name != "deviceId" && name != "tenantId" {
						continue // tokens of other pages' samples lack them
					}
					assert.Equal(e, canonical(x), canonical(y), "the claim %s", name)
				}
			})
		}),
	then(`exp and fixed_exp of both tokens are whole seconds that fit 32 bits`, "exp and fixed_exp of both tokens are whole seconds that fit 32 bits", "exp and fixed_exp of both tokens are whole seconds that fit 32 bits",
		"They are JSON integers from 1 to 4294967295; larger ones look like milliseconds.",
		eachToken(func(which string, t *token, _ arguments) error {
			for _, name := range []string{"exp", "fixed_exp"} {
				if name == "fixed_exp" && which == "access" && t.claims.Get(name) == nil {
					continue // samples of other pages have it in the refresh token alone
				}
				n, ok := t.claims.Get(name).Int()
				if !ok || n < 1 || n > 4294967295 {
					hint := ""
					if n > 4294967295 {
						hint = " (milliseconds?)"
					}
					return missf("whole seconds up to 4294967295", "%s of the %s token is %s%s", name, which, shown(t.claims.Get(name)), hint)
				}
			}
			return nil
		})),
	then(`both tokens and the lifetimes of the answer tell the same moment of issue`, "both tokens and the lifetimes of the answer tell the same moment of issue", "both tokens and the lifetimes of the answer tell the same moment of issue",
		"exp − expires_in of the access token, exp − refresh_expires_in and fixed_exp − fixed_refresh_expires_in of the refresh token agree within 2 seconds. For sign-ons only.",
		withTokens(func(_ *world, p *check.Pair, _ arguments) error {
			return checking("the same moment within 2 seconds", func(e *expectations) {
				moments := []int64{p.Access.Exp - p.ExpiresIn, p.Refresh.Exp - p.RefreshExpiresIn, p.Refresh.FixedExp - p.FixedRefreshExpiresIn}
				near(e, moments[0], moments[1], pairTolerance, "access token and refresh token")
				near(e, moments[0], moments[2], pairTolerance, "access token and fixed_exp")
			})
		})),
	then(`the expiries of the tokens differ as the lifetimes of the answer do`, "the expiries of the tokens differ as the lifetimes of the answer do", "the expiries of the tokens differ as the lifetimes of the answer do",
		"The differences between exp, exp and fixed_exp are those between the three lifetimes, within 2 seconds. For sign-ons only.",
		withTokens(func(_ *world, p *check.Pair, _ arguments) error {
			return checking("the same differences within 2 seconds", func(e *expectations) {
				near(e, p.RefreshExpiresIn-p.ExpiresIn, p.Refresh.Exp-p.Access.Exp, pairTolerance, "refresh and access")
				near(e, p.FixedRefreshExpiresIn-p.ExpiresIn, p.Refresh.FixedExp-p.Access.Exp, pairTolerance, "fixed and access")
				near(e, p.FixedRefreshExpiresIn-p.RefreshExpiresIn, p.Refresh.FixedExp-p.Refresh.Exp, pairTolerance, "fixed and refresh")
			})
		})),
	then(`the access token ends before the refresh token, and that not after fixed_exp`, "the access token ends before the refresh token, and that not after fixed_exp", "the access token ends before the refresh token, and that not after fixed_exp",
		"Both in the lifetimes of the answer and in the claims. For sign-ons only.",
		withTokens(func(_ *world, p *check.Pair, _ arguments) error {
			return checking("access before refresh before fixed", func(e *expectations) {
				assert.Less(e, p.ExpiresIn, p.RefreshExpiresIn, "expires_in and refresh_expires_in")
				assert.LessOrEqual(e, p.RefreshExpiresIn, p.FixedRefreshExpiresIn, "refresh_expires_in and fixed_refresh_expires_in")
				assert.Less(e, p.Access.Exp, p.Refresh.Exp, "exp of both tokens")
				assert.LessOrEqual(e, p.Refresh.Exp, p.Refresh.FixedExp+pairTolerance, "exp and fixed_exp of the refresh token")
			})
		})),
	then(`the tokens were issued while the call was under way`, "the tokens were issued while the call was under way", "the tokens were issued while the call was under way",
		"exp − expires_in of the access token lies between sending and receiving, give or take the clockSkew of the environment.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			x, _ := w.last() // which held the tokens
			skew := w.run.environment.ClockSkew
			if skew == 0 {
				skew = 120 * time.Second
			}
			earliest, latest := x.Sent.Add(w.ahead-skew-pairTolerance*time.Second), x.Received.Add(w.ahead+skew+pairTolerance*time.Second)
			if p.Issued.IsZero() {
				return missf("a moment of issue within "+skew.String()+" of the call", "none: exp or expires_in is missing or no whole number")
			}
			if p.Issued.Before(earliest) || p.Issued.After(latest) {
				return missf("a moment of issue within "+skew.String()+" of the call", "%s away from it", p.Issued.Sub(x.Received.Add(w.ahead)).Abs().Round(time.Second))
			}
			return nil
		})),
	then(`the tokens belong to the account, the client and the tenant of the request`, "the tokens belong to the account, the client and the tenant of the request", "the tokens belong to the account, the client and the tenant of the request",
		"accountId, client_id and tenantId of the answer and of both tokens are those that the scenario acts for.",
		withTokens(belong)),
	then(`the account of the answer is the account of the scenario`, "the account of the answer is the account of the scenario", "the account of the answer is the account of the scenario",
		"accountId of the answer is the id that the OperatorAuthToken named.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			if w.account.id == "" {
				return lacking("situations."+w.account.situation+": {accountId: …}", "the environment does not say which account it is")
			}
			if p.AccountID != w.account.id {
				return missf("accountId "+w.account.id, "%s", p.AccountID)
			}
			return nil
		})),
	then(`the body and the claims name the same account and client`, "the body and the claims name the same account and client", "the body and the claims name the same account and client",
		"accountId and client_id of the answer equal the claims accountId and deviceId of both tokens.",
		withTokens(func(_ *world, p *check.Pair, _ arguments) error {
			return checking("the same account and client", func(e *expectations) {
				assert.Equal(e, p.AccountID, p.Access.Account, "accountId of the access token")
				assert.Equal(e, p.AccountID, p.Refresh.Account, "accountId of the refresh token")
				assert.Equal(e, p.ClientID, p.Access.Device, "deviceId of the access token")
				assert.Equal(e, p.ClientID, p.Refresh.Device, "deviceId of the refresh token")
			})
		})),
	then(`the tenantId of both tokens is the nv-tenant-id of the request`, "the tenantId of both tokens is the nv-tenant-id of the request", "the tenantId of both tokens is the nv-tenant-id of the request",
		"The claim tenantId is what the header said.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			if p.Access.Tenant != w.tenant || p.Refresh.Tenant != w.tenant {
				return missf("tenantId "+w.tenant, "%q in the access token and %q in the refresh token", p.Access.Tenant, p.Refresh.Tenant)
			}
			return nil
		})),
	then(`the client_id of the answer is the clientId of the request`, "the client_id of the answer is the clientId of the request", "the client_id of the answer is the clientId of the request",
		"An n-th sign-on keeps the device.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			v, err := w.member("client_id")
			if err != nil {
				return err
			}
			if x.known.ClientID == "" || v.String() != x.known.ClientID {
				return missf("client_id "+strconv.Quote(x.known.ClientID), "%q", v.String())
			}
			return nil
		})),
	then(`the client_id of the answer is new`, "the client_id of the answer is new", "the client_id of the answer is new",
		"It is not empty and none that this scenario has seen before.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			id := w.client.id
			if p.ClientID != "" {
				id = p.ClientID
			}
			for _, c := range w.clients[:len(w.clients)-1] {
				if c.id == id {
					return missf("another client_id than before", "%q again", id)
				}
			}
			if id == "" {
				return missf("a client_id", "none")
			}
			return nil
		})),
	then(`the clients got different client_ids`, "the clients got different client_ids", "the clients got different client_ids",
		"No two clients of this scenario have the same client_id.",
		func(_ context.Context, w *world, _ arguments) error {
			seen := map[string]bool{}
			if len(w.clients) < 2 {
				return missf("at least two clients", "%s", plural(len(w.clients), "client"))
			}
			for _, c := range w.clients {
				if seen[c.id] {
					return missf("a client_id for each client", "%q twice", c.id)
				}
				seen[c.id] = true
			}
			return nil
		}),
	then(`both sign-ons were granted`, "both sign-ons were granted", "both sign-ons were granted",
		"The last two calls were answered with 201.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.exchanges) < 2 {
				return unknownf("fewer than two calls were sent")
			}
			for _, x := range w.exchanges[len(w.exchanges)-2:] {
				if effectiveStatus(x) != 201 {
					return missf("status 201 twice", "%s", w.describe(x))
				}
			}
			return nil
		}),
	then(`the (access|refresh) token is a new one`, "the <access|refresh> token is a new one", "the access token is a new one",
		"It differs from the one before.",
		withTokens(func(w *world, p *check.Pair, a arguments) error {
			if w.client.previous == nil {
				return unknownf("the client held no tokens before")
			}
			now, before := p.AccessToken, w.client.previous.AccessToken
			if a.words[0] == "refresh" {
				now, before = p.RefreshToken, w.client.previous.RefreshToken
			}
			if now == before {
				return missf("another "+a.words[0]+" token than before", "the same again")
			}
			return nil
		})),
	then(`the claims? (.+) (?:is|are) the same as before`, "the claims <names> are the same as before", "the claims accountId, deviceId, userId, tenantId are the same as before",
		"Compares claims of both tokens with those before the refresh.",
		withTokens(unchanged)),
	then(`it is recorded whether the claim jti differs from before`, "it is recorded whether the claim jti differs from before", "it is recorded whether the claim jti differs from before",
		"The report shows whether two sign-ons have different ids.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			if w.client.previous == nil {
				return unknownf("the client held no tokens before")
			}
			if p.Access.JTI == w.client.previous.Access.JTI {
				w.observe("the same again")
			} else {
				w.observe("another one")
			}
			return nil
		})),
	then(`the access token lives for expires_in from now on`, "the access token lives for expires_in from now on", "the access token lives for expires_in from now on",
		"Its exp is the moment of the call plus expires_in, give or take the clockSkew, and not before that of the token before.",
		withTokens(func(w *world, p *check.Pair, _ arguments) error {
			x, _ := w.last() // which held the tokens
			skew := w.run.environment.ClockSkew
			now := x.Received.Add(w.ahead).Unix()
			return checking("exp = now + expires_in", func(e *expectations) {
				near(e, now+p.ExpiresIn, p.Access.Exp, skew.Seconds()+pairTolerance, "exp of the access token")
				if w.client.previous != nil && p.Access.Exp+int64(skew.Seconds()) < w.client.previous.Access.Exp {
					assert.Fail(e, "exp went back")
				}
			})
		})),
	then(`the refresh token does not outlive fixed_exp`, "the refresh token does not outlive fixed_exp", "the refresh token does not outlive fixed_exp",
		"Its exp is at most its fixed_exp.",
		withTokens(func(_ *world, p *check.Pair, _ arguments) error {
			if p.Refresh.Exp == 0 || p.Refresh.Exp > p.Refresh.FixedExp {
				return missf("exp not after fixed_exp", "exp %d, fixed_exp %d", p.Refresh.Exp, p.Refresh.FixedExp)
			}
			return nil
		})),
	then(`sessionControl holds a whole number maxSessions and a boolean sessionControlEnabled`, "sessionControl holds a whole number maxSessions and a boolean sessionControlEnabled", "sessionControl holds a whole number maxSessions and a boolean sessionControlEnabled",
		"In every token that has the claim; maxSessions is not negative.",
		eachToken(func(which string, t *token, _ arguments) error {
			control := t.claims.Get("sessionControl")
			if control == nil {
				return nil
			}
			if control.Kind != ags.Object {
				return softMissf("an object sessionControl", "%s in the %s token", shown(control), which)
			}
			if v := control.Get("sessionControlEnabled"); v != nil && v.Kind != ags.Boolean {
				return missf("a boolean sessionControlEnabled", "%s in the %s token", shown(v), which)
			}
			v := control.Get("maxSessions")
			if n, ok := v.Int(); !ok || n < 0 {
				if ok || v == nil || v.Kind == ags.Null { // how sessions without a limit look is not published
					return softMissf("a whole number maxSessions", "%s in the %s token", shown(v), which)
				}
				return missf("a whole number maxSessions", "%s in the %s token", shown(v), which)
			}
			if control.Get("sessionControlEnabled") == nil {
				return softMissf("a boolean sessionControlEnabled", "none in the %s token", which)
			}
			return nil
		})),
	then(`no claim jti is a number`, "no claim jti is a number", "no claim jti is a number",
		"Where jti is there it is a text: its 19 digits do not fit a JSON number of every reader.",
		eachToken(func(which string, t *token, _ arguments) error {
			if v := t.claims.Get("jti"); v != nil && v.Kind != ags.String {
				return missf("a text jti", "%s in the %s token", shown(v), which)
			}
			return nil
		})),
}
