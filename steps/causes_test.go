package steps_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// conformed runs the quick suite on a mock.
func conformed(t *testing.T, config mock.Config, around func(*mock.Server) http.Handler, change func(*steps.Options)) *reports.Conformance {
	t.Helper()
	if around == nil {
		around = func(behind *mock.Server) http.Handler { return behind }
	}
	e, end, err := started(config, around)
	require.NoError(t, err)
	defer end()
	o := quick
	o.Environment = e
	if change != nil {
		change(&o)
	}
	report, err := steps.Run(context.Background(), o)
	require.NoError(t, err)
	return report
}

func requirementVerdicts(report *reports.Conformance) map[string]reports.Verdict {
	verdicts := map[string]reports.Verdict{}
	for _, q := range report.Requirements {
		verdicts[q.ID] = q.Verdict
	}
	return verdicts
}

// TestOneCauseIsOneEntry: if every sign-on with a known device is refused, one thing is wrong. Scenarios that start
// with such a sign-on could not tell; they did not fail.
func TestOneCauseIsOneEntry(t *testing.T) {
	report := conformed(t, mock.Config{Faults: []mock.Fault{fault(t, "session-nth-refused")}}, nil, nil)
	require.NotEmpty(t, report.Causes)
	cause := report.Causes[0]
	for _, other := range report.Causes[1:] { // what had no control, since nobody could sign on
		assert.Equal(t, reports.Error, other.Verdict, "%+v", other)
		assert.Less(t, len(other.Requirements), 5)
	}
	assert.Equal(t, reports.Fail, cause.Verdict)
	assert.Equal(t, ags.SignOnWithSessionToken, cause.Operation)
	assert.Equal(t, "status 403", cause.Got)
	assert.Greater(t, len(cause.Requirements), 40)
	assert.Contains(t, cause.Requirements, "SOST-01")
	verdicts := requirementVerdicts(report)
	assert.Equal(t, reports.Fail, verdicts["SOST-01"])
	for id, verdict := range verdicts {
		if strings.HasPrefix(id, "TOK-") {
			assert.NotEqual(t, reports.Fail, verdict, "%s failed because its background was refused", id)
		}
	}
	assert.Equal(t, reports.Error, verdicts["TOK-01"])
	var shown *reports.Exchange
	for _, s := range report.Scenarios {
		if s.ID == cause.Scenario {
			shown = &s.Transcript[cause.Exchange]
		}
	}
	require.NotNil(t, shown, "the evidence of the cause")
	assert.Equal(t, 403, shown.Status)
	assert.NotEmpty(t, shown.Correlation())
	assert.NotEmpty(t, shown.Curl)

	again := conformed(t, mock.Config{Faults: []mock.Fault{fault(t, "session-nth-refused")}}, nil, func(o *steps.Options) { o.Seed = 99 })
	assert.Equal(t, cause.ID, again.Causes[0].ID, "a cause has the same id in each run")
}

// TestAnotherParameterNameIsOneCause: the service takes the session token under a name that nobody told us.
func TestAnotherParameterNameIsOneCause(t *testing.T) {
	report := conformed(t, mock.Config{}, func(behind *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/signOnWithSessionToken" {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"message":"parameter opfToken is missing","code":400,"errorCode":400}`))
				return
			}
			behind.ServeHTTP(w, r)
		})
	}, nil)
	assert.Equal(t, reports.Fail, report.Verdict)
	require.NotEmpty(t, report.Causes)
	assert.Greater(t, len(report.Causes[0].Requirements), 50, "one cause has nearly all")
	failing := 0
	for _, c := range report.Causes {
		if c.Verdict == reports.Fail {
			failing++
		}
		t.Logf("%s %s %s: expected %s; got %s (%d requirements)", c.Verdict, c.ID, c.Operation, c.Expected, c.Got, len(c.Requirements))
	}
	assert.LessOrEqual(t, failing, 6)
}

