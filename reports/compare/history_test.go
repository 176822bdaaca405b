package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

// history is n runs of one question in the days before folderDay, around 10 ms with a spread of 2 % between runs.
func history(n int, seed uint64) []reports.Parts {
	random := rand.New(rand.NewPCG(seed, 2))
	var runs []reports.Parts
	for i := range n {
		start := folderDay.Add(-time.Duration(n-i) * 24 * time.Hour)
		runs = append(runs, reports.Parts{Load: storedLoad(fmt.Sprintf("run%d", i), start, time.Duration(10e6*math.Exp(0.02*random.NormFloat64())))})
	}
	return runs
}

// TestACopyOfARunIsNoRun: a run that lies in several folders was made once.
func TestACopyOfARunIsNoRun(t *testing.T) {
	earlier := history(9, 1)
	for range 5 {
		earlier = append(earlier, earlier[3])
	}
	c := compare.CompareHistory(reports.Parts{Load: storedLoad("n", folderDay, 10*time.Millisecond)}, earlier,
		compare.HistoryOptions{})
	assert.Equal(t, reports.Inconclusive, c.Verdict, c.Reason)
	assert.Len(t, c.History.Runs, 9)
	assert.Equal(t, []string{"5 runs: a copy of another one"}, c.History.Left)
}

func TestCompareHistory(t *testing.T) {
	at := func(id string, p50 time.Duration) reports.Parts {
		return reports.Parts{Load: storedLoad(id, folderDay, p50)}
	}
	confirm := func(p50 time.Duration) *reports.Parts { s := at("again", p50); return &s }
	for _, test := range []struct {
		name    string
		run     reports.Parts
		earlier []reports.Parts
		options compare.HistoryOptions
		verdict reports.Verdict
		reason  string
	}{
		{"as usual", at("n", 10*time.Millisecond), history(20, 1), compare.HistoryOptions{}, reports.Pass, "Within the range of 20 earlier runs of the same question."},
		{"slower, confirmed", at("n", 12*time.Millisecond), history(20, 1), compare.HistoryOptions{Confirm: confirm(11900 * time.Microsecond)}, reports.Regressed, "Worse than the earlier runs, and a second run confirmed it: refresh p50 +"},
		{"slower, not confirmed", at("n", 12*time.Millisecond), history(20, 1), compare.HistoryOptions{Confirm: confirm(10 * time.Millisecond)}, reports.Inconclusive, "which a second one did not confirm"},
		{"slower, once", at("n", 12*time.Millisecond), history(20, 1), compare.HistoryOptions{}, reports.Inconclusive, "Worse than the earlier runs, in one run: refresh p50 +"},
		{"far slower, once", at("n", 3*time.Second), history(20, 1), compare.HistoryOptions{}, reports.Regressed, "Far worse than the earlier runs: refresh p50 +"},
		{"faster", at("n", 8*time.Millisecond), history(20, 1), compare.HistoryOptions{}, reports.Improved, "Faster than the earlier runs: refresh p50 -"},
		{"nine earlier runs are advisory", at("n", 30*time.Millisecond), history(9, 1), compare.HistoryOptions{Confirm: confirm(30 * time.Millisecond)}, reports.Inconclusive, "There are 9 earlier runs of the same question, and a verdict needs 10: what is shown is advisory."},
		{"ten are enough", at("n", 30*time.Millisecond), history(10, 1), compare.HistoryOptions{Confirm: confirm(30 * time.Millisecond)}, reports.Regressed, "Worse than the earlier runs"},
		{"none", at("n", 10*time.Millisecond), nil, compare.HistoryOptions{}, reports.NotComparable, "There is no earlier run of the same question to compare with."},
		{"no load", reports.Parts{Conformance: conformanceOf("a", "A-1 pass")}, history(20, 1), compare.HistoryOptions{}, reports.NotComparable, "The run has no load part."},
		{"confirmed by itself", at("n", 12*time.Millisecond), history(20, 1), compare.HistoryOptions{Confirm: func() *reports.Parts { s := at("n", 12*time.Millisecond); return &s }()}, reports.NotComparable, "it must be a second one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := compare.CompareHistory(test.run, test.earlier, test.options)
			assert.Equal(t, test.verdict, c.Verdict, c.Reason)
			assert.Contains(t, c.Reason, test.reason)
		})
	}
}

