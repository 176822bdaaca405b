package steps_test

import (
	"net/http"
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

// TestWhatIsNoRefusalIsNotNoted: an answer that never came, or a gateway's, does not tell how unknown clients are
// refused.
func TestWhatIsNoRefusalIsNotNoted(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"no answer": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"502":       pageOf(http.StatusBadGateway, "502 Bad Gateway"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if body := recordBody(r); strings.Contains(body, `"clientId":"`) && !strings.Contains(body, `"PUB_989"`) {
						answer(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			o := quick
			o.Environment, o.Tags, o.Retry, o.Generate, o.Sequences = e, "(@SOST-19 or @SSO-10) and not @near-misses and not @odd-input", 0, 0, 0
			assert.NotContains(t, strings.Join(run(t, o).Notes, "\n"), "never answered with 404")
		})
	}
}
