package compare_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
)

// conformanceOf is a stored run with these verdicts, in the order given, each with a finding where it is a miss.
func conformanceOf(id string, verdicts ...string) *reports.Conformance {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: reports.Pass, Run: reports.Run{ID: id, Kind: "conform", Environment: "staging", Tool: reports.Tool{Version: "v1.2.0"}, Start: folderDay}, Profile: reports.Profile{Name: "all"}}
	for _, entry := range verdicts {
		requirement, verdict, _ := strings.Cut(entry, " ")
		r := reports.Requirement{ID: requirement, Level: "documented", Gating: "fails", Verdict: reports.Verdict(verdict), Text: "The text of " + requirement + ".", Scenario: []string{"a.feature:3"}}
		switch r.Verdict {
		case reports.Fail, reports.Warn, reports.Known:
			r.Findings = []reports.Finding{{Requirement: requirement, Verdict: r.Verdict, Expected: "201", Got: "200", Scenario: "a.feature:3", Exchange: 0, Times: 1}}
		case reports.Skipped:
			r.Reason = "The environment has no suspended account."
		}
		c.Requirements = append(c.Requirements, r)
	}
	c.Scenarios = []reports.Scenario{{ID: "a.feature:3", Transcript: []reports.Exchange{{Method: "POST", URL: "http://127.0.0.1:1/ags/signOn", Status: 200}}}}
	return c
}

func TestCompareConformance(t *testing.T) {
	for _, test := range []struct {
		name      string
		old, new  string
		direction compare.Direction
		verdict   reports.Verdict
	}{
		{"broke", "pass", "fail", compare.Broke, reports.Regressed},
		{"a warning that fails now", "warn", "fail", compare.Broke, reports.Regressed},
		{"a known departure that expired", "known", "fail", compare.Differs, reports.Pass},
		{"fails where the first could not tell", "skipped", "fail", compare.NewlySeen, reports.Inconclusive},
		{"not judged any more", "pass", "skipped", compare.Lost, reports.Inconclusive},
		{"failing before, not judged now", "fail", "error", compare.Lost, reports.Inconclusive},
		{"a miss that does not fail", "pass", "warn", compare.Worse, reports.Pass},
		{"mended", "fail", "pass", compare.Mended, reports.Improved},
		{"accepted as known", "fail", "known", compare.Differs, reports.Pass},
		{"broke, and is listed as known", "pass", "known", compare.Worse, reports.Pass},
		{"known where the first could not tell", "skipped", "known", compare.Gained, reports.Pass},
		{"a known departure that is mended", "known", "pass", compare.Mended, reports.Improved},
		{"a failure that only warns now", "fail", "warn", compare.Better, reports.Pass},
		{"judged now", "not-exercised", "pass", compare.Gained, reports.Pass},
		{"a warning is gone", "warn", "pass", compare.Better, reports.Pass},
		{"a probe that became a rule", "observed", "pass", compare.Differs, reports.Pass},
		{"nothing", "pass", "pass", "", reports.Pass},
		{"still failing", "fail", "fail", "", reports.Pass},
		{"never judged", "skipped", "not-exercised", "", reports.Pass},
		{"not in the older catalogue", "", "pass", compare.Gained, reports.Pass},
		{"not in the newer catalogue", "pass", "", compare.Lost, reports.Inconclusive},
		{"shown by the load of a gate, and the new run has none", "observed", "", "", reports.Pass},
		{"shown by the load of a gate, and the old run had none", "", "observed", "", reports.Pass},
	} {
		t.Run(test.name, func(t *testing.T) {
			side := func(id, verdict string) *reports.Conformance {
				if verdict == "" {
					return conformanceOf(id, "TOK-01 pass")
				}
				return conformanceOf(id, "TOK-01 pass", "SOST-03 "+verdict)
			}
			c := compare.CompareConformance(side("a", test.old), side("b", test.new))
			assert.Equal(t, test.verdict, c.Verdict, c.Reason)
			if test.direction == "" {
				assert.Empty(t, c.Changes)
				return
			}
			require.Len(t, c.Changes, 1)
			change := c.Changes[0]
			assert.Equal(t, "SOST-03", change.ID)
			assert.Equal(t, test.direction, change.Direction)
			assert.Equal(t, reports.Verdict(test.old), change.Old.Verdict)
			assert.Equal(t, reports.Verdict(test.new), change.New.Verdict)
			if test.new == "fail" {
				require.NotNil(t, change.New.Exchange, "the evidence comes with its exchange")
				assert.Equal(t, "http://127.0.0.1:1/ags/signOn", change.New.Exchange.URL)
			}
		})
	}
}

