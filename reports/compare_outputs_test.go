package reports_test

import (
	"bytes"
	"encoding/xml"
	unescape "html"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// junitRead is what a consumer reads of JUnit XML.
type junitRead struct {
	Suites []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Cases    []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Type    string `xml:"type,attr"`
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readCompareJUnit(t *testing.T, c *compare.Comparison, strict bool) junitRead {
	t.Helper()
	c.Run.Settings = nil
	if strict {
		c.Run.Settings = map[string]string{"strictness": "strict"}
	}
	summary := render(t, func(w io.Writer) error { return export.JUnitOfComparison(w, c) })
	var read junitRead
	require.NoError(t, xml.Unmarshal([]byte(summary), &read))
	names := map[string]bool{}
	for _, suite := range read.Suites {
		assert.Equal(t, suite.Tests, len(suite.Cases))
		for _, test := range suite.Cases {
			assert.False(t, names[test.Class+"\x00"+test.Name], "%s %s is there twice", test.Class, test.Name)
			names[test.Class+"\x00"+test.Name] = true
		}
	}
	return read
}

func TestCompareJUnitIsRedExactlyWhereTheVerdictIs(t *testing.T) {
	for name, c := range sampleComparisons() {
		for _, strict := range []bool{false, true} {
			failures := 0
			for _, suite := range readCompareJUnit(t, c, strict).Suites {
				failures += suite.Failures
				assert.Zero(t, suite.Errors)
			}
			red := slices.Contains([]reports.Verdict{reports.Regressed, reports.Fail, reports.Inconclusive, reports.NotComparable}, c.Verdict)
			assert.Equal(t, red, failures > 0, "%s, strict %v: %s", name, strict, c.Verdict)
		}
	}
}

// A generator that was too slow is an error in a pipeline, as it is exit code 5: with --strict or without, and beside
// no failure.
func TestCompareJUnitOfFiguresThatAreNotValid(t *testing.T) {
	for _, strict := range []bool{false, true} {
		c := sampleComparisons()["interleaved"]
		c.Verdict, c.Reason = reports.NotComparable, "The figures of the old build's part are not valid: hits left late."
		c.Interleaved.Invalid = []string{"hits left late"}
		suites := readCompareJUnit(t, c, strict).Suites
		last := suites[len(suites)-1]
		assert.Equal(t, 1, last.Errors)
		assert.Zero(t, last.Failures)
	}
}

// A new run that says of itself that it decided nothing ends a comparison with its own exit code, and JUnit is red.
func TestCompareJUnitOfARunThatDecidedNothing(t *testing.T) {
	for verdict, red := range map[reports.Verdict]bool{
		reports.Pass: false, reports.Warn: false, reports.Inconclusive: true, reports.Invalid: true, reports.Error: true, reports.Fail: true,
	} {
		new := storedLoad("b", folderDay.Add(time.Hour), 10*time.Millisecond)
		new.Verdict, new.Reason = verdict, "it says so"
		c := compare.Compare(reports.Parts{Load: storedLoad("a", folderDay, 10*time.Millisecond)}, reports.Parts{Load: new})
		bad := 0
		for _, suite := range readCompareJUnit(t, c, false).Suites {
			bad += suite.Failures + suite.Errors
		}
		assert.Equal(t, red, bad > 0, verdict)
	}
}

func TestCompareJUnitCarriesBothEvidences(t *testing.T) {
	c := sampleComparisons()["runs"]
	read := readCompareJUnit(t, c, false)
	broke := read.Suites[0].Cases[0]
	require.NotNil(t, broke.Failure)
	assert.Equal(t, "SOST-03 The text of SOST-03.", broke.Name)
	assert.Equal(t, "regressed", broke.Failure.Type)
	assert.Contains(t, broke.Failure.Text, "before: pass")
	assert.Contains(t, broke.Failure.Text, "SOST-03: expected 201, got 200")
	load := read.Suites[1].Cases[0]
	require.NotNil(t, load.Skipped)
	assert.Contains(t, load.Skipped.Message, "Two single load runs never fail a build")
}

func TestComparisonsReadTheSameEverywhere(t *testing.T) {
	for name, c := range sampleComparisons() {
		page := unescape.UnescapeString(render(t, func(w io.Writer) error { return html.Comparison(w, c, html.Style{}) }))
		summary := render(t, func(w io.Writer) error { return text.Comparison(w, c, false) })
		markdown := strings.ReplaceAll(render(t, func(w io.Writer) error { return text.MarkdownOfComparison(w, c) }), "\\", "")
		junit := unescape.UnescapeString(render(t, func(w io.Writer) error { return export.JUnitOfComparison(w, c) }))
		assert.Contains(t, summary, strings.ToUpper(c.Verdict.Word()), name)
		assert.Contains(t, markdown, c.Verdict.Word(), name)
		var shown []string
		if c.Interleaved != nil {
			for k := range c.Interleaved.Metrics {
				m := &c.Interleaved.Metrics[k]
				shown = append(shown, m.ChangeWords(m.Change), m.IntervalWords())
			}
			for _, figure := range shown {
				assert.Contains(t, junit, figure, name)
			}
		}
		if c.History != nil {
			for _, m := range c.History.Metrics {
				shown = append(shown, figures.Milliseconds(m.Value), figures.Change(m.Change))
			}
		}
		if c.Method == compare.TwoRuns && c.Load != nil {
			for _, point := range c.Load.Operations[0].Shift {
				if point.Quantile == 0.5 || point.Quantile == 0.95 {
					shown = append(shown, figures.Milliseconds(point.Old), figures.Milliseconds(point.New), figures.Change(point.Change()))
				}
			}
		}
		for _, figure := range shown {
			assert.Contains(t, page, figure, name)
			assert.Contains(t, summary, figure, name)
			assert.Contains(t, markdown, figure, name)
		}
	}
}

func TestCompareTextOnATerminal(t *testing.T) {
	c := compare.Compare(reports.Parts{Load: storedLoad("a", folderDay, 10*time.Millisecond)}, reports.Parts{Load: storedLoad("b", folderDay, 11*time.Millisecond)})
	assert.Equal(t, strings.TrimLeft(`
Comparison: OBSERVED  The load figures of the two runs are shown and not judged: two single runs cannot tell a change from chance. None looks far worse.
  first run    staging, 2026-11-23 09:30:00 UTC
  second run   staging, 2026-11-23 09:30:00 UTC
    figure          first run  second run  change        shown, not judged
    refresh errors  0 %        0 %         +0.00 points
    refresh p50     10.0 ms    11.0 ms     +10.0 %
    refresh p95     17.0 ms    18.7 ms     +10.0 %
    refresh p99     25.0 ms    27.5 ms     +10.0 %
  next: To judge a release, run both builds interleaved: agstest ab --env OLD --env NEW. To judge one build at a time, compare it with at least 10 earlier runs: agstest compare --history DIR.
`, "\n"), render(t, func(w io.Writer) error { return text.Comparison(w, c, false) }))
	assert.Contains(t, render(t, func(w io.Writer) error { return text.Comparison(w, c, true) }), "\x1b[1;36mOBSERVED\x1b[0m")
	c.Reason = "\x1b]0;title\a"
	assert.NotContains(t, render(t, func(w io.Writer) error { return text.Comparison(w, c, false) }), "\x1b")
}

// A stored comparison may have been written by another version, or by hand: whatever can be read can be shown.
func FuzzStoredComparison(f *testing.F) {
	for _, c := range sampleComparisons() {
		if c.Interleaved != nil {
			for r := range c.Interleaved.Rounds {
				c.Interleaved.Rounds[r].Pairs = c.Interleaved.Rounds[r].Pairs[:2]
			}
		}
		var b strings.Builder
		if err := reports.WriteJSON(&b, c); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(b.String()))
	}
	f.Add([]byte(`{"schema":"agstest.comparison/1.0","verdict":"x","method":"interleaved","interleaved":{"plan":{},"metrics":[{}],"rounds":[{"pairs":[{}]}]}}`))
	f.Add([]byte(`{"schema":"agstest.comparison/1.0","verdict":"x","method":"runs","load":{"operations":[{"shift":[{}],"old":{}}]},"conformance":{"changes":[{}],"drift":[{}]}}`))
	f.Add([]byte(`{"schema":"agstest.comparison/1.0","verdict":"x","method":"history","history":{"metrics":[{"gates":true,"earlier":9}],"runs":[{}],"errors":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := compare.ReadComparison(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, write := range []func() error{
			func() error { return html.Comparison(io.Discard, c, html.Style{}) },
			func() error { return export.JUnitOfComparison(io.Discard, c) },
			func() error { return text.MarkdownOfComparison(io.Discard, c) },
			func() error { return text.Comparison(io.Discard, c, true) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
		compare.SelfComparisonOf(c)
	})
}
