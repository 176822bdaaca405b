package steps_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
)

// TestWhereACallerSaysToBe: a blocked place in a header that a gateway replaces shows nothing; one behind a proxy does.
func TestWhereACallerSaysToBe(t *testing.T) {
	replaced := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Forwarded-For", "10.20.30.40")
			s.ServeHTTP(w, r)
		})
	}
	o := quick
	o.Environment, o.Only = behind(t, mock.Config{}, replaced), []string{"SOST-17"}
	q := requirement(t, run(t, o), "SOST-17")
	assert.Equal(t, reports.Error, q.Verdict, q.Reason)
	assert.Contains(t, q.Reason, "a gateway on the way may replace it; give situations.geo-blocked a proxy")

	o.Environment = behind(t, mock.Config{}, itself)
	assert.Equal(t, reports.Pass, requirement(t, run(t, o), "SOST-17").Verdict)

	o.Environment = service(t, mock.Config{Faults: []mock.Fault{fault(t, "session-location-ignored")}})
	assert.Equal(t, reports.Fail, requirement(t, run(t, o), "SOST-17").Verdict, "with the control interface the mock is asked directly")
}

// TestAnsweredFromACache: what a cache answered is told.
func TestAnsweredFromACache(t *testing.T) {
	cached := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/servicediscovery" {
				w.Header().Set("Age", "17")
				w.Header().Set("X-Varnish", "32770 3")
			}
			s.ServeHTTP(w, r)
		})
	}
	o := quick
	o.Environment, o.Only = behind(t, mock.Config{}, cached), []string{"DISC-01"}
	report := run(t, o)
	assert.Contains(t, report.Notes, "1 answer of servicediscovery was answered from a cache (Age 17, X-Varnish): what it says may be of another caller or time")
	o.Environment = behind(t, mock.Config{}, itself)
	for _, note := range run(t, o).Notes {
		assert.NotContains(t, note, "cache")
	}
}

// TestABlockedTesterIsNoWrongDevice: where this machine itself is in a blocked place, every sign-on is refused for that; no line of the file
// is wrong.
func TestABlockedTesterIsNoWrongDevice(t *testing.T) {
	o := quick
	o.Environment = behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Forwarded-For", "203.0.113.7")
			s.ServeHTTP(w, r)
		})
	})
	o.Only = []string{"SOST-01"}
	assert.NotEqual(t, reports.Pass, run(t, o).Verdict)
}
