package words

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// TestPlainHTTPIsAMiss: a service that is offered to others without TLS breaks GW-04; one on this machine says nothing
// about it. No test may talk to another machine, so the step is asked by itself.
func TestPlainHTTPIsAMiss(t *testing.T) {
	for address, want := range map[string]any{
		"https://ags.example.com":      nil,
		"HTTPS://ags.example.com/x":    nil,
		"http://ags.example.com":       &talk.Missed{Expected: "an address that starts with https://", Got: "http://ags.example.com"},
		"http://127.0.0.1.example.com": &talk.Missed{Expected: "an address that starts with https://", Got: "http://127.0.0.1.example.com"},
		"http://localhosts":            &talk.Missed{Expected: "an address that starts with https://", Got: "http://localhosts"},
		"http://127.0.0.1:8080":        &talk.NotTestable{},
		"http://localhost:8080":        &talk.NotTestable{},
		"http://[::1]:8080":            &talk.NotTestable{},
	} {
		found := false
		for _, p := range All() {
			if p.Text != "the service is offered over https" {
				continue
			}
			found = true
			err := p.Do(context.Background(), &scene.World{Stage: &scene.Stage{Environment: &environment.Environment{URL: address}}}, arguments{})
			if want == nil {
				assert.NoError(t, err, address)
				continue
			}
			require.Error(t, err, address)
			assert.IsType(t, want, err, address)
			if miss, ok := want.(*talk.Missed); ok {
				assert.Equal(t, miss, err, address)
			}
		}
		require.True(t, found)
	}
}
