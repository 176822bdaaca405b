package steps

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/steps/script"
)

// TestNoScenarioWaitsForLong: on a far service the longest chain of scenarios that must not meet is about as long as
// the waiting for what only time shows. A scenario that signs out, or a long one, may fail it.
func TestNoScenarioWaitsForLong(t *testing.T) {
	t.Parallel()
	text := mock.New(mock.Config{}).Environment("http://127.0.0.1:1", "", "")
	e, err := environment.Parse(text, "live.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	_, all, err := understand(nil)
	require.NoError(t, err)
	o := Options{Environment: e, Generate: 10, Sequences: 5, Patience: 5 * time.Second}
	chosen, err := choose(all, o)
	require.NoError(t, err)
	r, err := newRun(o, chosen)
	require.NoError(t, err)
	defer r.Close()
	r.SessionsApart, r.UsersDeviceSpared = true, true
	longest := 0
	for _, own := range r.line(chosen.scenarios, 1).byName {
		longest = max(longest, own.way)
	}
	t.Logf("%d scenarios, the longest way is %d", len(chosen.scenarios), longest)
	assert.LessOrEqual(t, longest, 90)
	assert.True(t, slices.ContainsFunc(chosen.scenarios, func(s *script.Scenario) bool { return lengthOf(s) > 30 }), "there are long ones")
}
