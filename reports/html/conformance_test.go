package html

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
	"agstest/reports/compare"
)

func TestExchangesOfARunThatWasEndedEarlyAreNotOfAllScenarios(t *testing.T) {
	c := &reports.Conformance{Scenarios: []reports.Scenario{{Verdict: reports.Pass}, {Verdict: reports.Skipped},
		{Verdict: reports.NotExercised}}}
	c.Counts.Exchanges, c.Run.Partial = 84, "the run was interrupted (Ctrl-C)"
	assert.Contains(t, conformanceTrust(c),
		statement{reports.Pass, "84 exchanges judged, but only 2 of 3 scenarios came to an end."})
	c.Scenarios[2].Verdict = reports.Fail
	assert.Contains(t, conformanceTrust(c), statement{reports.Pass, "84 exchanges of 3 scenarios were judged."})
}

func TestWhatWasNotTouchedIsCountedAsBelow(t *testing.T) {
	c := &reports.Conformance{Requirements: []reports.Requirement{
		{ID: "DISC-01", Gating: "fails", Verdict: reports.NotExercised},
		{ID: "DISC-12", Gating: "shown", Verdict: reports.NotExercised}}}
	found := conformanceFirst(c)
	assert.Equal(t, []first{{Verdict: reports.NotExercised, Link: "c-silent", Label: "1 requirement",
		Text: "not touched by any scenario. Nothing is known of it.",
		More: "Nor of 1 more, of which a miss is only shown."}}, found)
	c.Requirements[1].Gating = "warns"
	assert.Equal(t, []first{{Verdict: reports.NotExercised, Link: "c-silent", Label: "2 requirements",
		Text: "not touched by any scenario. Nothing is known of them."}}, conformanceFirst(c))
}

// Beside the axis is room for eight letters: what is cut off was read as "-50000 %".
func TestLargeChangesFitBesideTheAxis(t *testing.T) {
	for change, words := range map[float64]string{0: "+0.0 %", -0.052: "-5.2 %", 0.5: "+50.0 %", 1: "+100 %",
		-1.5: "-150 %", 20: "+2000 %", 100: "+10k %", 500: "+50k %", 125: "+12.5k %", 9999: "+999.9k %",
		10000: "+1M %", 3e7: "+3G %"} {
		assert.Equal(t, words, axisChange(change))
		assert.LessOrEqual(t, len(words), 9)
	}
	o := compare.OperationComparison{Operation: "refresh",
		Shift: []compare.ShiftPoint{{Quantile: 0.5, Old: 100, New: 100}, {Quantile: 0.9, Old: 100, New: 45_000}}}
	var ticks []string
	for _, tick := range shiftChart(o, 0).YTicks {
		ticks = append(ticks, tick.Words)
	}
	assert.Equal(t, []string{"+0.0 %", "+10k %", "+20k %", "+30k %", "+40k %", "+50k %"}, ticks)
}

func TestATrendOfOneRunHasOneMoment(t *testing.T) {
	start := time.Date(2026, 12, 1, 13, 29, 5, 0, time.UTC)
	trend := compare.Trend{Runs: []compare.TrendRun{{Start: start}}}
	assert.Equal(t, "1 run, 2026-12-01 13:29:05 UTC.", shownTrend(trend, 0).Words)
	trend.Runs = append(trend.Runs, compare.TrendRun{Start: start.Add(time.Minute)})
	assert.Equal(t, "2 runs from 2026-12-01 13:29:05 UTC to 2026-12-01 13:30:05 UTC.", shownTrend(trend, 0).Words)
}

// What was not exercised adds up to all requirements.
func TestWhatCouldNotBeToldIsNotExercised(t *testing.T) {
	c := &reports.Conformance{Requirements: []reports.Requirement{{ID: "A", Verdict: reports.Pass},
		{ID: "B", Verdict: reports.Error}, {ID: "C", Verdict: reports.Skipped}}}
	last := func() string { found := conformanceTrust(c); return found[len(found)-1].Text }
	assert.Equal(t, "1 of 3 requirements were exercised: 0 not touched by a scenario, 1 skipped, and of 1 it could "+
		"not be told.", last())
	c.Requirements[1].Verdict = reports.Pass
	assert.Equal(t, "2 of 3 requirements were exercised: 0 not touched by a scenario, 1 skipped.", last())
}

// The changes beyond those that are shown one by one are counted, and are as grave as the gravest of them.
func TestMoreChangesAreCounted(t *testing.T) {
	c := &compare.ConformanceComparison{}
	for i, direction := range []compare.Direction{compare.Broke, compare.Broke, compare.Broke, compare.Lost} {
		c.Changes = append(c.Changes, compare.RequirementChange{ID: string(rune('A' + i)), Direction: direction})
	}
	found := changesFirst(c, 2)
	assert.Equal(t, first{Verdict: reports.Regressed, Link: "x-conformance", Label: "2 more",
		Text: "broke: 1; not judged any more: 1."}, found[2])
	assert.Equal(t, first{Verdict: reports.Warn, Link: "x-conformance", Label: "1 more",
		Text: "not judged any more: 1."}, changesFirst(c, 3)[3])
	assert.Len(t, changesFirst(c, 4), 4)
}

// What an interrupted load sent is not held against the whole schedule as if it had been kept; and a search for the
// capacity is called one, however far it came.
func TestALoadThatWasEndedAndASearchSayWhatTheyAre(t *testing.T) {
	l := &reports.Load{Valid: true, Total: &reports.Operation{Asked: 142, Sent: 142, Right: 142}}
	l.Plan.Hits, l.Plan.Schedule, l.Run.Mock = 420, "constant 20/s for 21s", &reports.Mock{}
	assert.Contains(t, loadTrust(l), statement{reports.Pass, "The generator kept its schedule: 142 of 420 hits sent."})
	l.Run.Partial = "the run was interrupted (Ctrl-C)"
	assert.Contains(t, loadTrust(l),
		statement{reports.Warn, "What was sent was sent on time, and that is 142 of 420 hits."})
	assert.Equal(t, "Load on the built-in mock", loadPage(l, nil).Title)
	l.Run.Kind = "capacity"
	p := loadPage(l, nil)
	assert.Equal(t, "Search for the capacity of the built-in mock", p.Title)
	assert.Contains(t, p.Facts, reports.Fact{Name: "Figures of", Value: "constant 20/s for 21s"})
}
