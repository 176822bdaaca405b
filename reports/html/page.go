// Package html writes runs and comparisons as pages: Conformance, Load, Gate, Comparison and Trends. A page is one file
// that needs nothing beside it, or a page of a folder with report.css (Style). It runs no script but a search of its
// own, asks no network, and can be read without colours, without a style sheet and on paper. All text of a service goes
// through html/template; nothing is trusted.
//
// The files compare*.go, conformance*.go, load*.go, gate.go and trend.go fill a page; chart*.go and effects.go draw
// what stands on it; page.go is the frame of all pages.
package html

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
	"sync"

	"agstest/internal/figures"
	"agstest/reports"
)

// Style says how a page brings its style sheet.
type Style struct {
	// Folder: the page refers to a file report.css beside it (StyleSheet) and holds no script, as the default policy of
	// Jenkins for published pages wants it. Otherwise the page is one self-contained file.
	Folder bool
	// Baseline, where a load run has one, is drawn beside it in the percentile curve.
	Baseline *reports.Load
}

//go:embed templates/report.css
var styleSheet string

//go:embed templates/search.js
var searchScript string

//go:embed templates/*.html
var templateFiles embed.FS

// StyleSheet is the content of report.css, for pages of Style{Folder: true}.
func StyleSheet() []byte { return []byte(styleSheet) }

// page is the frame that all pages share: the address of the page's parts in the order in which a reader needs them.
// Can I trust this run, the verdict and why, what to look at first, and then the details, which the page's own template
// gives.
//
// A new kind of page: write templates/NAME.html that defines the template "NAME" for the details, fill a page, and call
// write("NAME"). Within it, these templates are at hand (see templates/parts.html):
//
//	{{template "verdict" .Verdict}}      the mark and the word of a Verdict
//	{{template "table" .}}               a table: a title, columns and rows of cells, wide ones scroll on a phone
//	{{template "chart" .}}               a drawing: chart{…}.draw()
//	{{template "effects" .}}             effects{…}.draw(): changes with their intervals, one row each
//	{{template "exchange" .}}            an exchange of a transcript
//
// and the functions of templateFunctions, which format figures (Milliseconds and so on).
type page struct {
	Kind  string // the word above the title: Conformance, Load, Gate, Comparison, Trend
	Title string
	Style Style
	// Facts are shown under the title, such as Service, Started, Took.
	Facts   []reports.Fact
	Trust   []statement
	Verdict reports.Verdict
	Reason  string
	// Tiles are the few figures that matter most.
	Tiles []tile
	// Shares draws the number of each verdict; empty: no drawing.
	Shares []share
	First  []first
	// FirstNone is said where there is nothing to look at first.
	FirstNone string
	// Links lead to the sections of the details.
	Links []sectionLink
	// Details is handed to the page's own template.
	Details any
	About   []reports.Fact
}

// statement is one sentence on whether a run can be trusted.
type statement struct {
	Verdict reports.Verdict
	Text    string
}

// tile is a figure with its name, and a word on it.
type tile struct{ Name, Value, Note string }

// first is one thing to look at first, with a link to its details.
type first struct {
	Verdict           reports.Verdict
	Link, Label, Text string
	More              string
}

// sectionLink leads to a section of the page.
type sectionLink struct{ ID, Words string }

// share is how many things have a verdict.
type share struct {
	Verdict reports.Verdict
	Count   int
}

var templateFunctions = template.FuncMap{
	"milliseconds": figures.Milliseconds,
	"number":       figures.Number,
	"count":        func(n any) string { return figures.Count(toInt64(n)) },
	"percent":      figures.Percent,
	"rate":         figures.Rate,
	"elapsed":      figures.Elapsed,
	"body":         bodyShown,
	"moment":       figures.Moment,
	"anchor":       anchor,
	"clip":         figures.Clip,
	"oneLine":      figures.OneLine,
	"plus":         func(a, b int) int { return a + b },
	"join":         strings.Join,
	"whole":        whole,
	"plural":       func(n any, one string) string { return figures.Plural(toInt64(n), one) },
}

var requirementID = regexp.MustCompile(`\b[A-Z]{2,5}-\d{2}\b`)

// whole is a text, escaped, in which no id of a requirement is broken at its hyphen.
func whole(text string) template.HTML {
	return template.HTML(requirementID.ReplaceAllString(template.HTMLEscapeString(text), `<span class="id">$0</span>`))
}

func toInt64(n any) int64 {
	switch v := n.(type) {
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// bodyShown returns a body in its most readable form: JSON on one line is indented, its members and their order
// untouched; other bodies stay.
func bodyShown(body string) string {
	text := strings.TrimSpace(body)
	if len(text) > 0 && len(text) < 64<<10 && (text[0] == '{' || text[0] == '[') && !strings.Contains(text, "\n") {
		var indented bytes.Buffer
		if json.Indent(&indented, []byte(text), "", "  ") == nil {
			body = indented.String()
		}
	}
	return figures.Clip(body, 6000)
}

// anchor makes an id of an address within a page: letters, digits and hyphens, and different for different texts.
func anchor(prefix, text string) string {
	var b strings.Builder
	plainOnly := true
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-':
			b.WriteRune(r)
		default:
			plainOnly = false
			b.WriteByte('_')
		}
	}
	id := b.String()
	if !plainOnly || len(id) > 60 {
		sum := sha256.Sum256([]byte(text))
		id = fmt.Sprintf("%.40s-%x", id, sum[:4])
	}
	return prefix + "-" + id
}

