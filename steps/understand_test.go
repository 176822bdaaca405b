package steps

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
