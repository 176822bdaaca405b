package steps_test

import (
	"cmp"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/reports"
	"agstest/steps"
)

// TestEachRequirementIsCheckedAlone: the scenarios of a requirement need no other scenario before them, on a live
// service as on a mock.
func TestEachRequirementIsCheckedAlone(t *testing.T) {
	for i, q := range ags.Requirements {
		if _, exempt := steps.Exempt(q.ID); exempt || i%every(8) != 0 {
			continue
		}
		t.Run(q.ID, func(t *testing.T) {
			t.Parallel()
			report := run(t, steps.Options{Environment: live(t, func(e *environment.Environment) { e.Allow.Devices = 40 }), Only: []string{q.ID}, Generate: 3, Sequences: 1, Concurrency: 1, Sleep: quick.Sleep})
			for _, s := range report.Scenarios {
				assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Error}, s.Verdict, "%s (%s): %s", s.ID, s.Name, s.Reason)
			}
		})
	}
}

// TestNoVerdictFollowsFromTheOrder: on a live service scenarios share accounts and devices, and chance decides which
// comes first where they play side by side. SEEDS=100 tries more orders.
func TestNoVerdictFollowsFromTheOrder(t *testing.T) {
	orders, err := strconv.Atoi(cmp.Or(os.Getenv("SEEDS"), "3"))
	require.NoError(t, err)
	e := live(t, func(e *environment.Environment) { e.Allow.Devices = 40 })
	var usual map[string]reports.Verdict
	for order := range uint64(orders) {
		undo := steps.DrawOrder(order)
		report := run(t, steps.Options{Environment: e, Generate: 1, Sequences: 1, Concurrency: 1, Sleep: quick.Sleep})
		undo()
		verdicts := map[string]reports.Verdict{}
		for _, s := range report.Scenarios {
			verdicts[s.ID] = s.Verdict
			assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Error}, s.Verdict, "order %d: %s (%s): %s", order, s.ID, s.Name, s.Reason)
		}
		if usual == nil {
			usual = verdicts
		}
		assert.Equal(t, usual, verdicts, "order %d", order)
	}
}
