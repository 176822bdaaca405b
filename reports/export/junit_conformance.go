package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// junitCauses is the suite that fails: one case for each cause, so that one fault fails once. The scenarios that show
// it are skipped and refer to it.
func junitCauses(c *reports.Conformance) junitSuite {
	suite := junitSuite{pkg: "ags.conformance", name: "Causes: what is wrong, each once"}
	whole, places := c.Run.Outcome(c.Verdict), places(c)
	for _, cause := range c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive) {
		test := junitCase{classname: "conformance.causes", name: strings.TrimSpace(cause.ID + " " + cause.Operation),
			outcome: cause.Verdict.Outcome().Within(whole), kind: string(cause.Verdict),
			message: strings.Join(append([]string{cause.Sentence()}, c.ExpiredKnown(cause)...), ". ") + "; breaks " +
				c.Breaks(cause, 20)}
		test.text = "breaks " + c.Breaks(cause, len(cause.Requirements)) + "\n"
		if scenario, x := c.Evidence(cause); scenario != nil {
			test.file, test.line = places[scenario.File], scenario.Line
			if x != nil {
				test.text += x.Brief() + "\n"
			}
			test.text += "\n" + evidence(*scenario)
		}
		suite.cases = append(suite.cases, test)
	}
	return suite
}

// traced are the properties that lead from a case to the requirements it answers for, and to their keys.
func traced(requirements []string, keys map[string]string) [][2]string {
	var properties [][2]string
	for _, id := range requirements {
		if disarm.XMLCharacters(id) == "" {
			continue // a property without a value does not count
		}
		properties = append(properties, [2]string{"requirement", id})
	}
	for _, id := range requirements {
		if key := keys[id]; key != "" {
			properties = append(properties, [2]string{"test_key", key}, [2]string{"test_id", key})
		}
	}
	return properties
}

// refersTo names the causes that a scenario failed or could not be judged for; nil where it has to speak for itself.
func refersTo(scenario reports.Scenario, causes map[string]reports.Cause) []string {
	var ids []string
	for _, finding := range scenario.Findings {
		if cause, ok := causes[finding.Cause]; ok && finding.Verdict.Blocks() && !slices.Contains(ids, cause.ID) {
			ids = append(ids, cause.ID)
		}
	}
	return ids
}

// junitUnheard has the requirements that no case of a scenario answers for, and says which hold in part.
func junitUnheard(c *reports.Conformance, failing map[string]bool) (unheard junitSuite, partly []string) {
	unheard = junitSuite{pkg: "ags.conformance", name: "Requirements that no scenario answers for"}
	for _, requirement := range c.Requirements {
		test := junitCase{classname: "conformance.requirements", name: requirement.ID + " " + requirement.Text,
			message: requirement.Reason}
		switch requirement.Verdict {
		case reports.Partly:
			partly = append(partly, fmt.Sprintf("holds in part: %s: %s", requirement.ID, requirement.Reason))
			continue
		case reports.NotExercised:
			test.outcome, test.message = skipped, "not exercised: "+cmp.Or(requirement.Reason,
				"no scenario of this run touched it")
		case reports.Fail:
			if failing[requirement.ID] {
				continue
			}
			test.outcome, test.kind = failed.Within(c.Run.Outcome(c.Verdict)), "fail"
			test.text = reports.FindingsText(requirement.Findings)
		default:
			continue
		}
		unheard.cases = append(unheard.cases, test)
	}
	return unheard, partly
}

