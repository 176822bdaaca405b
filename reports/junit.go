package reports

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// junitEvidence is the size in bytes up to which one case may carry evidence.
const junitEvidence = 16 << 10

// junitTotal is the size up to which all cases together may: GitLab refuses a file over 30 MB.
const junitTotal = 16 << 20

type junitCase struct {
	classname, name string
	nanoseconds     int64
	outcome         string // "", failure, error, skipped
	kind, message   string
	text            string
}

type junitSuite struct {
	pkg, name  string
	properties [][2]string
	cases      []junitCase
	out        []string
}

// JUnit writes the runs as JUnit XML; either may be nil. One suite a feature or an operation, and a suite that holds the verdict of
// each run, so that the file is never green where the run is not. A failure is the service's, an error says that we could not tell,
// and what is known, skipped or was not exercised is skipped, with the reason.
//
// The dialect is the part that is valid against both the Jenkins schema (junit-10.xsd) and the Ant one: no attribute at testsuites, no
// system-out at a case, times with three decimals, stamps without a zone (they are UTC). GitLab shows the class name as the suite
// and drops repeated pairs of class name and name, so these pairs are unique.
func JUnit(w io.Writer, c *Conformance, l *Load) error {
	var suites []junitSuite
	var run Run
	if c != nil {
		run = c.Run
		suites = append(suites, junitConformance(c)...)
	}
	if l != nil {
		if c == nil {
			run = l.Run
		}
		suites = append(suites, junitLoad(l)...)
	}
	return writeJUnit(w, run, suites)
}

func junitConformance(c *Conformance) []junitSuite {
	var suites []junitSuite
	at := map[string]int{}
	failing := map[string]bool{} // requirements that a failing scenario names
	for _, scenario := range c.Scenarios {
		i, seen := at[scenario.Feature]
		if !seen {
			i = len(suites)
			at[scenario.Feature] = i
			suites = append(suites, junitSuite{pkg: "ags.conformance", name: scenario.Feature})
		}
		test := junitCase{classname: "ags.conformance." + slug(scenario.Feature), name: scenario.Name, nanoseconds: scenario.Nanoseconds}
		reason := scenario.Reason
		if reason == "" {
			reason = firstTrouble(scenario)
		}
		switch scenario.Verdict {
		case Fail:
			test.outcome, test.kind = "failure", "fail"
			test.text = evidence(scenario)
			for _, id := range scenario.Requirements {
				failing[id] = true
			}
			for _, finding := range scenario.Findings {
				failing[finding.Requirement] = true
			}
		case Pass, Observed:
		case Warn:
			suites[i].out = append(suites[i].out, fmt.Sprintf("warning: %s (%s): %s", scenario.Name, scenario.ID, reason))
		case Skipped, Known, NotExercised, Inconclusive:
			test.outcome = "skipped"
			reason = scenario.Verdict.Word() + ": " + reason
		default:
			test.outcome, test.kind = "error", string(scenario.Verdict)
			test.text = evidence(scenario)
		}
		if test.outcome != "" {
			test.message = reason
		}
		suites[i].cases = append(suites[i].cases, test)
	}
	unheard := junitSuite{pkg: "ags.conformance", name: "Requirements that no scenario answers for"}
	for _, requirement := range c.Requirements {
		test := junitCase{classname: "ags.conformance.requirements", name: requirement.ID + " " + requirement.Text, message: requirement.Reason}
		switch requirement.Verdict {
		case NotExercised:
			test.outcome, test.message = "skipped", "not exercised: "+orElse(requirement.Reason, "no scenario of this run touched it")
		case Fail:
			if failing[requirement.ID] {
				continue
			}
			test.outcome, test.kind = "failure", "fail"
			test.text = findingsText(requirement.Findings)
		default:
			continue
		}
		unheard.cases = append(unheard.cases, test)
	}
	if len(unheard.cases) > 0 {
		suites = append(suites, unheard)
	}
	verdict := junitVerdict("ags.conformance.run", "conformance verdict", c.Run, c.Verdict, c.Reason)
	verdict.out = append(verdict.out, c.Notes...)
	return append(suites, verdict)
}

