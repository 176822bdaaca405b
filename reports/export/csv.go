package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

// Table is one table for spreadsheets: CSV as of RFC 4180, in UTF-8, with a head. Each row begins with the environment
// and the release, so that tables of several runs can be put below each other.
type Table struct {
	Name  string // of its file
	Write func(io.Writer) error
}

// Tables gives the tables of a run: requirements and causes of a conformance run, limits and seconds of a load, either
// of which may be nil, and the verdict of each. That one says what no row of the others does: that a run was
// interrupted, that a load without limits failed, that its figures are not valid.
func Tables(c *reports.Conformance, l *reports.Load) []Table {
	var tables []Table
	add := func(name string, run reports.Run, head []string, rows [][]string) {
		tables = append(tables, Table{name, func(w io.Writer) error { return writeTable(w, run, head, rows) }})
	}
	var runs [][]string
	of := func(kind string, run reports.Run, verdict reports.Verdict, reason string, invalid ...string) {
		runs = append(runs, []string{
			kind, run.ID, run.Start.UTC().Format(time.RFC3339), strconv.FormatFloat(run.Took().Seconds(), 'f', 3, 64),
			verdict.Word(), reason, run.Partial, strings.Join(invalid, "; "),
		})
	}
	if c != nil {
		of("conformance", c.Run, c.Verdict, c.Reason)
		var rows [][]string
		for _, r := range c.Requirements {
			rows = append(rows, []string{r.ID, r.Level, r.Verdict.Word(), r.Text, r.Reason, r.Needs,
				strconv.Itoa(r.Checked), strings.Join(r.Scenario, " ")})
		}
		add("requirements.csv", c.Run, []string{"requirement", "level", "verdict", "sentence", "reason", "needs",
			"checked", "scenarios"}, rows)
		rows = nil
		for _, k := range c.Causes {
			rows = append(rows, []string{k.ID, k.Verdict.Word(), figures.Unbroken(k.Sentence()), strconv.Itoa(k.Times),
				strings.Join(k.Requirements, " "), strings.Join(k.Scenarios, " ")})
		}
		add("causes.csv", c.Run, []string{"cause", "verdict", "what", "times", "requirements", "scenarios"}, rows)
	}
	if l != nil {
		of("load", l.Run, l.Verdict, l.Reason, l.Invalid...)
		var rows [][]string
		for _, k := range l.Limits {
			rows = append(rows, []string{k.Expression, k.Verdict.Word(), k.Value, k.Interval, k.Reason})
		}
		add("limits.csv", l.Run, []string{"limit", "verdict", "value", "interval", "reason"}, rows)
		rows = nil
		for _, s := range l.Seconds {
			rows = append(rows, []string{
				strconv.Itoa(s.At), s.Operation, strconv.FormatInt(s.Asked, 10), strconv.FormatInt(s.Sent, 10),
				strconv.FormatInt(s.Right, 10), strconv.FormatInt(s.Wrong, 10),
				inMilliseconds(s.P50), inMilliseconds(s.P95), inMilliseconds(s.P99), inMilliseconds(s.Max),
				inMilliseconds(s.Lag99),
			})
		}
		add("seconds.csv", l.Run, []string{"second", "operation", "asked", "sent", "right", "wrong", "p50_ms", "p95_ms",
			"p99_ms", "max_ms", "lag_p99_ms"}, rows)
	}
	add("runs.csv", runOf(c, l), []string{"kind", "run", "started", "seconds", "verdict", "reason", "partial",
		"not_valid"}, runs)
	return tables
}

func inMilliseconds(nanoseconds int64) string {
	return strconv.FormatFloat(float64(nanoseconds)/float64(time.Millisecond), 'f', 3, 64)
}

func writeTable(w io.Writer, run reports.Run, head []string, rows [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(append([]string{"environment", "release"}, head...))
	for _, row := range rows {
		cells := append([]string{run.Environment, run.Release}, row...)
		for i := range cells {
			cells[i] = cellText(cells[i])
		}
		_ = out.Write(cells)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

// cellText keeps a service's text from being taken for a formula: spreadsheets compute cells that begin with one of
// these.
func cellText(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "'" + text
		}
	}
	return text
}
