package environment

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestShownHasNoKeysThatSayNothing: what is shown of a small file is what it says and the defaults that apply, and a
// situation with something in it stays.
func TestShownHasNoKeysThatSayNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, want string }{
		"nothing beside the address": {"name: a\nurl: http://127.0.0.1:1\nsituations: {active: {}}\nload: {clients: {}}\n",
			"name: a\nurl: http://127.0.0.1:1\nauthorization: bearer\nclockSkew: 2m0s\n"},
		"one situation of two": {"name: a\nurl: http://127.0.0.1:1\nsituations: {active: {clientId: PUB_989}, spare-device: {}}\n",
			"name: a\nurl: http://127.0.0.1:1\nauthorization: bearer\nclockSkew: 2m0s\nsituations:\n  active:\n    clientId: PUB_989\n"},
	} {
		e, err := Parse([]byte(test.file), "f.yaml", ".", func(string) (string, bool) { return "", false })
		require.NoError(t, err, name)
		shown, err := e.Shown()
		require.NoError(t, err, name)
		assert.Equal(t, test.want, string(shown), name)
	}
}
