package steps_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestTheOperatorMayCallAnAccountOtherwise: an account has several ids, and no page says which of them an
// OperatorAuthToken names. Where the file tells that one alone, another one in the tokens is no miss; where they are
// the same, they are held against each other.
func TestTheOperatorMayCallAnAccountOtherwise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prefix, fault string
		want          reports.Verdict
	}{
		"another kind of id":  {"OPF-", "", reports.Skipped},
		"the same id":         {"", "", reports.Pass},
		"a told id that lies": {"", "session-other-account", reports.Skipped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := mock.Config{Behaviour: mock.Behaviour{OperatorAccountPrefix: c.prefix}}
			if c.fault != "" {
				config.Faults = []mock.Fault{fault(t, c.fault)}
			}
			e, end, err := started(config, itself)
			require.NoError(t, err)
			defer end()
			e.Mock, e.Operator.Account = nil, c.prefix+e.Operator.Account
			active := e.Situations["active"]
			active.AccountID = ""
			e.Situations = map[string]environment.Situation{"active": active}
			report := run(t, steps.Options{Environment: e, Only: []string{"SOST-22", "GST-13", "REF-12"}})
			assert.Equal(t, c.want, requirement(t, report, "SOST-22").Verdict, requirement(t, report, "SOST-22").Reason)
			if c.fault == "" {
				assert.NotEqual(t, reports.Fail, report.Verdict, report.Reason)
			}
		})
	}
}

// TestAUsedUpTokenShowsNothingOfTheForm: if a session token of the file works once, a 400 to its second use does not
// refuse the fault of the request, even if used tokens are bad requests.
func TestAUsedUpTokenShowsNothingOfTheForm(t *testing.T) {
	t.Parallel()
	e, end, err := started(mock.Config{Faults: []mock.Fault{fault(t, "session-service-not-needed")}, Behaviour: mock.Behaviour{UsedSession: 400}}, itself)
	require.NoError(t, err)
	defer end()
	active := e.Situations["active"]
	active.SessionToken = mintSessionToken(t, e)
	e.Situations["active"], e.Operator, e.Mock = active, nil, nil
	report := run(t, steps.Options{Environment: e, Only: []string{"SOST-01", "SOST-05"}, Concurrency: 1})
	assert.NotContains(t, []reports.Verdict{reports.Pass, reports.Partly}, requirement(t, report, "SOST-05").Verdict, requirement(t, report, "SOST-05").Reason)
}