func junitConformance(c *reports.Conformance) []junitSuite {
	var suites []junitSuite
	causes := map[string]reports.Cause{}
	for _, cause := range c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive) {
		causes[cause.ID] = cause
	}
	if len(causes) > 0 {
		suites = append(suites, junitCauses(c))
	}
	at, places, whole := map[string]int{}, places(c), c.Run.Outcome(c.Verdict)
	failing := map[string]bool{} // requirements that a failing scenario names
	for _, scenario := range c.Scenarios {
		i, seen := at[scenario.Feature]
		if !seen {
			i = len(suites)
			at[scenario.Feature] = i
			suites = append(suites, junitSuite{pkg: "ags.conformance", name: scenario.Feature})
		}
		test := junitCase{classname: "conformance." + reports.Slug(scenario.Feature), name: scenario.Name,
			file: places[scenario.File], line: scenario.Line,
			nanoseconds: scenario.Nanoseconds, properties: traced(scenario.Requirements, c.TestKeys)}
		reason := scenario.Why()
		referred := refersTo(scenario, causes)
		if slices.ContainsFunc(scenario.Requirements, func(id string) bool { return c.TestKeys[id] != "" }) {
			referred = nil // the test management must see this test red
		}
		test.outcome, test.kind = scenario.Verdict.Outcome().Within(whole), string(scenario.Verdict)
		switch verdict := scenario.Verdict; {
		case (verdict == reports.Fail || verdict == reports.Error) && len(referred) > 0:
			test.outcome = skipped
			reason = fmt.Sprintf("%s: see %s in the suite of causes: %s", verdict.Word(),
				strings.Join(referred, " and "), reason)
			for _, finding := range scenario.Findings {
				failing[finding.Requirement] = true
			}
		case test.outcome == failed:
			test.text = evidence(scenario)
			for _, id := range scenario.Requirements {
				failing[id] = true
			}
			for _, finding := range scenario.Findings {
				failing[finding.Requirement] = true
			}
		case verdict == reports.Warn:
			suites[i].out = append(suites[i].out, fmt.Sprintf("warning: %s (%s): %s", scenario.Name, scenario.ID,
				reason))
		case test.outcome == skipped:
			reason = verdict.Word() + ": " + reason
		case test.outcome == broken:
			test.text = evidence(scenario)
		}
		test.message = reason
		suites[i].cases = append(suites[i].cases, test)
	}
	unheard, partly := junitUnheard(c, failing)
	if len(unheard.cases) > 0 {
		suites = append(suites, unheard)
	}
	verdict := junitVerdict("conformance.run", "conformance verdict", c.Run, c.Verdict, c.Reason)
	verdict.out = append(append(verdict.out, c.Notes...), partly...)
	for _, lack := range c.CoverageLacks() {
		verdict.cases[0].text += lack.About() + ": " + lack.Advice() + "\n"
	}
	return append(suites, verdict)
}

// evidence returns a failed scenario for a reader of a test report: its place, its steps, the findings, and the
// exchanges.
func evidence(s reports.Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", s.ID)
	if len(s.Requirements) > 0 {
		fmt.Fprintf(&b, "requirements: %s\n", strings.Join(s.Requirements, " "))
	}
	for _, finding := range s.Findings {
		if !slices.Contains([]reports.Verdict{reports.Pass, reports.Observed}, finding.Verdict) {
			fmt.Fprintf(&b, "%s\n", reports.FindingSentence(finding))
		}
	}
	b.WriteByte('\n')
	for _, step := range s.Steps {
		fmt.Fprintf(&b, "%-8s %s %s\n", step.Verdict, strings.TrimSpace(step.Keyword), step.Text)
		if step.Message != "" && step.Verdict != reports.Pass {
			fmt.Fprintf(&b, "         %s\n", step.Message)
		}
	}
	for i, x := range s.Transcript {
		fmt.Fprintf(&b, "\nexchange %d: %s %s\n", i+1, x.Method, x.URL)
		writeHeader(&b, x.RequestHeader)
		if x.RequestBody != "" {
			fmt.Fprintf(&b, "\n%s\n", figures.Clip(x.RequestBody, 2<<10))
		}
		if x.Error != "" {
			fmt.Fprintf(&b, "no whole answer: %s\n", x.Error)
		}
		if x.Status != 0 {
			fmt.Fprintf(&b, "\n%d after %s\n", x.Status, figures.Milliseconds(x.Nanoseconds))
			writeHeader(&b, x.ResponseHeader)
			if x.ResponseBody != "" {
				fmt.Fprintf(&b, "\n%s\n", figures.Clip(x.ResponseBody, 2<<10))
			}
		}
		if b.Len() > junitEvidence {
			break
		}
	}
	return b.String()
}

func writeHeader(b *strings.Builder, header [][2]string) {
	for _, line := range header {
		fmt.Fprintf(b, "%s: %s\n", line[0], line[1])
	}
}
