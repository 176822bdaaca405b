package words

import (
	"context"
	"strings"

	"github.com/stretchr/testify/assert"

	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// token is a token taken apart.
type token struct {
	header, claims *strictjson.Value
	signature      []byte
}

// tokens returns the tokens that the client holds since the last answer, which must have given them.
func tokens(w *scene.World) (*check.Pair, error) {
	x, err := w.Last()
	if err != nil {
		return nil, err
	}
	p, err := scene.ReadPair(x)
	if err != nil {
		return nil, talk.Missf("an answer with tokens", "%v", err)
	}
	return p, nil
}

func takenApart(w *scene.World, which string) (*token, error) {
	p, err := tokens(w)
	if err != nil {
		return nil, err
	}
	text := p.AccessToken
	if which == "refresh" {
		text = p.RefreshToken
	}
	if which == "refresh" && check.Opaque(text) {
		return nil, opaqueRefresh()
	}
	jws, err := check.ParseJWS(text)
	if err != nil {
		return nil, talk.Missf("a compact JWS as "+which+" token", "%v", err)
	}
	claims, err := jws.Claims()
	if claims == nil {
		return nil, talk.Missf("JSON claims in the "+which+" token", "%v", err)
	}
	return &token{jws.Header, claims, jws.Signature}, nil
}

// opaqueRefresh returns the error that skips a step about the claims of a refresh token that has none to be read.
func opaqueRefresh() error {
	return talk.Lacking("", "the refresh token is opaque: it has no claims that could be read")
}

// withTokens judges the tokens that the last answer gave; without them the step is missed.
func withTokens(judge func(*scene.World, *check.Pair, arguments) error) func(context.Context, *scene.World,
	arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		p, err := tokens(w)
		if err != nil {
			return err
		}
		return judge(w, p, a)
	}
}

// withClaims is withTokens for two readable tokens: an unreadable token is one miss, not one for each claim that is not
// found in it.
func withClaims(judge func(*scene.World, *check.Pair, arguments) error) func(context.Context, *scene.World,
	arguments) error {
	return withTokens(func(w *scene.World, p *check.Pair, a arguments) error {
		if _, err := takenApart(w, "access"); err != nil {
			return err
		}
		if !check.Opaque(p.RefreshToken) {
			if _, err := takenApart(w, "refresh"); err != nil {
				return err
			}
		}
		return judge(w, withOneVoice(p), a)
	})
}

// withOneVoice returns a pair whose opaque refresh token repeats the identity in the access token, so that the access
// token is judged.
func withOneVoice(p *check.Pair) *check.Pair {
	if p == nil || !check.Opaque(p.RefreshToken) {
		return p
	}
	both := *p
	both.Refresh = p.Access
	both.Refresh.Exp = 0
	return &both
}

// withDeadlines is withClaims where the three deadlines and their lifetimes are there, to be reckoned with.
func withDeadlines(expected string, judge func(*talk.Expectations, *check.Pair)) func(context.Context, *scene.World,
	arguments) error {
	return withClaims(func(_ *scene.World, p *check.Pair, _ arguments) error {
		if check.Opaque(p.RefreshToken) {
			return opaqueRefresh()
		}
		for _, number := range []struct {
			value int64
			name  string
		}{
			{p.ExpiresIn, "expires_in"}, {p.RefreshExpiresIn, "refresh_expires_in"},
			{p.FixedRefreshExpiresIn, "fixed_refresh_expires_in"},
			{p.Access.Exp, "exp of the access token"}, {p.Refresh.Exp, "exp of the refresh token"},
			{p.Refresh.FixedExp, "fixed_exp of the refresh token"},
		} {
			if number.value == 0 {
				return talk.Missf(expected, "%s is missing, zero or no whole number", number.name)
			}
		}
		return talk.Checking(expected, func(e *talk.Expectations) { judge(e, p) })
	})
}

// oneToken judges the token that the sentence names first.
func oneToken(judge func(*token, arguments) error) func(context.Context, *scene.World, arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		t, err := takenApart(w, a.words[0])
		if err != nil {
			return err
		}
		return judge(t, a)
	}
}

// eachToken judges the access token and then the refresh token.
func eachToken(judge func(which string, t *token, a arguments) error) func(context.Context, *scene.World,
	arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		for _, which := range []string{"access", "refresh"} {
			if p, err := tokens(w); err == nil && which == "refresh" && check.Opaque(p.RefreshToken) {
				return nil // the access token was judged
			}
			t, err := takenApart(w, which)
			if err != nil {
				return err
			}
			if err := judge(which, t, a); err != nil {
				return err
			}
		}
		return nil
	}
}

// belong compares the identity in tokens with that of the scenario.
func belong(w *scene.World, p *check.Pair, _ arguments) error {
	x, _ := w.Last() // which held the tokens
	return talk.Checking("tokens of the one who asked", func(e *talk.Expectations) {
		if w.Account != nil && w.Account.ID != "" && !w.Account.Guessed {
			assert.Equal(e, w.Account.ID, p.AccountID, "accountId of the answer")
			assert.Equal(e, w.Account.ID, p.Access.Account, "accountId of the access token")
			assert.Equal(e, w.Account.ID, p.Refresh.Account, "accountId of the refresh token")
		}
		if x.Known.ClientID != "" {
			assert.Equal(e, x.Known.ClientID, p.ClientID, "client_id of the answer")
			assert.Equal(e, x.Known.ClientID, p.Access.Device, "deviceId of the access token")
			assert.Equal(e, x.Known.ClientID, p.Refresh.Device, "deviceId of the refresh token")
		}
		assert.Equal(e, w.Tenant, p.Access.Tenant, "tenantId of the access token")
		assert.Equal(e, w.Tenant, p.Refresh.Tenant, "tenantId of the refresh token")
	})
}

// comparable are the claims that unchanged compares.
const comparable = `(?:accountId|deviceId|userId|tenantId|fixed_exp)`

// unchanged compares claims with those of the tokens before.
func unchanged(w *scene.World, p *check.Pair, a arguments) error {
	before := withOneVoice(w.Client.Previous)
	if before == nil {
		return talk.Unknownf("the client held no tokens before")
	}
	value := func(c check.Claims, name string) any {
		switch name {
		case "accountId":
			return c.Account
		case "deviceId":
			return c.Device
		case "userId":
			return c.User
		case "tenantId":
			return c.Tenant
		}
		return c.FixedExp
	}
	return talk.Checking("unchanged "+a.words[0], func(e *talk.Expectations) {
		for _, name := range claimNames(a.words[0]) {
			assert.Equal(e, value(before.Access, name), value(p.Access, name), "%s of the access token", name)
			assert.Equal(e, value(before.Refresh, name), value(p.Refresh, name), "%s of the refresh token", name)
		}
	})
}

// claimNames reads "accountId, deviceId and userId".
func claimNames(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(text, " and ", ","), func(r rune) bool { return r == ',' || r == ' ' })
}
