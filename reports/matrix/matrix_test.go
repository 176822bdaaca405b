package matrix

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	unescape "html"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/html"
	"agstest/reports/runs"
)

var start = time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)

// checked is a stored conformance run with these verdicts, R-01 first.
func checked(environment string, verdict reports.Verdict, verdicts ...reports.Verdict) *runs.Stored {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: verdict, Reason: "because of " + environment,
		Run: reports.Run{ID: environment, Kind: "conform", Environment: environment, URL: "https://" + environment + ".example", Start: start, End: start.Add(time.Second)}}
	for i, v := range verdicts {
		r := reports.Requirement{ID: fmt.Sprintf("R-%02d", i+1), Level: "documented", Text: "It holds.", Verdict: v}
		if v == reports.Fail {
			r.Findings = []reports.Finding{{Expected: "status 200", Got: "status 201"}}
		}
		c.Requirements = append(c.Requirements, r)
	}
	return &runs.Stored{Parts: reports.Parts{Conformance: c}}
}

func loaded(environment string, p99 int64) *runs.Stored {
	o := &reports.Operation{Asked: 100, Sent: 100, Right: 99, Wrong: 1, Rate: 10, Response: reports.Percentiles{P50: p99 / 4, P95: p99 / 2, P99: p99}}
	return &runs.Stored{Parts: reports.Parts{Load: &reports.Load{Schema: reports.LoadSchema, Verdict: reports.Pass, Reason: "the limit was kept", Valid: true,
		Run:        reports.Run{ID: environment, Kind: "load", Environment: environment, Start: start.Add(time.Minute), End: start.Add(2 * time.Minute)},
		Operations: map[string]*reports.Operation{"refresh": o}, Total: o,
		Limits: []reports.Limit{{Expression: "p99<1s", Verdict: reports.Pass, Value: "40 ms", Interval: "39 ms to 41 ms"}}}}}
}

func part(run *runs.Stored, exit int) Part {
	return Part{Command: run.Run().Kind, Folder: run.Run().Environment + "/" + run.Run().Kind, Exit: exit, Run: run}
}

const (
	pass, fail, skipped, none = reports.Pass, reports.Fail, reports.Skipped, reports.NotExercised
)

func TestBuild(t *testing.T) {
	withBefore := part(checked("int", fail, pass, fail, fail, pass, skipped, pass), 1)
	withBefore.Against = checked("int", pass, pass, pass, fail, skipped, pass, fail)
	m := Build("release", "25.52", "release 25.51", reports.Tool{Version: "1"}, []Column{
		{"dev", []Part{part(checked("dev", pass, pass, pass, fail, pass, pass, pass), 0), part(loaded("dev", 40e6), 0)}},
		{"int", []Part{withBefore, part(loaded("int", 80e6), 0)}},
		{"down", []Part{{Command: "conform", Exit: 3, Problem: "nobody answers"}}},
	})
	assert.Equal(t, fail, m.Verdict)
	assert.Equal(t, "fail in int; could not tell in down; pass in dev", strings.Replace(m.Reason, reports.Error.Word(), "could not tell", 1))
	assert.Equal(t, start, m.Start)
	assert.Equal(t, start.Add(2*time.Minute), m.End)

	changes := map[string]Change{}
	differing := map[string]bool{}
	for _, r := range m.Requirements {
		changes[r.ID], differing[r.ID] = r.Cells[1].Change, r.Differs
		assert.Len(t, r.Cells, 3)
		assert.Empty(t, r.Cells[2].Verdict, "an environment without a run says nothing")
	}
	assert.Equal(t, map[string]Change{"R-01": "", "R-02": newFailure, "R-03": "", "R-04": newlyCovered, "R-05": noLongerCovered, "R-06": mended}, changes)
	assert.Equal(t, map[string]bool{"R-01": false, "R-02": true, "R-03": false, "R-04": false, "R-05": false, "R-06": false}, differing)

	require.Len(t, m.Causes, 1, "one expectation and one answer are one cause")
	assert.Equal(t, []string{"R-03", "R-02"}, m.Causes[0].Requirements)
	assert.Equal(t, []string{"dev", "int"}, m.Causes[0].Environments)
	assert.Equal(t, "dev/conform/conformance.html#r-R-03", m.Causes[0].Link)

	require.Len(t, m.Load, 2)
	assert.Equal(t, int64(80e6), m.Load[0].Cells[1].P99)
	assert.InDelta(t, 9.9, m.Load[0].Cells[1].Throughput, 1e-9)
	assert.Zero(t, m.Load[0].Cells[2].Sent)
	assert.Equal(t, "39 ms to 41 ms", m.Load[1].Cells[0].Limits[0].Interval)
}

