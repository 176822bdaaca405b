package steps_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestA503ThatPassesIsWarnedOf: it is waited out, the requirement about 5xx warns, and a note tells how often it came.
// One that tells of a limit on the rate warns of nothing.
func TestA503ThatPassesIsWarnedOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(http.Header)
		want  reports.Verdict
	}{
		"nothing tells of a limit": {func(http.Header) {}, reports.Warn},
		"Retry-After":              {func(h http.Header) { h.Set("Retry-After", "0") }, ""},
		"RateLimit":                {func(h http.Header) { h.Set("RateLimit-Policy", "100;w=1") }, ""},
		"X-RateLimit":              {func(h http.Header) { h.Set("X-Ratelimit-Remaining", "0") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			refreshes := 0
			e, end, err := started(mock.Config{}, refreshesBehind(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if refreshes++; refreshes == 1 {
					c.spoil(w.Header())
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			}))
			require.NoError(t, err)
			defer end()
			report := run(t, steps.Options{Environment: e, Features: oneRefresh, Tags: "@once", Seed: 3, Sleep: quick.Sleep})
			assert.Equal(t, reports.Pass, report.Verdict)
			got := reports.Verdict("")
			for _, q := range report.Requirements {
				if q.ID == "ERR-08" {
					got = q.Verdict
				}
			}
			notes := strings.Join(report.Notes, "\n")
			assert.Contains(t, notes, "1 answer 503 came and was waited out (refresh)")
			assert.Equal(t, c.want == reports.Warn, strings.Contains(notes, "503 came as the first answer to 1 in "), notes)
			assert.Equal(t, c.want, got)
			if c.want == reports.Warn {
				require.Len(t, report.Causes, 1)
				assert.Contains(t, report.Causes[0].Sentence(), "status 503, in which nothing tells of a limit on the rate")
			}
		})
	}
}