func junitLoad(l *Load) []junitSuite {
	var suites []junitSuite
	add := func(name, class string, operation *Operation, limits []Limit) {
		suite := junitSuite{pkg: "ags.load", name: name}
		if operation != nil {
			for _, figure := range operation.figures() {
				suite.properties = append(suite.properties, [2]string{figure.Name, figure.Shown})
			}
		}
		for _, limit := range limits {
			test := junitCase{classname: class, name: "limit " + limit.Expression, message: limitSentence(limit)}
			switch {
			case limit.Verdict == Pass || limit.Verdict == Warn:
			case limit.Verdict == Fail && l.Verdict.blocks():
				test.outcome, test.kind = "failure", "limit"
			case limit.Verdict == Skipped || limit.Verdict == Known || limit.Verdict == NotExercised || limit.Verdict == Inconclusive || limit.Verdict == Observed || !l.Verdict.blocks():
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
	for _, name := range l.operationNames() {
		add("load: "+name, "ags.load."+slug(name), l.Operations[name], l.limitsOf(name))
	}
	if whole := l.limitsOf(""); l.Total != nil || len(whole) > 0 {
		add("load: all operations", "ags.load.total", l.Total, whole)
	}
	if len(l.ShardRuns) > 0 {
		suite := junitSuite{pkg: "ags.load", name: "load: shards"}
		for i := range l.ShardRuns {
			s := &l.ShardRuns[i]
			test := junitCase{classname: "ags.load.shards", name: "shard " + s.Shard + " did its part", message: s.Reason}
			if s.State != ShardComplete {
				test.outcome, test.kind = "error", s.State
				test.message = fmt.Sprintf("%s, missing %s: %s", s.State, s.until(), s.Reason)
			}
			suite.cases = append(suite.cases, test)
		}
		suites = append(suites, suite)
	}
	verdict := junitVerdict("ags.load.run", "load verdict", l.Run, l.Verdict, l.Reason)
	generator := junitCase{classname: "ags.load.run", name: "the generator kept its schedule"}
	if !l.Valid {
		generator.outcome, generator.kind = "error", "invalid"
		generator.message = orElse(strings.Join(l.Invalid, "; "), "the figures do not speak of the service")
		if !l.Verdict.blocks() {
			generator.outcome = "skipped"
		}
	}
	verdict.cases = append([]junitCase{generator}, verdict.cases...)
	verdict.out = append(verdict.out, l.Notes...)
	return append(suites, verdict)
}

// junitVerdict is the suite that holds the verdict of a whole run.
func junitVerdict(class, name string, run Run, verdict Verdict, reason string) junitSuite {
	test := junitCase{classname: class, name: "verdict of the run", nanoseconds: int64(run.took()), message: orElse(reason, verdict.Word())}
	switch {
	case verdict == Fail:
		test.outcome, test.kind = "failure", "fail"
	case verdict == Inconclusive || verdict == Skipped || verdict == Known:
		test.outcome, test.message = "skipped", verdict.Word()+": "+test.message
	case verdict.blocks():
		test.outcome, test.kind = "error", string(verdict)
	}
	suite := junitSuite{pkg: "ags", name: name, cases: []junitCase{test}}
	for _, p := range [][2]string{
		{"environment", run.Environment}, {"url", run.URL}, {"tenant", run.Tenant}, {"service", run.Service},
		{"run", run.ID}, {"partial", run.Partial},
	} {
		if p[1] != "" {
			suite.properties = append(suite.properties, p)
		}
	}
	return suite
}

func writeJUnit(w io.Writer, run Run, suites []junitSuite) error {
	out := &xmlWriter{w: bufio.NewWriter(w)}
	out.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<testsuites>\n")
	host := "localhost"
	if u, err := url.Parse(run.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	names := uniqueNames{}
	budget := junitTotal
	for id, suite := range suites {
		var failures, errors, skipped int
		var took int64
		for _, test := range suite.cases {
			took += max(test.nanoseconds, 0)
			switch test.outcome {
			case "failure":
				failures++
			case "error":
				errors++
			case "skipped":
				skipped++
			}
		}
		out.raw("  <testsuite")
		out.attribute("id", strconv.Itoa(id))
		out.attribute("package", suite.pkg)
		out.attribute("name", orElse(oneLine(suite.name, 400), "unnamed"))
		out.attribute("timestamp", junitStamp(run.Start))
		out.attribute("hostname", host)
		out.attribute("tests", strconv.Itoa(len(suite.cases)))
		out.attribute("failures", strconv.Itoa(failures))
		out.attribute("errors", strconv.Itoa(errors))
		out.attribute("skipped", strconv.Itoa(skipped))
		out.attribute("time", junitTime(took))
		out.raw(">\n    <properties>\n")
		suite.properties = append([][2]string{{"agstest", orElse(run.Tool.Version, "unknown")}}, suite.properties...)
		for _, property := range suite.properties {
			out.raw("      <property")
			out.attribute("name", property[0])
			out.attribute("value", property[1])
			out.raw("/>\n")
		}
		out.raw("    </properties>\n")
		for _, test := range suite.cases {
			name := names.unique(test.classname, orElse(oneLine(xmlCharacters(test.name), 400), "unnamed"))
			out.raw("    <testcase")
			out.attribute("classname", test.classname)
			out.attribute("name", name)
			out.attribute("time", junitTime(test.nanoseconds))
			if test.outcome == "" {
				out.raw("/>\n")
				continue
			}
			out.raw(">\n      <" + test.outcome)
			if test.outcome != "skipped" {
				out.attribute("type", orElse(test.kind, test.outcome))
			}
			out.attribute("message", oneLine(test.message, 1000))
			text := clipped(xmlCharacters(test.text), min(junitEvidence, max(budget, 0))) // what is put for a byte may be three
			budget -= len(text)
			if test.outcome == "skipped" || text == "" {
				out.raw("/>\n")
			} else {
				out.raw(">")
				out.text(text)
				out.raw("</" + test.outcome + ">\n")
			}
			out.raw("    </testcase>\n")
		}
		out.raw("    <system-out>")
		out.text(clipped(xmlCharacters(strings.Join(suite.out, "\n")), junitEvidence))
		out.raw("</system-out>\n    <system-err></system-err>\n  </testsuite>\n")
	}
	out.raw("</testsuites>\n")
	if out.err == nil {
		out.err = out.w.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("writing JUnit XML: %w", out.err)
	}
	return nil
}

// uniqueNames remembers the names given within each class.
type uniqueNames map[[2]string]bool

// unique gives the name itself, or the name with the first number that makes it unique.
func (u uniqueNames) unique(class, name string) string {
	given := name
	for n := 2; u[[2]string{class, given}]; n++ {
		given = fmt.Sprintf("%s (%d)", name, n)
	}
	u[[2]string{class, given}] = true
	return given
}

// junitTime is a time in seconds as both schemas want it: three decimals, never negative.
func junitTime(nanoseconds int64) string {
	return strconv.FormatFloat(time.Duration(max(nanoseconds, 0)).Seconds(), 'f', 3, 64)
}

// junitStamp is a point in time in UTC; the schemas allow neither a zone nor a year of other than four digits.
func junitStamp(t time.Time) string {
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		t = time.Time{}
	}
	return t.Format("2006-01-02T15:04:05")
}

// xmlWriter writes XML 1.0 by hand, because encoding/xml turns line ends in text into character references.
type xmlWriter struct {
	w   *bufio.Writer
	err error
}

func (x *xmlWriter) raw(markup string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(markup)
	}
}

func (x *xmlWriter) attribute(name, value string) {
	x.raw(" " + name + `="` + xmlAttribute.Replace(xmlCharacters(value)) + `"`)
}

func (x *xmlWriter) text(value string) { x.raw(xmlText.Replace(xmlCharacters(value))) }

var (
	xmlText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	xmlAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")
)

// xmlCharacters puts U+FFFD for what XML 1.0 does not allow: control characters, surrogates and broken UTF-8. Jenkins refuses the whole
// file for one of them.
func xmlCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD && r != utf8.RuneError, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, text)
}

