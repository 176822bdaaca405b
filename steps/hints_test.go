package steps_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestRefreshSendsWhatDiscoveryAsksFor: parameters of refresh and signOut are those of the operator (their pages show
// username). The suite sends those that discovery lists for these calls and the situation has.
func TestRefreshSendsWhatDiscoveryAsksFor(t *testing.T) {
	wanting := func(behind *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/ags/servicediscovery":
				answer := httptest.NewRecorder()
				behind.ServeHTTP(answer, r)
				var body map[string]any
				if json.Unmarshal(answer.Body.Bytes(), &body) == nil {
					services, _ := body["availableServices"].([]any)
					for _, s := range services {
						s.(map[string]any)["endpoints"] = append([]any{map[string]any{"name": "REFRESH", "path": "/refresh",
							"parameterProperties": []any{map[string]any{"name": "Subscriber", "mandatory": true, "isPassword": false}}}}, s.(map[string]any)["endpoints"].([]any)...)
					}
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(answer.Code)
				_ = json.NewEncoder(w).Encode(body)
				return
			case "/ags/refresh":
				sent, _ := io.ReadAll(r.Body)
				var asked struct{ Parameters []struct{ Name string } }
				if json.Unmarshal(sent, &asked) == nil && len(asked.Parameters) == 0 {
					http.Error(w, `{"message":"Subscriber is missing"}`, http.StatusBadRequest)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(sent))
			}
			behind.ServeHTTP(w, r)
		})
	}
	for given, want := range map[bool]reports.Verdict{true: reports.Pass, false: reports.Fail} {
		report := conformed(t, mock.Config{}, wanting, func(o *steps.Options) {
			o.Only, o.Generate, o.Sequences = []string{"REF-01", "REF-18"}, 0, 0
			o.Environment.Mock = nil // as a live service
			if given {
				active := o.Environment.Situations["active"]
				active.Parameters = map[string]string{"subscriber": "1663"}
				o.Environment.Situations["active"] = active
			}
		})
		assert.Equal(t, want, requirementVerdicts(report)["REF-01"], "given: %t %+v", given, report.Causes)
	}
}