// TestNothingIsGreenByOversight: the exit code of a run and its verdict both count, the graver one for the environment.
// TestCausesAreThoseOfTheRuns: what the report of a run calls one cause is one here, and one of two environments is
// told once. A requirement that no cause stands for has an entry of its own.
func TestCausesAreThoseOfTheRuns(t *testing.T) {
	caused := func(environment string) *runs.Stored {
		run := checked(environment, fail, fail, fail, pass)
		run.Conformance.Requirements[1].Findings[0].Expected = "one of 200, 400"
		run.Conformance.Causes = []reports.Cause{{ID: "C-00000001", Verdict: fail, Operation: "refresh", Expected: "status 200", Got: "status 201", Requirements: []string{"R-01", "R-02"}},
			{ID: "C-00000002", Verdict: reports.Known, Expected: "a name", Got: "none", Requirements: []string{"R-03"}}}
		return run
	}
	alone := caused("int")
	alone.Conformance.Requirements[2].Verdict, alone.Conformance.Requirements[2].Reason = reports.Error, "nobody knows"
	m := Build("release", "", "", reports.Tool{Version: "1"}, []Column{{"dev", []Part{part(caused("dev"), 1)}}, {"int", []Part{part(alone, 1)}}})
	assert.Equal(t, []Cause{
		{ID: "C-00000001", Verdict: fail, Operation: "refresh", Expected: "status 200", Got: "status 201", Requirements: []string{"R-01", "R-02"}, Environments: []string{"dev", "int"},
			Link: "dev/conform/conformance.html#r-R-01"},
		{Verdict: reports.Error, Got: "nobody knows", Requirements: []string{"R-03"}, Environments: []string{"int"}, Link: "int/conform/conformance.html#r-R-03"},
	}, m.Causes)
	var text bytes.Buffer
	require.NoError(t, Text(&text, m))
	assert.Contains(t, text.String(), "  fail in dev, int: refresh: expected status 200, got status 201 (R-01, R-02)\n")
}

// TestFirstIsWhatFailedWithoutACause: loads and environments that nobody could ask stand in the list of what to look at
// first, beside the causes; a run whose environment has causes does not stand there twice.
func TestFirstIsWhatFailedWithoutACause(t *testing.T) {
	slow := loaded("dev", 40e6)
	slow.Load.Verdict, slow.Load.Reason = reports.Invalid, "the generator was too slow"
	first := func(columns ...Column) string {
		var b bytes.Buffer
		require.NoError(t, HTML(&b, Build("release", "", "", reports.Tool{Version: "1"}, columns), html.Style{}))
		_, text, _ := strings.Cut(b.String(), `<h2 id="first">`)
		text, _, _ = strings.Cut(text, "</section>")
		return regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " "), " ")
	}
	const missed = "What to look at first fail in int · 1 requirement: R-02 expected status 200, " +
		"got status 201 · evidence "
	assert.Equal(t, missed+"could not tell in down : conform nobody answers "+
		"not valid in dev : load the generator was too slow · report ",
		first(Column{"dev", []Part{part(checked("dev", pass, pass), 0), part(slow, 5)}}, Column{"int", []Part{part(checked("int", fail, pass, fail), 1)}},
			Column{"down", []Part{{Command: "conform", Exit: 3, Problem: "nobody answers"}}}))
	gate := checked("int", fail, pass, fail)
	gate.Load = slow.Load
	gated := part(gate, 1)
	gated.Command = "gate"
	assert.Equal(t, missed+"not valid in int : load of the gate the generator was too slow · report ",
		first(Column{"int", []Part{gated}}), "a load that fails beside a conformance that does")
	gate.Load = loaded("int", 40e6).Load
	assert.Equal(t, missed, first(Column{"int", []Part{gated}}))
	assert.Equal(t, "What to look at first No environment missed a requirement, and no run failed otherwise. ", first(Column{"dev", []Part{part(checked("dev", pass, pass), 0), part(loaded("dev", 40e6), 0)}}))
}

func TestNothingIsGreenByOversight(t *testing.T) {
	for _, c := range []struct {
		name string
		part Part
		want reports.Verdict
	}{
		{"a code that nobody knows", Part{Command: "conform", Exit: 99}, reports.Error},
		{"killed", Part{Command: "conform", Exit: 137}, reports.Error},
		{"a code above the verdict", part(checked("a", pass, pass), 3), reports.Error},
		{"a verdict above the code", part(checked("a", reports.Inconclusive, pass), 0), reports.Inconclusive},
		{"what could not be told keeps its word", part(checked("a", reports.Error, pass), 4), reports.Error},
		{"a verdict that nobody knows", part(checked("a", "odd", pass), 0), "odd"},
		{"a stored run", part(checked("a", fail, fail), -1), fail},
		{"sound", part(checked("a", pass, pass), 0), pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Build("x", "", "", reports.Tool{}, []Column{{"sound", []Part{part(checked("sound", pass, pass), 0)}}, {"a", []Part{c.part}}})
			assert.Equal(t, c.want, m.Verdict)
		})
	}
	assert.Equal(t, reports.NotExercised, Build("x", "", "", reports.Tool{}, nil).Verdict)
}

