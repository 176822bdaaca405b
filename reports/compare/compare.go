// Package compare says how two runs, two builds or two times differ, and how much may be concluded from it: two stored
// runs, a run against its history, or two services measured by turns in one job. It reads only the JSON of runs;
// reports/html, reports/text and reports/export render its results.
package compare

import (
	"fmt"
	"io"
	"strings"

	"agstest/reports"
)

// ComparisonSchema names the version of the JSON form of Comparison.
const ComparisonSchema = "agstest.comparison/1.0"

// Comparison is the difference between two services, two builds or two times. How much may be concluded depends on how
// they were measured: see Method.
type Comparison struct {
	Schema string       `json:"schema"`
	Run    reports.Run  `json:"run"` // of the comparison itself
	Method Method       `json:"method"`
	Old    *reports.Run `json:"old,omitempty"` // the run compared with; missing for a history
	New    *reports.Run `json:"new,omitempty"`
	// Verdict is pass, regressed, improved, inconclusive or not-comparable; fail where a build differs from itself, or
	// both are wrong too often; error where nothing was measured.
	Verdict reports.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
	// NotComparable are the reasons why the two are answers to different questions, in words.
	NotComparable []string               `json:"notComparable,omitempty"`
	Conformance   *ConformanceComparison `json:"conformance,omitempty"`
	Load          *LoadComparison        `json:"load,omitempty"`
	Interleaved   *Interleaved           `json:"interleaved,omitempty"`
	History       *HistoryComparison     `json:"history,omitempty"`
	// Said is the new load run's own verdict, if it comes first; empty: it is good, or there is none.
	Said reports.Verdict `json:"said,omitempty"`
	// Wrong are the wrong answers of the new load run, the gravest first, whatever the verdict is.
	Wrong  []WrongAnswers `json:"wrong,omitempty"`
	Advice []string       `json:"advice,omitempty"` // what to do next
	Notes  []string       `json:"notes,omitempty"`

	early [2]map[string]int64 // wrong answers before the clock started, of the old and the new one, by kind
	sound bool                // the wrong answers of the new one are its own, and no doing of the generator
}

// Method is how the compared figures came about.
type Method string

// The methods. Two runs made apart are shown, but their load is not judged: differences between two jobs (another node,
// another hour) cannot be told from changes of the service. Against a history, or interleaved within one job, they can.
const (
	TwoRuns     Method = "runs"
	WithHistory Method = "history"
	SideBySide  Method = "interleaved"
)

// TwoRunsCaution is why two lone load runs never fail a build. Its first figures are of 400 pairs of simulated jobs in
// a quiet, a shared and a noisy environment each: TWO_RUNS=400 go test ./reports/compare -run TestTwoLoneRuns -v
const TwoRunsCaution = "Two single load runs never fail a build: what differs between two jobs by itself cannot be " +
	"told from a change of the service. In simulations of unchanged builds, a rank test on the raw samples of two runs " +
	"called 32 to 47 % of them slower, and a fixed limit of 10 % on p99 up to 29 %; another simulation found 27 to 49 % " +
	"and up to 39 %."