// Parts are the templates that pages share (marks, mark, verdict, search, table, chart) with their functions, for pages
// that are written elsewhere in the same look. Each call gives templates of its own.
func Parts() *template.Template { return template.Must(parts().Clone()) }

// parts are parsed once, by the first page: most commands begin without them.
var parts = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(templateFunctions).ParseFS(templateFiles, "templates/*.html"))
})

// pages are the templates of each kind of page.
var pages = sync.OnceValue(func() map[string]*template.Template {
	pages := map[string]*template.Template{}
	for _, kind := range []string{"conformance", "load", "gate", "compare", "trend"} {
		pages[kind] = template.Must(Parts().New("content").Parse(`{{template "` + kind + `" .}}`))
	}
	return pages
})

// write renders the page with the details of template kind.
func (p page) write(w io.Writer, kind string) error {
	p.Reason = reports.Sentence(p.Reason)
	if len(p.First) == 0 && p.Verdict != "" && p.Verdict.Blocks() {
		// nothing single is to blame, as where a run broke off
		p.First = []first{{Verdict: p.Verdict, Label: "The whole run:", Text: p.Reason}}
	}
	for i := range p.Trust {
		p.Trust[i].Text = reports.Sentence(p.Trust[i].Text)
	}
	parsed := pages()[kind]
	if parsed == nil {
		return fmt.Errorf("writing a page: there is no template %q", kind)
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	err := parsed.ExecuteTemplate(buffered, "page.html", p)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the %s page: %w", kind, err)
	}
	return nil
}

// Policy is the content security policy of the page: nothing is fetched, nothing runs but our own script, known by its
// hash.
func (p page) Policy() string {
	if p.Style.Folder {
		return "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
	}
	return "default-src 'none'; style-src " + hashSource(styleSheet) + "; script-src " + hashSource(
		searchScript) + "; base-uri 'none'; form-action 'none'"
}

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Sheet and Script are files of ours, not data.
func (p page) Sheet() template.CSS { return template.CSS(styleSheet) }

// Script is the optional search: without it everything can be read.
func (p page) Script() template.JS { return template.JS(searchScript) }

// ShareTotal is the number of things in Shares.
func (p page) ShareTotal() int {
	total := 0
	for _, s := range p.Shares {
		total += s.Count
	}
	return total
}

// Segments are the parts of the bar of verdicts, in units of a bar 1000 wide.
func (p page) Segments() []segment {
	var segments []segment
	total, at := p.ShareTotal(), 0.0
	for _, s := range p.Shares {
		width := float64(s.Count) / float64(max(total, 1)) * 1000
		segments = append(segments, segment{share: s, X: place(at), Width: place(max(width-2, 1)),
			Fill: verdictColours[reports.Verdict(s.Verdict.StyleName())]})
		at += width
	}
	return segments
}

type segment struct {
	share
	X, Width, Fill string
}

// verdictColours are the colours that survive without a style sheet.
var verdictColours = map[reports.Verdict]string{
	reports.Pass: "#0b7a55", reports.Partly: "#3f7d20", reports.Improved: "#0b7a55", reports.Fail: "#b3261e",
	reports.Regressed: "#b3261e", reports.Error: "#8c1d5e", reports.Invalid: "#8c1d5e", reports.NotComparable: "#8c1d5e",
	reports.Warn: "#8a5a00", reports.Inconclusive: "#6b5b00", reports.NotExercised: "#8a5a00",
	reports.NotEnough: "#8c1d5e", reports.Known: "#5d4a9c", reports.Skipped: "#5a6372", reports.Observed: "#1d63b7",
}

// table is a table of a page.
type table struct {
	Caption string
	ID      string // for links and the search; may be empty
	Columns []column
	Rows    []row
	// Search offers a field that filters the rows, where scripts run.
	Search bool
	// More is the text under the table, such as how many rows were left out.
	More string
}

// column is the head of a column.
type column struct {
	Head   string
	Number bool // right-aligned figures
}

// row is a row of a table.
type row struct {
	ID    string
	Class string
	Cells []cell
}

// cell is a cell of a table. The zero value is an empty cell.
type cell struct {
	Verdict reports.Verdict // shown as mark and word before the text
	Text    string
	Note    string // smaller, below
	Link    string // of Text
	Code    bool
	Head    bool // names the row
	Number  bool
	Spark   *spark
}

// spark is a small line without axes.
type spark struct{ Path, Words string }