// TestMendedOnlyWhereItWasTried: what holds in part holds where the scenario that failed was played, and not where it was
// skipped.
func TestMendedOnlyWhereItWasTried(t *testing.T) {
	old, new := conformanceOf("a", "SOST-03 fail"), conformanceOf("b", "SOST-03 partly")
	assert.Equal(t, reports.Improved, compare.CompareConformance(old, new).Verdict)
	new.Scenarios[0].Verdict = reports.Skipped
	c := compare.CompareConformance(old, new)
	assert.Equal(t, reports.Inconclusive, c.Verdict, c.Reason)
	assert.Equal(t, compare.Lost, c.Changes[0].Direction)
}

// TestTheListOfKnownDeparturesChangesNoService: an entry that came, went or is out of date is no change of the service.
func TestTheListOfKnownDeparturesChangesNoService(t *testing.T) {
	kept, known := conformanceOf("a", "SOST-03 pass"), conformanceOf("b", "SOST-03 known")
	failing, outdated := conformanceOf("c", "SOST-03 fail"), conformanceOf("d", "SOST-03 fail")
	failing.Requirements[0].Known = &reports.KnownDeparture{Owner: "a team", Expires: "2026-11-01"}
	outdated.Requirements[0].Known, outdated.Requirements[0].Findings = failing.Requirements[0].Known, nil
	outdated.Requirements[0].Checked = 3
	for _, test := range []struct {
		old, new *reports.Conformance
		verdict  reports.Verdict
		says     string
	}{
		{known, failing, reports.Pass, "1 requirement still fails, and no entry of the known departures excuses it any more."},
		{kept, outdated, reports.Pass, "1 requirement fails only by an entry of the known departures that is out of date."},
		{outdated, kept, reports.Pass, ""},
		{outdated, failing, reports.Regressed, ""},
		{failing, outdated, reports.Improved, ""},
	} {
		c := compare.CompareConformance(test.old, test.new)
		assert.Equal(t, test.verdict, c.Verdict, c.Reason)
		assert.Contains(t, c.Reason, test.says)
	}
}

// TestCircumstancesAreSaid: two runs whose order, service or limits are not the same are compared, and it is said.
func TestCircumstancesAreSaid(t *testing.T) {
	sides := func() (old, new reports.Parts) {
		older := storedLoad("a", folderDay, time.Millisecond)
		newer := storedLoad("b", folderDay.Add(time.Hour), time.Millisecond)
		return reports.Parts{Load: older}, reports.Parts{Load: newer}
	}
	for says, change := range map[string]func(old, new *reports.Load){
		"": func(old, new *reports.Load) {},
		"The first run began after the second one.": func(old, new *reports.Load) { old.Run.Start, new.Run.Start = new.Run.Start, old.Run.Start },
		"environment: staging and Staging":          func(old, new *reports.Load) { old.Run.Environment, new.Run.Environment = "staging", "Staging" },
		"host: a.example and b.example":             func(old, new *reports.Load) { old.Run.URL, new.Run.URL = "https://a.example", "https://b.example:81" },
		"built-in mock: none and refresh-201":       func(old, new *reports.Load) { new.Run.Mock = &reports.Mock{Faults: []string{"refresh-201"}} },
		"ended at 80/s in the first run and at least 40/s in the second": func(old, new *reports.Load) {
			old.Capacity, new.Capacity = &reports.Capacity{Rate: 80}, &reports.Capacity{Rate: 40, LowerBound: true}
		},
		"other limits, so that their verdicts say different things: none and errors<5%.": func(old, new *reports.Load) {
			old.Limits, new.Limits = nil, []reports.Limit{{Expression: "errors<5%"}}
		},
	} {
		old, new := sides()
		change(old.Load, new.Load)
		c := compare.Compare(old, new)
		assert.Equal(t, says != "", len(c.Notes) > 0, c.Notes)
		assert.Contains(t, strings.Join(c.Notes, " "), says)
	}
}