// Compare compares two stored runs: what changed in conformance, in the form of answers and in load. Conformance is
// judged, since a rule is kept or broken; load figures of two runs are shown and not judged. Parts that only one of the
// two has are named in the notes.
func Compare(old, new reports.Parts) *Comparison {
	oldRun, newRun := old.Run(), new.Run()
	c := &Comparison{Schema: ComparisonSchema, Method: TwoRuns, Old: &oldRun, New: &newRun}
	c.Run.Kind = "compare"
	if old.Conformance != nil && new.Conformance != nil {
		c.Conformance = compareConformance(old.Conformance, new.Conformance)
	}
	if old.Load != nil && new.Load != nil {
		c.Load = compareLoad(old.Load, new.Load)
	}
	for _, part := range []struct {
		name     string
		old, new bool
	}{{"conformance", old.Conformance != nil, new.Conformance != nil}, {"load", old.Load != nil, new.Load != nil}} {
		if part.old != part.new {
			with, without := "first", "second"
			if part.new {
				with, without = without, with
			}
			c.Notes = append(c.Notes,
				fmt.Sprintf("Only the %s run has a %s part; the %s has none, so that part was not compared.", with,
					part.name, without))
		}
	}
	c.Notes = append(c.Notes, circumstances(old, new)...)
	c.settle()
	if oldRun.ID != "" && oldRun.ID == newRun.ID && oldRun.Start.Equal(newRun.Start) {
		why := "Both are the same run, which cannot differ from itself."
		c.NotComparable = append([]string{why}, c.NotComparable...)
		c.Verdict, c.Reason = reports.NotComparable, why
		c.Advice = []string{"Name two runs, such as a pinned one and today's: agstest history list."}
	}
	c.Lead(old.Load, new.Load)
	c.Wrong = wrongOfNew(old.Load, new.Load)
	return c
}

// Lead puts the verdicts of the load runs first where one of them is not good: a run that failed, could not decide, or
// whose figures are not valid, is no better than another, whatever its times are. The old run is nil where there is a
// history in its place.
func (c *Comparison) Lead(old, new *reports.Load) {
	if new == nil || new.Verdict == "" || new.Verdict == reports.Pass && (old == nil || old.Verdict == reports.Pass ||
		old.Verdict == "") {
		return
	}
	if new.Verdict != reports.Pass {
		c.Said = new.Verdict
	}
	lead := fmt.Sprintf("The load run says %s: %s.", new.Verdict.Word(), strings.TrimSuffix(new.Reason, "."))
	if old != nil && old.Verdict != "" {
		lead = fmt.Sprintf("The first load run says %s, the second %s: %s.", old.Verdict.Word(), new.Verdict.Word(),
			strings.TrimSuffix(new.Reason, "."))
	}
	switch new.Verdict {
	case reports.Inconclusive:
		if c.Verdict.Rank() > reports.Inconclusive.Rank() {
			c.Verdict = reports.Inconclusive
		}
	case reports.Fail:
		if c.Verdict != reports.Regressed {
			c.Verdict = reports.Graver(c.Verdict, reports.Fail)
		}
	case reports.Invalid, reports.Error:
		c.Verdict = reports.Graver(c.Verdict, reports.NotComparable)
	}
	c.Reason = strings.TrimSpace(lead + " " + c.Reason)
}

// settle draws the verdict of a comparison of two runs from its parts.
func (c *Comparison) settle() {
	if c.Conformance == nil && c.Load == nil {
		c.Verdict = reports.NotComparable
		c.Reason = "The two runs have no part in common."
		c.NotComparable = []string{c.Reason}
		return
	}
	var reasons []string
	if part := c.Conformance; part != nil {
		c.Verdict = part.Verdict
		reasons = append(reasons, part.Reason)
		c.NotComparable = append(c.NotComparable, part.NotComparable...)
		c.Advice = append(c.Advice, part.advice()...)
	}
	if part := c.Load; part != nil {
		// what is only shown decides nothing where something is judged
		if c.Conformance == nil || part.Verdict != reports.Observed {
			c.Verdict = reports.Graver(c.Verdict, part.Verdict)
		}
		reasons = append(reasons, part.Reason)
		c.NotComparable = append(c.NotComparable, part.NotComparable...)
		c.Advice = append(c.Advice, part.advice()...)
	}
	c.Reason = strings.Join(reasons, " ")
}

// ReadComparison reads what WriteJSON stored, like ReadConformance.
func ReadComparison(r io.Reader) (*Comparison, error) {
	var c Comparison
	if err := reports.ReadAs(r, ComparisonSchema, &c); err != nil {
		return nil, err
	}
	if c.Verdict == "" {
		return nil, fmt.Errorf("the stored comparison has no verdict")
	}
	return &c, nil
}
