package steps_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
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

	for name, test := range map[string]struct {
		drop func(*environment.Environment)
		want reports.Verdict
		says string
	}{
		"refused with the credentials of the account": {func(*environment.Environment) {}, reports.Fail, "although the address in X-Forwarded-For is believed: signOn with the credentials from there is refused"},
		"the credentials are of somebody else": {func(e *environment.Environment) {
			user := e.Situations["credentials"]
			user.ClientID, user.AccountID = "OTH_1", "other"
			e.Situations["credentials"] = user
		}, reports.Error, "a gateway on the way may replace it"},
	} {
		e := service(t, mock.Config{Faults: []mock.Fault{fault(t, "session-location-ignored")}})
		e.Mock = nil
		test.drop(e)
		o.Environment = e
		q := requirement(t, run(t, o), "SOST-17")
		assert.Equal(t, test.want, q.Verdict, "%s: %s", name, q.Reason)
		assert.Contains(t, q.Reason, test.says, name)
	}

	o.Environment = service(t, mock.Config{Faults: []mock.Fault{fault(t, "session-location-ignored")}})
	assert.Equal(t, reports.Fail, requirement(t, run(t, o), "SOST-17").Verdict, "with the control interface the mock is asked directly")
}

// TestAnsweredFromACache: the report tells of answers from a cache.
func TestAnsweredFromACache(t *testing.T) {
	cached := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/servicediscovery" {
				w.Header().Set("Age", "17")
				w.Header().Set("X-Varnish", "32770 3")
				w.Header().Set("Via", "1.1 varnish (Varnish/7.1)")
				w.Header().Set("Cache-Control", "max-age=120")
			}
			s.ServeHTTP(w, r)
		})
	}
	o := quick
	o.Environment, o.Only = behind(t, mock.Config{}, cached), []string{"DISC-01"}
	report := run(t, o)
	assert.Contains(t, report.Notes, "1 answer of servicediscovery was answered from a cache (Age 17, X-Varnish, Via: 1.1 varnish (Varnish/7.1), Cache-Control: max-age=120): what it says may be of another caller or time")
	o.Environment = behind(t, mock.Config{}, itself)
	for _, note := range run(t, o).Notes {
		assert.NotContains(t, note, "cache")
	}
}

// TestABlockedTesterIsNoWrongDevice: where this machine itself is in a blocked place, every sign-on is refused for
// that; no line of the file is wrong.
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

// TestASharedCacheThatMixesTenantsUp: if the file names a service of the other tenant, the suite sees a cache that
// gives each tenant the first one's answer, and the note says that one answer went to several tenants.
func TestASharedCacheThatMixesTenantsUp(t *testing.T) {
	for name, mixes := range map[string]bool{"a cache that knows tenants": false, "a cache that does not": true} {
		t.Run(name, func(t *testing.T) {
			var first sync.Map
			cache := func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/ags/servicediscovery" {
						s.ServeHTTP(w, r)
						return
					}
					key := ""
					if tenant := r.Header.Get("nv-tenant-id"); !mixes {
						key = tenant
					}
					answer := httptest.NewRecorder()
					s.ServeHTTP(answer, r)
					body := answer.Body.String()
					if r.Header.Get("nv-tenant-id") == "acme" {
						body = strings.ReplaceAll(body, `"Operator SSO"`, `"Acme SSO"`)
					}
					kept, hit := first.LoadOrStore(key, body)
					if hit {
						w.Header().Set("Age", "3")
					}
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, kept.(string))
				})
			}
			o := quick
			o.Environment, o.Only = behind(t, mock.Config{}, cache), []string{"FLOW-11"}
			other := o.Environment.Situations["other-tenant"]
			other.Service = "Acme SSO"
			o.Environment.Situations["other-tenant"] = other
			report := run(t, o)
			missed, shared := false, false
			for _, f := range requirement(t, report, "FLOW-11").Findings {
				missed = missed || f.Expected == `the service "Acme SSO"` && strings.HasPrefix(f.Got, `for the tenant "acme": Operator SSO, `) &&
					strings.HasSuffix(f.Got, "; it was answered from a cache (Age 3), which keeps what another tenant was told")
			}
			for _, note := range report.Notes {
				shared = shared || strings.Contains(note, "; one answer went to 2 tenants")
			}
			assert.Equal(t, mixes, missed)
			assert.Equal(t, mixes, shared, "%v", report.Notes)
		})
	}
}

// TestUserOfAnotherAccount: a user whose device is not the one of situations.active may be of another account than the
// operator's.
func TestUserOfAnotherAccount(t *testing.T) {
	t.Parallel()
	for device, verdict := range map[string]reports.Verdict{"PUB_989": reports.Pass, "": reports.Skipped} {
		t.Run("the device "+device, func(t *testing.T) {
			t.Parallel()
			e := live(t, func(e *environment.Environment) {
				active := e.Situations["active"]
				e.Situations["active"], e.Operator.Account = e.Situations["foreign-device"], e.Situations["foreign-device"].AccountID
				e.Situations["foreign-device"] = active
				user := e.Situations["credentials"]
				user.ClientID, user.AccountID = device, ""
				e.Situations["credentials"] = user
			})
			q := requirement(t, run(t, steps.Options{Environment: e, Only: []string{"SSO-01"}}), "SSO-01")
			assert.Equal(t, verdict, q.Verdict, q.Reason)
		})
	}
}

// Services without a name are counted, where the names of all would be said.
func TestServicesWithoutANameAreCounted(t *testing.T) {
	t.Parallel()
	report := conformed(t, mock.Config{Faults: []mock.Fault{fault(t, "discovery-name-empty")}}, nil,
		func(o *steps.Options) { o.Only = []string{"FLOW-11"} })
	var got []string
	for _, f := range requirement(t, report, "FLOW-11").Findings {
		got = append(got, f.Got)
	}
	assert.Contains(t, got, `for the tenant "acme": 3 without a name`)
}
