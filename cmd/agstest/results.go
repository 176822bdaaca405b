package main

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"agstest/internal/disarm"
	"agstest/internal/failure"
	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// mainPage is the page to open first.
func mainPage(r results) string {
	switch {
	case r.comparison != nil:
		return "compare.html"
	case r.conformance != nil && r.load != nil:
		return "gate.html"
	case r.load != nil:
		return "load.html"
	}
	return "conformance.html"
}

// file is one file of a run's folder and how it is made.
type file struct {
	name   string
	render func(io.Writer) error
}

// filesOf lists the files that can be made of results: first the JSON, from which all others can be made again.
func filesOf(r results, style html.Style, dialect string) []file {
	var files []file
	add := func(name string, render func(io.Writer) error) {
		files = append(files, file{name, disarmed(name, render)})
	}
	record := func(name string, v any) { // which WriteJSON disarms
		files = append(files, file{name, func(w io.Writer) error { return reports.WriteJSON(w, v) }})
	}
	if r.conformance != nil {
		record(reports.ConformanceFile, r.conformance)
	}
	if r.load != nil {
		record(reports.LoadFile, r.load)
	}
	if r.comparison != nil {
		record(reports.ComparisonFile, r.comparison)
	}
	if c, l := r.conformance, r.load; c != nil || l != nil {
		add("junit.xml", func(w io.Writer) error { return export.JUnit(w, c, l) })
		add("summary.md", func(w io.Writer) error { return text.Markdown(w, c, l) })
		add("metrics.txt", func(w io.Writer) error { return export.OpenMetrics(w, c, l) })
		add("metrics.prom", func(w io.Writer) error { return export.Prometheus(w, c, l) })
		if dialect == "gitlab" {
			add("codequality.json", func(w io.Writer) error { return export.Annotations(w, dialect, c, l) })
		}
	}
	switch c, l := r.conformance, r.load; {
	case c != nil && l != nil:
		add("gate.html", func(w io.Writer) error { return html.Gate(w, r.gate(), style) })
		fallthrough
	case c != nil:
		add("conformance.html", func(w io.Writer) error { return html.Conformance(w, c, style) })
	}
	if c := r.conformance; c != nil {
		add("cucumber.json", func(w io.Writer) error { return export.Cucumber(w, c, r.load) })
		add("messages.ndjson", func(w io.Writer) error { return export.Messages(w, c, r.load) })
	}
	if c := r.comparison; c != nil {
		add("junit.xml", func(w io.Writer) error { return export.JUnitOfComparison(w, c) })
		add("summary.md", func(w io.Writer) error { return text.MarkdownOfComparison(w, c) })
		add("compare.html", func(w io.Writer) error { return html.Comparison(w, c, style) })
	}
	if l := r.load; l != nil {
		add("load.html", func(w io.Writer) error { return html.Load(w, l, style) })
	}
	if style.Folder {
		add("report.css", func(w io.Writer) error { _, err := w.Write(html.StyleSheet()); return err })
	}
	return files
}

// disarmed takes the power over agents and terminals out of files that an agent prints or reads. Pages are for browsers
// and need none of this.
func disarmed(name string, render func(io.Writer) error) func(io.Writer) error {
	var safe func([]byte) []byte
	switch filepath.Ext(name) {
	case ".json", ".ndjson", ".sarif":
		safe = disarm.JSON
	case ".xml":
		safe = disarm.XML
	case ".md", ".txt", ".properties":
		safe = func(text []byte) []byte { return []byte(disarm.Text(string(text))) }
	case ".csv": // its lines end with two characters
		safe = func(text []byte) []byte {
			return []byte(strings.ReplaceAll(disarm.Text(strings.ReplaceAll(string(text), "\r\n", "\n")), "\n", "\r\n"))
		}
	default:
		return render
	}
	return func(w io.Writer) error {
		var text bytes.Buffer
		if err := render(&text); err != nil {
			return err
		}
		_, err := w.Write(safe(text.Bytes()))
		return err
	}
}

// writeResults writes them all into a folder; where one cannot be written the others still are. The error is the first
// one, and says which files are there and which are not. All are rendered at the same time, and none is written before
// the records are, as all others can be made of these; write is called by several goroutines.
func writeResults(folder string, write func(string, func(io.Writer) error) error, r results, style html.Style,
	dialect string) error {
	write = inFolders(folder, write)
	var first error
	var written, missing []string
	files := exportsOf(r)
	if !r.only {
		files = onePerName(append(filesOf(r, style, dialect), files...))
	}
	failed := make([]error, len(files))
	var records, others sync.WaitGroup
	for i, f := range files { // the records come first
		all, before := &others, records.Wait
		switch f.name {
		case reports.ConformanceFile, reports.LoadFile, reports.ComparisonFile:
			all, before = &records, func() {}
		}
		all.Go(func() {
			defer failure.Guard()
			failed[i] = write(f.name, rendered(f.render, before))
		})
	}
	records.Wait()
	others.Wait()
	for i, f := range files {
		if err := failed[i]; err != nil {
			first = cmp.Or(first, err)
			missing = append(missing, f.name)
			continue
		}
		written = append(written, f.name)
	}
	switch {
	case first == nil:
		return nil
	case len(written) == 0:
		return failure.Outputf("%w; nothing of what was found could be written to %s%s", first, folder,
			earlier(folder, missing))
	}
	return failure.Outputf("%w; not written: %s; written to %s: %s%s", first, strings.Join(missing, ", "), folder,
		strings.Join(written, ", "), earlier(folder, missing))
}

// earlier names the files that could not be written anew and stand in a folder since before, as those of the check of a
// gate do: they know nothing of what was found since.
func earlier(folder string, missing []string) string {
	var there []string
	for _, name := range missing {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.Mode().IsRegular() {
			there = append(there, name)
		}
	}
	if len(there) == 0 {
		return ""
	}
	return "; of an earlier moment are there: " + strings.Join(there, ", ")
}

// onePerName leaves the first of the files of one name: Code Quality may be asked for with --reports where a pipeline
// of GitLab gets it anyway, and two that write one file at once are in each other's way.
func onePerName(files []file) []file {
	seen := map[string]bool{}
	return slices.DeleteFunc(files, func(f file) bool {
		again := seen[f.name]
		seen[f.name] = true
		return again
	})
}

// annotate marks what failed in the way of a pipeline: GitHub and Azure read the log, GitLab a file of the run's
// folder.
func (p *program) annotate(r results, dialect string, out *outputFlags) error {
	if dialect == "" || dialect == "gitlab" || r.conformance == nil && r.load == nil {
		return nil
	}
	w := p.stdout
	if out.json {
		w = p.stderr // stdout is JSON and nothing else
	}
	return export.Annotations(trusted(w), dialect, r.conformance, r.load)
}