// TestATokenThatCannotBeReadIsToldAsSuch: it is not a miss of each claim that is not found in it, nor of odd requests
// that are answered like any other.
func TestATokenThatCannotBeReadIsToldAsSuch(t *testing.T) {
	for name, about := range map[string]string{"token-opaque": "", "token-exp-text": "exp"} {
		report := conformed(t, mock.Config{Faults: []mock.Fault{fault(t, name)}}, nil, func(o *steps.Options) {
			o.Only = []string{"TOK-11", "TOK-12", "TOK-14", "TOK-16", "SOST-23", "GST-13", "FLOW-01", "FLOW-04", "ERR-08"}
		})
		assert.Equal(t, reports.Fail, report.Verdict)
		for _, c := range report.Causes {
			if c.Verdict != reports.Fail || strings.HasPrefix(c.Got, "status ") || strings.HasPrefix(c.Expected, "status ") {
				continue // the mock itself does not accept such a token any more
			}
			assert.NotContains(t, c.Got, `got ""`, c.Expected)
			assert.NotContains(t, c.Got, "s apart", c.Expected)
			assert.NotContains(t, c.Got, "in which", c.Expected)
			assert.Contains(t, c.Got, about)
			if about == "" {
				assert.Contains(t, c.Expected, "compact JWS", c.Got)
			}
		}
	}
}

// TestTamperedRequestsSayHow: the evidence of a request that was changed on purpose says what was changed.
func TestTamperedRequestsSayHow(t *testing.T) {
	report := conformed(t, mock.Config{Faults: []mock.Fault{fault(t, "get-session-any-audience")}}, nil, nil)
	found := false
	for _, s := range report.Scenarios {
		for _, x := range s.Transcript {
			found = found || x.Tampered != ""
		}
	}
	assert.True(t, found)
}

// TestKnownCause: a list of known departures may name a cause; all requirements that miss for it are known, also those
// that could not be told for it. A cause that nothing has any more is to be taken off the list.
func TestKnownCause(t *testing.T) {
	config := mock.Config{Faults: []mock.Fault{fault(t, "session-nth-refused")}}
	id := conformed(t, config, nil, nil).Causes[0].ID
	known := func(expires string) func(*steps.Options) {
		return func(o *steps.Options) {
			o.Only = []string{"SOST-01", "TOK-01"}
			o.Known = []steps.KnownDeparture{{ID: id, Reason: "a reason", Owner: "somebody", Expires: expires}}
			o.Now = func() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }
		}
	}
	report := conformed(t, config, nil, known("2030-05-01"))
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	verdicts := requirementVerdicts(report)
	assert.Equal(t, reports.Known, verdicts["SOST-01"])
	assert.Equal(t, reports.Known, verdicts["TOK-01"])
	require.NotNil(t, report.Causes[0].Known)
	assert.Equal(t, "somebody", report.Causes[0].Known.Owner)

	expired := conformed(t, config, nil, known("2030-04-30"))
	assert.Equal(t, reports.Fail, expired.Verdict)
	assert.Len(t, expired.ExpiredKnown(expired.Causes[0]), 1)
	stale := conformed(t, mock.Config{}, nil, func(o *steps.Options) {
		known("2031-01-01")(o)
		o.Only = nil // only a whole run can tell that nothing has the cause
	})
	assert.Equal(t, reports.Fail, stale.Verdict)
	assert.Contains(t, stale.Reason, "take it off the list")
}

// TestDiscoveryThatWantsATokenIsOneRequirement: where servicediscovery is refused without a token, DISC-03 fails, and
// what the list would have shown could not be told.
func TestDiscoveryThatWantsATokenIsOneRequirement(t *testing.T) {
	e := service(t, mock.Config{Faults: []mock.Fault{fault(t, "discovery-wants-token")}})
	e.Mock = nil
	o := quick
	o.Environment = e
	report := run(t, o)
	assert.Equal(t, reports.Fail, report.Verdict)
	var failed []string
	for _, q := range report.Requirements {
		if q.Verdict == reports.Fail {
			failed = append(failed, q.ID)
		}
	}
	assert.Equal(t, []string{"DISC-03"}, failed)
	assert.Contains(t, requirement(t, report, "DISC-07").Reason, "refused without a token")
}
