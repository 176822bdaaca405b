package reports_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// element is any XML element, for checking rules on it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// junitTotals holds the counts of the root against those of its suites.
func junitTotals(root element, seconds *regexp.Regexp) error {
	var names []string
	for _, a := range root.Attrs {
		names = append(names, a.Name.Local)
	}
	if root.XMLName.Local != "testsuites" || strings.Join(names, " ") != "tests failures errors skipped time" {
		return fmt.Errorf("the root is %s with the attributes %v", root.XMLName.Local, names)
	}
	for _, name := range names {
		var sum float64
		for _, suite := range root.Children {
			one, err := strconv.ParseFloat(suite.attr(name), 64)
			if err != nil {
				return err
			}
			sum += one
		}
		said, err := strconv.ParseFloat(root.attr(name), 64)
		sum = min(sum, time.Duration(math.MaxInt64).Seconds())
		if err != nil || math.Abs(said-sum) > 0.001*float64(len(root.Children)+1) {
			return fmt.Errorf("the root says %s %s, its suites %g: %w", name, root.attr(name), sum, err)
		}
	}
	if !seconds.MatchString(root.attr("time")) {
		return fmt.Errorf("the root has the time %s", root.attr("time"))
	}
	return nil
}

// junitRules are the rules that Jenkins' junit-10.xsd and the Ant schema have in common, and GitLab's: the order of
// elements, the attributes that each may have, times with at most three decimals and never negative, counts that add
// up, stamps without a zone, and no pair of class name and name twice.
func junitRules(data []byte) error {
	for _, r := range string(data) {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return fmt.Errorf("holds the character %U, which XML 1.0 does not allow", r)
		}
	}
	var root element
	if err := xml.Unmarshal(data, &root); err != nil {
		return err
	}
	seconds := regexp.MustCompile(`^[0-9]+\.[0-9]{1,3}$`)
	if err := junitTotals(root, seconds); err != nil {
		return err
	}
	pairs := map[string]bool{}
	for i, suite := range root.Children {
		var names []string
		for _, a := range suite.Attrs {
			names = append(names, a.Name.Local)
		}
		if want := "id package name timestamp hostname tests failures errors skipped time"; suite.XMLName.Local != "testsuite" || strings.Join(names, " ") != want {
			return fmt.Errorf("suite %d is a %s with the attributes %v", i, suite.XMLName.Local, names)
		}
		if suite.attr("id") != strconv.Itoa(i) || suite.attr("name") == "" || suite.attr("hostname") == "" || !seconds.MatchString(suite.attr("time")) {
			return fmt.Errorf("suite %d has bad attributes: %v", i, suite.Attrs)
		}
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`).MatchString(suite.attr("timestamp")) {
			return fmt.Errorf("suite %d has the stamp %q", i, suite.attr("timestamp"))
		}
		counts := map[string]int{}
		order := ""
		for _, child := range suite.Children {
			switch child.XMLName.Local {
			case "properties":
				order += "p"
				for _, property := range child.Children {
					if property.XMLName.Local != "property" || len(property.Attrs) != 2 || property.attr("name") == "" {
						return fmt.Errorf("suite %d has a bad property %v", i, property.Attrs)
					}
				}
			case "testcase":
				order += "c"
				counts["tests"]++
				if len(child.Attrs) != 3 && (len(child.Attrs) != 5 || child.attr("file") == "" || child.attr("line") == "") || child.attr("classname") == "" || child.attr("name") == "" || !seconds.MatchString(child.attr("time")) {
					return fmt.Errorf("a case of suite %d has bad attributes: %v", i, child.Attrs)
				}
				pair := child.attr("classname") + "\x00" + child.attr("name")
				if pairs[pair] {
					return fmt.Errorf("%q comes twice", pair)
				}
				pairs[pair] = true
				if len(child.Children) > 0 && child.Children[0].XMLName.Local == "properties" {
					for _, property := range child.Children[0].Children {
						if property.attr("name") == "" || property.attr("value") == "" {
							return fmt.Errorf("%q has a bad property %v", pair, property.Attrs)
						}
					}
					child.Children = child.Children[1:]
				}
				if len(child.Children) > 1 {
					return fmt.Errorf("%q has %d outcomes", pair, len(child.Children))
				}
				for _, outcome := range child.Children {
					if reason := outcome.attr("message"); reason == "" || !strings.HasPrefix(outcome.Text, strings.ReplaceAll(reason, "\r", "")) && !strings.Contains(reason, "\r") {
						return fmt.Errorf("%q does not begin its content with its reason %q: %q", pair, reason, outcome.Text)
					}
					switch kind := outcome.XMLName.Local; {
					case kind == "failure" || kind == "error":
						counts[kind+"s"]++
						if outcome.attr("type") == "" || len(outcome.Attrs) != 2 {
							return fmt.Errorf("%q has a %s with %v", pair, kind, outcome.Attrs)
						}
					case kind == "skipped":
						counts["skipped"]++
						if outcome.attr("message") == "" || len(outcome.Attrs) != 1 {
							return fmt.Errorf("%q is skipped without a reason: %v", pair, outcome.Attrs)
						}
					default:
						return fmt.Errorf("%q has a %s", pair, kind)
					}
					if len(outcome.Text) > 16<<10+200 {
						return fmt.Errorf("%q carries %d bytes", pair, len(outcome.Text))
					}
				}
			case "system-out":
				order += "o"
			case "system-err":
				order += "e"
			default:
				return fmt.Errorf("suite %d holds a %s", i, child.XMLName.Local)
			}
		}
		if !regexp.MustCompile(`^pc+oe$`).MatchString(order) {
			return fmt.Errorf("suite %d has its parts in the order %s", i, order)
		}
		for _, name := range []string{"tests", "failures", "errors", "skipped"} {
			if suite.attr(name) != strconv.Itoa(counts[name]) {
				return fmt.Errorf("suite %d says %s=%s and has %d", i, name, suite.attr(name), counts[name])
			}
		}
	}
	return nil
}

// bad counts failures and errors.
func bad(data []byte) int {
	return bytes.Count(data, []byte("<failure ")) + bytes.Count(data, []byte("<error "))
}

func junitOf(t require.TestingT, c *reports.Conformance, l *reports.Load) []byte {
	var b bytes.Buffer
	require.NoError(t, export.JUnit(&b, c, l))
	return b.Bytes()
}

// golden compares with a file of testdata, which -update writes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./reports -run %s -update writes it", t.Name())
	require.Empty(t, cmp.Diff(string(want), string(got)))
}

func TestJUnitGolden(t *testing.T) {
	c := smallConformance()
	golden(t, "junit.xml", junitOf(t, c, sampleLoad(2, 5)))
}

// smallConformance is the part of sampleConformance that shows each verdict once.
func smallConformance() *reports.Conformance {
	c := sampleConformance()
	seen := map[reports.Verdict]bool{}
	var requirements []reports.Requirement
	kept := map[string]bool{}
	for _, requirement := range c.Requirements {
		if !seen[requirement.Verdict] {
			seen[requirement.Verdict] = true
			requirements = append(requirements, requirement)
			for _, id := range requirement.Scenario {
				kept[id] = true
			}
		}
	}
	var scenarios []reports.Scenario
	for _, scenario := range c.Scenarios {
		if kept[scenario.ID] {
			scenarios = append(scenarios, scenario)
		}
	}
	c.Requirements, c.Scenarios = requirements, scenarios
	c.Counts = reports.Counts{Requirements: reports.RequirementCounts(requirements), Scenarios: reports.ScenarioCounts(scenarios), Exchanges: 17}
	return c
}

func TestJUnitKeepsTheRules(t *testing.T) {
	sameNames := smallConformance()
	for i := range sameNames.Scenarios {
		sameNames.Scenarios[i].Name, sameNames.Scenarios[i].Feature, sameNames.Scenarios[i].Nanoseconds = "the same", "the same", -5
	}
	sameNames.Scenarios = append(sameNames.Scenarios, reports.Scenario{ID: "x", Name: "the same (2)", Feature: "the same", Verdict: reports.Pass})
	for name, runs := range map[string]struct {
		c *reports.Conformance
		l *reports.Load
	}{
		"both": {sampleConformance(), sampleLoad(3, 20)}, "conformance": {sampleConformance(), nil}, "load": {nil, sampleLoad(1, 5)},
		"equal names and a negative time": {sameNames, nil},
		"hostile":                         {poisoned(sampleConformance()), poisoned(sampleLoad(2, 5))},
		"nothing ran":                     {&reports.Conformance{Verdict: reports.Error, Reason: "no scenario ran"}, &reports.Load{Verdict: reports.Invalid}},
	} {
		t.Run(name, func(t *testing.T) {
			data := junitOf(t, runs.c, runs.l)
			require.NoError(t, junitRules(data))
			if xmllint, err := exec.LookPath("xmllint"); err == nil {
				command := exec.Command(xmllint, "--noout", "-")
				command.Stdin = bytes.NewReader(data)
				said, err := command.CombinedOutput()
				require.NoError(t, err, string(said))
				// JUNIT_XSD names files of schemas, where somebody has them at hand; make peers fetches Jenkins'.
				for _, schema := range filepath.SplitList(os.Getenv("JUNIT_XSD")) {
					require.Empty(t, beyondSchema(t, xmllint, schema, data))
				}
			}
		})
	}
}

// beyondJenkins are the things that a schema may complain of: what GitLab, Xray and TestRail read beyond it, and the
// reason of a skipped case as an attribute, which older schemas do not have.
var beyondJenkins = regexp.MustCompile(`Element 'testcase', attribute '(file|line)': The attribute '(file|line)' is not allowed|Element 'testsuites', attribute 'skipped': The attribute 'skipped' is not allowed|Element 'properties': This element is not expected\. Expected is one of \( skipped|Element 'skipped', attribute 'message': The attribute 'message' is not allowed`)

// beyondSchema is what xmllint says of a file by a schema, beside those things.
func beyondSchema(t *testing.T, xmllint, schema string, data []byte) (said []string) {
	t.Helper()
	command := exec.Command(xmllint, "--noout", "--schema", schema, "-")
	command.Stdin = bytes.NewReader(data)
	out, _ := command.CombinedOutput()
	require.Regexp(t, `(?m)^- (validates|fails to validate)$`, string(out))
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.Contains(line, "Schemas validity error") && !beyondJenkins.MatchString(line) {
			said = append(said, line)
		}
	}
	return said
}

func TestJUnitRulesFindMistakes(t *testing.T) {
	good := string(junitOf(t, smallConformance(), nil))
	for name, change := range map[string][2]string{
		"a negative time":               {`time="0`, `time="-0`},
		"another total":                 {`failures="1"`, `failures="2"`},
		"another count":                 {`tests="1" failures="1"`, `tests="1" failures="0"`},
		"a control character":           {"<system-out>", "<system-out>\x0c"},
		"an element of a later dialect": {"<system-out>", "<rerunFailure/><system-out>"},
		"a status":                      {`<testcase classname`, `<testcase status="run" classname`},
		"no reason":                     {`<skipped message="skipped: `, `<skipped massage="skipped: `},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(good, change[0], change[1], 1)
			require.NotEqual(t, good, changed)
			require.Error(t, junitRules([]byte(changed)))
			xmllint, err := exec.LookPath("xmllint")
			if schema := os.Getenv("JUNIT_XSD"); err == nil && schema != "" && name == "an element of a later dialect" {
				require.NotEmpty(t, beyondSchema(t, xmllint, schema, []byte(changed)))
			}
		})
	}
}

// TestJUnitIsRedWhereTheRunIs: a pipeline that reads nothing but this file comes to the verdict of the run.
func TestJUnitIsRedWhereTheRunIs(t *testing.T) {
	for _, verdict := range reports.Verdicts {
		if verdict == reports.Regressed || verdict == reports.Improved || verdict == reports.NotComparable {
			continue
		}
		t.Run(string(verdict), func(t *testing.T) {
			red := verdict == reports.Skipped || verdict.Blocks()
			c := &reports.Conformance{Verdict: verdict, Scenarios: []reports.Scenario{{ID: "a", Name: "a", Feature: "f", Verdict: reports.Pass}}}
			require.Equal(t, red, bad(junitOf(t, c, nil)) > 0)
			l := &reports.Load{Verdict: verdict, Valid: true, Operations: map[string]*reports.Operation{"refresh": {Sent: 1, Right: 1}}}
			require.Equal(t, red, bad(junitOf(t, nil, l)) > 0)
		})
	}
	t.Run("a failed requirement that no scenario names", func(t *testing.T) {
		c := &reports.Conformance{Verdict: reports.Fail, Requirements: []reports.Requirement{{ID: "REF-01", Text: "It is so.", Verdict: reports.Fail}}, Scenarios: []reports.Scenario{{ID: "a", Name: "a", Feature: "f", Verdict: reports.Pass}}}
		require.Contains(t, string(junitOf(t, c, nil)), `<testcase classname="ags.conformance.requirements" name="REF-01 It is so." time="0.000">`)
	})
	t.Run("undecided", func(t *testing.T) {
		var b bytes.Buffer
		l := &reports.Load{Verdict: reports.Inconclusive, Valid: true, Reason: "too short", Operations: map[string]*reports.Operation{"refresh": {Sent: 1, Right: 1}}}
		require.NoError(t, export.JUnit(&b, nil, l))
		require.Contains(t, b.String(), `<error type="inconclusive" message="inconclusive: too short">inconclusive: too short</error>`)
	})
	t.Run("interrupted", func(t *testing.T) {
		l := &reports.Load{Verdict: reports.Inconclusive, Valid: true, Reason: "it was interrupted", Operations: map[string]*reports.Operation{"refresh": {Sent: 1, Right: 1}}}
		l.Run.Partial = "it was interrupted"
		require.Contains(t, string(junitOf(t, nil, l)), `<error type="partial" message="partial: it was interrupted">partial: it was interrupted</error>`)
	})
	t.Run("a broken limit of a run that passed all the same", func(t *testing.T) {
		l := sampleLoad(2, 5)
		l.Verdict = reports.Pass
		require.Zero(t, bad(junitOf(t, nil, l)))
	})
}

// TestJUnitNamesWrongAnswers: what failed a load for wrong answers names examples with the ids that were sent: the
// limit that was not kept, or a case of its own where none speaks of them. A set-up that was not smooth fails nothing
// unless warnings do.
func TestJUnitNamesWrongAnswers(t *testing.T) {
	l := sampleLoad(2, 60)
	l.Limits = []reports.Limit{{Expression: "refresh.errors<1%", Verdict: reports.Fail, Value: "4 %"}}
	l.WrongKinds[0].Verdict, l.WrongKinds[0].Limit = reports.Fail, "refresh.errors<1%"
	file := string(junitOf(t, nil, l))
	limit := regexp.MustCompile(`(?s)name="limit refresh\.errors&lt;1%".*?</failure>`).FindString(file)
	for _, id := range []string{"agstest-16-1x2y3z-5000", "agstest-16-1x2y3z-5030", "agstest-16-1x2y3z-5059"} {
		require.Contains(t, limit, "x-correlation-id "+id)
	}
	require.NotContains(t, file, "no wrong answers")
	l.Limits = nil
	l.WrongKinds[0].Limit = ""
	file = string(junitOf(t, nil, l))
	own := regexp.MustCompile(`(?s)<testcase classname="[^"]*\.load\.mixed\.refresh" name="no wrong answers: status" time="0\.000">.*?</failure>`).FindString(file)
	require.Contains(t, own, "answered 503, wanted 201")
	require.Contains(t, own, "x-correlation-id agstest-16-1x2y3z-5059")

	smooth := &reports.Load{Verdict: reports.Warn, Valid: true, Operations: map[string]*reports.Operation{"refresh": {Sent: 1, Right: 1}}, Reason: "kept", SetUp: &reports.SetUp{Calls: 9, Again: 1, First: "mint was answered 502, not 200"}}
	smooth.Run.Environment = "staging"
	file = string(junitOf(t, nil, smooth))
	require.Equal(t, 1, bad([]byte(file)), "though the exit code is 0: what was broken before the clock started stands in no figure")
	require.Regexp(t, `<testcase classname="ags.staging.load.run" name="the set-up went smoothly" time="0.000">\s*<error type="set-up" message="warning: before the clock started 1 of 9 calls had to be made again`, file)
	smooth.FailWarnings()
	require.Regexp(t, `<failure type="fail" message="kept; warnings fail`, string(junitOf(t, nil, smooth)), "the exit code is 1")
}