// Earlier runs that spread over a decade make no single run unlikely. One that is many times slower than the slowest of
// them blocks all the same, and one that is not waits for a second run.
func TestHistoryThatSpreadsWidely(t *testing.T) {
	var earlier []reports.Parts
	for i, p50 := range []time.Duration{1, 20, 2, 9, 4, 18, 3, 6, 2, 12} {
		start := folderDay.Add(-time.Duration(10-i) * 24 * time.Hour)
		earlier = append(earlier, reports.Parts{Load: storedLoad(fmt.Sprintf("run%d", i), start, p50*time.Millisecond)})
	}
	for p50, verdict := range map[time.Duration]reports.Verdict{
		20 * time.Millisecond: reports.Pass, 78 * time.Millisecond: reports.Inconclusive, 340 * time.Millisecond: reports.Regressed,
	} {
		c := compare.CompareHistory(reports.Parts{Load: storedLoad("n", folderDay, p50)}, earlier, compare.HistoryOptions{})
		assert.Equal(t, verdict, c.Verdict, "%s: %s; %+v", p50, c.Reason, c.History.Metrics[0])
	}
}

func TestHistoryLeavesOutWhatIsNoMeasure(t *testing.T) {
	runs := history(30, 1)
	runs[0].Load.Plan.Schedule = "constant 300/s for 30 s"
	runs[1].Load.Run.Environment = "production"
	runs[2].Load.Valid = false
	runs[3].Load.Run.Partial = "interrupted"
	runs[4].Load.Verdict = reports.Fail
	runs[5].Load = nil
	runs[6].Load.Run.Start = folderDay.Add(time.Hour)
	run := reports.Parts{Load: storedLoad("n", folderDay, 10*time.Millisecond)}
	runs[7] = run
	runs[8].Load.Run.URL, runs[9].Load.Run.URL = "https://ags.other.example:8443/ags", "http://127.0.0.1:48213"
	c := compare.CompareHistory(run, runs, compare.HistoryOptions{})
	assert.Len(t, c.History.Runs, 20)
	assert.Equal(t, "run29", c.History.Runs[19].Run.ID, "the newest ones are used")
	assert.ElementsMatch(t, []string{"2 runs: another question", "2 runs: partial or not valid", "1 run: failed its own limits", "1 run: no load part",
		"1 run: later than the run", "1 run: the run itself", "1 run: at another host, ags.other.example", "1 run: older than the window"}, c.History.Left)
	assert.Len(t, compare.CompareHistory(run, runs, compare.HistoryOptions{Window: 12}).History.Runs, 12)
}

// A call of which there are too few figures is not called worse.
func TestHistoryWithoutFiguresOfOneCallIsOpen(t *testing.T) {
	run := storedLoad("n", folderDay, 10*time.Millisecond)
	run.Operations["signon"] = &reports.Operation{Asked: 40, Sent: 40, Right: 40, Response: run.Operations["refresh"].Response}
	c := compare.CompareHistory(reports.Parts{Load: run}, history(20, 1), compare.HistoryOptions{})
	assert.Equal(t, reports.Inconclusive, c.Verdict)
	assert.Equal(t, "Too few figures, here or in the earlier runs, to judge signon p50, signon p95.", c.Reason)
}

func TestHistoryShowsP99AndJudgesItNever(t *testing.T) {
	run := storedLoad("n", folderDay, 10*time.Millisecond)
	run.Operations["refresh"].Response.P99 = int64(time.Second)
	again := storedLoad("m", folderDay, 10*time.Millisecond)
	again.Operations["refresh"].Response.P99 = int64(time.Second)
	c := compare.CompareHistory(reports.Parts{Load: run}, history(20, 1), compare.HistoryOptions{Confirm: &reports.Parts{Load: again}})
	assert.Equal(t, reports.Pass, c.Verdict, c.Reason)
	p99 := c.History.Metrics[2]
	assert.Equal(t, "p99", p99.Metric)
	assert.Equal(t, reports.Observed, p99.Verdict)
	assert.Equal(t, int64(time.Second), p99.Value)
	assert.False(t, p99.Gates)
}

func TestHistoryJudgesWrongAnswers(t *testing.T) {
	wrong := func(id string) *reports.Load {
		l := storedLoad(id, folderDay, 10*time.Millisecond)
		l.Operations["refresh"].Right, l.Operations["refresh"].Wrong = 5940, 60
		return l
	}
	c := compare.CompareHistory(reports.Parts{Load: wrong("n")}, history(20, 1), compare.HistoryOptions{})
	assert.Equal(t, reports.Inconclusive, c.Verdict, c.Reason)
	c = compare.CompareHistory(reports.Parts{Load: wrong("n")}, history(20, 1), compare.HistoryOptions{Confirm: &reports.Parts{Load: wrong("m")}})
	assert.Equal(t, reports.Regressed, c.Verdict)
	assert.Contains(t, c.Reason, "refresh errors +1.00 points (1.00 % of answers, earlier at most 0.00 %)")
}

