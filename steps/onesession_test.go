package steps_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestSequencesKnowServicesOfOneSession: a sign-on of a device may end the sessions of the others of its account. A
// refresh that is refused for another reason is still found, also beside that.
func TestSequencesKnowServicesOfOneSession(t *testing.T) {
	t.Parallel()
	for _, choice := range []string{"one-session-an-account", "one-device-an-account"} {
		for fault, want := range map[string]reports.Verdict{"": reports.Pass, "refresh-no-chain": reports.Fail} {
			t.Run(choice+" "+fault, func(t *testing.T) {
				t.Parallel()
				config := mock.Config{Choices: []mock.Choice{conformingChoice(t, choice)}}
				if f, has := mock.FaultByName(fault); has {
					config.Faults = []mock.Fault{f}
				} else {
					require.Empty(t, fault)
				}
				report := run(t, steps.Options{Environment: service(t, config), Tags: "@sequences or @REF-18", Sequences: 30, Seed: 3, Sleep: quick.Sleep})
				assert.Equal(t, want, report.Verdict, report.Reason)
				if want == reports.Fail {
					assert.Equal(t, want, requirement(t, report, "REF-18").Verdict)
					return
				}
				assert.Contains(t, strings.Join(report.Notes, "\n"), "a sign-on ends the sessions of the other devices of its account")
			})
		}
	}
}

// TestSessionTokensThatReplaceEachOther: where a new session token ends the one that its account had, few scenarios do
// not disturb each other either, whether the environment names a device or the run makes one.
func TestSessionTokensThatReplaceEachOther(t *testing.T) {
	t.Parallel()
	for name, only := range map[string][]string{"sign-ons": {"SOST-01", "SOST-02", "FLOW-02"}, "pairs": {"SOST-33", "DEV-01"}, "refreshes": {"REF-18", "OUT-09"}} {
		for _, concurrency := range []int{0, 1} {
			for _, named := range []bool{true, false} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					e := service(t, mock.Config{Choices: []mock.Choice{conformingChoice(t, "one-session-token-an-account")}})
					e.Mock = nil
					if !named {
						active := e.Situations["active"]
						active.ClientID = ""
						e.Situations["active"] = active
					}
					report := run(t, steps.Options{Environment: e, Only: only, Concurrency: concurrency, Sleep: quick.Sleep})
					assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
					if name == "pairs" {
						assert.Equal(t, reports.Skipped, requirement(t, report, "SOST-33").Verdict)
						assert.Contains(t, strings.Join(report.Notes, "\n"), "a new session token ends the one that its account had")
					}
				})
			}
		}
	}
}

// TestAPairThatIsHalfRefusedIsFound: where session tokens are good beside each other, the refusal of one of two clients
// is the service's fault.
func TestAPairThatIsHalfRefusedIsFound(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{0, 1} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			var firstTimes atomic.Int32
			e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					if strings.HasSuffix(r.URL.Path, "/signOnWithSessionToken") && bytes.Contains(body, []byte("deviceInformation")) && firstTimes.Add(1)%2 == 0 {
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(http.StatusUnauthorized)
						_, _ = w.Write([]byte(`{"code":20020,"message":"the session token is not good"}`))
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			require.NoError(t, err)
			t.Cleanup(end)
			e.Mock = nil
			report := run(t, steps.Options{Environment: e, Only: []string{"SOST-33"}, Concurrency: concurrency, Sleep: quick.Sleep})
			assert.Equal(t, reports.Fail, requirement(t, report, "SOST-33").Verdict, report.Reason)
		})
	}
}

// TestSessionsUpToALimit: a sign-on beyond the limit that tokens tell of may end the oldest session of the account,
// also where no device may be made to find that out. A refresh that is refused for another reason is still found.
func TestSessionsUpToALimit(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]reports.Verdict{"": reports.Pass, "refresh-no-chain": reports.Fail} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			config := mock.Config{Choices: []mock.Choice{conformingChoice(t, "sessions-limited")}}
			if f, has := mock.FaultByName(fault); has {
				config.Faults = []mock.Fault{f}
			}
			e := service(t, config)
			e.Mock, e.Allow.FirstTime = nil, false
			o := patient
			o.Environment = e
			report := run(t, o)
			assert.Equal(t, want, report.Verdict, "%s %+v", report.Reason, report.Causes)
			assert.Equal(t, want, requirement(t, report, "REF-18").Verdict)
		})
	}
}