// TestJUnitTellsEnvironmentsApart: tools that key on class name and name must not take one environment's results for
// another's.
func TestJUnitTellsEnvironmentsApart(t *testing.T) {
	pairs := regexp.MustCompile(`<testcase classname="([^"]*)" name="([^"]*)"`)
	seen := map[string]string{}
	for _, name := range []string{"staging", "production", "eu.prod", "eu-prod", "eu_prod", "eu prod", "Staging", "preprod/1", "日本"} {
		c, l := smallConformance(), sampleLoad(2, 5)
		c.Run.Environment, l.Run.Environment, c.Run.Release = name, name, "4.12"
		data := junitOf(t, c, l)
		require.NoError(t, junitRules(data))
		for _, pair := range pairs.FindAllStringSubmatch(string(data), -1) {
			require.Empty(t, seen[pair[1]+" / "+pair[2]], "%s and %s share a case", name, seen[pair[1]+" / "+pair[2]])
			seen[pair[1]+" / "+pair[2]] = name
		}
		require.Contains(t, string(data), fmt.Sprintf(`<property name="environment" value=%q/>`, name))
		require.Contains(t, string(data), `<property name="release" value="4.12"/>`)
		require.Contains(t, string(data), " ("+name+`)" timestamp=`)
	}
}

// TestJUnitTracesRequirements: Xray and TestRail find their tests, and see them red where they are.
func TestJUnitTracesRequirements(t *testing.T) {
	var b bytes.Buffer
	c := sampleConformance()
	c.TestKeys = map[string]string{"SOST-20": "AGS-123"}
	require.NoError(t, export.JUnit(&b, c, nil))
	require.NoError(t, junitRules(b.Bytes()))
	require.Regexp(t, `(?s)<testcase classname="[^"]*" name="A known device signs on \(SOST-20\)"[^>]*>\s+<properties>\s+<property name="requirement" value="SOST-20"/>\s+<property name="test_key" value="AGS-123"/>\s+<property name="test_id" value="AGS-123"/>\s+</properties>\s+<failure `, b.String())
}