// The confirming run is of the build that is judged, so that what is wrong there is wrong.
func TestHistoryJudgesTheWrongAnswersOfTheConfirmingRun(t *testing.T) {
	for name, test := range map[string]struct {
		kind    string
		of      reports.Verdict // the confirming run's own verdict
		verdict reports.Verdict
		reason  string
	}{
		"a mix-up":         {"identity", reports.Fail, reports.Fail, "The confirming load run says fail: 3 answers were not right. Within the range of 20 earlier runs"},
		"what it allows":   {"status", reports.Pass, reports.Pass, "Within the range of 20 earlier runs"},
		"another question": {"identity", reports.Fail, reports.NotComparable, "The run cannot be compared with earlier ones: The confirming run asked another question than the run."},
	} {
		t.Run(name, func(t *testing.T) {
			again := storedLoad("m", folderDay, 10*time.Millisecond)
			again.Verdict, again.Reason, again.WrongKinds = test.of, "3 answers were not right", []reports.WrongKind{{Operation: "refresh", Kind: test.kind, Times: 3, Verdict: test.of}}
			again.Operations["refresh"].Outcomes = map[string]int64{test.kind: 3}
			if name == "another question" {
				again.Plan.Clients++
			}
			c := compare.CompareHistory(reports.Parts{Load: storedLoad("n", folderDay, 10*time.Millisecond)}, history(20, 1), compare.HistoryOptions{Confirm: &reports.Parts{Load: again}})
			assert.Equal(t, test.verdict, c.Verdict)
			assert.Contains(t, c.Reason, test.reason)
			if name == "another question" {
				assert.Empty(t, c.Wrong)
				return
			}
			require.Len(t, c.Wrong, 1)
			assert.Equal(t, test.of == reports.Fail, c.Wrong[0].Failed)
			assert.Contains(t, c.Wrong[0].String(), "refresh in the confirming run: 3 of 6,000 answers ")
		})
	}
}

// A call that the run never made is not within the range of the earlier ones.
func TestHistoryMissesACallThatTheRunNeverMade(t *testing.T) {
	runs := history(20, 1)
	run := storedLoad("n", folderDay, 10*time.Millisecond)
	for _, of := range append(runs, reports.Parts{Load: run}) {
		of.Load.Plan.Mix = map[string]int{"signon": 1, "refresh": 9}
		of.Load.Operations["discover"] = of.Load.Operations["refresh"]
		if of.Load != run {
			of.Load.Operations["signon"] = of.Load.Operations["refresh"]
		}
	}
	delete(run.Operations, "discover")
	c := compare.CompareHistory(reports.Parts{Load: run}, runs, compare.HistoryOptions{})
	assert.Equal(t, reports.Inconclusive, c.Verdict)
	assert.Equal(t, "The run never sent signon, which the earlier ones did.", c.Reason)
}

// The promise of the history gate: an unchanged build is over a limit in few runs even before a second one confirms it.
// Many wrong answers that a limit of the run allows are far more than earlier runs had: no second run is needed.
func TestHistoryBlocksManyWrongAnswersAtOnce(t *testing.T) {
	for wrong, verdict := range map[int64]reports.Verdict{100: reports.Inconclusive, 600: reports.Regressed} {
		l := storedLoad("n", folderDay, 10*time.Millisecond)
		l.Operations["refresh"].Right, l.Operations["refresh"].Wrong = 6000-wrong, wrong
		c := compare.CompareHistory(reports.Parts{Load: l}, history(20, 1), compare.HistoryOptions{})
		assert.Equal(t, verdict, c.Verdict, "%d: %s", wrong, c.Reason)
	}
}

func TestUnchangedRunsAreRarelyBeyondTheirHistory(t *testing.T) {
	flagged, confirmed := 0, 0
	const repeats = 400
	for seed := range uint64(repeats) {
		runs := history(14, seed)
		last := len(runs) - 2
		run, again := runs[last], runs[last+1]
		again.Load.Run.Start = run.Load.Run.Start
		c := compare.CompareHistory(run, runs[:last], compare.HistoryOptions{})
		if c.Verdict != reports.Pass && c.Verdict != reports.Improved {
			flagged++
		}
		if compare.CompareHistory(run, runs[:last], compare.HistoryOptions{Confirm: &again}).Verdict == reports.Regressed {
			confirmed++
		}
	}
	assert.LessOrEqual(t, flagged, repeats*5/100)
	assert.LessOrEqual(t, confirmed, repeats/100)
	t.Logf("of %d unchanged runs %d were flagged and %d confirmed", repeats, flagged, confirmed)
}

