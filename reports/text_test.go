package reports_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/html"
	"agstest/reports/text"
)

// Scenarios of people that stand for no requirement fail a run too, so the summary names them and says what was wrong.
func TestSummaryNamesScenariosWithoutARequirement(t *testing.T) {
	c := &reports.Conformance{Verdict: reports.Fail, Reason: "2 scenarios without a requirement failed", Scenarios: []reports.Scenario{
		{ID: "own/a.feature:4", Name: "Refresh twice", Verdict: reports.Fail, Findings: []reports.Finding{{Verdict: reports.Fail, Expected: "status 201", Got: "status 200"}}},
		{ID: "own/a.feature:9", Name: "Sign out", Verdict: reports.Pass},
		{ID: "features/refresh.feature:9", Name: "A client refreshes", Requirements: []string{"REF-01"}, Verdict: reports.Fail},
		{ID: "own/b.feature:2", Name: "Silence", Verdict: reports.Error, Steps: []reports.Step{{Verdict: reports.Pass, Message: "fine"}, {Verdict: reports.Error, Message: "no answer came"}}},
	}}
	summary := render(t, func(w io.Writer) error { return text.Terminal(w, c, nil, false) })
	assert.Contains(t, summary, `  Scenarios without a requirement
    FAIL  own/a.feature:4: Refresh twice
          expected status 201, got status 200
    COULD NOT TELL  own/b.feature:2: Silence
          no answer came
`)
	assert.NotContains(t, summary, "Sign out")
	assert.NotContains(t, summary, "A client refreshes")

	for i := range 30 {
		c.Scenarios = append(c.Scenarios, reports.Scenario{ID: fmt.Sprint("own/c.feature:", i), Verdict: reports.Fail})
	}
	summary = render(t, func(w io.Writer) error { return text.Terminal(w, c, nil, false) })
	assert.Equal(t, 10, strings.Count(summary, "FAIL  own")+strings.Count(summary, "COULD NOT TELL  own"))
	assert.Equal(t, 1, strings.Count(summary, "… more in the report"))
}

func TestSummaryOfAnInvalidRunSaysWhatToDo(t *testing.T) {
	l := &reports.Load{Verdict: reports.Invalid, Invalid: []string{"hits left late"}}
	assert.Contains(t, render(t, func(w io.Writer) error { return text.Terminal(w, nil, l, false) }),
		"    hits left late\n    What to do: run again on a machine that does less besides, on a bigger one, or with a lower rate\n")
	l.Total = &reports.Operation{Asked: 100, Sent: 100}
	l.Generator.Starved = 40
	assert.Contains(t, render(t, func(w io.Writer) error { return text.Terminal(w, nil, l, false) }),
		"    What to do: give more --clients (count in the environment file), or ask for a lower rate: clients send no faster than the service answers them\n", "a bigger machine does not help")
	l.Generator.Starved = 0
	l.Invalid = []string{"the shards started up to 7.6 s apart, so that they were not one schedule; use --start-at"}
	assert.Contains(t, render(t, func(w io.Writer) error { return text.Terminal(w, nil, l, false) }),
		"    What to do: give each shard the same moment with --start-at\n", "nor is a shard too slow that came late")
}

// A search for the capacity that never began has neither a schedule nor clients yet.
func TestAPlanSaysOnlyWhatIsKnown(t *testing.T) {
	l := &reports.Load{Verdict: reports.Error, Plan: reports.Plan{Workload: "refresh"}}
	terminal := func(w io.Writer) error { return text.Terminal(w, nil, l, false) }
	markdown := func(w io.Writer) error { return text.Markdown(w, nil, l) }
	page := func(w io.Writer, s html.Style) error { return html.Load(w, l, s) }
	assert.Contains(t, render(t, terminal), "  plan         refresh\n")
	assert.Contains(t, render(t, markdown), "\n\nrefresh\n")
	assert.NotContains(t, render(t, markdown), "0 clients")
	assert.NotContains(t, htmlOf(t, page, html.Style{}), "<dt>Clients")

	l.Plan.Schedule, l.Plan.Clients = "constant 1/s for 1s", 1
	assert.Contains(t, render(t, terminal), "  plan         refresh, constant 1/s for 1s, 1 client\n")
	assert.Contains(t, render(t, markdown), "\n\nconstant 1/s for 1s · refresh · 1 client\n")
	assert.Contains(t, htmlOf(t, page, html.Style{}), "<dt>Clients")
}

