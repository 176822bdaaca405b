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
