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

// The outcomes of a test; of one that was skipped, why has the reason.
const (
	passed  = reports.OutcomePassed
	failed  = reports.OutcomeFailed
	broken  = reports.OutcomeBroken
	skipped = reports.OutcomeSkipped
)

// test is one test as most tools know them: a scenario, a limit, or the verdict of a run.
type test struct {
	key          string // the same in each run of one environment
	name         string
	suite        string // feature, or operation
	kind         string // conformance, load
	outcome      reports.Outcome
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
	name, why string
	outcome   reports.Outcome
	took      time.Duration
	text      string // below it: a text, or a table
}

// testsOf lists the tests of a run; either part may be nil. The verdict of each part is the last of its tests, so that
// the whole is never green when the run is not.
func testsOf(c *reports.Conformance, l *reports.Load) []test {
	var tests []test
	if c != nil {
		tests = append(tests, scenarioTests(c)...)
		tests = append(tests, conformanceVerdict(c))
	}
	if l != nil {
		tests = append(tests, loadTests(l)...)
		tests = append(tests, verdictTest("load", l.Run, l.Verdict, l.Reason))
	}
	return tests
}

// loadTests are the limits of a load, and what else its verdict rests on.
func loadTests(l *reports.Load) []test {
	var tests []test
	whole := l.Run.Outcome(l.Verdict)
	add := func(key, name, suite string, outcome reports.Outcome, why string) {
		t := test{key: "load " + key, name: name, suite: suite, kind: "load", outcome: outcome.Within(whole), why: why,
			start: l.Run.Start, severity: "critical"}
		if outcome == passed {
			t.why = ""
		}
		tests = append(tests, t)
	}
	for _, limit := range l.Limits {
		operation := "all operations"
		if name, _, found := strings.Cut(limit.Expression, "."); found && l.Operations[name] != nil {
			operation = name
		}
		add("limit "+limit.Expression, "limit "+limit.Expression, "load: "+operation, limit.Verdict.Outcome(),
			limit.Sentence())
	}
	add("valid", "the generator kept its schedule", "load", validity(l), whyInvalid(l))
	if l.SetUp != nil {
		add("set-up", setUpTest, "load", skipped, warningOfSetUp(l))
	}
	return tests
}

// setUpTest is the name of the test of a set-up in which calls had to be made again. It does not pass, and fails
// nothing itself but in JUnit: whether the warning does is the verdict's.
const setUpTest = "the set-up went smoothly"

func warningOfSetUp(l *reports.Load) string { return reports.Warn.Word() + ": " + l.SetUp.String() }

// validity tells whether the figures of a load speak of the service.
func validity(l *reports.Load) reports.Outcome {
	if l.Valid {
		return passed
	}
	return broken
}

func whyInvalid(l *reports.Load) string {
	return cmp.Or(strings.Join(l.Invalid, "; "), "the figures do not speak of the service")
}

func verdictTest(kind string, run reports.Run, verdict reports.Verdict, reason string) test {
	t := test{
		key: kind + " verdict", name: "verdict of the " + kind + " run", suite: kind, kind: kind, outcome: run.Outcome(
			verdict), why: cmp.Or(partialOr(run, reason), verdict.Word()),
		start: run.Start, took: run.End.Sub(run.Start), severity: "critical",
	}
	if t.outcome == passed {
		t.why = ""
	}
	return t
}

// conformanceVerdict is the verdict of a conformance run. Entries of the known departures that fail it though no answer
// was wrong stand in its reason, since no scenario shows them.
func conformanceVerdict(c *reports.Conformance) test {
	reason := c.Reason
	for _, requirement := range c.WithoutCause(reports.Fail) {
		if requirement.Known != nil && requirement.Reason != "" {
			reason += "; " + requirement.ID + ": " + requirement.Reason
		}
	}
	return verdictTest("conformance", c.Run, c.Verdict, reason)
}

func scenarioTests(c *reports.Conformance) []test {
	levels := map[string]string{}
	for _, r := range c.Requirements {
		levels[r.ID] = r.Level
	}
	places, names := places(c), map[string]int{}
	at, whole := c.Run.Start, c.Run.Outcome(c.Verdict)
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
			key: key, name: name, suite: cmp.Or(s.Feature,
				s.File), kind: "conformance", outcome: s.Verdict.Outcome().Within(whole), file: places[s.File],
			line:  s.Line,
			start: at, took: time.Duration(max(s.Nanoseconds,
				0)), requirements: s.Requirements, severity: "minor", tries: s.Tries,
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
		if t.outcome.Red() {
			t.evidence = shortEvidence(s)
		}
		t.steps = stepsOf(s, t.outcome)
		tests = append(tests, t)
	}
	return tests
}

// stepsOf returns the steps of a scenario, and one more if none of them shows why it failed.
func stepsOf(s reports.Scenario, outcome reports.Outcome) []step {
	var steps []step
	shown := !outcome.Red()
	for _, was := range s.Steps {
		now := step{name: strings.TrimSpace(was.Keyword) + " " + was.Text,
			outcome: was.Verdict.Outcome().Within(outcome), why: was.Message,
			took: time.Duration(max(was.Nanoseconds, 0)), text: was.DocString}
		for _, row := range was.Table {
			now.text += "| " + strings.Join(row, " | ") + " |\n"
		}
		shown = shown || now.outcome.Red()
		steps = append(steps, now)
	}
	if !shown {
		steps = append(steps, step{name: "every answer keeps the rules of the contract", outcome: outcome,
			why: s.Why()})
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
