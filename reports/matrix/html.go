package matrix

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/html"
)

//go:embed matrix.html
var pageTemplate string

//go:embed matrix.css
var ownSheet string

// sheet is the style of the other reports, and of the matrix's own parts.
var sheet = string(html.StyleSheet()) + ownSheet

var page = template.Must(template.New("matrix").Funcs(template.FuncMap{
	"sign": sign, "plural": func(n int, one string) string { return figures.Plural(int64(n), one) },
	"count": figures.Count,
	"ms":    figures.Milliseconds, "rate": figures.Rate, "percent": figures.Percent, "enumerated": enumerated,
	"when": when, "words": changeWords, "inc": func(i int) int { return i + 1 },
}).Parse(pageTemplate))

// signs stand for verdicts in cells; the word stands beside it for screen readers and in the title.
var signs = map[reports.Verdict]string{
	reports.Pass: "✓", reports.Fail: "✗", reports.Warn: "!", reports.Observed: "•", reports.Skipped: "–",
	reports.Error: "?", reports.Known: "k",
	reports.NotExercised: "○", reports.Partly: "◐", reports.Inconclusive: "≈", reports.Invalid: "⊘",
	reports.NotEnough: "◔", "": " ",
}

func sign(v reports.Verdict) string {
	if s, known := signs[v]; known {
		return s
	}
	return "?"
}

var changeTexts = map[Change]string{newFailure: "new failure", mended: "mended", newlyCovered: "newly covered",
	noLongerCovered: "no longer covered"}

func changeWords(c Change) string { return changeTexts[c] }

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// StyleSheet returns report.css, which lies beside a page of html.Style{Folder: true}.
func StyleSheet() []byte { return []byte(sheet) }

// view is the data of the template.
type view struct {
	*Matrix
	Folder   bool
	Sheet    template.CSS
	Policy   string
	Differs  []Requirement
	Same     []Requirement
	Multiple []multiple
	Legend   []legendEntry
	Changes  []Change // that frames stand for
	// Sometimes: a cell has a ~
	Sometimes bool
	Since     string
	Others    []runOfEnvironment
}

// runOfEnvironment is a run with the name of its environment.
type runOfEnvironment struct {
	Environment string
	Run
}

// withoutCause returns the runs that keep the whole from passing and that no cause mentions, the gravest first: loads,
// and those of environments that nobody could ask.
func (m *Matrix) withoutCause() []runOfEnvironment {
	var found []runOfEnvironment
	caused := func(environment string) bool {
		return slices.ContainsFunc(m.Causes, func(c Cause) bool { return slices.Contains(c.Environments, environment) })
	}
	for _, e := range m.Environments {
		for _, run := range e.Runs {
			told := (run.Command == "conform" || run.Command == "gate") && caused(e.Name)
			switch {
			case run.Verdict.Blocks() && !told:
				found = append(found, runOfEnvironment{e.Name, run})
			case told && run.LoadVerdict != "" && run.LoadVerdict.Blocks(): // causes speak of its other half alone
				found = append(found, runOfEnvironment{e.Name, Run{Command: "load of the gate", Page: run.Page,
					Verdict: run.LoadVerdict, Reason: run.LoadReason}})
			}
		}
	}
	slices.SortStableFunc(found,
		func(a, b runOfEnvironment) int { return cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()) })
	return found
}

type legendEntry struct {
	Verdict     reports.Verdict
	Sign, Words string
}

// explain fills the legend with the signs and frames that cells have.
func (v *view) explain() {
	verdicts, changes := map[reports.Verdict]bool{}, map[Change]bool{}
	for _, r := range v.Requirements {
		for _, cell := range r.Cells {
			verdicts[cell.Verdict], changes[cell.Change] = true, true
			v.Sometimes = v.Sometimes || cell.Sometimes != ""
		}
	}
	for _, verdict := range reports.Verdicts {
		if verdicts[verdict] {
			v.Legend = append(v.Legend, legendEntry{verdict, sign(verdict), verdict.Word()})
		}
	}
	if verdicts[""] {
		v.Legend = append(v.Legend, legendEntry{"", sign(""), "empty: " + notAsked})
	}
	for _, change := range []Change{newFailure, mended, newlyCovered, noLongerCovered} {
		if changes[change] {
			v.Changes = append(v.Changes, change)
		}
	}
}

// HTML writes one page that needs nothing beside it: no script, no address but those of the runs' own pages. With
// style.Folder the style sheet lies beside it, as hosts with a policy of their own want it.
func HTML(w io.Writer, m *Matrix, style html.Style) error {
	sum := sha256.Sum256([]byte(sheet))
	v := view{Matrix: m, Others: m.withoutCause(), Sheet: template.CSS(sheet), // ours, embedded
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(
			sum[:]) + "'; base-uri 'none'; form-action 'none'"}
	if style.Folder {
		v.Folder, v.Policy = true, "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
	}
	for _, r := range m.Requirements {
		bad := r.Differs
		for _, cell := range r.Cells {
			bad = bad || cell.Verdict == reports.Fail || cell.Verdict == reports.Error
		}
		if bad {
			v.Differs = append(v.Differs, r)
		} else {
			v.Same = append(v.Same, r)
		}
	}
	v.explain()
	v.Since = m.since()
	v.Multiple = multiples(m)
	out := bufio.NewWriter(w)
	if err := page.Execute(out, v); err != nil {
		return fmt.Errorf("writing the matrix as HTML: %w", err)
	}
	return out.Flush()
}

// multiple is the small picture of one operation: a line for each environment, all with one scale.
type multiple struct {
	Name  string
	Scale string // value at the right edge
	Lines []line
}

// line is one environment of a small picture; places are in thousandths of the width.
type line struct {
	Environment   string
	Cell          LoadCell
	P50, P95, P99 string
	Width         string // of the bar up to p99
	Missing       bool
}

func multiples(m *Matrix) []multiple {
	var out []multiple
	var top int64
	for _, operation := range m.Load {
		for _, cell := range operation.Cells {
			top = max(top, cell.P99)
		}
	}
	place := func(ns int64) string {
		if top == 0 {
			return "0"
		}
		return strconv.FormatFloat(1000*float64(ns)/float64(top), 'f', 1, 64)
	}
	for _, operation := range m.Load {
		picture := multiple{Name: operation.Name, Scale: figures.Milliseconds(top)}
		for i, cell := range operation.Cells {
			picture.Lines = append(picture.Lines, line{
				Environment: m.Environments[i].Name, Cell: cell, P50: place(cell.P50), P95: place(cell.P95),
				P99: place(cell.P99), Width: place(cell.P99), Missing: cell.Sent == 0,
			})
		}
		out = append(out, picture)
	}
	return out
}

// notAsked is a cell without a verdict.
const notAsked = "no run there asked it"

// Title returns a cell in words, for readers who point at it or listen to it.
func (c Cell) Title() string {
	words := c.Verdict.Word()
	if c.Verdict == "" {
		return notAsked
	}
	if c.Change != "" {
		words += ", " + changeTexts[c.Change]
		if c.Was != "" {
			words += " (was " + c.Was.Word() + ")"
		}
	}
	if c.Sometimes != "" {
		words += ", " + c.Sometimes
	}
	if c.Reason != "" {
		words += ": " + clipped(c.Reason, 160)
	}
	return words
}

func clipped(text string, most int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
