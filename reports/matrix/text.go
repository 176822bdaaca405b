package matrix

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/markdown"
)

// maxCauses is how many causes a terminal shows.
const maxCauses = 10

// Text writes the whole in a few lines for a terminal: the verdict, a line for each run, and the widest causes.
func Text(w io.Writer, m *Matrix) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s  %s\n\n", m.Name, strings.ToUpper(m.Verdict.Word()), m.Reason)
	width := 0
	for _, e := range m.Environments {
		width = max(width, len(e.Name))
	}
	for _, e := range m.Environments {
		for _, run := range e.Runs {
			fmt.Fprintf(out, "  %-*s  %-8s %s: %s\n", width, e.Name, run.Command, run.Verdict.Word(),
				clipped(run.Reason, 160))
		}
	}
	for i, note := range m.Notes {
		if i == 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "  note: %s\n", note)
	}
	if since := m.since(); since != "" {
		fmt.Fprintf(out, "\n  %s\n", since)
	}
	for i, cause := range m.Causes {
		if i == 0 {
			fmt.Fprintln(out)
		}
		if i == maxCauses {
			fmt.Fprintf(out, "  and %s more\n", figures.Plural(int64(len(m.Causes)-i), "cause"))
			break
		}
		fmt.Fprintf(out, "  %s in %s: %s (%s)\n", cause.Verdict.Word(), enumerated(cause.Environments), cause.words(),
			enumerated(cause.Requirements))
	}
	return out.Flush()
}

// Sentence describes the cause in one line, as the report of a run does.
func (c Cause) Sentence() string {
	return reports.Cause{Operation: c.Operation, Verdict: c.Verdict, Expected: c.Expected, Got: c.Got}.Sentence()
}

// words are the cause in one line of a terminal.
func (c Cause) words() string {
	return clipped(c.Sentence(), 160)
}

// Markdown writes the summary for a merge request: the verdict, the environments and the points to look at first, the
// gravest first and at most markdown.Shown characters. It folds all else.
func Markdown(w io.Writer, m *Matrix) error {
	p := &markdown.Page{}
	p.Line("## ", figures.OneLine(m.Name, 120)+": "+markdown.Verdict(m.Verdict), 200)
	p.Line("", m.Reason+".", 800)
	if since := m.since(); since != "" {
		p.Line("", since, 300)
	}
	if len(m.Notes) > 0 {
		p.Line("", figures.Some(m.Notes, 4, " "), 600)
	}
	runs := markdown.Section{Head: []string{"Environment", "Run", "Verdict", "Why"}, One: "run", First: 12,
		Rest: "matrix.html"}
	type row struct {
		rank  int
		cells []string
	}
	var rows []row
	for _, e := range m.Environments {
		for _, run := range e.Runs {
			rows = append(rows, row{run.Verdict.Rank(), []string{e.Name, run.Command, markdown.Verdict(run.Verdict),
				run.Reason}})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.rank, b.rank) })
	for _, r := range rows {
		runs.Rows = append(runs.Rows, r.cells)
	}
	p.Add(runs)
	causes := markdown.Section{Title: "What to look at first", Head: []string{"Verdict", "In", "What is wrong",
		"Breaks"}, One: "cause", First: maxCauses, Rest: "matrix.html"}
	for _, cause := range m.Causes {
		causes.Rows = append(causes.Rows, []string{markdown.Verdict(cause.Verdict), enumerated(cause.Environments),
			cause.words(), enumerated(cause.Requirements)})
	}
	p.Add(causes)
	return p.Write(w)
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	junitCounts
	Suites []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Cases []junitCase `xml:"testcase"`
}

// junitCounts is what a suite counts, and the root of all of them.
type junitCounts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Seconds  string `xml:"time,attr"`
}

type junitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Seconds string      `xml:"time,attr"`
	Failure *junitCause `xml:"failure,omitempty"`
	Error   *junitCause `xml:"error,omitempty"`
	Skipped *junitCause `xml:"skipped,omitempty"`
}

type junitCause struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a suite for each environment with a case for each of its runs, red wherever the exit code of the run is
// not 0. The requirements stand in the files of the runs.
func JUnit(w io.Writer, m *Matrix) error {
	var suites junitSuites
	var all time.Duration
	for _, e := range m.Environments {
		suite := junitSuite{Name: "plan (" + e.Name + ")"}
		var took time.Duration
		for _, run := range e.Runs {
			one := max(0, run.End.Sub(run.Start))
			took += one
			test := junitCase{Class: "ags." + strings.ReplaceAll(e.Name, ".", "_") + ".plan", Name: run.Command,
				Seconds: fmt.Sprintf("%.3f", one.Seconds())}
			why := &junitCause{printable(run.Reason), string(run.Verdict), printable(run.Reason)}
			exit := -1
			if run.Exit != nil {
				exit = *run.Exit
			}
			switch {
			case exit == 1, exit < 0 && (run.Verdict == reports.Fail || run.Verdict == reports.Regressed):
				test.Failure = why
				suite.Failures++
			case exit > 0, exit < 0 && run.Verdict.Blocks():
				test.Error = why
				suite.Errors++
			case run.Verdict.Blocks(), run.Verdict == reports.Skipped:
				// not judged, and yet no error: --exit-zero, or two runs that cannot be told apart
				test.Skipped = why
				suite.Skipped++
			}
			suite.Tests++
			suite.Cases = append(suite.Cases, test)
		}
		all += took
		suite.Seconds = fmt.Sprintf("%.3f", took.Seconds())
		suites.Tests, suites.Failures = suites.Tests+suite.Tests, suites.Failures+suite.Failures
		suites.Errors, suites.Skipped = suites.Errors+suite.Errors, suites.Skipped+suite.Skipped
		suites.Suites = append(suites.Suites, suite)
	}
	suites.Seconds = fmt.Sprintf("%.3f", all.Seconds())
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites); err != nil {
		return fmt.Errorf("writing the matrix as JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// printable leaves what XML 1.0 can hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
