package steps_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// terse refuses everything in one and the same way: 403 without a body.
func terse(s *mock.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		if answer.Code >= 400 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// aboutSituations are the requirements that stand or fall with a situation of the environment file.
var aboutSituations = []string{"DISC-02", "SOST-15", "SOST-17", "SOST-18", "SOST-32", "SSO-09", "SSO-16", "SUB-09", "GST-17", "REF-07", "DEV-03", "DEV-04", "DEV-05", "DEV-06", "DEV-07",
	"DEV-08", "DEV-09", "DEV-11", "DEV-12", "DEV-14", "ERR-01", "ERR-02", "ERR-04", "FLOW-11"}

// TestMadeUpSituationsProveNothing: a file in which every situation is invented ends without one pass among the
// requirements about situations, says which situations do nothing, and is not green.
func TestMadeUpSituationsProveNothing(t *testing.T) {
	e, end, err := started(mock.Config{}, terse)
	require.NoError(t, err)
	defer end()
	e.Mock = nil
	good := map[string]bool{"active": true, "credentials": true, "multi-account": true, "registration": true, "multi-registration": true}
	invented := 0
	for name, s := range e.Situations {
		if good[name] {
			continue
		}
		invented++
		for _, text := range []*string{&s.ClientID, &s.SessionToken, &s.RefreshToken, &s.AccountID, &s.Tenant} {
			if *text != "" {
				*text = "invented" + (*text)[len(*text)/2:]
			}
		}
		for p := range s.Parameters {
			s.Parameters[p] = "invented"
		}
		for h := range s.Headers {
			s.Headers[h] = "192.168.1.1"
		}
		e.Situations[name] = s
	}
	require.Equal(t, 18, invented)
	report := run(t, steps.Options{Environment: e})
	assert.NotEqual(t, reports.Pass, report.Verdict, report.Reason)
	for _, id := range aboutSituations {
		q := requirement(t, report, id)
		assert.NotContains(t, []reports.Verdict{reports.Pass, reports.Partly, reports.Warn}, q.Verdict, "%s: %s", id, q.Reason)
		if id == "DISC-02" { // no service can be found for a made-up tenant either
			assert.Equal(t, reports.Observed, q.Verdict, q.Reason)
			continue
		}
		if id != "SOST-17" && id != "ERR-01" && id != "ERR-02" { // a caller whom nobody shuts out is let in
			assert.Contains(t, []reports.Verdict{reports.Error, reports.Skipped}, q.Verdict, "%s: %s", id, q.Reason)
		}
	}
	at := slices.IndexFunc(report.Notes, func(n string) bool {
		return strings.Contains(n, "these situations of the environment file may do nothing")
	})
	require.GreaterOrEqual(t, at, 0, "%v", report.Notes)
	for _, name := range []string{"cancelled-account", "deleted-device", "disabled-device", "expired-refresh", "expired-session", "foreign-device", "inactive-device",
		"suspended-account", "unapproved-device", "device-limit", "group-limit", "other-tenant"} {
		assert.Contains(t, report.Notes[at], name)
	}
}

// TestRealSituationsAreProven: the situations of the mock's file are real, and without the control interface each is
// told apart from a made-up one.
func TestRealSituationsAreProven(t *testing.T) {
	report := run(t, steps.Options{Environment: live(t, nil)})
	for _, id := range aboutSituations {
		q := requirement(t, report, id)
		assert.Contains(t, []reports.Verdict{reports.Pass, reports.Partly}, q.Verdict, "%s: %s", id, q.Reason)
	}
}

// TestOtherTenantWithoutAnAccount: no session token is asked for at another tenant for an account of the first.
func TestOtherTenantWithoutAnAccount(t *testing.T) {
	e := live(t, nil)
	s := e.Situations["other-tenant"]
	s.SessionToken, s.AccountID = "", ""
	e.Situations["other-tenant"] = s
	q := requirement(t, run(t, steps.Options{Environment: e, Only: []string{"FLOW-11"}}), "FLOW-11")
	assert.Equal(t, reports.Partly, q.Verdict, q.Reason)
}

// TestTenantWithoutServicesMayLookMadeUp: no service can be found for a made-up tenant either, so that the same answer
// is neither a pass nor amiss.
func TestTenantWithoutServicesMayLookMadeUp(t *testing.T) {
	e, end, err := started(mock.Config{Behaviour: mock.Behaviour{UnknownTenantEmpty: true}}, itself)
	require.NoError(t, err)
	defer end()
	e.Mock = nil
	report := run(t, steps.Options{Environment: e, Only: []string{"DISC-02", "DISC-01"}})
	q := requirement(t, report, "DISC-02")
	assert.Equal(t, reports.Observed, q.Verdict)
	assert.Equal(t, "status 404, and so does a made-up one", strings.Split(q.Reason, ": ")[0])
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
}

// TestDeviceThatThePlatformDoesNotKnow: a platform may know device classes of its own alone. Where the environment file
// describes no device, that is one thing that could not be told; where it does, a refusal is a miss.
func TestDeviceThatThePlatformDoesNotKnow(t *testing.T) {
	for _, c := range []struct {
		name, device string
		want, whole  reports.Verdict
	}{
		{"none described", "", reports.Error, reports.Error},
		{"a known one", `{"playoutDeviceClass":"ourBox"}`, reports.Pass, reports.Pass},
		{"an unknown one", `{"playoutDeviceClass":"theirBox"}`, reports.Fail, reports.Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, end, err := started(mock.Config{Behaviour: mock.Behaviour{DeviceClass: "ourBox"}}, itself)
			require.NoError(t, err)
			defer end()
			e.Mock, e.DeviceInformation = nil, environment.JSON(c.device)
			report := run(t, steps.Options{Environment: e})
			q := requirement(t, report, "SOST-02")
			assert.Equal(t, c.want, q.Verdict, q.Reason)
			assert.Equal(t, c.whole, report.Verdict, report.Reason)
			if c.want != reports.Error {
				return
			}
			assert.Equal(t, "the service refuses the device that agstest describes (status 400): give deviceInformation in the environment file, "+
				"with a playoutDeviceClass that the platform knows", q.Reason)
			assert.Zero(t, report.Counts.Requirements[reports.Fail])
			var dark []reports.Cause
			for _, cause := range report.Causes {
				if cause.Verdict == reports.Error {
					dark = append(dark, cause)
				}
			}
			require.Len(t, dark, 1)
			assert.Greater(t, len(dark[0].Requirements), 20)
		})
	}
}