// TestAStormThatTakesFarLonger: when all are in again is the figure of a storm, whatever single answers took.
func TestAStormThatTakesFarLonger(t *testing.T) {
	for _, test := range []struct {
		old, new time.Duration
		verdict  reports.Verdict
		says     string
	}{
		{4 * time.Second, 5 * time.Second, reports.Observed, ""},
		{time.Second / 10, time.Second, reports.Observed, ""},
		{4 * time.Second, 60 * time.Second, reports.Inconclusive, "all clients of the storm were in again after 60.0 s (before: 4.0 s)"},
		{4 * time.Second, -1, reports.Inconclusive, "not all clients of the storm were in again (before: after 4.0 s)"},
		{-1, 60 * time.Second, reports.Observed, ""},
	} {
		old, new := storedLoad("a", folderDay, time.Millisecond), storedLoad("b", folderDay.Add(time.Hour), time.Millisecond)
		old.Storm, new.Storm = &reports.Storm{Recovered: int64(test.old)}, &reports.Storm{Recovered: int64(test.new)}
		c := compare.Compare(reports.Parts{Load: old}, reports.Parts{Load: new})
		assert.Equal(t, test.verdict, c.Verdict, c.Reason)
		assert.Contains(t, c.Reason, test.says)
	}
}

func TestCompareConformanceTellsAnotherReasonForTheSameVerdict(t *testing.T) {
	old, new := conformanceOf("a", "SOST-03 fail", "PROBE-1 observed"), conformanceOf("b", "SOST-03 fail", "PROBE-1 observed")
	new.Requirements[0].Findings[0].Got = "500"
	old.Requirements[1].Reason, new.Requirements[1].Reason = "keeps the old refresh token", "rotates the refresh token"
	c := compare.CompareConformance(old, new)
	require.Len(t, c.Changes, 2)
	assert.Equal(t, compare.Differs, c.Changes[0].Direction)
	assert.Equal(t, compare.Differs, c.Changes[1].Direction)
	assert.Equal(t, reports.Pass, c.Verdict)
	assert.Equal(t, "No requirement that the first run saw kept fails in the second. 1 requirement still fails, for another reason.", c.Reason)
	// How often and where it was found is no change.
	old.Requirements[0].Findings[0].Got, new.Requirements[0].Findings[0].Times = "500", 7
	new.Requirements[1].Reason = old.Requirements[1].Reason
	assert.Empty(t, compare.CompareConformance(old, new).Changes)
}

func TestCompareConformanceOrdersByWeight(t *testing.T) {
	old := conformanceOf("a", "A-1 fail", "A-2 pass", "A-3 pass", "A-4 pass")
	new := conformanceOf("b", "A-1 pass", "A-2 warn", "A-3 skipped", "A-4 fail")
	c := compare.CompareConformance(old, new)
	var order []string
	for _, change := range c.Changes {
		order = append(order, change.ID)
	}
	assert.Equal(t, []string{"A-4", "A-3", "A-2", "A-1"}, order)
	assert.Equal(t, "1 requirement that the first run saw kept fails in the second: A-4.", c.Reason)
}

