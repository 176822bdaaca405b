package steps_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
)

// TestAStatus503ToAGeneratedRequest: a 503 that comes from the number of requests says nothing of the service. A 503
// that comes from the request itself, and not to the documented one in between, is wrong as any other 5xx.
func TestAStatus503ToAGeneratedRequest(t *testing.T) {
	answers := func(full func(r *http.Request) bool) func(s *mock.Server) http.Handler {
		return func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/refresh") && full(r) {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				s.ServeHTTP(w, r)
			})
		}
	}
	var n atomic.Int64
	for name, c := range map[string]struct {
		full func(r *http.Request) bool
		want reports.Verdict
		says string
	}{
		"a limiter":          {func(*http.Request) bool { return n.Add(1) > 12 }, reports.Error, "there was no room for the call, which says nothing about it"},
		"a limiter by turns": {func(*http.Request) bool { i := n.Add(1); return i > 12 && i%7 != 0 }, reports.Error, "there was no room for the call, which says nothing about it"},
		"an odd request":     {func(r *http.Request) bool { return strings.Contains(recordBody(r), `"parameters":17`) }, reports.Fail, "status 503 came; request "},
	} {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			o := quick
			o.Environment, o.Tags, o.Generate, o.Seed = behind(t, mock.Config{}, answers(c.full)), "@generated", 150, 11
			report := run(t, o)
			assert.Equal(t, c.want, requirement(t, report, "ERR-08").Verdict)
			told := false
			for _, s := range report.Scenarios {
				for _, step := range s.Steps {
					told = told || strings.Contains(step.Message, c.says)
				}
			}
			assert.True(t, told, c.says)
		})
	}
}
