package export

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
)

// JUnitOfComparison writes a comparison as JUnit XML, in the dialect of JUnit: one suite for changes in conformance,
// one for each judged operation, and one with the verdict. A regression is a failure; a figure that could not be
// decided or compared is skipped with the reason, or a failure if the comparison was strict. The verdict is red either
// way wherever the exit code is not 0: a comparison that cannot tell is a failure, invalid figures are an error, and so
// is a new load run that decided nothing itself.
func JUnitOfComparison(w io.Writer, c *compare.Comparison) error {
	var suites []junitSuite
	strict := c.Run.Strict()
	if part := c.Conformance; part != nil {
		suites = append(suites, junitOfChanges(part, c.Run, strict))
	}
	if job := c.Interleaved; job != nil {
		for _, operation := range job.Operations() {
			suite := junitSuite{pkg: "ags.comparison", name: "comparison: " + operation}
			for k := range job.Metrics {
				m := &job.Metrics[k]
				if m.Operation != operation {
					continue
				}
				message := m.Reason
				if m.Pairs > 0 {
					message = m.ChangeWords(m.Change) + " (" + m.IntervalWords() + "). " + m.Reason
				}
				suite.cases = append(suite.cases, judgedCase("comparison."+reports.Slug(operation), m.Metric,
					judged(c, m.Verdict), message, strict))
				suite.out = append(suite.out, m.Name()+": "+message)
			}
			suites = append(suites, suite)
		}
	}
	if h := c.History; h != nil {
		at := map[string]int{}
		add := func(operation string, test junitCase) {
			i, seen := at[operation]
			if !seen {
				i = len(suites)
				at[operation] = i
				suites = append(suites, junitSuite{pkg: "ags.comparison", name: "history: " + operation})
			}
			suites[i].cases = append(suites[i].cases, test)
			suites[i].out = append(suites[i].out, test.name+": "+test.message)
		}
		for _, m := range h.Metrics {
			message := fmt.Sprintf("%s, %s from typical. %s", figures.Milliseconds(m.Value), figures.Change(m.Change),
				m.Reason)
			add(m.Operation, judgedCase("history."+reports.Slug(m.Operation), m.Metric, judged(c, m.Verdict), message,
				strict))
		}
		for _, e := range h.Errors {
			add(e.Operation, judgedCase("history."+reports.Slug(e.Operation), "errors", judged(c, e.Verdict), e.Reason,
				strict))
		}
	}
	if c.Method == compare.TwoRuns && c.Load != nil {
		test := judgedCase("comparison.load", "load of two runs", c.Load.Verdict,
			c.Load.Reason+" "+compare.TwoRunsCaution, false)
		suites = append(suites, junitSuite{pkg: "ags.comparison", name: "comparison: load", cases: []junitCase{test}})
	}
	verdict := judgedCase("comparison.run", "verdict of the comparison", c.Verdict,
		cmp.Or(c.Reason, c.Verdict.Word()), true)
	if c.Interleaved != nil && len(c.Interleaved.Invalid) > 0 { // as a load whose generator was too slow
		verdict.outcome, verdict.kind, verdict.message = broken, string(reports.Invalid), c.Reason
	}
	switch c.Said {
	case reports.Inconclusive, reports.Invalid, reports.Error: // as the exit code of that run
		if verdict.outcome != failed {
			verdict.outcome, verdict.kind, verdict.message = broken, string(c.Said), cmp.Or(c.Reason, c.Said.Word())
		}
	}
	verdict.nanoseconds = int64(c.Run.Took())
	suite := junitSuite{pkg: "ags", name: "comparison verdict", cases: []junitCase{verdict},
		out: append(append([]string{}, c.Advice...), c.Notes...)}
	suite.properties = [][2]string{{"method", string(c.Method)}}
	return writeJUnit(w, c.Run, append(suites, suite))
}

// judged is the verdict on a figure in the light of the whole: where nothing can be compared, no figure regressed.
func judged(c *compare.Comparison, v reports.Verdict) reports.Verdict {
	if (v == reports.Regressed || v == reports.Improved) && (c.Verdict == reports.NotComparable ||
		c.Verdict == reports.Inconclusive) {
		return reports.Inconclusive
	}
	return v
}

// judgedCase is a case of a verdict of comparisons.
func judgedCase(class, name string, v reports.Verdict, message string, strict bool) junitCase {
	test := junitCase{classname: class, name: name, message: message, kind: string(v)}
	switch v {
	case reports.Pass, reports.Improved:
	case reports.Regressed, reports.Fail:
		test.outcome, test.text = failed, message
	case reports.Inconclusive, reports.NotComparable:
		test.outcome, test.message = skipped, v.Word()+": "+message
		if strict {
			test.outcome = failed
		}
	default:
		test.outcome, test.message = skipped, v.Word()+": "+message
	}
	return test
}

func junitOfChanges(c *compare.ConformanceComparison, run reports.Run, strict bool) junitSuite {
	suite := junitSuite{pkg: "ags.comparison", name: "comparison: conformance"}
	for _, change := range c.Changes {
		verdict := reports.Pass
		switch change.Direction {
		case compare.Broke:
			verdict = reports.Regressed
		case compare.NewlySeen, compare.Lost:
			verdict = reports.Inconclusive
		case compare.Mended:
			verdict = reports.Improved
		}
		if len(c.NotComparable) > 0 && verdict == reports.Regressed {
			verdict = reports.NotComparable
		}
		test := judgedCase("comparison.conformance", change.ID+" "+change.Text, verdict,
			compare.DirectionWords[change.Direction]+". "+change.New.Summary(), strict)
		if test.outcome == failed {
			test.text = strings.Join([]string{"before: " + change.Old.Verdict.Word(),
				reports.FindingsText(change.Old.Findings), "now: " + change.New.Verdict.Word(),
				reports.FindingsText(change.New.Findings)}, "\n")
		}
		suite.cases = append(suite.cases, test)
	}
	unchanged := junitCase{classname: "comparison.conformance", name: "requirements that did not change",
		message: figures.Plural(int64(c.Unchanged), "requirement")}
	if c.Unchanged == 0 && len(c.Changes) == 0 {
		unchanged.outcome, unchanged.message = skipped, "nothing was compared"
	}
	suite.cases = append(suite.cases, unchanged)
	for _, drift := range c.Drift {
		suite.out = append(suite.out, "drift: "+drift.Sentence())
	}
	return suite
}
