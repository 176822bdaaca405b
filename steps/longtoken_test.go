package steps_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestNoRoomForATokenTwice: tokens that are long stand twice in one of their near misses, for which a server may have
// no room. The others still show what they show; where there is room for none of them, nothing does.
func TestNoRoomForATokenTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		room int
		want reports.Verdict
	}{"for it once": {1100, reports.Partly}, "for hardly any": {200, reports.Error}} {
		t.Run(name, func(t *testing.T) {
			e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if len(r.Header.Get("Authorization")) > c.room && r.URL.Path == "/ags/signOut" {
						w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			report := run(t, steps.Options{Environment: e, Only: []string{"OUT-03"}, Tags: "@near-misses", Sleep: quick.Sleep})
			q := requirement(t, report, "OUT-03")
			assert.Equal(t, c.want, q.Verdict, q.Reason)
		})
	}
}