// TestJUnitPointsToFilesOfTheUser: what is red leads to the line of the user's own scenario that shows it, the cause as
// much as the scenario; the files of the suite are in no repository of a user's, and no place is given.
func TestJUnitPointsToFilesOfTheUser(t *testing.T) {
	c := smallConformance()
	require.NotContains(t, string(junitOf(t, c, nil)), " file=")
	for i := range c.Scenarios {
		c.Scenarios[i].File = "own/a.feature"
	}
	c.Features = []reports.Feature{{File: "own/a.feature", Path: "tests/a.feature"}}
	file := string(junitOf(t, c, nil))
	require.Regexp(t, `<testcase classname="[^"]*\.causes" name="C-0a1b2c3d signOnWithSessionToken" time="0.000" file="tests/a.feature" line="310">`, file)
	require.Regexp(t, `name="A known device signs on \(SOST-20\)" time="[^"]*" file="tests/a.feature" line="310">`, file)
}

func TestJUnitClassNamesKeepEveryScript(t *testing.T) {
	for title, want := range map[string]string{"Refresh: the chain": "refresh-the-chain", "Вход в систему": "вход-в-систему", "トークン更新": "トークン更新", "टोकन": "टोकन", "!?": "unnamed", "Größe 2": "größe-2"} {
		require.Equal(t, want, reports.Slug(title))
	}
}

func TestJUnitOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		verdict := rapid.SampledFrom(append([]reports.Verdict{"", "unheard-of"}, reports.Verdicts...))
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "same", hostileWords, "\xff\xfe", "a\x00b"}))
		scenario := rapid.Custom(func(t *rapid.T) reports.Scenario {
			return reports.Scenario{ID: text.Draw(t, "id"), Feature: text.Draw(t, "feature"), Name: text.Draw(t, "name"), Verdict: verdict.Draw(t, "verdict"), Nanoseconds: rapid.Int64().Draw(t, "took"), Reason: text.Draw(t, "reason"),
				Steps: []reports.Step{{Keyword: text.Draw(t, "keyword"), Text: text.Draw(t, "text"), Verdict: verdict.Draw(t, "step"), Message: text.Draw(t, "message")}}}
		})
		c := &reports.Conformance{Verdict: verdict.Draw(t, "run"), Reason: text.Draw(t, "why"), Scenarios: rapid.SliceOfN(scenario, 0, 8).Draw(t, "scenarios")}
		c.Run.URL = text.Draw(t, "url")
		require.NoError(t, junitRules(junitOf(t, c, nil)))
	})
}

func FuzzJUnit(f *testing.F) {
	f.Add("name", "reason", "fail", int64(5))
	f.Add(hostileWords, "\x00\x0b]]>", "error", int64(-1))
	f.Fuzz(func(t *testing.T, name, reason, verdict string, took int64) {
		c := &reports.Conformance{Verdict: reports.Verdict(verdict), Reason: reason, Scenarios: []reports.Scenario{
			{ID: name, Name: name, Feature: reason, Verdict: reports.Verdict(verdict), Reason: reason, Nanoseconds: took, Steps: []reports.Step{{Text: name, Message: reason, Verdict: reports.Verdict(verdict)}}},
			{ID: name, Name: name, Feature: reason, Verdict: reports.Verdict(verdict), Reason: reason}}}
		if err := junitRules(junitOf(t, c, nil)); err != nil {
			t.Fatal(err)
		}
	})
}

