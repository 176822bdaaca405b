package environment

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFileThatDoesNotSayIsProtectedOffLoopback(t *testing.T) {
	for text, want := range map[string]bool{
		"url: https://api.prod.example":                   true,
		"url: https://api.prod.example\nprotected: false": false,
		"url: https://api.prod.example\nprotected: true":  true,
		"url: http://127.0.0.1:8080":                      false,
		"url: http://127.0.0.1:8080\nprotected: true":     true,
		"url: http://[::1]:8080":                          false,
		"url: http://localhost":                           false,
		"url: http://10.0.0.7":                            true,
		"url: http://localhost.example":                   true,
		"url: http://127.0.0.1.example":                   true,
		"url: http://api.prod.example\nmock: {url: 'http://127.0.0.1:1', token: some-token-of-it}": true,
	} {
		e, err := Parse([]byte(text+"\n"), "env.yaml", ".", variables())
		require.NoError(t, err, text)
		assert.Equal(t, want, e.Protected, text)
	}
}

func TestConsentIsBoundToTheHost(t *testing.T) {
	e, err := Parse([]byte("name: staging\nurl: https://API.Staging.example:8443/x\n"), "env.yaml", ".", variables())
	require.NoError(t, err)
	for _, yes := range [][]string{{"api.staging.example"}, {"api.staging.example:8443"}, {"other", "API.staging.EXAMPLE"}} {
		assert.NoError(t, e.Refusal("a load on it", yes, ""), yes)
	}
	assert.NoError(t, e.Refusal("a load on it", nil, "staging"), "the older way goes on working")
	for _, yes := range [][]string{{"staging"}, {"staging.example"}, {"api.staging.example:443"}, {""}} {
		assert.ErrorContains(t, e.Refusal("a load on it", yes, ""), `the service of the environment staging is at "api.staging.example:8443"; nothing was sent`, yes)
	}
	assert.EqualError(t, e.Refusal("a load on it", nil, ""), "the environment staging is protected, because its file does not say otherwise (protected: false) and its service is not on this machine: "+
		"a load on it needs its host given back, --yes api.staging.example:8443")
	assert.ErrorContains(t, e.Refusal("a load on it", nil, "prod"), "--yes-load says \"prod\"")
}

func TestPodsAreToldWhetherAServiceIsProtected(t *testing.T) {
	e, err := Parse([]byte("url: https://api.prod.example\nprotected: false\nlockout: 0\n"), "env.yaml", ".", variables())
	require.NoError(t, err)
	portable, err := e.Portable()
	require.NoError(t, err)
	again, err := Parse(portable.Text, "pod.yaml", ".", variables())
	require.NoError(t, err)
	assert.False(t, again.Protected)
	assert.Zero(t, again.Lockout)
}
