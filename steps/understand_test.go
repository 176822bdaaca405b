package steps

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestValuesThatNoSentenceTakes are mistakes of the file, which nothing is sent for.
func TestValuesThatNoSentenceTakes(t *testing.T) {
	told := func(step string) error {
		_, _, err := understand(ownFeature("Feature: F\n  Scenario: S\n    Given a client that is signed on\n" +
			"    When " + step + "\n    Then the status is 200\n"))
		return err
	}
	for _, step := range []string{
		"the status is 2oo", "the status is 200 401", "the status is 999", "the status is 2000", "the status is 200 or",
		"the status is 401, or with a warning 4o3", "the error code is 2o018", "each was refused with 999",
		"generated requests are sent to refesh", "odd requests are sent to refesh", "everything that refesh needs",
		"near misses of the password are sent to signon", "the user picks account 0",
		"0 clients sign on for the first time at the same moment", "the claim fixedexp is the same as before",
		"the claims accountId and deviceid are the same as before",
	} {
		assert.ErrorContains(t, told(step), "own/mine.feature:4: nothing is known about the step", step)
	}
	for _, step := range []string{
		"the status is 401", "the status is 400, 401 or 403", "the status is 400,401 or 403",
		"the status is 400, 401, or 403", "the status is 401, or with a warning 400 or 403",
		"the error code is 20018 or 20021", "generated requests are sent to refresh",
		"near misses of the password are sent to signOn", "0 seconds pass", "an account that may have 0 devices",
		"the claim fixed_exp is the same as before",
		"the claims accountId, deviceId and userId are the same as before",
	} {
		assert.NoError(t, told(step), step)
	}
}

// TestEveryMistakeOfAFolderIsTold at once, with its place.
func TestEveryMistakeOfAFolderIsTold(t *testing.T) {
	_, _, err := understand(fstest.MapFS{
		"a.feature": {Data: []byte("Feature: A\n\n  @SOST-99\n  Scenario: One\n    Given an acount in good standing\n    Then the status was 201\n\n  Scenario: Two\n")},
		"b.feature": {Data: []byte("Featur: B\n")},
		"c.feature": {Data: []byte("")},
	})
	require.Error(t, err)
	var places []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		places = append(places, strings.Join(strings.SplitN(line, ":", 3)[:2], ":"))
	}
	assert.Equal(t, []string{"own/a.feature:4", "own/a.feature:8", "own/b.feature:1", "own/c.feature:1", "own/a.feature:5", "own/a.feature:6"}, places, err.Error())
}
