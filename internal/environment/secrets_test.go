package environment

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	text, err := yaml.Marshal(e.redacted())
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
	assert.Equal(t, `env.yaml:2: secrets are written in clear: headers.Authorization (line 2), operator.secret (line 3), situations.active.sessionToken (line 5) and 2 more; keep them out of the file with "${NAME}", or say with !secret that they belong there`, warning)
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
	assert.Equal(t, []string{"a1b2c3d4e5f6-", "a1b2c3d4e5f6"}, e.Secrets())
	assert.Equal(t, "[secret, from ${PREFIX}]{n}", e.redacted().Load.Clients.SessionToken)
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

func TestWhateverComesFromAVariableIsASecret(t *testing.T) {
	text := `url: "https://${HOST}/x"
tenant: "${TENANT}"
headers: {Ocp-Apim-Subscription-Key: "${GATEWAY_KEY}", X-Public: !public "${SHOWN}", X-Key: !secret in-the-file-itself, X-Plain: plain}
situations: {vpn: {proxy: "http://${PROXY_HOST}:3128"}}
load: {maxRate: "${RATE}", clients: {count: "${COUNT}", clientId: "C{n}"}}
`
	e, err := Parse([]byte(text), "env.yaml", ".", variables("HOST", "hidden.example", "TENANT", "hidden-tenant", "GATEWAY_KEY", "gateway-key-1", "SHOWN", "shown-value", "PROXY_HOST", "hidden-proxy", "RATE", "500/s", "COUNT", "2000"))
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"hidden.example", "hidden-tenant", "gateway-key-1", "in-the-file-itself", "hidden-proxy"}, e.Secrets())
	assert.Equal(t, []string{"COUNT", "GATEWAY_KEY", "HOST", "PROXY_HOST", "RATE", "TENANT"}, e.SecretVariables())
	shown := e.redacted()
	assert.Equal(t, "https://[secret, from ${HOST}]/x", shown.URL)
	assert.Equal(t, map[string]string{"Ocp-Apim-Subscription-Key": "[secret, from ${GATEWAY_KEY}]", "X-Public": "shown-value", "X-Key": "[secret, in clear in the file]", "X-Plain": "plain"}, shown.Headers)
	assert.Equal(t, "http://[secret, from ${PROXY_HOST}]:3128", shown.Situations["vpn"].Proxy)
	assert.Empty(t, e.Warnings())

	portable, err := e.Portable()
	require.NoError(t, err)
	assert.NotContains(t, string(portable.Text), "in-the-file-itself")
	assert.Contains(t, string(portable.Text), "shown-value")
}

func TestNameFromAVariableIsNotShown(t *testing.T) {
	e, err := Parse([]byte("name: \"${NAME}\"\nurl: https://ags.example\n"), "staging.yaml", ".", variables("NAME", "hidden-name"))
	require.NoError(t, err)
	assert.Equal(t, "staging", e.Name)
	assert.Equal(t, []string{"hidden-name"}, e.Secrets())
	assert.Contains(t, strings.Join(e.Warnings(), ""), "staging.yaml:1: what comes from ${NAME} counts as secret")
	e, err = Parse([]byte("name: !public \"${NAME}\"\nurl: https://ags.example\n"), "staging.yaml", ".", variables("NAME", "shown-name"))
	require.NoError(t, err)
	assert.Equal(t, "shown-name", e.Name)
	assert.Empty(t, e.Secrets())
}

func TestOnlyTwoTagsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"url: !other https://x.example\n":                   "the tags of environment files are !secret and !public",
		"url: https://x.example\nheaders: !secret {A: b}\n": "stands before a single value",
		"url: https://x.example\ntenant: !secret\n":         "stands before a value",
		"url: https://x.example\nheaders: &a {A: b}\n":      "anchors, aliases",
	} {
		_, err := Parse([]byte(text), "env.yaml", ".", variables())
		assert.ErrorContains(t, err, want, text)
	}
}

// TestWhatGoesInClearIsWarnedAbout: an address off this machine without TLS, and a file of a secret that others may
// read.
func TestWhatGoesInClearIsWarnedAbout(t *testing.T) {
	for address, warned := range map[string]bool{"http://ags.example": true, "https://ags.example": false, "http://127.0.0.1:80": false} {
		e, err := Parse([]byte("url: "+address+"\n"), "env.yaml", ".", variables())
		require.NoError(t, err)
		text := strings.Join(e.Warnings(), "\n")
		assert.Equal(t, warned, strings.Contains(text, "env.yaml:1: url starts with http://, so tokens and passwords go over the network in clear"), "%s: %s", address, text)
	}
	if runtime.GOOS == "windows" {
		return // modes say nothing there
	}
	folder := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(folder, "operator.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		require.NoError(t, os.Chmod(file, mode))
		e, err := Parse([]byte("url: https://ags.example\noperator: {alg: ES256, key: operator.pem}\n"), "env.yaml", folder, variables())
		require.NoError(t, err)
		text := strings.Join(e.Warnings(), "\n")
		assert.Equal(t, warned, strings.Contains(text, "may be read by others (mode "), "%04o: %s", mode, text)
	}
}

func TestNamesOfSecretHeaders(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]bool{
		"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "X-Auth": true, "X-Auth-Token": true, "DD-API-KEY": true, "api_key": true,
		"Ocp-Apim-Subscription-Key": true, "x-functions-key": true, "X-Signature": true, "X-Credential": true, "X-Client-Secret": true, "key": true,
		"x-auth-service-id": false, "nv-tenant-id": false, "X-Partition-Key": false, "X-Author": false, "User-Agent": false, "": false,
	} {
		assert.Equal(t, secret, SecretHeader(name), name)
	}
}
