// Package export writes runs in the forms of other tools: JUnit, Cucumber's JSON and messages, OpenMetrics and the
// annotations of pipelines; and forms that QA teams use beside them: Allure results, CTRF, SARIF, tables for
// spreadsheets, a collection for Postman and a dashboard for Grafana. Every form has the verdict of the run: a red run
// is red there, with the reason in the place where the tool shows it.
package export

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"agstest/reports"
)

// The outcomes of a test.
const (
	passed  = "passed"
	failed  = "failed"  // the service broke a rule
	broken  = "broken"  // it could not be told
	skipped = "skipped" // with the reason in why
)

// test is one test as most tools know them: a scenario, a limit, or the verdict of a run.
type test struct {
	key          string // the same in each run of one environment
	name         string
	suite        string // feature, or operation
	kind         string // conformance, load
	outcome      string
	why          string
	evidence     string
	file         string // empty: none
	line         int
	start        time.Time
	took         time.Duration
	requirements []string
	tags         []string
	severity     string // critical, normal, minor
	steps        []step
	tries        *reports.Tries
}

// step is one step of a scenario.
type step struct {
	name, outcome, why string
	took               time.Duration
	text               string // below it: a text, or a table
}

// testsOf lists the tests of a run; either part may be nil. The verdict of each part is the last of its tests, so that
// the whole is never green when the run is not. Strict makes an undecided result a failure.
func testsOf(c *reports.Conformance, l *reports.Load, strict bool) []test {
	var tests []test
	if c != nil {
		tests = append(tests, scenarioTests(c)...)
		tests = append(tests, verdictTest("conformance", c.Run, c.Verdict, c.Reason))
	}
	if l != nil {
		for _, limit := range l.Limits {
			operation := "all operations"
			if name, _, found := strings.Cut(limit.Expression, "."); found && l.Operations[name] != nil {
				operation = name
			}
			t := test{key: "load limit " + limit.Expression, name: "limit " + limit.Expression, suite: "load: " + operation, kind: "load", outcome: outcomeOf(limit.Verdict, strict), why: limit.Sentence(), start: l.Run.Start, severity: "critical"}
			if t.outcome == passed {
				t.why = ""
			}
			if !l.Verdict.Blocks() && t.outcome != passed {
				t.outcome = skipped
			}
			tests = append(tests, t)
		}
		valid := test{key: "load valid", name: "the generator kept its schedule", suite: "load", kind: "load", outcome: passed, start: l.Run.Start, severity: "critical"}
		if !l.Valid {
			valid.outcome, valid.why = broken, cmp.Or(strings.Join(l.Invalid, "; "), "the figures do not speak of the service")
		}
		tests = append(tests, valid, verdictTest("load", l.Run, l.Verdict, l.Reason))
	}
	return tests
}

func verdictTest(kind string, run reports.Run, verdict reports.Verdict, reason string) test {
	t := test{key: kind + " verdict", name: "verdict of the " + kind + " run", suite: kind, kind: kind, outcome: outcomeOf(verdict, true), why: cmp.Or(partialOr(run, reason), verdict.Word()), start: run.Start, took: run.End.Sub(run.Start), severity: "critical"}
	switch {
	case run.Partial != "" && verdict != reports.Fail, verdict == reports.Skipped, verdict == reports.NotExercised:
		t.outcome = broken
	case t.outcome == passed:
		t.why = ""
	}
	return t
}

func outcomeOf(v reports.Verdict, strict bool) string {
	switch v {
	case reports.Pass, reports.Warn, reports.Observed, reports.Improved:
		return passed
	case reports.Fail, reports.Regressed:
		return failed
	case reports.Inconclusive:
		if strict {
			return failed
		}
		return skipped
	case reports.Skipped, reports.Known, reports.NotExercised:
		return skipped
	}
	return broken
}

func scenarioTests(c *reports.Conformance) []test {
	levels := map[string]string{}
	for _, r := range c.Requirements {
		levels[r.ID] = r.Level
	}
	places, names := places(c), map[string]int{}
	at := c.Run.Start
	var tests []test
	for _, s := range c.Scenarios {
		if s.Start != nil {
			at = *s.Start
		}
		name := cmp.Or(s.Name, s.ID)
		key := s.File + " " + name
		if names[key]++; names[key] > 1 { // rows of an outline may have one name
			key += " " + strings.Repeat("+", names[key]-1)
			name += " (" + s.ID[strings.LastIndex(s.ID, ":")+1:] + ")"
		}
		t := test{
			key: key, name: name, suite: cmp.Or(s.Feature, s.File), kind: "conformance", outcome: outcomeOf(s.Verdict, false), file: places[s.File], line: s.Line,
			start: at, took: time.Duration(max(s.Nanoseconds, 0)), requirements: s.Requirements, severity: "minor", tries: s.Tries,
		}
		for _, tag := range s.Tags {
			if id := strings.TrimPrefix(tag, "@"); !slices.Contains(s.Requirements, id) {
				t.tags = append(t.tags, id)
			}
		}
		for _, id := range s.Requirements {
			switch {
			case levels[id] == "documented":
				t.severity = "critical"
			case levels[id] == "sampled" && t.severity == "minor":
				t.severity = "normal"
			}
		}
		if s.Verdict != reports.Pass {
			t.why = s.Why()
			if cause := causeOf(s); cause != "" {
				t.why += " (" + cause + ")"
			}
		}
		if t.outcome == failed || t.outcome == broken {
			t.evidence = shortEvidence(s)
		}
		t.steps = stepsOf(s, t.outcome)
		tests = append(tests, t)
	}
	return tests
}

// stepsOf returns the steps of a scenario, and one more if none of them shows why it failed.
func stepsOf(s reports.Scenario, outcome string) []step {
	var steps []step
	shown := outcome == passed || outcome == skipped
	for _, was := range s.Steps {
		now := step{name: strings.TrimSpace(was.Keyword) + " " + was.Text, outcome: outcomeOf(was.Verdict, false), why: was.Message, took: time.Duration(max(was.Nanoseconds, 0)), text: was.DocString}
		for _, row := range was.Table {
			now.text += "| " + strings.Join(row, " | ") + " |\n"
		}
		shown = shown || now.outcome == failed || now.outcome == broken
		steps = append(steps, now)
	}
	if !shown {
		steps = append(steps, step{name: "every answer keeps the rules of the contract", outcome: outcome, why: s.Why()})
	}
	return steps
}

// id makes the same id of the same texts: 32 hexadecimal digits.
func id(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// uuid is id in the form of a UUID.
func uuid(texts ...string) string {
	h := id(texts...)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}

// runOf is the run that the files speak of.
func runOf(c *reports.Conformance, l *reports.Load) reports.Run {
	if c != nil {
		return c.Run
	}
	return l.Run
}

func milliseconds(t time.Time) int64 { return max(t.UnixMilli(), 0) }
