package steps

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestPlainHTTPIsAMiss: a service that is offered to others without TLS breaks GW-04; one on this machine says nothing about it. No test
// may talk to another machine, so the step is asked by itself.
func TestPlainHTTPIsAMiss(t *testing.T) {
	for address, want := range map[string]any{
		"https://ags.example.com":      nil,
		"HTTPS://ags.example.com/x":    nil,
		"http://ags.example.com":       &missed{expected: "an address that starts with https://", got: "http://ags.example.com"},
		"http://127.0.0.1.example.com": &missed{expected: "an address that starts with https://", got: "http://127.0.0.1.example.com"},
		"http://localhosts":            &missed{expected: "an address that starts with https://", got: "http://localhosts"},
		"http://127.0.0.1:8080":        &notTestable{},
		"http://localhost:8080":        &notTestable{},
		"http://[::1]:8080":            &notTestable{},
	} {
		found := false
		for _, p := range compiled {
			if p.Text != "the service is offered over https" {
				continue
			}
			found = true
			err := p.do(context.Background(), &world{run: &run{environment: &environment.Environment{URL: address}}}, arguments{})
			if want == nil {
				assert.NoError(t, err, address)
				continue
			}
			require.Error(t, err, address)
			assert.IsType(t, want, err, address)
			if miss, ok := want.(*missed); ok {
				assert.Equal(t, miss, err, address)
			}
		}
		require.True(t, found)
	}
}
