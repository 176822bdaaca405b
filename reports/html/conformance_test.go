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
