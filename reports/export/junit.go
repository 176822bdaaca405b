package export

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// junitEvidence is the size in bytes up to which one case may carry evidence.
const junitEvidence = 16 << 10

// junitTotal is the size up to which all cases together may: GitLab refuses a file over 30 MB.
const junitTotal = 16 << 20

type junitCase struct {
	// classname follows "ags.", and the words that say whose it is.
	classname, name string
	file            string // of the scenario, if it is the user's own, in the user's repository; empty: none
	line            int
	nanoseconds     int64
	outcome         reports.Outcome // empty stands for passed
	kind, message   string
	text            string
	properties      [][2]string
}

type junitSuite struct {
	pkg, name  string
	properties [][2]string
	cases      []junitCase
	out        []string
}

// JUnit writes the runs as JUnit XML; either may be nil. There is one suite for each feature or operation, and a suite
// with the verdict of each run, so that the file is never green when the run is not. A failure is the service's, an
// error says that we could not tell; known, skipped and not exercised results are skipped, with the reason.
//
// Class names say whose results they are (environment, service, tenant, a gate or a search for the capacity, workload),
// and suite names include the environment: tools that key on class name and name, such as Allure and GitLab, would take
// one environment's results for a retry of another's. GitLab shows the content of a failure and of a
// skip and not its message, other tools only the message, so both have the reason.
//
// The dialect is the part that is valid against both the Jenkins schema (junit-10.xsd) and the Ant one: no system-out
// at a case, times with three decimals, stamps without a zone (they are UTC); and beyond them the totals at testsuites,
// which many readers show without adding up, and the file, line and properties of a case, which GitLab, Xray and
// TestRail show. Jenkins' own step reads it all the same; its xUnit plugin, which holds files against its schema, does
// not. GitLab takes the class name for the suite and drops repeated pairs of class name and name, so these pairs are
// unique.
//
// A case has a property requirement for each requirement of its scenario, and, if the run names keys, test_key and
// test_id for each of those: Xray reads the former and TestRail the latter.
func JUnit(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	var suites []junitSuite
	var run reports.Run
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

// junitVerdict is the suite that holds the verdict of a whole run. It is red wherever the exit code of the run is not
// 0.
func junitVerdict(class, name string, run reports.Run, verdict reports.Verdict, reason string) junitSuite {
	test := junitCase{classname: class, name: "verdict of the run", nanoseconds: int64(run.Took()),
		message: cmp.Or(reason, verdict.Word())}
	test.outcome, test.kind = run.Outcome(verdict), string(verdict)
	switch {
	case verdict == reports.Fail:
	case run.Partial != "":
		test.kind, test.message = "partial", partialOr(run, test.message)
	case verdict == reports.Inconclusive, verdict == reports.Known:
		test.message = verdict.Word() + ": " + test.message
	}
	return junitSuite{pkg: "ags", name: name, cases: []junitCase{test}}
}

func writeJUnit(w io.Writer, run reports.Run, suites []junitSuite) error {
	out := &xmlWriter{w: bufio.NewWriter(w)}
	var totals junitCounts
	for _, suite := range suites {
		totals.add(suite.cases)
	}
	out.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<testsuites")
	out.junitCounts(totals)
	out.raw(">\n")
	host := "localhost"
	if u, err := url.Parse(run.URL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	names := uniqueNames{}
	prefix, suffix := strings.Join(append(append([]string{"ags"}, whoseWords(run, "")...), ""), "."), ""
	if run.Environment != "" {
		suffix = " (" + run.Environment + ")"
	}
	identity := append([][2]string{{"agstest", cmp.Or(run.Tool.Version, "unknown")}}, identity(run)...)
	budget := junitTotal
	for id, suite := range suites {
		var counts junitCounts
		counts.add(suite.cases)
		out.raw("  <testsuite")
		out.attribute("id", strconv.Itoa(id))
		out.attribute("package", suite.pkg)
		out.attribute("name", cmp.Or(figures.OneLine(suite.name, 400), "unnamed")+suffix)
		out.attribute("timestamp", junitStamp(run.Start))
		out.attribute("hostname", host)
		out.junitCounts(counts)
		out.raw(">\n    <properties>\n")
		for _, property := range append(slices.Clip(identity), suite.properties...) {
			out.raw("      <property")
			out.attribute("name", property[0])
			out.attribute("value", property[1])
			out.raw("/>\n")
		}
		out.raw("    </properties>\n")
		for _, test := range suite.cases {
			test.classname = prefix + test.classname
			test.name = names.unique(test.classname, cmp.Or(figures.OneLine(disarm.XMLCharacters(test.name), 400),
				"unnamed"))
			budget -= out.junitCase(test, min(junitEvidence, max(budget, 0)))
		}
		out.raw("    <system-out>")
		out.text(figures.Clip(disarm.XMLCharacters(strings.Join(suite.out, "\n")), junitEvidence))
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

// junitCounts is what a suite counts, and the root of all of them.
type junitCounts struct {
	tests, failures, errors, skipped int
	nanoseconds                      int64
}

func (c *junitCounts) add(cases []junitCase) {
	for _, test := range cases {
		c.tests++
		took := max(test.nanoseconds, 0)
		c.nanoseconds += min(took, math.MaxInt64-c.nanoseconds) // a file of anything may say anything
		switch test.outcome {
		case failed:
			c.failures++
		case broken:
			c.errors++
		case skipped:
			c.skipped++
		}
	}
}

func (x *xmlWriter) junitCounts(c junitCounts) {
	x.attribute("tests", strconv.Itoa(c.tests))
	x.attribute("failures", strconv.Itoa(c.failures))
	x.attribute("errors", strconv.Itoa(c.errors))
	x.attribute("skipped", strconv.Itoa(c.skipped))
	x.attribute("time", junitTime(c.nanoseconds))
}

// junitElements are the elements of outcomes; one that passed has none.
var junitElements = map[reports.Outcome]string{failed: "failure", broken: "error", skipped: "skipped"}

// junitCase writes one case with at most room bytes of text below the reason, and gives how many it wrote.
func (x *xmlWriter) junitCase(test junitCase, room int) int {
	x.raw("    <testcase")
	x.attribute("classname", test.classname)
	x.attribute("name", test.name)
	x.attribute("time", junitTime(test.nanoseconds))
	if test.file != "" {
		x.attribute("file", test.file)
		x.attribute("line", strconv.Itoa(max(test.line, 1)))
	}
	element := junitElements[test.outcome]
	if element == "" && len(test.properties) == 0 {
		x.raw("/>\n")
		return 0
	}
	x.raw(">\n")
	if len(test.properties) > 0 {
		x.raw("      <properties>\n")
		for _, p := range test.properties {
			x.raw("        <property")
			x.attribute("name", p[0])
			x.attribute("value", p[1])
			x.raw("/>\n")
		}
		x.raw("      </properties>\n")
	}
	if element == "" {
		x.raw("    </testcase>\n")
		return 0
	}
	x.raw("      <" + element)
	if test.outcome != skipped {
		x.attribute("type", cmp.Or(test.kind, element))
	}
	reason := cmp.Or(figures.OneLine(test.message, 1000), figures.OneLine(test.kind, 1000), element)
	x.attribute("message", reason)
	text := reason
	if test.text != "" && room > 0 {
		// the replacement of a byte may take three
		text = figures.Clip(disarm.XMLCharacters(reason+"\n\n"+test.text), room)
	}
	x.raw(">")
	x.text(text)
	x.raw("</" + element + ">\n    </testcase>\n")
	return len(text)
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