// TestAPartOfTheSuiteMendsNothing: a requirement that an earlier run saw fail, and that a part of the suite judged on the
// way, is not called mended.
func TestAPartOfTheSuiteMendsNothing(t *testing.T) {
	before, now := checked("int", fail, fail, fail), checked("int", pass, pass, pass)
	for _, c := range []struct {
		settings map[string]string
		changes  []Change
	}{
		{nil, []Change{mended, mended}},
		{map[string]string{"only": now.Conformance.Requirements[0].ID}, []Change{"", ""}},
	} {
		now.Conformance.Run.Settings = c.settings
		p := part(now, 0)
		p.Against = before
		m := Build("m", "", "the run before", reports.Tool{}, []Column{{Name: "int", Parts: []Part{p}}})
		for i, want := range c.changes {
			assert.Equal(t, want, m.Requirements[i].Cells[0].Change)
			assert.Equal(t, fail, m.Requirements[i].Cells[0].Was)
		}
	}
}

// TestAKnownDepartureIsNotMended: it fails as before, and what comes off the list is no new failure.
func TestAKnownDepartureIsNotMended(t *testing.T) {
	for _, c := range []struct {
		before, now reports.Verdict
		change      Change
	}{{fail, reports.Known, ""}, {reports.Known, fail, ""}, {reports.Known, pass, mended}, {fail, reports.Warn, ""}} {
		p := part(checked("int", pass, c.now), 0)
		p.Against = checked("int", pass, c.before)
		m := Build("m", "", "the run before", reports.Tool{}, []Column{{Name: "int", Parts: []Part{p}}})
		assert.Equal(t, c.change, m.Requirements[0].Cells[0].Change, "%s, then %s", c.before, c.now)
	}
}

func TestShape(t *testing.T) {
	a, b, c := checked("a", pass, pass), checked("b", pass, pass), checked("c", pass, pass)
	same := reports.ShapeEntry{Operation: "refresh", Status: 200, Place: "accountId", Kind: "string", Times: 3}
	own := reports.ShapeEntry{Operation: "refresh", Status: 200, Place: "scope", Kind: "string", Times: 2}
	a.Conformance.Shape = []reports.ShapeEntry{same, own}
	b.Conformance.Shape = []reports.ShapeEntry{same}
	m := Build("x", "", "", reports.Tool{}, []Column{{"a", []Part{part(a, 0)}}, {"b", []Part{part(b, 0)}}, {"c", []Part{part(c, 0)}}})
	assert.Equal(t, []Shape{{"refresh", 200, "scope", "string", []int{2, 0, -1}}}, m.Shape, "who never gave the answer lacks nothing of it")
}

