package failure

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearest(t *testing.T) {
	words := []string{"tenant", "service", "clientId", "suspended-account", "rate", "duration"}
	for word, want := range map[string]string{
		"tennant": "tenant", "client_id": "clientId", "suspended": "suspended-account", "reat": "rate", "druation": "duration", "zzzzzzzz": "", "": "",
	} {
		if word == "" {
			assert.Empty(t, Nearest("", nil))
			continue
		}
		assert.Equal(t, want, Nearest(word, words), word)
	}
}

func TestDidYouMean(t *testing.T) {
	words := []string{"tenant", "service"}
	assert.Equal(t, "did you mean tenant?", DidYouMean("tennant", words, "known are: tenant, service"))
	assert.Equal(t, "known are: tenant, service", DidYouMean("zzzzzzzz", words, "known are: tenant, service"))
	assert.Equal(t, "; the nearest is tenant", OrNearest("tennant", words))
	assert.Empty(t, OrNearest("zzzzzzzz", words))
}
