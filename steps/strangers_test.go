package steps_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestStrangersProveNoRefusal: a firewall that keeps bad tokens away from one call hides a service that would take
// them. Its answer looks unlike all others, so it could not be told whether the service refuses.
func TestStrangersProveNoRefusal(t *testing.T) {
	for name, block := range map[string]func(http.ResponseWriter){
		"page": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html><head><title>Request rejected</title></head><body>Support id 4711</body></html>")
		},
		"JSON": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"incident":"4711-0815","blocked":true}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault, has := mock.FaultByName("sign-out-any-signature")
			require.True(t, has)
			e, end, err := started(mock.Config{Faults: []mock.Fault{fault}}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					strange := strings.Contains(r.Header.Get("Authorization"), "..") || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey")
					if r.URL.Path == "/ags/signOut" && r.Header.Get("Authorization") != "" && strange {
						block(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			require.NoError(t, err)
			defer end()
			report := run(t, steps.Options{Environment: e, Only: []string{"OUT-02", "OUT-03", "REF-05", "REF-22", "SOST-05", "SOST-07", "SOST-14", "GST-04", "SUB-03"}, Tags: "not @near-misses and not @odd-input"})
			q := requirement(t, report, "OUT-03")
			assert.Equal(t, reports.Error, q.Verdict, q.Reason)
			assert.Contains(t, q.Reason, "looks unlike the refusals of all other calls")
			assert.Equal(t, reports.Pass, requirement(t, report, "REF-05").Verdict)
		})
	}
}
