package steps_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/reports"
	"agstest/steps"
)

var aboutSignOut = []string{"OUT-01", "OUT-02", "OUT-03", "OUT-04", "OUT-05", "OUT-07", "OUT-08"}

// TestFullAccountsAreJudgedAlikeInEveryRun: if no device can be made, the suite signs out the one that the file spares,
// in the first run and in the next.
func TestFullAccountsAreJudgedAlikeInEveryRun(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*environment.Environment){
		"a full account":        func(*environment.Environment) {},
		"no device may be made": func(e *environment.Environment) { e.Allow.FirstTime = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := live(t, func(e *environment.Environment) {
				full := e.Situations["device-limit"]
				full.Parameters = nil
				e.Situations = environment.Situations{"active": full, "spare-device": {ClientID: "LIM_2"}}
				change(e)
			})
			var before map[string]reports.Verdict
			for range 2 {
				report := run(t, steps.Options{Environment: e, Only: aboutSignOut})
				for _, id := range aboutSignOut {
					q := requirement(t, report, id)
					assert.Contains(t, []reports.Verdict{reports.Pass, reports.Partly, reports.Observed}, q.Verdict, "%s: %s", id, q.Reason)
				}
				now := requirementVerdicts(report)
				if before != nil {
					assert.Equal(t, before, now)
				}
				before = now
			}
		})
	}
}

// TestALostSpareDeviceIsNoFault of the service: what wants to sign it out is skipped and says so.
func TestALostSpareDeviceIsNoFault(t *testing.T) {
	t.Parallel()
	e := live(t, func(e *environment.Environment) {
		e.Situations["spare-device"] = environment.Situation{ClientID: "LIM_7"}
		e.Allow.FirstTime = false
	})
	q := requirement(t, run(t, steps.Options{Environment: e, Only: []string{"OUT-01"}}), "OUT-01")
	assert.Equal(t, reports.Skipped, q.Verdict, q.Reason)
	assert.Contains(t, q.Needs, "another clientId in situations.spare-device")
}

// TestFullAccountsSayWhatTheyLack: without a device to spare nobody is signed out.
func TestFullAccountsSayWhatTheyLack(t *testing.T) {
	t.Parallel()
	e := live(t, func(e *environment.Environment) { e.Situations["active"] = e.Situations["device-limit"] })
	q := requirement(t, run(t, steps.Options{Environment: e, Only: []string{"OUT-01"}}), "OUT-01")
	assert.Equal(t, reports.Skipped, q.Verdict, q.Reason)
	assert.Contains(t, q.Needs, "spare-device")
}