// slug makes a class name of a feature's title.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return orElse(strings.TrimSuffix(b.String(), "-"), "unnamed")
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// firstTrouble says why a scenario is not plainly good, where its own reason is silent.
func firstTrouble(s Scenario) string {
	for _, finding := range s.Findings {
		if finding.Verdict == s.Verdict {
			return findingSentence(finding)
		}
	}
	for _, step := range s.Steps {
		if step.Verdict == s.Verdict && step.Message != "" {
			return step.Message
		}
	}
	return "no reason was recorded"
}

// findingSentence is a finding in one line.
func findingSentence(f Finding) string {
	var parts []string
	if f.Expected != "" {
		parts = append(parts, "expected "+f.Expected)
	}
	switch {
	case f.Got != "" && f.Expected == "":
		parts = append(parts, f.Got)
	case f.Got != "":
		parts = append(parts, "got "+f.Got)
	}
	sentence := orElse(strings.Join(parts, ", "), f.Verdict.Word())
	if f.Requirement != "" {
		sentence = f.Requirement + ": " + sentence
	}
	if f.Times > 1 {
		sentence += fmt.Sprintf(" (%s times)", Count(int64(f.Times)))
	}
	return sentence
}

func findingsText(findings []Finding) string {
	var lines []string
	for _, finding := range findings {
		lines = append(lines, findingSentence(finding))
	}
	return strings.Join(lines, "\n")
}