func TestConformanceThatCannotBeCompared(t *testing.T) {
	for name, test := range map[string]struct {
		change func(old, new *reports.Conformance)
		reason string
	}{
		"profile":    {func(_, new *reports.Conformance) { new.Profile.Name = "signon" }, "The two runs differ in profile: all in the first, signon in the second."},
		"tags":       {func(_, new *reports.Conformance) { new.Run.Settings = map[string]string{"tags": "@smoke"} }, "The two runs differ in selection of tags: none in the first, @smoke in the second."},
		"only":       {func(_, new *reports.Conformance) { new.Run.Settings = map[string]string{"only": "A-1"} }, "The two runs differ in choice of requirements (--only): none in the first, A-1 in the second."},
		"version":    {func(_, new *reports.Conformance) { new.Run.Tool.Version = "v2.0.0" }, "The two runs differ in major version of agstest: 1 in the first, 2 in the second."},
		"partial":    {func(_, new *reports.Conformance) { new.Run.Partial = "interrupted" }, "The second run ended early: interrupted."},
		"empty":      {func(old, _ *reports.Conformance) { old.Requirements = nil }, "The first run judged no requirement."},
		"unjudgable": {func(old, _ *reports.Conformance) { old.Requirements[0].Verdict = reports.Error }, "The first run judged no requirement."},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := conformanceOf("a", "A-1 pass"), conformanceOf("b", "A-1 fail")
			test.change(old, new)
			c := compare.CompareConformance(old, new)
			assert.Equal(t, reports.NotComparable, c.Verdict)
			assert.Contains(t, c.NotComparable, test.reason)
		})
	}
}

// A run that was ended, or whose service was not reached, asked nothing else: its record does not hold the question.
func TestARunThatEndedEarlyAskedNoOtherQuestion(t *testing.T) {
	old, new := conformanceOf("a", "A-1 pass"), conformanceOf("b")
	old.Run.Settings = map[string]string{"only": "A-1", "strictness": "normal"}
	new.Run.Partial, new.Profile.Name, new.Scenarios = "nothing was judged: nothing listens there", "", nil
	c := compare.CompareConformance(old, new)
	assert.Equal(t, reports.NotComparable, c.Verdict)
	assert.Equal(t, "The second run ended early: nothing was judged: nothing listens there, "+
		"so the verdicts of both are shown and not judged.", c.Reason)
	assert.Equal(t, []string{"The second run ended early: nothing was judged: nothing listens there.",
		"The second run judged no requirement."}, c.NotComparable)
	both := compare.Compare(reports.Parts{Conformance: old}, reports.Parts{Conformance: new})
	assert.Empty(t, both.Advice, "other situations would not help")

	new.Profile.Name, new.Run.Settings = "all", map[string]string{"only": "A-2", "strictness": "normal"}
	c = compare.CompareConformance(old, new)
	assert.Equal(t, "The conformance runs asked different questions, so their verdicts are shown and not judged.",
		c.Reason)
	assert.Contains(t, c.NotComparable, "The two runs differ in choice of requirements (--only): A-1 in the first, "+
		"A-2 in the second.", "what it was to ask is known")
}

