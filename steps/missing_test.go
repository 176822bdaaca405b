package steps_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/steps"
)

// TestWhoNeverAnswers404IsNoted: which of two documented refusals an unknown client gets is free, and that one of them
// never comes is told.
func TestWhoNeverAnswers404IsNoted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                     "",
		"strange-client-20005": "a client that does not exist is never answered with 404, which pages document for it, but with 403 (signOn, signOnWithSessionToken)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := mock.Config{}
			if h, is := mock.ChoiceByName(name); is {
				config.Choices = []mock.Choice{h}
			}
			report := conformed(t, config, nil, func(o *steps.Options) { o.Only = []string{"SOST-19", "SSO-10"} })
			notes := strings.Join(report.Notes, "\n")
			if want == "" {
				assert.NotContains(t, notes, "never answered with 404")
				return
			}
			require.Contains(t, notes, want)
		})
	}
}
