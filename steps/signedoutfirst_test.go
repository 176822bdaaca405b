package steps_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"

	"agstest/internal/actions"
	"agstest/internal/environment"
	"agstest/internal/journal"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// signedOutFirst has a scenario that signs out the device which all share, and one that counts devices, which plays
// alone and so after it.
var signedOutFirst = fstest.MapFS{"out.feature": {Data: []byte(`Feature: Out and back
  @FLOW-01 @once
  Scenario: Out
    Given a user with one account
    When the user signs on with the credentials for the first time
    Then the status is 201
    When the client signs out
    Then the status is 200

  @FLOW-02 @once
  Scenario: Back
    Given a user with one account
    When the user signs on with the credentials for the first time
    Then the status is 201
    Given the devices of the account are counted
    When the user signs on with the credentials and the clientId
    Then the status is 201
    And the account has no more device
`)}}

// TestADeviceThatWasSignedOutMayBeGone: where signing out removes a device, a scenario that is alone on the stage takes
// another one, as far as the budget goes.
func TestADeviceThatWasSignedOutMayBeGone(t *testing.T) {
	t.Parallel()
	e := service(t, mock.Config{Choices: []mock.Choice{conformingChoice(t, "sign-out-unregisters")}})
	e.Mock, e.Allow.Actions, e.Actions = nil, true, &environment.Actions{List: &environment.Action{Command: []string{"list"}}}
	e.Devices.Budget = 40
	keeper := actions.NewKeeper(e, func(context.Context, actions.Order) ([]string, error) { return []string{"A"}, nil }, func() (*journal.Journal, error) { return nil, nil })
	report := run(t, steps.Options{Environment: e, Features: signedOutFirst, Tags: "@once", Concurrency: 1, Actions: keeper, Sleep: quick.Sleep})
	for _, s := range report.Scenarios {
		assert.Equal(t, reports.Pass, s.Verdict, "%s: %s", s.Name, s.Reason)
	}
}
