package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
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

// junitVerdict is the suite that holds the verdict of a whole run.
func junitVerdict(class, name string, run Run, verdict Verdict, reason string) junitSuite {
	test := junitCase{classname: class, name: "verdict of the run", nanoseconds: int64(run.took()), message: cmp.Or(reason, verdict.Word())}
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
		out.attribute("name", cmp.Or(oneLine(suite.name, 400), "unnamed"))
		out.attribute("timestamp", junitStamp(run.Start))
		out.attribute("hostname", host)
		out.attribute("tests", strconv.Itoa(len(suite.cases)))
		out.attribute("failures", strconv.Itoa(failures))
		out.attribute("errors", strconv.Itoa(errors))
		out.attribute("skipped", strconv.Itoa(skipped))
		out.attribute("time", junitTime(took))
		out.raw(">\n    <properties>\n")
		suite.properties = append([][2]string{{"agstest", cmp.Or(run.Tool.Version, "unknown")}}, suite.properties...)
		for _, property := range suite.properties {
			out.raw("      <property")
			out.attribute("name", property[0])
			out.attribute("value", property[1])
			out.raw("/>\n")
		}
		out.raw("    </properties>\n")
		for _, test := range suite.cases {
			name := names.unique(test.classname, cmp.Or(oneLine(xmlCharacters(test.name), 400), "unnamed"))
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
				out.attribute("type", cmp.Or(test.kind, test.outcome))
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
	return cmp.Or(strings.TrimSuffix(b.String(), "-"), "unnamed")
}
