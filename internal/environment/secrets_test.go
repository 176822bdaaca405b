package environment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedactedShowsNoSecret(t *testing.T) {
	e, err := Parse([]byte(whole), "staging.yaml", ".", wholeVariables())
	require.NoError(t, err)
	before := fmt.Sprintf("%+v", *e.Operator) + fmt.Sprint(e.Situations)
	text, err := yaml.Marshal(e.Redacted())
	require.NoError(t, err)
	for _, secret := range e.Secrets() {
		assert.NotContains(t, string(text), secret)
	}
	assert.Contains(t, string(text), "[secret, from ${AGS_OPERATOR_SECRET}]")
	assert.Contains(t, string(text), "user:[secret, in clear in the file]@127.0.0.1")
	assert.Contains(t, string(text), "username: dave\n", "a user name written in the file is no secret")
	assert.Equal(t, before, fmt.Sprintf("%+v", *e.Operator)+fmt.Sprint(e.Situations), "the original is untouched")
}

func TestSecretsInClearAreWarnedAbout(t *testing.T) {
	text := `url: https://ags.example
headers: {Authorization: Basic abcdef, X-Env: one}
operator: {secret: in-the-clear}
situations:
  active: {sessionToken: st-1, clientId: c}
  credentials: {parameters: {username: dave, password: hunter2}}
  registration: {type: tvkey, parameters: {login: dave, word: swordfish}, passwordParameter: WORD}
  expired-refresh: {refreshToken: "${OLD}"}
`
	e, err := Parse([]byte(text), "env.yaml", ".", variables("OLD", "old"))
	require.NoError(t, err)
	require.Len(t, e.Warnings(), 1)
	warning := e.Warnings()[0]
	assert.Equal(t, `env.yaml:2: secrets are written in clear: headers.Authorization (line 2), operator.secret (line 3), situations.active.sessionToken (line 5), 2 more; keep them out of the file with "${NAME}"`, warning)
	for _, secret := range e.Secrets() {
		assert.NotContains(t, warning, secret)
	}
	assert.ElementsMatch(t, []string{"Basic abcdef", "in-the-clear", "hunter2", "swordfish", "st-1", "old"}, e.Secrets())
}

func TestAbilitiesSayWhatIsMissing(t *testing.T) {
	text := `url: https://ags.example
situations:
  active: {clientId: c}
  geo-blocked: {clientId: c}
  deleted-device: {clientId: d}
`
	e, err := Parse([]byte(text), "env.yaml", ".", variables())
	require.NoError(t, err)
	byName := map[string]Ability{}
	for _, a := range e.Abilities() {
		byName[a.Name] = a
		assert.Equal(t, a.Offered, a.Missing == "", a.Name)
		assert.NotEmpty(t, a.Allows, a.Name)
	}
	for _, name := range SituationNames {
		assert.Contains(t, byName, name)
		assert.True(t, strings.HasPrefix(byName[name].Example, name+": {"), name)
	}
	assert.Equal(t, "situations.active: sessionToken (or operator with an account, to mint one)", byName["active"].Missing)
	assert.Equal(t, "situations.geo-blocked: headers or proxy", byName["geo-blocked"].Missing)
	assert.True(t, byName["deleted-device"].Offered)
	assert.Equal(t, "situations.vpn", byName["vpn"].Missing)
	assert.False(t, byName["operator"].Offered)
}

func TestWhatSessionTokensOfALoadHaveInCommonIsASecret(t *testing.T) {
	text := "url: https://ags.example\nload: {clients: {count: 9, clientId: \"C{n}\", sessionToken: \"${PREFIX}-{n}\"}}\n"
	e, err := Parse([]byte(text), "env.yaml", ".", variables("PREFIX", "a1b2c3d4e5f6"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a1b2c3d4e5f6-"}, e.Secrets())
	assert.Equal(t, "[secret, from ${PREFIX}]{n}", e.Redacted().Load.Clients.SessionToken)
	assert.Empty(t, e.Warnings())
}

func TestPasswordOfAProxyIsNotShownInAnyEscape(t *testing.T) {
	for _, test := range []struct{ address, want string }{
		{"http://user:p4ss@proxy.example:3128", "http://user:[x]@proxy.example:3128"},
		{"http://user:p4ss%2Fword%25@proxy.example:3128/", "http://user:[x]@proxy.example:3128/"},
		{"socks5://:p4ss@proxy.example", "socks5://:[x]@proxy.example"},
	} {
		if got := withPassword(test.address, "[x]"); got != test.want {
			t.Errorf("%s became %s, not %s", test.address, got, test.want)
		}
	}
}
