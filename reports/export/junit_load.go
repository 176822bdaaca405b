package export

import (
	"fmt"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

func junitLoad(l *reports.Load) []junitSuite {
	var suites []junitSuite
	whole, below := l.Run.Outcome(l.Verdict), loadClass(l)
	add := func(name, class string, operation *reports.Operation, limits []reports.Limit) {
		suite := junitSuite{pkg: "ags.load", name: name}
		if operation != nil {
			for _, figure := range operation.Figures() {
				suite.properties = append(suite.properties, [2]string{figure.Name, figure.Shown})
			}
			suite.out = kept(l, strings.TrimPrefix(name, "load: "))
		}
		for _, limit := range limits {
			test := junitLimit(class, limit, whole)
			test.text = examplesOfLimit(l, limit.Expression)
			suite.cases = append(suite.cases, test)
		}
		suite.cases = append(suite.cases, junitWrong(l, class, strings.TrimPrefix(name, "load: "))...)
		if len(suite.cases) == 0 {
			test := junitCase{classname: class, name: "measured without a limit"}
			if operation == nil || operation.Sent == 0 {
				test.outcome, test.message = skipped, "not exercised: nothing was sent"
			}
			suite.cases = append(suite.cases, test)
		}
		suites = append(suites, suite)
	}
	for _, name := range l.OperationNames() {
		add("load: "+name, below+reports.Slug(name), l.Operations[name], l.LimitsOf(name))
	}
	if whole := l.LimitsOf(""); l.Total != nil || len(whole) > 0 {
		add("load: all operations", below+"total", l.Total, whole)
	}
	if len(l.ShardRuns) > 0 {
		suites = append(suites, junitShards(l))
	}
	verdict := junitVerdict(below+"run", "load verdict", l.Run, l.Verdict, l.Reason)
	generator := junitCase{classname: below + "run", name: "the generator kept its schedule",
		outcome: validity(l).Within(whole), kind: "invalid", message: whyInvalid(l)}
	verdict.cases = append([]junitCase{generator}, verdict.cases...)
	if l.SetUp != nil {
		// An error, though the run may pass: faults of the service or its gateway before the clock started are in no
		// figure of the load, and a gate must not look as if all had gone well. It is the one red case of a green run.
		verdict.cases = append(verdict.cases, junitCase{classname: below + "run", name: setUpTest, outcome: broken,
			kind: "set-up", message: warningOfSetUp(l)})
	}
	verdict.out = append(verdict.out, l.Notes...)
	return append(suites, verdict)
}

// loadClass is the part of class names above the cases of a load.
func loadClass(l *reports.Load) string {
	if l.Plan.Workload == "" {
		return "load."
	}
	return "load." + classWord(l.Plan.Workload) + "."
}

// junitLimit is the case of one limit of a run that came to the outcome whole.
func junitLimit(class string, limit reports.Limit, whole reports.Outcome) junitCase {
	test := junitCase{classname: class, name: "limit " + limit.Expression, message: limit.Sentence(), kind: "limit",
		outcome: limit.Verdict.Outcome().Within(whole)}
	switch test.outcome {
	case skipped:
		test.message = limit.Verdict.Word() + ": " + test.message
	case broken:
		test.kind = string(limit.Verdict)
	}
	return test
}

func junitShards(l *reports.Load) junitSuite {
	suite := junitSuite{pkg: "ags.load", name: "load: shards"}
	for i := range l.ShardRuns {
		s := &l.ShardRuns[i]
		test := junitCase{classname: loadClass(l) + "shards", name: "shard " + s.Shard + " did its part",
			message: s.Reason}
		if s.State != reports.ShardComplete {
			test.outcome, test.kind = broken.Within(l.Run.Outcome(l.Verdict)), s.State
			test.message = fmt.Sprintf("%s, missing %s: %s", s.State, s.MissingFrom(), s.Reason)
		}
		suite.cases = append(suite.cases, test)
	}
	return suite
}

// junitWrong are cases for the kinds of wrong answers of an operation that fail the run though no limit speaks of them.
func junitWrong(l *reports.Load, class, operation string) []junitCase {
	var cases []junitCase
	for _, kind := range l.KindsOfWrong() {
		if verdict, limit := l.JudgedWrong(kind.Operation, kind.Kind); kind.Operation != operation ||
			verdict != reports.Fail || limit != "" || l.Verdict != reports.Fail {
			continue
		}
		cases = append(cases, junitCase{
			classname: class, name: "no wrong answers: " + kind.Kind, outcome: failed, kind: "wrong answers",
			message: figures.PluralOf(kind.Times, "wrong answer", "wrong answers") + ": " + kind.Message,
			text:    strings.Join(examplesOf(l, kind), "\n"),
		})
	}
	return cases
}

// examplesOfLimit names examples of the wrong answers that a limit speaks of.
func examplesOfLimit(l *reports.Load, expression string) string {
	var lines []string
	for _, kind := range l.KindsOfWrong() {
		if _, limit := l.JudgedWrong(kind.Operation, kind.Kind); limit == expression {
			lines = append(lines, examplesOf(l, kind)...)
		}
	}
	return strings.Join(lines, "\n")
}

// examplesOf names the first wrong answer of a kind, one of the middle and the last.
func examplesOf(l *reports.Load, kind reports.Wrong) []string {
	var lines []string
	for _, wrong := range l.SomeExamplesOf(kind.Operation, kind.Kind) {
		if wrong.Hit != nil {
			lines = append(lines, kind.Operation+": "+wrong.Hit.Sentence()+": "+wrong.Message)
		}
	}
	return lines
}

// junitKept is how many of the slowest hits of an operation are named.
const junitKept = 3

// kept names the slowest hits of an operation, and examples of its wrong answers.
func kept(l *reports.Load, operation string) []string {
	var lines []string
	for i, slow := range l.SlowestOf(operation, true) {
		if i == junitKept {
			break
		}
		lines = append(lines, "slowest: "+slow.Sentence())
	}
	for _, kind := range l.KindsOfWrong() {
		if kind.Operation == operation {
			lines = append(lines, examplesOf(l, kind)...)
		}
	}
	return lines
}