func TestCompareShape(t *testing.T) {
	entry := func(operation string, status int, place, kind string, times int) reports.ShapeEntry {
		return reports.ShapeEntry{Operation: operation, Status: status, Place: place, Kind: kind, Times: times}
	}
	old := []reports.ShapeEntry{
		entry("refresh", 200, "$.access_token", "string", 5),
		entry("refresh", 200, "$.expires_in", "number", 5),
		entry("refresh", 200, "claim access.jti", "string", 5),
		entry("refresh", 200, "header cache-control", "present", 5),
		entry("refresh", 401, "$.code", "number", 2),
		entry("signOut", 204, "header date", "present", 1),
	}
	assert.Empty(t, compare.CompareShape(old, old))
	new := []reports.ShapeEntry{
		entry("refresh", 200, "$.access_token", "string", 3),
		entry("refresh", 200, "$.expires_in", "string", 2),
		entry("refresh", 200, "$.expires_in", "number", 1),
		entry("refresh", 200, "$.scope", "string", 3),
		entry("refresh", 200, "header cache-control", "present", 3),
		entry("refresh", 403, "$.code", "number", 2),
	}
	var sentences []string
	drift := compare.CompareShape(old, new)
	for _, d := range drift {
		sentences = append(sentences, fmt.Sprintf("%s: %s", d.What, d.Sentence()))
	}
	assert.Equal(t, []string{
		"field: refresh 200, $.expires_in: number in the first run (5 times), number or string in the second (3 times)",
		"field: refresh 200, $.scope: only in the second run (string, 3 times)",
		"claim: refresh 200, claim access.jti: only in the first run (string, 5 times)",
		"status: status 401 of refresh: only in the first run (observed, 2 times)",
		"status: status 403 of refresh: only in the second run (observed, 2 times)",
		"operation: answers of signOut: only in the first run (observed, once)",
	}, sentences)
	swapped := compare.CompareShape(new, old)
	require.Len(t, swapped, len(drift), "what one run has and the other lacks is the same either way")
	for i, d := range swapped {
		assert.Equal(t, drift[i].Old, d.New)
		assert.Equal(t, drift[i].New, d.Old)
	}
}

func TestDriftJudgesNothingAndSaysWhereItIsNotKnown(t *testing.T) {
	old, new := conformanceOf("a", "A-1 pass"), conformanceOf("b", "A-1 pass")
	old.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: "$.a", Kind: "string", Times: 1}}
	new.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: "$.a", Kind: "number", Times: 1}}
	c := compare.CompareConformance(old, new)
	assert.Equal(t, reports.Pass, c.Verdict)
	assert.Len(t, c.Drift, 1)
	assert.True(t, c.DriftKnown)
	new.Shape = nil
	assert.False(t, compare.CompareConformance(old, new).DriftKnown)
}

func TestTwoLoneLoadRunsAreNeverRegressed(t *testing.T) {
	old, new := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay.Add(time.Hour), 100*time.Millisecond)
	new.Operations["refresh"].Wrong, new.Operations["refresh"].Right = 3000, 3000
	c := compare.Compare(reports.Parts{Load: old}, reports.Parts{Load: new})
	assert.Equal(t, reports.Inconclusive, c.Verdict)
	assert.Equal(t, "The second load run looks far worse, and two single runs cannot tell a change from chance: refresh p50 +900.0 % (100.0 ms, before 10.0 ms); "+
		"refresh p95 +900.0 % (170.0 ms, before 17.0 ms); 50.00 % of the answers to refresh wrong (before: 0 %).", c.Reason)
	require.Len(t, c.Load.Operations, 1)
	shift := c.Load.Operations[0].Shift
	last := shift[len(shift)-1]
	assert.Equal(t, compare.ShiftPoint{Quantile: 0.99, Old: 25e6, New: 250e6}, last, "p99.9 of 6,000 answers rests on six of them, so it is left out")
	assert.InDelta(t, 9.0, last.Change(), 1e-9)
	assert.Contains(t, c.Advice[1], "Wrong answers of refresh rose from 0 % to 50.00 %")
}

