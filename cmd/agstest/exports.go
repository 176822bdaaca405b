package main

import (
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/reports/export"
)

// exportNames are the forms for tools beside the pipeline, which are written where they are asked for.
var exportNames = []string{"allure", "codequality", "csv", "ctrf", "grafana", "postman", "sarif"}

// exportMeanings are exportNames with the purpose of each, as shells show it.
var exportMeanings = []string{
	"allure\tresults of Allure, a folder", "codequality\tCode Quality of GitLab", "csv\ttables for spreadsheets",
	"ctrf\tCommon Test Report Format",
	"grafana\ta dashboard for metrics.prom", "postman\ta collection of the calls",
	"sarif\tSARIF 2.1.0, each cause a result",
}

// checkFormats refuses forms that are not known.
func checkFormats(flag string, names []string) error {
	for _, name := range names {
		if err := oneOf(flag, name, exportNames); err != nil {
			return err
		}
	}
	return nil
}

// exportsOf lists the files of the forms that were asked for. Those of Allure are many and below a folder of their own.
func exportsOf(r results) []file {
	c, l := r.conformance, r.load
	if c == nil && l == nil {
		return nil
	}
	var files []file
	add := func(name string, render func(io.Writer) error) {
		files = append(files, file{name, disarmed(name, render)})
	}
	for _, format := range slices.Compact(slices.Sorted(slices.Values(r.formats))) {
		switch format {
		case "allure":
			_ = export.Allure(func(name string, render func(io.Writer) error) error { add(name, render); return nil },
				c, l)
		case "codequality":
			add("codequality.json", func(w io.Writer) error { return export.Annotations(w, "gitlab", c, l) })
		case "csv":
			for _, table := range export.Tables(c, l) {
				add(table.Name, table.Write)
			}
		case "ctrf":
			add("ctrf.json", func(w io.Writer) error { return export.CTRF(w, c, l) })
		case "grafana":
			add("grafana.json", export.Grafana)
		case "postman":
			if c != nil {
				add("postman.json", func(w io.Writer) error { return export.Postman(w, c) })
			}
		case "sarif":
			add("agstest.sarif", func(w io.Writer) error { return export.SARIF(w, c, l) })
		}
	}
	return files
}

// unwritten are the forms that were asked for and that these results have no file of.
func (r results) unwritten() []string {
	var none []string
	for _, format := range r.formats {
		one := r
		if one.formats = []string{format}; len(exportsOf(one)) == 0 {
			none = append(none, format)
		}
	}
	return none
}

// exportedTo are the places of the forms that were asked for, each folder once.
func exportedTo(folder string, r results) []string {
	var places []string
	for _, f := range exportsOf(r) {
		top, _, _ := strings.Cut(f.name, "/")
		places = append(places, filepath.Join(folder, top))
	}
	return slices.Compact(places)
}

// inFolders makes the folder of a file below that of the run before the file is written.
func inFolders(dir string, write func(string, func(io.Writer) error) error) func(string, func(io.Writer) error) error {
	return func(name string, render func(io.Writer) error) error {
		if below := path.Dir(name); below != "." {
			if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(below)), 0o700); err != nil {
				return err
			}
			return intoFolder(filepath.Join(dir, filepath.FromSlash(below)))(path.Base(name), render)
		}
		return write(name, render)
	}
}

var testKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// readTestKeys reads a file that names, for requirements, the keys of tests in a test management: YAML, one "REF-01:
// AGS-123" a line.
func readTestKeys(name string) (map[string]string, error) {
	text, err := userfile.Read(name, maxSmallFile)
	if err != nil {
		return nil, failure.Usagef("cannot read the file of test keys %s: %w", name, err)
	}
	err = userfile.PlainYAML(text)
	if err == nil {
		err = userfile.OneDocument(text)
	}
	if err != nil {
		return nil, failure.Usagef("the file of test keys %s: %w", name, err)
	}
	keys := map[string]string{}
	if err := yaml.UnmarshalWithOptions(text, &keys, yaml.Strict()); err != nil {
		return nil, failure.Usagef("%s: it must hold one requirement and its key a line, such as REF-01: AGS-123: %w",
			name, err)
	}
	known := map[string]bool{}
	for _, r := range ags.Requirements {
		known[r.ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		switch {
		case !known[id]:
			return nil, failure.Usagef(
				"%s: %s is no requirement of the catalogue%s (agstest conform --list shows them)", name, id,
				failure.OrNearest(id, slices.Sorted(maps.Keys(known))))
		case !testKey.MatchString(keys[id]):
			return nil, failure.Usagef(
				"%s: the key of %s, %q, must be letters, digits, - and _, such as AGS-123 or C123", name, id,
				strings.TrimSpace(keys[id]))
		}
	}
	return keys, nil
}
