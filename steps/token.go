package steps

import (
	"context"
	"strings"

	"github.com/stretchr/testify/assert"

	"agstest/internal/check"
	"agstest/internal/strictjson"
)

// token is a token taken apart.
type token struct {
	header, claims *strictjson.Value
	signature      []byte
}

// tokens is what the client holds since the last answer, which must have given them.
func (w *world) tokens() (*check.Pair, error) {
	x, err := w.last()
	if err != nil {
		return nil, err
	}
	p, err := readPair(x)
	if err != nil {
		return nil, missf("an answer with tokens", "%v", err)
	}
	return p, nil
}

func (w *world) token(which string) (*token, error) {
	p, err := w.tokens()
	if err != nil {
		return nil, err
	}
	text := p.AccessToken
	if which == "refresh" {
		text = p.RefreshToken
	}
	jws, err := check.ParseJWS(text)
	if err != nil {
		return nil, missf("a compact JWS as "+which+" token", "%v", err)
	}
	claims, err := jws.Claims()
	if claims == nil {
		return nil, missf("JSON claims in the "+which+" token", "%v", err)
	}
	return &token{jws.Header, claims, jws.Signature}, nil
}

// withTokens judges the tokens that the last answer gave; without them the step is missed.
func withTokens(judge func(*world, *check.Pair, arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		p, err := w.tokens()
		if err != nil {
			return err
		}
		return judge(w, p, a)
	}
}

// oneToken judges the token that the sentence names first.
func oneToken(judge func(*token, arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		t, err := w.token(a.words[0])
		if err != nil {
			return err
		}
		return judge(t, a)
	}
}

// eachToken judges the access token and then the refresh token.
func eachToken(judge func(which string, t *token, a arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		for _, which := range []string{"access", "refresh"} {
			t, err := w.token(which)
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

// belong holds identity against what the scenario acts for.
func belong(w *world, p *check.Pair, _ arguments) error {
	x, _ := w.last() // which held the tokens
	return checking("tokens of the one who asked", func(e *expectations) {
		if w.account != nil && w.account.id != "" {
			assert.Equal(e, w.account.id, p.AccountID, "accountId of the answer")
			assert.Equal(e, w.account.id, p.Access.Account, "accountId of the access token")
			assert.Equal(e, w.account.id, p.Refresh.Account, "accountId of the refresh token")
		}
		if x.known.ClientID != "" {
			assert.Equal(e, x.known.ClientID, p.ClientID, "client_id of the answer")
			assert.Equal(e, x.known.ClientID, p.Access.Device, "deviceId of the access token")
			assert.Equal(e, x.known.ClientID, p.Refresh.Device, "deviceId of the refresh token")
		}
		assert.Equal(e, w.tenant, p.Access.Tenant, "tenantId of the access token")
		assert.Equal(e, w.tenant, p.Refresh.Tenant, "tenantId of the refresh token")
	})
}

// unchanged compares claims with those of the tokens before.
func unchanged(w *world, p *check.Pair, a arguments) error {
	before := w.client.previous
	if before == nil {
		return unknownf("the client held no tokens before")
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
		case "fixed_exp":
			return c.FixedExp
		}
		return nil
	}
	var unknownName string
	err := checking("unchanged "+a.words[0], func(e *expectations) {
		for _, name := range claimNames(a.words[0]) {
			if value(p.Access, name) == nil {
				unknownName = name
				return
			}
			assert.Equal(e, value(before.Access, name), value(p.Access, name), "%s of the access token", name)
			assert.Equal(e, value(before.Refresh, name), value(p.Refresh, name), "%s of the refresh token", name)
		}
	})
	if unknownName != "" {
		return unknownf("the claim %s cannot be compared; write accountId, deviceId, userId, tenantId or fixed_exp", unknownName)
	}
	return err
}

// claimNames reads "accountId, deviceId and userId".
func claimNames(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(text, " and ", ","), func(r rune) bool { return r == ',' || r == ' ' })
}