// TestSignOnThatWasThrottledAfterTheAct: an answer 429 may come after the call was carried out, and its session token
// is used up then. The sign-on is made again with a fresh one, and nothing fails for it.
func TestSignOnThatWasThrottledAfterTheAct(t *testing.T) {
	for _, alone := range []bool{false, true} {
		var calls atomic.Int64
		e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/ags/signOnWithSessionToken" || calls.Add(1)%5 != 2 {
					s.ServeHTTP(w, r)
					return
				}
				s.ServeHTTP(httptest.NewRecorder(), r)
				w.WriteHeader(http.StatusTooManyRequests)
			})
		})
		require.NoError(t, err)
		if alone {
			e.Mock = nil
		}
		report := run(t, steps.Options{Environment: e, Concurrency: 1, Only: []string{"SOST-01", "SOST-02", "SOST-21", "SOST-33", "DEV-01", "DEV-22", "FLOW-02"}})
		end()
		assert.Greater(t, calls.Load(), int64(8))
		assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	}
}

// TestRefusalNeedsAControl: where no good request of a call is accepted, a refusal of a bad one shows nothing.
func TestRefusalNeedsAControl(t *testing.T) {
	for _, c := range []struct {
		operation, id, only string
	}{
		{"getSessionToken", "GST-04", "GST-04"}, {"refresh", "REF-05", "REF-05"}, {"signOut", "OUT-03", "OUT-03"}, {"signOn", "SSO-08", "SSO-08"},
		{"subsequentSignOn", "SUB-03", "SUB-03"}, {"register/tvkey", "REG-04", "REG-04"},
	} {
		t.Run(c.operation, func(t *testing.T) {
			front := func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasPrefix(r.URL.Path, "/ags/"+c.operation) && (r.URL.Path != "/ags/signOnWithSessionToken") {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					s.ServeHTTP(w, r)
				})
			}
			for _, live := range []bool{false, true} {
				e, end, err := started(mock.Config{}, front)
				require.NoError(t, err)
				defer end()
				if live {
					e.Mock = nil
				}
				o := quick
				o.Environment, o.Only = e, []string{c.only}
				report, err := steps.Run(t.Context(), o)
				if live && c.operation == "getSessionToken" { // the diagnosis has looked at the operator before
					require.ErrorContains(t, err, "operator.secret")
				} else {
					require.NoError(t, err)
					assert.NotEqual(t, reports.Pass, requirement(t, report, c.id).Verdict)
				}
				o.Environment = service(t, mock.Config{})
				if live {
					o.Environment.Mock = nil
				}
				q := requirement(t, run(t, o), c.id)
				assert.Contains(t, []reports.Verdict{reports.Pass, reports.Partly}, q.Verdict, "%s: %s", c.id, q.Reason)
			}
		})
	}
}