func TestAKindOfWrongAnswersIsToldOnce(t *testing.T) {
	same := reports.Wrong{Operation: "refresh", Kind: "status", Times: 200, Message: "refresh was answered 201, not 200"}
	l := &reports.Load{Valid: true, Total: &reports.Operation{}, Wrong: []reports.Wrong{same, same, same, {Operation: "signon", Kind: "status", Times: 1, Message: "no"}}}
	summary := render(t, func(w io.Writer) error { return text.Terminal(w, nil, l, false) })
	assert.Equal(t, 1, strings.Count(summary, "  wrong refresh status, 200 times: refresh was answered 201, not 200\n"))
	assert.Equal(t, 2, strings.Count(summary, "\n  wrong "))
	assert.Equal(t, []reports.Wrong{same, l.Wrong[3]}, l.KindsOfWrong())
	assert.Equal(t, 1, strings.Count(render(t, func(w io.Writer) error { return text.Markdown(w, nil, l) }), "refresh was answered 201"))
}

// The summary names single wrong answers of each kind by the ids that were sent, the gravest kind first.
func TestSummaryNamesSingleWrongAnswers(t *testing.T) {
	l := sampleLoad(2, 60)
	one := func(kind string) reports.Wrong {
		return reports.Wrong{Operation: "refresh", Kind: kind, Times: 1, Message: "of another client", Hit: &reports.Hit{Operation: "refresh", Kind: kind, CorrelationID: "id-of-" + kind}}
	}
	l.Wrong = append(l.Wrong, one("identity"))
	summary := render(t, func(w io.Writer) error { return text.Markdown(w, nil, l) })
	identity, status := strings.Index(summary, "| refresh | identity | ❌ fail | 1 |"), strings.Index(summary, "| refresh | status | ⚠️ warning |")
	assert.Positive(t, identity)
	assert.Less(t, identity, status)
	for _, id := range []string{"agstest-16-1x2y3z-5000", "agstest-16-1x2y3z-5030", "agstest-16-1x2y3z-5059", "id-of-identity"} {
		assert.Contains(t, summary, id)
	}
}

// A run that is not good and has nothing single to blame, such as one that was interrupted, never says that nothing
// needs attention.
func TestNoPageIsCalmAboutARunThatIsNotGood(t *testing.T) {
	for _, verdict := range reports.Verdicts {
		run, reason := reports.Run{Partial: "it was interrupted"}, "the run ended early"
		for name, write := range map[string]func(io.Writer) error{
			"conformance": func(w io.Writer) error {
				return html.Conformance(w, &reports.Conformance{Run: run, Verdict: verdict, Reason: reason}, html.Style{})
			},
			"load": func(w io.Writer) error {
				return html.Load(w, &reports.Load{Run: run, Verdict: verdict, Reason: reason, Valid: true, Total: &reports.Operation{}, Limits: []reports.Limit{{Expression: "p99<1s", Verdict: reports.Pass}}}, html.Style{})
			},
			"gate": func(w io.Writer) error {
				return html.Gate(w, &reports.Gate{Run: run, Verdict: verdict, Reason: reason}, html.Style{})
			},
		} {
			page := render(t, write)
			if verdict.Blocks() {
				assert.NotContains(t, page, "Nothing needs attention", "%s: %s", name, verdict)
			}
			if name != "load" { // which finds something in a run of no hits
				assert.Equal(t, verdict.Blocks(), strings.Contains(page, "<b>The whole run:</b> The run ended early."), "%s: %s", name, verdict)
			}
		}
	}
}