func TestTrends(t *testing.T) {
	root := t.TempDir()
	random := rand.New(rand.NewPCG(4, 4))
	for i := range 30 {
		level := 10e6
		if i >= 18 {
			level = 12e6
		}
		storeRun(t, root, storedLoad(fmt.Sprintf("run%02d", i), folderDay.Add(time.Duration(i)*24*time.Hour), time.Duration(level*math.Exp(0.01*random.NormFloat64()))))
	}
	other := storedLoad("other", folderDay, 5*time.Millisecond)
	other.Run.Environment = "production"
	storeRun(t, root, other)
	broken := storedLoad("broken", folderDay.Add(time.Minute), 50*time.Millisecond)
	broken.Run.Partial = "interrupted"
	storeRun(t, root, broken)
	_, err := runs.Pin(root, "release-1", "run03", folderDay)
	require.NoError(t, err)

	entries, err := runs.List(root)
	require.NoError(t, err)
	trends := compare.Trends(entries)
	require.Len(t, trends, 2)
	trend := trends[0]
	assert.Equal(t, "staging", trend.Environment, "the group with the newest run comes first")
	assert.Equal(t, "refresh, constant 200/s for 30 s", trend.Asked)
	assert.Len(t, trend.Runs, 30)
	assert.Equal(t, []string{"release-1"}, trend.Runs[3].Pins)
	require.Len(t, trend.Operations, 1)
	changes := trend.Operations[0].Changes
	require.Len(t, changes, 3, "p50, p95 and p99 moved once")
	assert.Empty(t, trend.Operations[0].Spikes, "a new level is no spike")
	assert.Equal(t, 18, changes[0].Run)
	assert.Equal(t, "p50", changes[0].Metric)
	assert.InEpsilon(t, 10e6, changes[0].Before, 0.01)
	assert.InEpsilon(t, 12e6, changes[0].After, 0.01)
	assert.Equal(t, trends, compare.Trends(entries), "the same runs show the same changes")
}

// TestServicesOfOneNameHaveTrendsOfTheirOwn: the step from one host to the other is no change of level.
func TestServicesOfOneNameHaveTrendsOfTheirOwn(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for i := range 24 {
		load := storedLoad(fmt.Sprint("run", i), folderDay.Add(time.Duration(i)*time.Hour), time.Duration(10+10*(i/12))*time.Millisecond)
		load.Run.URL = []string{"https://a.example", "https://b.example:8443"}[i/12]
		storeRun(t, root, load)
	}
	entries, err := runs.List(root)
	require.NoError(t, err)
	trends := compare.Trends(entries)
	require.Len(t, trends, 2)
	for i, name := range []string{"staging (b.example)", "staging (a.example)"} {
		assert.Equal(t, name, trends[i].Environment)
		assert.Len(t, trends[i].Runs, 12)
		assert.Empty(t, trends[i].Operations[0].Changes)
	}
}

func TestTrendNamesSpikesAndMarksWhatIsNotValid(t *testing.T) {
	t.Parallel()
	var entries []reports.Entry
	for i := range 6 {
		load := storedLoad(fmt.Sprint("run", i), folderDay.Add(time.Duration(i)*time.Hour), 3*time.Millisecond)
		load.Valid = true
		switch i {
		case 2: // 400 times the others
			load.Operations["refresh"].Response.P99 *= 400
		case 3: // as high, and not a word about the service
			load.Valid = false
			load.Operations["refresh"].Response.P99 *= 400
		case 4:
			load.Operations["refresh"].Right, load.Operations["refresh"].Wrong = 5700, 300
		}
		entries = append(entries, runs.EntryOf(load.Run.ID, runs.Stored{Parts: reports.Parts{Load: load}}))
	}
	trends := compare.Trends(entries)
	require.Len(t, trends, 1)
	assert.Equal(t, 5, trends[0].Valid())
	assert.True(t, trends[0].Runs[3].NotValid)
	require.Len(t, trends[0].Operations, 1)
	assert.Empty(t, trends[0].Operations[0].Changes)
	assert.Equal(t, []compare.TrendSpike{{Metric: "p99", Run: 2, Usual: 7.5e6, Value: 3e9}, {Metric: "errors", Run: 4, Usual: 0, Value: 0.05}}, trends[0].Operations[0].Spikes)
}