// TestHarmlessChangesNeedAControl: a session token of the environment file that nobody issued is refused with a
// documented request and with one that is written in another way. Neither says anything of the service.
func TestHarmlessChangesNeedAControl(t *testing.T) {
	for _, token := range []string{"", "agstest-made-up-session-token"} {
		e, end, err := started(mock.Config{}, itself)
		require.NoError(t, err)
		defer end()
		e.Mock = nil
		if token != "" {
			e.Operator = nil
			slip(e, func(s *environment.Situation) { s.SessionToken = token })
		}
		o := quick
		o.Environment, o.Only = e, []string{"SOST-26", "SOST-28"}
		report := run(t, o)
		for _, id := range o.Only {
			if verdict := requirement(t, report, id).Verdict; token == "" {
				assert.Equal(t, reports.Pass, verdict)
			} else {
				assert.NotContains(t, []reports.Verdict{reports.Pass, reports.Partly, reports.Fail}, verdict, "%s: %s", id, report.Reason)
			}
		}
	}
}

// TestLimitersProveNothing: the answer of a limiter or a proxy is neither a pass nor a failure of anything.
func TestLimitersProveNothing(t *testing.T) {
	for _, status := range []int{429, 503, 529, 407, 408} {
		front := func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/ags/refresh" || r.URL.Path == "/ags/getSessionToken" {
					w.WriteHeader(status)
					return
				}
				s.ServeHTTP(w, r)
			})
		}
		for _, live := range []bool{false, true} {
			e, end, err := started(mock.Config{Faults: []mock.Fault{fault(t, "refresh-any-signature"), fault(t, "get-session-any-audience")}}, front)
			require.NoError(t, err)
			defer end()
			if live {
				e.Mock = nil
			}
			o := quick
			o.Environment, o.Only = e, []string{"REF-01", "REF-04", "REF-05", "REF-07", "REF-22", "GST-01", "GST-06", "GST-11"}
			report := run(t, o)
			assert.Equal(t, reports.Error, report.Verdict, report.Reason)
			for _, id := range o.Only {
				q := requirement(t, report, id)
				assert.Equal(t, reports.Error, q.Verdict, "%d: %s: %s", status, id, q.Reason)
			}
		}
	}
}

// TestWhatIsOnTheWayProvesNothing: a refusal of the form by something before the service, or of the route, is not a
// refusal by the call.
func TestWhatIsOnTheWayProvesNothing(t *testing.T) {
	for _, status := range []int{405, 413, 431} {
		front := func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("x-auth-service-id") == "" && r.Method == http.MethodPost {
					w.WriteHeader(status)
					return
				}
				s.ServeHTTP(w, r)
			})
		}
		e, end, err := started(mock.Config{}, front)
		require.NoError(t, err)
		defer end()
		report := run(t, steps.Options{Environment: e, Only: []string{"SOST-05", "REF-19", "OUT-04", "GST-11"}})
		for _, id := range []string{"SOST-05", "REF-19", "OUT-04", "GST-11"} {
			q := requirement(t, report, id)
			assert.Equal(t, reports.Error, q.Verdict, "%d: %s: %s", status, id, q.Reason)
		}
	}
}

// TestTimesAreLookedAtLater: on a live service the run waits once for all that only time shows, and a service that
// moves the end of the session at each refresh is caught; without patience nothing is said of it.
func TestTimesAreLookedAtLater(t *testing.T) {
	for _, c := range []struct {
		fault, id string
	}{{"refresh-extends-fixed-end", "REF-10"}, {"refresh-old-times", "REF-09"}, {"", "REF-10"}} {
		t.Run(cmpName(c.fault), func(t *testing.T) {
			t.Parallel() // it waits
			config := mock.Config{}
			if c.fault != "" {
				config.Faults = []mock.Fault{fault(t, c.fault)}
			}
			var refreshes atomic.Int64
			e, end, err := started(config, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/ags/refresh" {
						refreshes.Add(1)
					}
					s.ServeHTTP(w, r)
				})
			})
			require.NoError(t, err)
			defer end()
			e.Mock = nil
			o := steps.Options{Environment: e, Only: []string{"REF-02", "REF-09", "REF-10"}}
			without := run(t, o)
			hastily := refreshes.Swap(0)
			o.Patience = 5 * time.Second
			report := run(t, o)
			assert.Equal(t, hastily+1, refreshes.Load(), "all wait for one and the same")
			want := reports.Pass
			if c.fault != "" {
				want = reports.Warn // the rules about fixed_exp and exp are inferred
			}
			q := requirement(t, report, c.id)
			assert.Equal(t, want, q.Verdict, "%s: %s", c.fault, q.Reason)
			hasty := requirement(t, without, "REF-10")
			assert.Equal(t, reports.Skipped, hasty.Verdict, hasty.Reason)
		})
	}
}