// Findings of people's own scenarios are at the top of every report: no requirement speaks for them.
func TestScenariosWithoutARequirementAreLookedAtFirst(t *testing.T) {
	c := &reports.Conformance{Verdict: reports.Fail, Reason: "1 scenario without a requirement failed", Requirements: []reports.Requirement{{ID: "REF-01", Verdict: reports.Pass, Text: "A client refreshes."}}, Features: []reports.Feature{{File: "own/a.feature", Path: "tests/a.feature"}}, Scenarios: []reports.Scenario{
		{ID: "own/a.feature:4", Name: "Refresh twice", Verdict: reports.Fail, File: "own/a.feature", Line: 4, Findings: []reports.Finding{{Verdict: reports.Fail, Expected: "status 201", Got: "status 200"}}},
		{ID: "own/b.feature:2", Name: "Silence", Verdict: reports.Error, Reason: "no answer came"},
		{ID: "own/b.feature:9", Name: "A doubt", Verdict: reports.Warn, Reason: "status 200 with a hint"},
		{ID: "own/b.feature:12", Name: "Calm", Verdict: reports.Pass},
		{ID: "features/refresh.feature:9", Name: "A client refreshes", Requirements: []string{"REF-01"}, Verdict: reports.Pass},
	}}
	for name, write := range map[string]func(io.Writer) error{
		"page": func(w io.Writer) error { return html.Conformance(w, c, html.Style{}) },
		"gate's page": func(w io.Writer) error {
			return html.Gate(w, &reports.Gate{Verdict: reports.Fail, Conformance: c}, html.Style{})
		},
	} {
		page := render(t, write)
		_, first, found := strings.Cut(page, `<h2 id="first">`)
		first, _, _ = strings.Cut(first, "</section>")
		assert.True(t, found, name)
		assert.NotContains(t, first, "Nothing needs attention", name)
		assert.Contains(t, first, `href="#s-own_a_feature_4-8e7c0067">own/a.feature:4</a> Refresh twice<p>expected status 201, got status 200</p>`, name)
		assert.Contains(t, first, `own/b.feature:2</a> Silence<p>no answer came</p>`, name)
		assert.Contains(t, first, `own/b.feature:9</a> A doubt<p>status 200 with a hint</p>`, name)
		assert.NotContains(t, first, "Calm", name)
		assert.Less(t, strings.Index(first, "own/a.feature:4"), strings.Index(first, "own/b.feature:2"), name)
		assert.Contains(t, page, "1 scenario without a requirement could not be judged.", name)
		assert.Contains(t, page, `id="s-own_a_feature_4-8e7c0067"`, name)
	}
	markdown := render(t, func(w io.Writer) error { return text.Markdown(w, c, nil) })
	assert.Contains(t, markdown, `| own/a.feature:4 | ❌ fail | Refresh twice | expected status 201, got status 200 |`)
	assert.Contains(t, markdown, `| own/b.feature:2 | ❓ could not tell | Silence | no answer came |`)
	for i := range 30 {
		c.Scenarios = append(c.Scenarios, reports.Scenario{ID: fmt.Sprint("own/c.feature:", i), Name: "Many", Verdict: reports.Fail})
	}
	page := render(t, func(w io.Writer) error { return html.Conformance(w, c, html.Style{}) })
	assert.Contains(t, page, `<a href="#c-scenarios">25 more</a> scenarios without a requirement failed.`)
}

func TestClosedLoopShowsItsServiceTimes(t *testing.T) {
	o := &reports.Operation{Asked: 9, Sent: 9, Right: 9, Service: reports.Percentiles{Count: 9, P50: 1_500_000, P90: 2_000_000, P95: 2_500_000, P99: 3_000_000, P999: 3_500_000, Max: 4_000_000}}
	l := &reports.Load{Verdict: reports.Pass, Valid: true, Plan: reports.Plan{Closed: true}, Operations: map[string]*reports.Operation{"refresh": o}, Total: o}
	var out strings.Builder
	require.NoError(t, text.Terminal(&out, nil, l, false))
	assert.Regexp(t, `refresh +9 +9 +100 % +0 +1\.50 +2\.00 +2\.50 +3\.00 +3\.50 +4\.00`, out.String())
	assert.Contains(t, out.String(), "Closed loop: these are service times")
}

func TestTracedRunShowsItsPhases(t *testing.T) {
	phases := &reports.Phases{Wait: reports.Percentiles{Count: 9, P50: 1_500_000}, NewConnections: 2, ReuseRatio: 0.75}
	l := &reports.Load{Verdict: reports.Pass, Valid: true, Operations: map[string]*reports.Operation{"refresh": {Sent: 9, Right: 9}}, Total: &reports.Operation{Sent: 9, Right: 9, Phases: phases}}
	var out strings.Builder
	require.NoError(t, html.Load(&out, l, html.Style{}))
	assert.Contains(t, out.String(), "Phases of an exchange, in ms")
	assert.Contains(t, out.String(), "wait for the first byte")
	assert.Contains(t, out.String(), "all together: 2 new connections, 75 % of requests on a connection already open.")
}