// Two lone runs are shown. What looks far worse leaves the question open, and nobody is to take it for green.
func TestTwoLoneLoadRunsAreShownUnlessOneLooksFarWorse(t *testing.T) {
	for name, test := range map[string]struct {
		old, new time.Duration
		wrong    int64
		want     reports.Verdict
	}{
		"the same":                      {10 * time.Millisecond, 10 * time.Millisecond, 0, reports.Observed},
		"faster":                        {10 * time.Millisecond, 2 * time.Millisecond, 0, reports.Observed},
		"as two runs may differ":        {10 * time.Millisecond, 14 * time.Millisecond, 100, reports.Observed},
		"much slower":                   {10 * time.Millisecond, 16 * time.Millisecond, 0, reports.Inconclusive},
		"many wrong":                    {10 * time.Millisecond, 10 * time.Millisecond, 200, reports.Inconclusive},
		"twice as slow, and fast still": {300 * time.Microsecond, 600 * time.Microsecond, 0, reports.Observed},
	} {
		old, new := storedLoad("a", folderDay, test.old), storedLoad("b", folderDay.Add(time.Hour), test.new)
		new.Operations["refresh"].Wrong, new.Operations["refresh"].Right = test.wrong, 6000-test.wrong
		assert.Equal(t, test.want, compare.CompareLoad(old, new).Verdict, name)
	}
}

// Hits that left late on a busy machine have longer response times, and the service has not become slower.
func TestTwoLoneLoadRunsOfWhichOneLeftLate(t *testing.T) {
	for name, test := range map[string]struct {
		lag, service time.Duration
		want         reports.Verdict
	}{
		"the lag may be all of it":           {13 * time.Millisecond, 4 * time.Millisecond, reports.Observed},
		"more than the lag":                  {5 * time.Millisecond, 4 * time.Millisecond, reports.Inconclusive},
		"the service itself took far longer": {13 * time.Millisecond, 12 * time.Millisecond, reports.Inconclusive},
	} {
		old := storedLoad("a", folderDay, 4*time.Millisecond)
		new := storedLoad("b", folderDay.Add(time.Hour), 13*time.Millisecond)
		new.Operations["refresh"].Service = storedLoad("c", folderDay, test.service).Total.Service
		new.Operations["refresh"].Response.P95 = int64(19 * time.Millisecond)
		new.Generator.Lag.P99 = int64(test.lag)
		c := compare.CompareLoad(old, new)
		assert.Equal(t, test.want, c.Verdict, "%s: %s", name, c.Reason)
	}
}

// A call that the first run made and the second one never did cannot be said to be no worse.
func TestTwoLoneLoadRunsOfWhichOneLacksACall(t *testing.T) {
	for name, test := range map[string]struct {
		workload string
		mix      map[string]int
		want     reports.Verdict
	}{
		"of its mix":                     {"mixed", map[string]int{"signon": 1, "refresh": 9}, reports.Inconclusive},
		"of its lives":                   {"lifecycle", nil, reports.Inconclusive},
		"of its workload":                {"signon", nil, reports.Inconclusive},
		"that mended chains":             {"refresh", nil, reports.Observed},
		"that mended chains, with a mix": {"mixed", map[string]int{"discover": 1, "refresh": 9}, reports.Observed},
	} {
		old, new := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay.Add(time.Hour), 10*time.Millisecond)
		for _, l := range []*reports.Load{old, new} {
			l.Plan.Workload, l.Plan.Mix = test.workload, test.mix
		}
		old.Operations["signon"] = &reports.Operation{Sent: 40, Right: 40}
		c := compare.CompareLoad(old, new)
		assert.Equal(t, test.want, c.Verdict, name)
		if test.want == reports.Inconclusive {
			assert.Contains(t, c.Reason, ": no signon was sent (before: 40).", name)
		}
	}
}

