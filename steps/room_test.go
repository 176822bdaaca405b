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

// TestALimitThatIsOneTooHighIsNoRoom: where the account is said to be full, another device fails whichever scenario
// meets it first, and the room that a disabled device leaves is shown by the refusal of the next one.
func TestALimitThatIsOneTooHighIsNoRoom(t *testing.T) {
	t.Parallel()
	off := mock.Config{Faults: []mock.Fault{fault(t, "device-limit-off-by-one")}}
	for name, o := range map[string]steps.Options{
		"n-th sign-on, live": {Only: []string{"DEV-04"}, Retry: 2},
		"room, mock":         {Only: []string{"DEV-13"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := service(t, off)
			if strings.HasSuffix(name, "live") {
				e.Mock = nil
			}
			o.Environment, o.Sleep, o.Generate, o.Sequences = e, quick.Sleep, 0, 0
			report := run(t, o)
			assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
			q := requirement(t, report, "DEV-03")
			assert.Equal(t, reports.Fail, q.Verdict, q.Reason)
			assert.Contains(t, q.Reason, "status 403 where the account has as many devices as it may")
			for _, q := range report.Requirements {
				assert.False(t, q.ID == "DEV-13" && q.Verdict == reports.Pass, q.Reason)
			}
		})
	}
}

// TestThePlatformRefusesInAFormOfItsOwn: a call around the service is another service's, and its refusals may look
// unlike those of this one.
func TestThePlatformRefusesInAFormOfItsOwn(t *testing.T) {
	t.Parallel()
	e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/adm/") && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ey") {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"fault":{"faultstring":"Invalid access token"}}`))
				return
			}
			s.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	defer end()
	report := run(t, steps.Options{Environment: e, Only: []string{"GW-01", "OUT-02", "OUT-03", "REF-05", "SOST-05", "SOST-07", "SOST-14", "GST-04", "SUB-03"}, Tags: "not @near-misses and not @odd-input", Generate: 0, Sleep: quick.Sleep})
	q := requirement(t, report, "GW-01")
	assert.Equal(t, reports.Warn, q.Verdict, q.Reason)
}

// TestWhichOfTwoRightAnswersCameIsTold: a requirement that leaves two statuses open says which one held.
func TestWhichOfTwoRightAnswersCameIsTold(t *testing.T) {
	t.Parallel()
	for code, choices := range map[string][]mock.Choice{"status 404": nil, "status 403": {conformingChoice(t, "unknown-client-403")}} {
		report := run(t, steps.Options{Environment: service(t, mock.Config{Choices: choices}), Only: []string{"SOST-19"}, Tags: "not @near-misses and not @odd-input", Sleep: quick.Sleep})
		q := requirement(t, report, "SOST-19")
		assert.Equal(t, reports.Pass, q.Verdict, q.Reason)
		assert.Contains(t, q.Reason, "holds: "+code)
	}
}

// TestTheAccountOfTheCompanionIsNamed: where the answer does not tell accountId, its access token does.
func TestTheAccountOfTheCompanionIsNamed(t *testing.T) {
	t.Parallel()
	e := service(t, mock.Config{Faults: []mock.Fault{fault(t, "session-no-account")}})
	e.Allow.Surroundings = true
	report := run(t, steps.Options{Environment: e, Only: []string{"FLOW-09"}, Sleep: quick.Sleep})
	for _, c := range report.Causes {
		assert.NotContains(t, c.Sentence(), "accountId ,")
	}
	assert.NotContains(t, requirement(t, report, "FLOW-09").Reason, "accountId ,")
}

func conformingChoice(t testing.TB, name string) mock.Choice {
	t.Helper()
	c, ok := mock.ChoiceByName(name)
	require.True(t, ok, name)
	return c
}