// manyScenarios is a run of n scenarios, one in a hundred of which failed, with long exchanges.
func manyScenarios(n int) *reports.Conformance {
	c := sampleConformance()
	c.Scenarios, c.Requirements = nil, c.Requirements[:40]
	x := sampleExchange()
	x.ResponseBody = strings.Repeat("long ", 4000)
	for i := range n {
		s := reports.Scenario{ID: fmt.Sprintf("features/many.feature:%d", i+1), Feature: fmt.Sprintf("Feature %d", i/500), File: "features/many.feature", Line: i + 1, Name: fmt.Sprintf("Scenario %d", i), Verdict: reports.Pass, Nanoseconds: 1e6,
			Requirements: []string{c.Requirements[i%40].ID}, Steps: []reports.Step{{Keyword: "When ", Text: "something is asked", Verdict: reports.Pass}, {Keyword: "Then ", Text: "it is answered", Verdict: reports.Pass}}, Transcript: []reports.Exchange{x, x}}
		if i%100 == 7 {
			s.Verdict, s.Steps[1].Verdict, s.Steps[1].Message = reports.Fail, reports.Fail, "it is not"
			s.Findings = []reports.Finding{{Requirement: c.Requirements[i%40].ID, Verdict: reports.Fail, Expected: "this", Got: "that", Scenario: s.ID}}
			r := &c.Requirements[i%40]
			r.Verdict, r.Findings = reports.Fail, append(r.Findings, s.Findings...)
		}
		c.Requirements[i%40].Scenario = append(c.Requirements[i%40].Scenario, s.ID)
		c.Scenarios = append(c.Scenarios, s)
	}
	return c
}