func TestLoadRunsThatCannotBeCompared(t *testing.T) {
	for name, test := range map[string]struct {
		change func(l *reports.Load)
		reason string
	}{
		"schedule": {func(l *reports.Load) { l.Plan.Schedule = "constant 300/s for 30 s" }, "The two runs differ in schedule: constant 200/s for 30 s in the first, constant 300/s for 30 s in the second."},
		"mix":      {func(l *reports.Load) { l.Plan.Mix = map[string]int{"signon": 1, "refresh": 9} }, "The two runs differ in mix: none in the first, refresh=9,signon=1 in the second."},
		"machine":  {func(l *reports.Load) { l.Run.Machine.CPUs = 16 }, "The two runs differ in machine of the generator: linux/amd64 with 2 CPUs in the first, linux/amd64 with 16 CPUs in the second."},
		"options":  {func(l *reports.Load) { l.Plan.Refreshes, l.Plan.Timeout = 9, 2e8 }, "The two runs differ in options: none in the first, refreshes of a client: 9, a timeout of 200ms in the second."},
		"closed":   {func(l *reports.Load) { l.Plan.Closed = true }, "The two runs differ in loop: open in the first, closed in the second."},
		"invalid":  {func(l *reports.Load) { l.Valid, l.Invalid = false, []string{"the consumer was behind"} }, "The figures of the second run are not valid: the consumer was behind."},
		"partial":  {func(l *reports.Load) { l.Run.Partial = "interrupted" }, "The second run ended early: interrupted."},
		"nothing":  {func(l *reports.Load) { l.Total = &reports.Operation{} }, "The second run sent nothing."},
		"slow":     {func(l *reports.Load) { l.Total = &reports.Operation{Asked: 6000, Sent: 5939} }, "The second run sent 5,939 of the 6,000 hits that were asked for, so its rate was not within 1 % of the wanted one."},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay, 10*time.Millisecond)
			test.change(new)
			c := compare.CompareLoad(old, new)
			assert.Equal(t, reports.NotComparable, c.Verdict)
			assert.Equal(t, []string{test.reason}, c.NotComparable)
		})
	}
	// What is asked may be written in another way.
	old, new := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay, 10*time.Millisecond)
	old.Plan.Schedule, new.Plan.Schedule = "constant 90/m for 30s, then ramp 0/s to 2/s over 2s",
		"constant 1.5/s for 30s, then ramp 0/s to 7200/h over 2s"
	old.Plan.Mix, new.Plan.Mix = map[string]int{"signon": 1, "refresh": 5}, map[string]int{"signon": 2, "refresh": 10}
	assert.Empty(t, compare.CompareLoad(old, new).NotComparable)
	new.Plan.Mix["refresh"] = 11
	assert.Equal(t, []string{"The two runs differ in mix: refresh=5,signon=1 in the first, refresh=11,signon=2 " +
		"in the second."}, compare.CompareLoad(old, new).NotComparable)

	// The seed, the address and the environment may differ: two environments are what is compared.
	old, new = storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay, 10*time.Millisecond)
	new.Plan.Seed, new.Run.URL, new.Run.Environment = 7, "http://127.0.0.1:2", "production"
	assert.Empty(t, compare.CompareLoad(old, new).NotComparable)
	assert.NotEqual(t, reports.QuestionOf(old), reports.QuestionOf(new), "a history is of one environment")
	new.Run.Environment = "staging"
	assert.Equal(t, reports.QuestionOf(old), reports.QuestionOf(new))
}

func TestCompareNamesPartsThatOnlyOneRunHas(t *testing.T) {
	c := compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: storedLoad("a", folderDay, time.Millisecond)}, reports.Parts{Conformance: conformanceOf("b", "A-1 pass")})
	assert.Equal(t, reports.Pass, c.Verdict)
	assert.Equal(t, []string{"Only the first run has a load part; the second has none, so that part was not compared."}, c.Notes)
	c = compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass")}, reports.Parts{Load: storedLoad("b", folderDay, time.Millisecond)})
	assert.Equal(t, reports.NotComparable, c.Verdict)
	assert.Equal(t, "The two runs have no part in common.", c.Reason)
}

// A name that is given twice, or a pin that moved to the new run, compares nothing: that is no pass.
func TestARunIsNotComparedWithItself(t *testing.T) {
	run := reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: storedLoad("a", folderDay, time.Millisecond)}
	c := compare.Compare(run, run)
	assert.Equal(t, reports.NotComparable, c.Verdict)
	assert.Equal(t, "Both are the same run, which cannot differ from itself.", c.Reason)
	assert.Contains(t, c.NotComparable, c.Reason)
}

