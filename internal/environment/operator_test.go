package environment

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperatorKeys(t *testing.T) {
	read := func(text, secret string) (*Environment, error) {
		return Parse([]byte("url: https://ags.example\noperator: {secret: \"${S}\""+text+"}\n"), "env.yaml", ".", variables("S", secret))
	}
	for _, test := range []struct{ more, secret, key string }{
		{"", "plain", "plain"},
		{", encoding: text", "plain", "plain"},
		{", encoding: hex", "00fFa0", "\x00\xff\xa0"},
		{", encoding: base64", "AP+/+g==", "\x00\xff\xbf\xfa"},
		{", encoding: base64", "AP-_-g", "\x00\xff\xbf\xfa"},
	} {
		e, err := read(test.more, test.secret)
		require.NoError(t, err)
		key, err := e.Operator.Key()
		require.NoError(t, err)
		assert.Equal(t, test.key, string(key))
	}
	e, err := read("", "plain")
	require.NoError(t, err)
	assert.Equal(t, "HS256", e.Operator.Signing())
	assert.Equal(t, 5*time.Minute, e.Operator.Life())
	e, err = read(", alg: HS512, lifetime: 1m", "hidden-plain")
	require.NoError(t, err)
	assert.Equal(t, "HS512", e.Operator.Signing())
	assert.Equal(t, time.Minute, e.Operator.Life())
	require.NotEmpty(t, e.Warnings())
	assert.Contains(t, e.Warnings()[0], "env.yaml:2: operator.secret has 12 bytes; HS512 wants at least 64")
	for text, want := range map[string]string{
		", encoding: hex":    "env.yaml:2: operator.secret: is no text in hexadecimal digits",
		", encoding: base64": "env.yaml:2: operator.secret: is no text in base64",
		", encoding: utf":    "env.yaml:2: operator.encoding: must be one of text, base64, hex",
		", alg: RS256":       "env.yaml:2: operator.alg: is RS256; it must be one of HS256, HS384, HS512",
		", lifetime: 2d":     "must be a time with its unit",
		", lifetime: 48h":    "env.yaml:2: operator.lifetime: must be between 1s and 24h",
	} {
		_, err := read(text, "hidden-plain!")
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "hidden")
	}
}

// TestClaimsThatCannotWork are refused: each claim has one place that says it.
func TestClaimsThatCannotWork(t *testing.T) {
	for said, want := range map[string]string{
		"claimNames: {account: a, tenant: a}":             "gives account and tenant the same name",
		"claimNames: {account: aud}":                      "aud is a claim of its own",
		"claims: {exp: 12}":                               "must not hold the claims of account and tenant and exp",
		"claims: {OpfAccountId: 12}":                      "must not hold the claims of account and tenant and exp",
		"claimNames: {tenant: realm}, claims: {realm: x}": "must not hold the claims of account and tenant and exp",
		"claims: [a]":                                     "operator.claims must be keys with values",
		"claims: {iss: \"${NAME}\"}":                      "${NAME} is not read here",
	} {
		_, err := Parse([]byte("url: http://127.0.0.1:1\noperator: {secret: \"0123456789abcdef0123456789abcdef\", "+said+"}\n"), "env.yaml", t.TempDir(), func(string) (string, bool) { return "x", true })
		assert.ErrorContains(t, err, want, said)
	}
}
