package export

import (
	"cmp"
	"fmt"
	"strings"

	"agstest/reports"
)

func junitLoad(l *reports.Load, strict bool) []junitSuite {
	var suites []junitSuite
	add := func(name, class string, operation *reports.Operation, limits []reports.Limit) {
		suite := junitSuite{pkg: "ags.load", name: name}
		if operation != nil {
			for _, figure := range operation.Figures() {
				suite.properties = append(suite.properties, [2]string{figure.Name, figure.Shown})
			}
		}
		for _, limit := range limits {
			test := junitCase{classname: class, name: "limit " + limit.Expression, message: limit.Sentence()}
			switch {
			case limit.Verdict == reports.Pass || limit.Verdict == reports.Warn:
			case limit.Verdict == reports.Fail && l.Verdict.Blocks():
				test.outcome, test.kind = "failure", "limit"
			case limit.Verdict == reports.Skipped || limit.Verdict == reports.Known || limit.Verdict == reports.NotExercised || limit.Verdict == reports.Inconclusive || limit.Verdict == reports.Observed || !l.Verdict.Blocks():
				test.outcome, test.message = "skipped", limit.Verdict.Word()+": "+test.message
			default:
				test.outcome, test.kind = "error", string(limit.Verdict)
			}
			suite.cases = append(suite.cases, test)
		}
		if len(suite.cases) == 0 {
			test := junitCase{classname: class, name: "measured without a limit"}
			if operation == nil || operation.Sent == 0 {
				test.outcome, test.message = "skipped", "not exercised: nothing was sent"
			}
			suite.cases = append(suite.cases, test)
		}
		suites = append(suites, suite)
	}
	for _, name := range l.OperationNames() {
		add("load: "+name, "load."+reports.Slug(name), l.Operations[name], l.LimitsOf(name))
	}
	if whole := l.LimitsOf(""); l.Total != nil || len(whole) > 0 {
		add("load: all operations", "load.total", l.Total, whole)
	}
	if len(l.ShardRuns) > 0 {
		suite := junitSuite{pkg: "ags.load", name: "load: shards"}
		for i := range l.ShardRuns {
			s := &l.ShardRuns[i]
			test := junitCase{classname: "load.shards", name: "shard " + s.Shard + " did its part", message: s.Reason}
			if s.State != reports.ShardComplete {
				test.outcome, test.kind = "error", s.State
				test.message = fmt.Sprintf("%s, missing %s: %s", s.State, s.MissingFrom(), s.Reason)
			}
			suite.cases = append(suite.cases, test)
		}
		suites = append(suites, suite)
	}
	verdict := junitVerdict("load.run", "load verdict", l.Run, l.Verdict, l.Reason, strict)
	generator := junitCase{classname: "load.run", name: "the generator kept its schedule"}
	if !l.Valid {
		generator.outcome, generator.kind = "error", "invalid"
		generator.message = cmp.Or(strings.Join(l.Invalid, "; "), "the figures do not speak of the service")
		if !l.Verdict.Blocks() {
			generator.outcome = "skipped"
		}
	}
	verdict.cases = append([]junitCase{generator}, verdict.cases...)
	if l.SetUp != nil {
		verdict.cases = append(verdict.cases, junitCase{classname: "ags.load.run", name: "the set-up went smoothly", outcome: "error", kind: "set-up", message: l.SetUp.String()})
	}
	verdict.out = append(verdict.out, l.Notes...)
	return append(suites, verdict)
}