func TestCompareOfGatesTakesThePartThatDecides(t *testing.T) {
	load := func(id string) *reports.Load { return storedLoad(id, folderDay, time.Millisecond) }
	regressed := compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: load("a")}, reports.Parts{Conformance: conformanceOf("b", "A-1 fail"), Load: load("b")})
	assert.Equal(t, reports.Regressed, regressed.Verdict)
	other := load("b")
	other.Plan.Workload = "signon"
	stillRegressed := compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: load("a")}, reports.Parts{Conformance: conformanceOf("b", "A-1 fail"), Load: other})
	assert.Equal(t, reports.Regressed, stillRegressed.Verdict, "a broken rule is no less broken where the load cannot be compared")
	same := compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: load("a")}, reports.Parts{Conformance: conformanceOf("b", "A-1 pass"), Load: load("b")})
	assert.Equal(t, reports.Pass, same.Verdict, "what is only shown decides nothing")
	assert.Equal(t, "No requirement that the first run saw kept fails in the second. The load figures of the two runs are shown and not judged: two single runs cannot tell a change from chance. None looks far worse.", same.Reason)
	slow := compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass"), Load: load("a")}, reports.Parts{Conformance: conformanceOf("b", "A-1 pass"), Load: storedLoad("b", folderDay, 10*time.Millisecond)})
	assert.Equal(t, reports.Inconclusive, slow.Verdict)
}

func TestShiftIsReadFromTheCurve(t *testing.T) {
	load := storedLoad("a", folderDay, 10*time.Millisecond)
	at := compare.QuantilesOf(load.Operations["refresh"])
	assert.Equal(t, int64(0), at(0.3), "without a curve it is not known")
	load.Operations["refresh"].Curve = []reports.CurvePoint{{Quantile: 0, Value: 1000}, {Quantile: 0.2, Value: 2000}, {Quantile: 0.4, Value: 4000}, {Quantile: 0.5, Value: 5000}}
	at = compare.QuantilesOf(load.Operations["refresh"])
	assert.Equal(t, int64(2000), at(0.2))
	assert.Equal(t, int64(3000), at(0.3), "halfway between two points of the curve")
	assert.Equal(t, int64(10*time.Millisecond), at(0.5), "a percentile that the run shows is the same here")
}

func TestComparisonIsStoredAndReadBack(t *testing.T) {
	for _, c := range []*compare.Comparison{
		compare.Compare(reports.Parts{Conformance: conformanceOf("a", "A-1 pass", "A-2 fail"), Load: storedLoad("a", folderDay, time.Millisecond)},
			reports.Parts{Conformance: conformanceOf("b", "A-1 fail", "A-2 pass"), Load: storedLoad("b", folderDay, time.Millisecond)}),
		compared(simulated(1, 12, 1, 0)),
		compare.CompareHistory(reports.Parts{Load: storedLoad("n", folderDay, 10*time.Millisecond)}, history(12, 1), compare.HistoryOptions{}),
	} {
		var stored bytes.Buffer
		require.NoError(t, reports.WriteJSON(&stored, c), "no figure is NaN or infinite")
		read, err := compare.ReadComparison(bytes.NewReader(stored.Bytes()))
		require.NoError(t, err)
		var again bytes.Buffer
		require.NoError(t, reports.WriteJSON(&again, read))
		assert.Equal(t, stored.String(), again.String())
	}
	_, err := compare.ReadComparison(strings.NewReader(`{"schema":"agstest.comparison/1.0"}`))
	require.EqualError(t, err, "the stored comparison has no verdict")
	_, err = compare.ReadComparison(strings.NewReader(`{"schema":"agstest.load/1.0"}`))
	require.ErrorContains(t, err, `wanted "agstest.comparison/1.0"`)
	assert.True(t, math.IsNaN(compare.ShiftPoint{}.Change()))
}
