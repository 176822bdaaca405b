package words

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// pairTolerance is how far apart the clocks may be that the two tokens of a pair were minted by, in seconds.
const pairTolerance = 2

// tokenPhrases are sentences about tokens. The judge applies its own reading of the same rules to every pair of tokens
// that comes, in any scenario.
var tokenPhrases = []Sentence{
	then("both tokens are compact JWS of three parts in base64url without padding",
		"RFC 7515 section 3.1. A refresh token may be opaque, with a warning.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if err := eachToken(func(string, *token, arguments) error { return nil })(ctx, w, a); err != nil {
				return err
			}
			if p, err := tokens(w); err == nil && check.Opaque(p.RefreshToken) {
				return talk.SoftMissf("a compact JWS as refresh token", "it is opaque: nothing of it can be read")
			}
			return nil
		}),
	then(`the header of both tokens has "<name>" with the value "<text>"`,
		"A member of the JOSE header is this text. Upper and lower case are one in typ (RFC 7515 section 4.1.9).",
		eachToken(func(which string, t *token, a arguments) error {
			v := t.header.Get(a.words[0])
			if same := v.String() == a.words[1]; !same &&
				(a.words[0] != "typ" || !strings.EqualFold(v.String(), a.words[1])) {
				return talk.Missf(fmt.Sprintf("%s %q in the header of the %s token", a.words[0], a.words[1], which),
					"%s", talk.Shown(v))
			}
			return nil
		})).like(`the header of both tokens has "alg" with the value "HS256"`),
	then(`the header of both tokens has a text "<name>"`,
		"A member of the JOSE header is a non-empty text.",
		eachToken(func(which string, t *token, a arguments) error {
			if v := t.header.Get(a.words[0]); v.String() == "" {
				return talk.Missf("a text "+a.words[0]+" in the header of the "+which+" token", "%s", talk.Shown(v))
			}
			return nil
		})).like(`the header of both tokens has a text "kid"`),
	then("both tokens are signed",
		"alg is not none, in any spelling, and the signature is not empty; that of HS256 has 32 bytes.",
		eachToken(func(which string, t *token, _ arguments) error {
			algorithm := t.header.Get("alg").String()
			switch {
			case algorithm == "" || strings.EqualFold(algorithm, "none"):
				return talk.Missf("an algorithm that signs", "alg %q in the %s token", algorithm, which)
			case len(t.signature) == 0:
				return talk.Missf("a signature", "none in the %s token", which)
			case algorithm == "HS256" && len(t.signature) != 32:
				return talk.Missf("a signature of 32 bytes", "%d bytes in the %s token", len(t.signature), which)
			}
			return nil
		})),
	then("no key that others know fits the signature of a token",
		"The signature of neither token is one by the key of the operator, by an empty key, or by a word such as secret, "+
			"the name of the tenant or the kid of the token. Who has such a key can sign in as anybody.",
		withTokens(func(w *scene.World, p *check.Pair, _ arguments) error { return ownKey(w, p) })),
	then("the <access|refresh> token has these claims: (table)",
		"Rows of | claim | kind |, the kinds being string, integer, boolean, object, array, null, joined by \"or\".",
		oneToken(func(t *token, a arguments) error {
			return talk.Checking("the claims of the table", func(e *talk.Expectations) {
				for _, row := range a.Table[1:] {
					talk.KindHolds(e, row[0], t.claims.Get(row[0]), row[1])
				}
			})
		})).like("the access token has these claims:"),
	then(`the <access|refresh> token has the claim "<name>" with the value "<text>"`,
		"A claim is this text.",
		oneToken(func(t *token, a arguments) error {
			if v := t.claims.Get(a.words[1]); v.String() != a.words[2] {
				return talk.Missf(fmt.Sprintf("the claim %s %q", a.words[1], a.words[2]), "%s", talk.Shown(v))
			}
			return nil
		})).like(`the access token has the claim "typ" with the value "DevAuthN"`),
	then("the <access|refresh> token has none of the claims <names>",
		"Claims that must be absent.",
		oneToken(func(t *token, a arguments) error {
			return talk.Checking("none of "+a.words[1], func(e *talk.Expectations) {
				for _, name := range claimNames(a.words[1]) {
					assert.Nil(e, t.claims.Get(name), "the claim %s is there", name)
				}
			})
		})).like("the refresh token has none of the claims geoBlockExempt, onNetwork"),
	then("the claims <names> are the same in both tokens",
		"Compares claims of the access token and the refresh token.",
		func(_ context.Context, w *scene.World, a arguments) error {
			access, err := takenApart(w, "access")
			if err != nil {
				return err
			}
			refresh, err := takenApart(w, "refresh")
			if err != nil {
				return err
			}
			for _, name := range claimNames(a.words[0]) {
				if !ags.IsClaim(name) && access.claims.Get(name) == nil && refresh.claims.Get(name) == nil {
					return talk.Unknownf("neither token has a claim %s, and no page names one", name)
				}
			}
			return talk.Checking("equal claims "+a.words[0], func(e *talk.Expectations) {
				for _, name := range claimNames(a.words[0]) {
					x, y := access.claims.Get(name), refresh.claims.Get(name)
					if (x == nil || y == nil) && name != "accountId" && name != "deviceId" && name != "tenantId" {
						continue // tokens of other pages' samples lack them
					}
					assert.Equal(e, talk.Canonical(x), talk.Canonical(y), "the claim %s", name)
				}
			})
		}).like("the claims accountId, deviceId are the same in both tokens").reading(
		`the claims? (.+) (?:is|are) the same in both tokens`),
	then("exp and fixed_exp of both tokens are whole seconds that fit 32 bits",
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
					return talk.Missf("whole seconds up to 4294967295", "%s of the %s token is %s%s", name, which,
						talk.Shown(t.claims.Get(name)), hint)
				}
			}
			return nil
		})),
	then("both tokens and the lifetimes of the answer tell the same moment of issue",
		"exp − expires_in of the access token, exp − refresh_expires_in and fixed_exp − fixed_refresh_expires_in of the "+
			"refresh token agree within 2 seconds. For sign-ons only.",
		withDeadlines("the same moment within 2 seconds", func(e *talk.Expectations, p *check.Pair) {
			moments := []int64{p.Access.Exp - p.ExpiresIn, p.Refresh.Exp - p.RefreshExpiresIn,
				p.Refresh.FixedExp - p.FixedRefreshExpiresIn}
			talk.Near(e, moments[0], moments[1], pairTolerance, "access token and refresh token")
			talk.Near(e, moments[0], moments[2], pairTolerance, "access token and fixed_exp")
		})),
	then("the expiries of the tokens differ as the lifetimes of the answer do",
		"The differences between exp, exp and fixed_exp are those between the three lifetimes, within 2 seconds. For "+
			"sign-ons only.",
		withDeadlines("the same differences within 2 seconds", func(e *talk.Expectations, p *check.Pair) {
			talk.Near(e, p.RefreshExpiresIn-p.ExpiresIn, p.Refresh.Exp-p.Access.Exp, pairTolerance,
				"refresh and access")
			talk.Near(e, p.FixedRefreshExpiresIn-p.ExpiresIn, p.Refresh.FixedExp-p.Access.Exp, pairTolerance,
				"fixed and access")
			talk.Near(e, p.FixedRefreshExpiresIn-p.RefreshExpiresIn, p.Refresh.FixedExp-p.Refresh.Exp, pairTolerance,
				"fixed and refresh")
		})),
	then("the access token ends before the refresh token, and that not after fixed_exp",
		"Both in the lifetimes of the answer and in the claims. For sign-ons only.",
		withDeadlines("access before refresh before fixed", func(e *talk.Expectations, p *check.Pair) {
			assert.Less(e, p.ExpiresIn, p.RefreshExpiresIn, "expires_in and refresh_expires_in")
			assert.LessOrEqual(e, p.RefreshExpiresIn, p.FixedRefreshExpiresIn,
				"refresh_expires_in and fixed_refresh_expires_in")
			assert.Less(e, p.Access.Exp, p.Refresh.Exp, "exp of both tokens")
			assert.LessOrEqual(e, p.Refresh.Exp, p.Refresh.FixedExp+pairTolerance,
				"exp and fixed_exp of the refresh token")
		})),
	then("the tokens were issued while the call was under way",
		"exp − expires_in of the access token lies between sending and receiving, give or take the clockSkew of the "+
			"environment.",
		withClaims(func(w *scene.World, p *check.Pair, _ arguments) error {
			x, _ := w.Last() // which held the tokens
			skew := w.Stage.Environment.ClockSkew
			if skew == 0 {
				skew = 120 * time.Second
			}
			earliest, latest := x.Sent.Add(w.Ahead-skew-pairTolerance*time.Second),
				x.Received.Add(w.Ahead+skew+pairTolerance*time.Second)
			if p.Issued.IsZero() {
				return talk.Missf("a moment of issue within "+skew.String()+" of the call",
					"none: exp or expires_in is missing or no whole number")
			}
			if p.Issued.Before(earliest) || p.Issued.After(latest) {
				return talk.Missf("a moment of issue within "+skew.String()+" of the call", "%s away from it",
					p.Issued.Sub(x.Received.Add(w.Ahead)).Abs().Round(time.Second))
			}
			return nil
		})),
	then("the access token lives for a week at most",
		"expires_in is no more than 7 days. The pages speak of an hour.",
		withTokens(func(_ *scene.World, p *check.Pair, _ arguments) error {
			if life := time.Duration(p.ExpiresIn) * time.Second; p.ExpiresIn > 7*24*3600 {
				return talk.Missf("an access token that lives for a week at most", "one that lives for %.0f days",
					life.Hours()/24)
			}
			return nil
		})),
	then("the session ends within <number> days",
		"Neither refresh_expires_in nor fixed_refresh_expires_in is longer. The pages speak of 30 and of 90 days.",
		withTokens(func(_ *scene.World, p *check.Pair, a arguments) error {
			const day = 24 * 3600
			if longest := max(p.RefreshExpiresIn, p.FixedRefreshExpiresIn); longest > int64(number(a.words[0]))*day {
				return talk.Missf("a session that ends within "+a.words[0]+" days", "one that goes on for %d days",
					longest/day)
			}
			return nil
		})).like("the session ends within 400 days"),
	then("the tokens belong to the account, the client and the tenant of the request",
		"accountId, client_id and tenantId of the answer and of both tokens are those that the scenario acts for.",
		withClaims(belong)),
	then("the account of the answer is the account of the scenario",
		"accountId of the answer is the id that the OperatorAuthToken named.",
		withTokens(func(w *scene.World, p *check.Pair, _ arguments) error {
			if w.Account.ID == "" {
				return talk.Lacking("situations."+w.Account.Situation+": {accountId: …}",
					"the environment does not say which account it is")
			}
			if p.AccountID != w.Account.ID && w.Account.Guessed {
				return talk.Lacking("situations."+w.Account.Situation+": {accountId: …}",
					"the OperatorAuthToken names the account %s and the answer %s: pages do not say that both are the same kind of "+
						"id, and the environment does not say which accountId it is", w.Account.ID, p.AccountID)
			}
			if p.AccountID != w.Account.ID {
				return talk.Missf("accountId "+w.Account.ID, "%s", p.AccountID)
			}
			return nil
		})),
	then("the body and the claims name the same account and client",
		"accountId and client_id of the answer equal the claims accountId and deviceId of both tokens.",
		withClaims(func(_ *scene.World, p *check.Pair, _ arguments) error {
			return talk.Checking("the same account and client", func(e *talk.Expectations) {
				assert.Equal(e, p.AccountID, p.Access.Account, "accountId of the access token")
				assert.Equal(e, p.AccountID, p.Refresh.Account, "accountId of the refresh token")
				assert.Equal(e, p.ClientID, p.Access.Device, "deviceId of the access token")
				assert.Equal(e, p.ClientID, p.Refresh.Device, "deviceId of the refresh token")
			})
		})),
	then("the tenantId of both tokens is the nv-tenant-id of the request",
		"The claim tenantId is what the header said.",
		withClaims(func(w *scene.World, p *check.Pair, _ arguments) error {
			if p.Access.Tenant != w.Tenant || p.Refresh.Tenant != w.Tenant {
				return talk.Missf("tenantId "+w.Tenant, "%q in the access token and %q in the refresh token",
					p.Access.Tenant, p.Refresh.Tenant)
			}
			return nil
		})),
	then("the client_id of the answer is the clientId of the request",
		"An n-th sign-on keeps the device.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			v, err := w.Member("client_id")
			if err != nil {
				return err
			}
			if x.Known.ClientID == "" || v.String() != x.Known.ClientID {
				return talk.Missf("client_id "+strconv.Quote(x.Known.ClientID), "%q", v.String())
			}
			return nil
		})),
	then("the client_id of the answer is new",
		"It is not empty and none that this scenario has seen before.",
		withTokens(func(w *scene.World, p *check.Pair, _ arguments) error {
			id := w.Client.ID
			if p.ClientID != "" {
				id = p.ClientID
			}
			for _, c := range w.Clients[:len(w.Clients)-1] {
				if c.ID == id {
					return talk.Missf("another client_id than before", "%q again", id)
				}
			}
			if id == "" {
				return talk.Missf("a client_id", "none")
			}
			return nil
		})),
	then("the clients got different client_ids",
		"No two clients of this scenario have the same client_id.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			seen := map[string]bool{}
			if len(w.Clients) < 2 {
				return talk.Missf("at least two clients", "%s", figures.Plural(len(w.Clients), "client"))
			}
			for _, c := range w.Clients {
				if seen[c.ID] {
					return talk.Missf("a client_id for each client", "%q twice", c.ID)
				}
				seen[c.ID] = true
			}
			return nil
		}),
	then("both sign-ons were granted",
		"The last two calls were answered with 201.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Exchanges) < 2 {
				return talk.Unknownf("fewer than two calls were sent")
			}
			for _, x := range w.Exchanges[len(w.Exchanges)-2:] {
				if scene.EffectiveStatus(x) != 201 {
					return talk.Missf("status 201 twice", "%s", w.Describe(x))
				}
			}
			return nil
		}),
	then("the <access|refresh> token is a new one",
		"It differs from the one before.",
		withTokens(func(w *scene.World, p *check.Pair, a arguments) error {
			if w.Client.Previous == nil {
				return talk.Unknownf("the client held no tokens before")
			}
			now, before := p.AccessToken, w.Client.Previous.AccessToken
			if a.words[0] == "refresh" {
				now, before = p.RefreshToken, w.Client.Previous.RefreshToken
			}
			if now == before {
				return talk.Missf("another "+a.words[0]+" token than before", "the same again")
			}
			return nil
		})).like("the access token is a new one"),
	then("the claims <names> are the same as before",
		"Compares claims of both tokens with those before the refresh: accountId, deviceId, userId, tenantId, "+
			"fixed_exp.",
		withClaims(unchanged)).like("the claims accountId, deviceId, userId, tenantId are the same as before").reading(
		`the claims? (` + comparable + `(?:(?:, ?(?:and )?| and )` + comparable + `)*) (?:is|are) the same as before`),
	then("it is recorded whether the claim jti differs from before",
		"The report shows whether two sign-ons have different ids.",
		withTokens(func(w *scene.World, p *check.Pair, _ arguments) error {
			if w.Client.Previous == nil {
				return talk.Unknownf("the client held no tokens before")
			}
			if p.Access.JTI == w.Client.Previous.Access.JTI {
				w.Observe("the same again")
			} else {
				w.Observe("another one")
			}
			return nil
		})),
	then("the access token lives for expires_in from now on",
		"Its exp is the moment of the call plus expires_in, give or take the clockSkew, and not before that of the token "+
			"before.",
		withClaims(func(w *scene.World, p *check.Pair, _ arguments) error {
			x, _ := w.Last() // which held the tokens
			skew := w.Stage.Environment.ClockSkew
			now := x.Received.Add(w.Ahead).Unix()
			return talk.Checking("exp = now + expires_in", func(e *talk.Expectations) {
				talk.Near(e, now+p.ExpiresIn, p.Access.Exp, skew.Seconds()+pairTolerance, "exp of the access token")
				if w.Client.Previous != nil && p.Access.Exp+int64(skew.Seconds()) < w.Client.Previous.Access.Exp {
					assert.Fail(e, "exp went back")
				}
			})
		})),
	then("the refresh token does not outlive fixed_exp",
		"Its exp is at most its fixed_exp.",
		withClaims(func(_ *scene.World, p *check.Pair, _ arguments) error {
			if check.Opaque(p.RefreshToken) {
				return opaqueRefresh()
			}
			if p.Refresh.Exp == 0 || p.Refresh.Exp > p.Refresh.FixedExp {
				return talk.Missf("exp not after fixed_exp", "exp %d, fixed_exp %d", p.Refresh.Exp, p.Refresh.FixedExp)
			}
			return nil
		})),
	then("sessionControl holds a whole number maxSessions and a boolean sessionControlEnabled",
		"In every token that has the claim; maxSessions is not negative.",
		eachToken(func(which string, t *token, _ arguments) error {
			control := t.claims.Get("sessionControl")
			if control == nil {
				return nil
			}
			if control.Kind != ags.Object {
				return talk.SoftMissf("an object sessionControl", "%s in the %s token", talk.Shown(control), which)
			}
			if v := control.Get("sessionControlEnabled"); v != nil && v.Kind != ags.Boolean {
				return talk.Missf("a boolean sessionControlEnabled", "%s in the %s token", talk.Shown(v), which)
			}
			v := control.Get("maxSessions")
			if n, ok := v.Int(); !ok || n < 0 {
				if ok || v == nil || v.Kind == ags.Null { // how sessions without a limit look is not published
					return talk.SoftMissf("a whole number maxSessions", "%s in the %s token", talk.Shown(v), which)
				}
				return talk.Missf("a whole number maxSessions", "%s in the %s token", talk.Shown(v), which)
			}
			if control.Get("sessionControlEnabled") == nil {
				return talk.SoftMissf("a boolean sessionControlEnabled", "none in the %s token", which)
			}
			return nil
		})),
	then("no claim jti is a number",
		"Where jti is there it is a text: its 19 digits do not fit a JSON number of every reader.",
		eachToken(func(which string, t *token, _ arguments) error {
			if v := t.claims.Get("jti"); v != nil && v.Kind != ags.String {
				return talk.Missf("a text jti", "%s in the %s token", talk.Shown(v), which)
			}
			return nil
		})),
}
