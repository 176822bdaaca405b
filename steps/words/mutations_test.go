package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
)

// TestMutationsAreReadable: every generated change can be told in words and made smaller until it cannot.
func TestMutationsAreReadable(t *testing.T) {
	for _, o := range ags.Operations {
		for seed := range 200 {
			m := mutationsOf(o.Name, []string{"username"}).Example(seed)
			assert.NotContains(t, m.String(), "%", m.Kind)
			assert.NotEmpty(t, m.String())
		}
	}
	list := []mutation{{Kind: "deep", At: "parameters", Size: 40}, {Kind: "null", At: "clientId", Size: 3}}
	candidates := shorter(list)
	require.Len(t, candidates, 3)
	assert.Equal(t, []mutation{{Kind: "null", At: "clientId", Size: 3}}, candidates[0])
	assert.Equal(t, 20, candidates[2][0].Size)
	assert.Empty(t, shorter([]mutation{{Kind: "null", At: "clientId", Size: 3}}))
}
