package steps_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestChangesThatDoNotFit: a change of something that the request does not have is an error that lists what it has. The
// suite does not send the request as documented instead, which would prove nothing.
func TestChangesThatDoNotFit(t *testing.T) {
	const signOn, refresh = "the client signs on with a session token and its clientId", "the client refreshes its tokens"
	for name, c := range map[string]struct{ given, change, when, says string }{
		"header":     {"a device of the account", `the next request has no header "x-auth-servce-id"`, signOn, `the request has no header "x-auth-servce-id" that could be left out; it has Accept, Content-Type, x-auth-service-id`},
		"member":     {"a device of the account", `the next request has no member "clientid"`, signOn, `the request has no member "clientid" that could be left out; it has parameters, clientId`},
		"parameter":  {"a device of the account", `the next request leaves out the parameter "password"`, signOn, `the request has no parameter "password" that could be left out; it has sessionToken`},
		"password":   {"a device of the account", "the next request has a wrong password", signOn, "the request has no password that could be wrong: only signOn and register have one"},
		"no token":   {"a device of the account", "the next request presents a token whose payload was changed", signOn, "the request has no token in Authorization that could be changed"},
		"unsigned":   {"a device of the account", "the next request presents an unsigned token", signOn, "no compact JWS whose signature could be taken away"},
		"used token": {"a client that is signed on", "the next request presents the refresh token that was used before", refresh, "let it refresh its tokens first"},
		"no pair":    {"a clientId that nobody has", "the next request presents the access token instead of the refresh token", signOn, "the client holds no tokens"},
		"operator":   {"a clientId that nobody has", "the access token of the client stands in place of the OperatorAuthToken", "the head-end system asks for a session token", "the client holds no tokens"},
		"no session": {"a device of the account", `the next request has the header "X-Session" with the value "{sessionToken}"`, signOn, "{sessionToken} stands for nothing: no step before gave the client one"},
		"no access":  {"a clientId that nobody has", `the next request has the member "x" with the value "{accessToken}"`, signOn, "{accessToken} stands for nothing"},
		"no refresh": {"a clientId that nobody has", `the next request has the parameter "x" with the value "{refreshToken}"`, signOn, "{refreshToken} stands for nothing"},
		"claim":      {"a device of the account", `the OperatorAuthToken has no claim "expiry"`, "the head-end system asks for a session token", `the OperatorAuthToken has no claim "expiry" that could be left out; it has typ, `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, steps.Options{Environment: service(t, mock.Config{}), Tags: "@mine", Features: own("Feature: Mine\n  @mine\n  Scenario: A change\n    Given an account in good standing\n" +
				"    And " + c.given + "\n    And " + c.change + "\n    When " + c.when + "\n    Then the service refuses\n")})
			assert.Equal(t, reports.Error, report.Verdict, report.Reason)
			require.Len(t, report.Scenarios, 1)
			assert.Contains(t, report.Scenarios[0].Reason, c.says)
		})
	}
	report := run(t, steps.Options{Environment: service(t, mock.Config{}), Tags: "@mine", Features: own("Feature: Mine\n  @mine\n  Scenario: Without what is not sent\n" +
		"    Given an account in good standing\n    And a device of the account\n    And the next request has no header \"nv-tenant-id\"\n    And the next request has no header \"nv-tenant-id\"\n" +
		"    When " + signOn + "\n    Then it is recorded how the service answers\n")})
	assert.Equal(t, reports.Pass, report.Verdict, "what a documented request may lack can be left out whether it is there or not: %s", report.Reason)
}

func own(text string) fstest.MapFS { return fstest.MapFS{"mine.feature": {Data: []byte(text)}} }