// TestFilesOfALargeMatrix: 12 environments and 205 requirements stay below 1.5 MB, and what comes from answers is text
// everywhere.
func TestFilesOfALargeMatrix(t *testing.T) {
	var columns []Column
	for i := range 12 {
		verdicts := make([]reports.Verdict, 205)
		for n := range verdicts {
			verdicts[n] = []reports.Verdict{pass, fail, skipped, none, reports.Warn}[(n*i+n/7)%5]
		}
		run := checked(fmt.Sprintf("env-%d", i), fail, verdicts...)
		for n := range run.Conformance.Requirements {
			r := &run.Conformance.Requirements[n]
			r.Text = "<script>alert(1)</script> ]]> a sentence of the usual length that says what a page states of a call and its answer."
			for f := range r.Findings {
				r.Findings[f].Got = fmt.Sprintf("status 201 | *bold* <img src=x> \x1b[31m %d", n%30)
			}
		}
		columns = append(columns, Column{run.Conformance.Run.Environment, []Part{part(run, 1), part(loaded(run.Conformance.Run.Environment, int64(i+1)*1e6), 0)}})
	}
	m := Build("all <b>of</b> them", "", "", reports.Tool{}, columns)

	var page, summary, junit, text strings.Builder
	require.NoError(t, HTML(&page, m, html.Style{}))
	assert.Less(t, page.Len(), 1_500_000)
	assert.False(t, strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "<img"))
	assert.True(t, strings.Contains(unescape.UnescapeString(page.String()), "default-src 'none'"))
	assert.Equal(t, 1, strings.Count(page.String(), "<h1>"))

	require.NoError(t, Markdown(&summary, m))
	shown := regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>.*?</details>`).ReplaceAllString(summary.String(), "$1")
	assert.LessOrEqual(t, utf8.RuneCountInString(shown), 4000)
	assert.Contains(t, shown, "more causes")
	assert.NotContains(t, summary.String(), "<img")

	require.NoError(t, JUnit(&junit, m))
	var read junitSuites
	require.NoError(t, xml.Unmarshal([]byte(junit.String()), &read))
	require.Len(t, read.Suites, 12)
	assert.Equal(t, 1, read.Suites[3].Failures)
	assert.Equal(t, 2, read.Suites[3].Tests)
	var sum junitCounts
	for _, s := range read.Suites {
		sum.Tests, sum.Failures = sum.Tests+s.Tests, sum.Failures+s.Failures
		sum.Errors, sum.Skipped = sum.Errors+s.Errors, sum.Skipped+s.Skipped
	}
	assert.Equal(t, 24, sum.Tests)
	sum.Seconds = read.Seconds
	assert.Equal(t, sum, read.junitCounts)

	require.NoError(t, Text(&text, m))
	assert.Contains(t, text.String(), "and 20 causes more")

	stored, err := json.Marshal(m)
	require.NoError(t, err)
	var again Matrix
	require.NoError(t, json.Unmarshal(stored, &again))
	assert.Equal(t, m.Causes, again.Causes)
}

// Every sign and frame of a cell stands in the legend, the empty cell too; and none that no cell has.
func TestTheLegendHasWhatCellsHave(t *testing.T) {
	t.Parallel()
	legend := func(columns ...Column) string {
		var page strings.Builder
		require.NoError(t, HTML(&page, Build("x", "", "", reports.Tool{}, columns), html.Style{}))
		found := regexp.MustCompile(`(?s)<ul class="legend-row.*?</ul>`).FindString(page.String())
		return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(found, " ")), " ")
	}
	old, lone := part(checked("dev", fail, pass, fail), 1), part(checked("dev", fail, fail, pass), 1)
	lone.Against = old.Run
	assert.Equal(t, "✗ fail ✓ pass new failure mended", legend(Column{"dev", []Part{lone}}))
	assert.Equal(t, "✗ fail ✓ pass empty: no run there asked it",
		legend(Column{"dev", []Part{old}}, Column{"int", []Part{part(loaded("int", 7e6), 0)}}))
}

// TestStoredMatrixIsOfItsSchema: what is stored, empty or full, validates; and it is read back.
func TestStoredMatrixIsOfItsSchema(t *testing.T) {
	t.Parallel()
	data, err := reports.Schema("matrix")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("matrix.json", document))
	schema, err := compiler.Compile("matrix.json")
	require.NoError(t, err)
	run, before := checked("a", fail, pass, fail, fail), checked("a", pass, pass, pass, fail)
	run.Conformance.Requirements[1].Tries = &reports.Tries{Times: 3, Showed: 1, First: 1}
	run.Conformance.Shape = []reports.ShapeEntry{{Operation: "refresh", Status: 200, Place: "scope", Kind: "string", Times: 2}}
	conform := part(run, 1)
	conform.Against = before
	full := Build("x", "2", "release 1", reports.Tool{Version: "1", Go: "go1.26"}, []Column{{"a", []Part{conform, part(loaded("a", 7e6), 0)}}, {"b", []Part{part(checked("b", pass, pass), 0), {Command: "load", Exit: 3, Problem: "down"}}}})
	assert.Equal(t, "fails sometimes (1 of 3)", full.Requirements[1].Cells[0].Sometimes)
	assert.Equal(t, "Since release 1: 1 new failure, 1 fails sometimes.", full.since())
	for name, m := range map[string]*Matrix{"full": full, "empty": Build("x", "", "", reports.Tool{}, nil)} {
		var text bytes.Buffer
		require.NoError(t, reports.WriteJSON(&text, m))
		again, err := Read(bytes.NewReader(text.Bytes()))
		require.NoError(t, err, name)
		assert.Equal(t, m.Reason, again.Reason)
		value, err := jsonschema.UnmarshalJSON(&text)
		require.NoError(t, err)
		require.NoError(t, schema.Validate(value), name)
		value.(map[string]any)["schema"] = "agstest.matrix/2.0"
		require.Error(t, schema.Validate(value), "another major version")
	}
	_, err = Read(strings.NewReader(`{"schema":"agstest.matrix/2.0"}`))
	require.EqualError(t, err, `the stored matrix is "agstest.matrix/2.0"; this version reads agstest.matrix/1.0`)
	for _, write := range []func(io.Writer, *Matrix) error{Text, Markdown, func(w io.Writer, m *Matrix) error { return HTML(w, m, html.Style{}) }} {
		var text strings.Builder
		require.NoError(t, write(&text, full))
		assert.Contains(t, text.String(), "Since release 1: 1 new failure, 1 fails sometimes.")
	}
}