func TestTenThousandScenarios(t *testing.T) {
	c := manyScenarios(10_000)
	for name, each := range map[string]struct {
		write func(io.Writer) error
		limit int
	}{
		"html":        {func(w io.Writer) error { return html.Conformance(w, c, html.Style{}) }, 4 << 20},
		"junit":       {func(w io.Writer) error { return export.JUnit(w, c, nil) }, 20 << 20},
		"markdown":    {func(w io.Writer) error { return text.Markdown(w, c, nil) }, 60_000},
		"text":        {func(w io.Writer) error { return text.Terminal(w, c, nil, false) }, 20_000},
		"github":      {func(w io.Writer) error { return export.Annotations(w, "github", c, nil) }, 100_000},
		"openmetrics": {func(w io.Writer) error { return export.OpenMetrics(w, c, nil) }, 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, each.write(&b))
			t.Logf("%s bytes", figures.Count(int64(b.Len())))
			require.Less(t, b.Len(), each.limit)
			switch name {
			case "junit":
				require.NoError(t, junitRules(b.Bytes()))
			case "html":
				require.Contains(t, b.String(), "8,000 more scenarios in conformance.json")
				require.Equal(t, 100, strings.Count(b.String(), `<em>it is not</em>`), "every failed scenario is shown with its steps")
			}
		})
	}
}