// limitSentence says what a limit wanted and what came.
func limitSentence(limit Limit) string {
	sentence := limit.Expression + ": " + orElse(limit.Value, "no figure")
	if limit.Interval != "" {
		sentence += " (" + limit.Interval + ")"
	}
	if limit.Reason != "" {
		sentence += ", " + limit.Reason
	}
	return sentence
}

// evidence is what a reader of a test report needs of a failed scenario: where it is, its steps, what was found, and the exchanges.
func evidence(s Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", s.ID)
	if len(s.Requirements) > 0 {
		fmt.Fprintf(&b, "requirements: %s\n", strings.Join(s.Requirements, " "))
	}
	for _, finding := range s.Findings {
		if !slices.Contains([]Verdict{Pass, Observed}, finding.Verdict) {
			fmt.Fprintf(&b, "%s\n", findingSentence(finding))
		}
	}
	b.WriteByte('\n')
	for _, step := range s.Steps {
		fmt.Fprintf(&b, "%-8s %s %s\n", step.Verdict, strings.TrimSpace(step.Keyword), step.Text)
		if step.Message != "" && step.Verdict != Pass {
			fmt.Fprintf(&b, "         %s\n", step.Message)
		}
	}
	for i, x := range s.Transcript {
		fmt.Fprintf(&b, "\nexchange %d: %s %s\n", i+1, x.Method, x.URL)
		writeHeader(&b, x.RequestHeader)
		if x.RequestBody != "" {
			fmt.Fprintf(&b, "\n%s\n", clipped(x.RequestBody, 2<<10))
		}
		if x.Error != "" {
			fmt.Fprintf(&b, "no whole answer: %s\n", x.Error)
		}
		if x.Status != 0 {
			fmt.Fprintf(&b, "\n%d after %s\n", x.Status, Milliseconds(x.Nanoseconds))
			writeHeader(&b, x.ResponseHeader)
			if x.ResponseBody != "" {
				fmt.Fprintf(&b, "\n%s\n", clipped(x.ResponseBody, 2<<10))
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
