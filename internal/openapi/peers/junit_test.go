package peers_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// TestJUnitReadersShowWhatTheRunFound: readers of JUnit XML show each cause and the verdict as red, once, with the
// reason, and come to the counts of the file. Cases that a cause stands for are skipped there and refer to it.
func TestJUnitReadersShowWhatTheRunFound(t *testing.T) {
	tool(t, "junit-to-ctrf")
	for name, c := range readerRuns(t) {
		t.Run(name, func(t *testing.T) {
			folder, want, causes := folderOf(t, c), junitCounts(c), junitCauses(c)
			for reader, module := range map[string]string{
				"junit-to-ctrf": "junit-to-ctrf", "xunit-viewer": "xunit-viewer", "junit2json": "junit2json", "test-results-parser-junit": "test-results-parser",
			} {
				got := read(t, reader, module, folder)
				assert.Equal(t, []int{want.Passed, want.Failed}, []int{got.Passed, got.Failed}, reader)
				assert.GreaterOrEqual(t, got.Skipped, want.Skipped, reader)
				texts := strings.Join(strings.Fields(strings.Join(got.Texts, "\n")), " ")
				for _, cause := range causes {
					assert.Contains(t, texts, strings.Join(strings.Fields(cause.Sentence()), " "), "%s: %s", reader, cause.ID)
				}
				if c.Verdict.Blocks() {
					assert.Contains(t, texts, "verdict of the run", reader)
				}
			}
		})
	}
}

// goJUnit reads files of JUnit XML with github.com/joshdk/go-junit and prints what each holds: passed, failed, skipped
// and the texts of what is red.
const goJUnit = `package main

import (
	"encoding/json"
	"os"

	"github.com/joshdk/go-junit"
)

type shown struct {
	Passed, Failed, Skipped int
	Texts                   []string
}

func main() {
	all := []shown{}
	for _, path := range os.Args[1:] {
		suites, err := junit.IngestFile(path)
		if err != nil {
			panic(err)
		}
		var s shown
		for _, suite := range suites {
			s.Passed, s.Failed, s.Skipped = s.Passed+suite.Totals.Passed, s.Failed+suite.Totals.Failed+suite.Totals.Error, s.Skipped+suite.Totals.Skipped
			for _, test := range suite.Tests {
				if test.Error != nil {
					s.Texts = append(s.Texts, test.Name+" | "+test.Message)
				}
			}
		}
		all = append(all, s)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}
`

// TestGoJUnitShowsWhatTheRunFound: the library that Go programs read JUnit XML with comes to the counts of npm's.
func TestGoJUnitShowsWhatTheRunFound(t *testing.T) {
	wide(t)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(goJUnit), 0o600))
	goes := inModule(t, folder, "github.com/joshdk/go-junit@v1.0.0")
	arguments, names, all := []string{"run", "."}, []string{}, readerRuns(t)
	for name, c := range all {
		arguments, names = append(arguments, filepath.Join(folderOf(t, c), "junit.xml")), append(names, name)
	}
	var found []shown
	require.NoError(t, json.Unmarshal([]byte(goes(arguments...)), &found))
	require.Len(t, found, len(names))
	for i, name := range names {
		want := junitCounts(all[name])
		assert.Equal(t, []int{want.Passed, want.Failed}, []int{found[i].Passed, found[i].Failed}, name)
		assert.Len(t, found[i].Texts, want.Failed, name)
		for _, cause := range junitCauses(all[name]) {
			assert.Contains(t, strings.Join(found[i].Texts, "\n"), cause.ID+" "+cause.Operation+" | "+cause.Sentence(), name)
		}
	}
}

// junitparserShows prints what junitparser reads of files, as goJUnit does.
const junitparserShows = `
import json, sys
from junitparser import JUnitXml, Error, Failure, Skipped
shown = []
for path in sys.argv[1:]:
    one = {"Passed": 0, "Failed": 0, "Skipped": 0, "Texts": []}
    for suite in JUnitXml.fromfile(path):
        for case in suite:
            red = [r for r in case.result if isinstance(r, (Failure, Error))]
            one["Failed" if red else "Skipped" if case.result else "Passed"] += 1
            one["Texts"] += [case.name + " | " + r.message for r in red]
    shown.append(one)
print(json.dumps(shown))
`

// TestJunitparserShowsWhatTheRunFound: the library that Python programs read JUnit XML with comes to the same, and its
// command ends with 1 for a red run and with 0 for a green one.
func TestJunitparserShowsWhatTheRunFound(t *testing.T) {
	verify, err := exec.LookPath("junitparser")
	if err != nil {
		t.Skip("skipped: no junitparser on this machine (Debian: junitparser)")
	}
	arguments, names, all := []string{"-c", junitparserShows}, []string{}, readerRuns(t)
	for name, c := range all {
		path := filepath.Join(folderOf(t, c), "junit.xml")
		arguments, names = append(arguments, path), append(names, name)
		assert.Equal(t, c.Verdict.Blocks(), exec.CommandContext(t.Context(), verify, "verify", path).Run() != nil, name)
	}
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", arguments...).Output()
	require.NoError(t, err)
	var found []shown
	require.NoError(t, json.Unmarshal(out, &found))
	for i, name := range names {
		want := junitCounts(all[name])
		assert.Equal(t, []int{want.Passed, want.Failed}, []int{found[i].Passed, found[i].Failed}, name)
		for _, cause := range junitCauses(all[name]) {
			assert.Contains(t, strings.Join(found[i].Texts, "\n"), cause.ID+" "+cause.Operation+" | "+cause.Sentence(), name)
		}
	}
}

// junitCauses are the causes that are red in JUnit XML.
func junitCauses(c *reports.Conformance) []reports.Cause {
	return c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive)
}

// junitCounts is what a reader of JUnit XML must show: each cause and the verdict once, and the scenarios that passed.
func junitCounts(c *reports.Conformance) shown {
	want := scenarioCounts(c)
	want.Failed = len(junitCauses(c))
	if c.Verdict.Blocks() {
		want.Failed++
	} else {
		want.Passed++
	}
	return want
}
