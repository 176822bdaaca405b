package peers_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/export"
	"agstest/steps"
)

// shown is what a reader shows of one run, or of several.
type shown struct {
	Passed, Failed, Skipped int
	Texts                   []string
}

// scenarioCounts is what a reader must show of scenarios.
func scenarioCounts(runs ...*reports.Conformance) shown {
	var want shown
	for _, run := range runs {
		for _, s := range run.Scenarios {
			switch s.Verdict {
			case reports.Pass, reports.Observed, reports.Warn:
				want.Passed++
			case reports.Skipped, reports.Known, reports.NotExercised:
				want.Skipped++
			default:
				want.Failed++
			}
		}
	}
	return want
}

// folderOf puts the files of a run that readers want into a folder of its own.
func folderOf(t *testing.T, c *reports.Conformance) string {
	t.Helper()
	folder := t.TempDir()
	for name, render := range map[string]func(io.Writer) error{
		"junit.xml":       func(w io.Writer) error { return export.JUnit(w, c, nil) },
		"cucumber.json":   func(w io.Writer) error { return export.Cucumber(w, c, nil) },
		"messages.ndjson": func(w io.Writer) error { return export.Messages(w, c, nil) },
	} {
		var b bytes.Buffer
		require.NoError(t, render(&b))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600))
	}
	return folder
}

// readers is the process that lets the tools of others read, for all tests: it loads each tool once.
var readers struct {
	sync.Mutex
	node    *exec.Cmd
	asked   io.WriteCloser
	answers *json.Decoder
	said    bytes.Buffer // whole when node has ended
}

// endReaders ends the process if there is one, and gives what it said on stderr. The caller holds the lock.
func endReaders() string {
	if readers.node == nil {
		return ""
	}
	readers.asked.Close()
	_ = readers.node.Wait()
	readers.node = nil
	return readers.said.String()
}

func TestMain(m *testing.M) {
	code := m.Run()
	readers.Lock()
	endReaders()
	os.Exit(code)
}

// read lets a reader read the folders of runs.
func read(t *testing.T, reader, module string, folders ...string) shown {
	t.Helper()
	node := tool(t, module)
	readers.Lock()
	defer readers.Unlock()
	if readers.node == nil {
		command := exec.Command(node, "readers.mjs")
		readers.said.Reset()
		command.Stderr = &readers.said
		asked, err := command.StdinPipe()
		require.NoError(t, err)
		answers, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		readers.node, readers.asked, readers.answers = command, asked, json.NewDecoder(answers)
	}
	question := map[string]any{"reader": reader, "out": t.TempDir(), "folders": folders}
	var answer struct {
		shown
		Error string
	}
	err := json.NewEncoder(readers.asked).Encode(question)
	if err == nil {
		err = readers.answers.Decode(&answer)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", reader, err, endReaders())
	}
	require.Empty(t, answer.Error, reader)
	return answer.shown
}

var (
	readerRunsOnce sync.Once
	readerRunsMade map[string]*reports.Conformance
)

// readerRuns are the runs that every reader is tried with. They are made once and only read.
func readerRuns(t *testing.T) map[string]*reports.Conformance {
	t.Helper()
	readerRunsOnce.Do(func() { readerRunsMade = makeReaderRuns(t) })
	require.NotEmpty(t, readerRunsMade, "another test could not make them")
	return readerRunsMade
}

func makeReaderRuns(t *testing.T) map[string]*reports.Conformance {
	t.Helper()
	runs := map[string]*reports.Conformance{}
	stale := []steps.KnownDeparture{{ID: "C-00000000", Reason: "it was so", Owner: "gateway team", Expires: "2099-01-31"}}
	server, _, e := service(t)
	for name, c := range map[string]struct {
		faults []string
		only   []string
		lean   bool
		after  int // scenarios after which the run is interrupted; 0: never
		change func(*steps.Options)
	}{
		"green": {}, "one of one is red": {faults: []string{"token-typ-other"}, only: []string{"REF-02"}}, "one cause for most": {faults: []string{"token-typ-other"}},
		"a lean environment": {faults: []string{"session-account-number", "refresh-201"}, lean: true}, "interrupted": {faults: []string{"refresh-201"}, after: 60},
		"not enough checked":               {lean: true, change: func(o *steps.Options) { o.Coverage = "100%" }},
		"a stale list of known departures": {change: func(o *steps.Options) { o.Known = stale }},
	} {
		require.NoError(t, server.Use(nil, c.faults))
		e := *e
		e.Release = "4.12"
		if c.lean {
			e.Operator = nil
		}
		o := steps.Options{Environment: &e, Only: c.only, Sleep: dozes}
		if c.change != nil {
			c.change(&o)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		if c.after > 0 {
			o.Progress = func(done, _ int, _ string, _ reports.Verdict) {
				if done == c.after {
					cancel(context.Canceled)
				}
			}
		}
		report, err := steps.Run(ctx, o)
		cancel(nil)
		require.NoError(t, err)
		runs[name] = report
	}
	require.Equal(t, shown{Failed: 1}, scenarioCounts(runs["one of one is red"]))
	require.Zero(t, scenarioCounts(runs["green"]).Failed)
	require.Greater(t, scenarioCounts(runs["one cause for most"]).Failed, 200)
	require.Greater(t, scenarioCounts(runs["a lean environment"]).Skipped, 10)
	require.Greater(t, scenarioCounts(runs["interrupted"]).Skipped, 100)
	for _, name := range []string{"interrupted", "not enough checked", "a stale list of known departures"} {
		require.True(t, runs[name].Run.Outcome(runs[name].Verdict).Red(), name)
		require.Zero(t, scenarioCounts(runs[name]).Failed, name)
	}
	return runs
}

// TestReadersShowWhatTheRunFound: the tools that read our files come to the counts of conformance.json, and show the
// reasons of what failed.
func TestReadersShowWhatTheRunFound(t *testing.T) {
	tool(t, "allure")
	for name, c := range readerRuns(t) {
		t.Run(name, func(t *testing.T) {
			folder, want := folderOf(t, c), scenarioCounts(c)
			for reader, module := range map[string]string{
				"cucumber-html-reporter": "cucumber-html-reporter", "multiple-cucumber-html-reporter": "multiple-cucumber-html-reporter",
				"pretty-formatter": "@cucumber/pretty-formatter", "junit-xml-formatter": "@cucumber/junit-xml-formatter",
				"test-results-parser-cucumber": "test-results-parser", "cucumber-json-converter": "@cucumber/cucumber-json-converter",
			} {
				got := read(t, reader, module, folder)
				texts := strings.Join(got.Texts, "\n")
				got.Texts = nil
				want := want
				if c.Verdict.Blocks() && want.Failed == 0 { // the verdict: no scenario is red, and readers look at nothing else
					want.Failed++
					assert.Contains(t, texts, c.Verdict.Word()+": "+cmp.Or(partial(c), c.Reason), reader)
				}
				assert.Equal(t, want, got, reader)
				tells(t, reader, texts, c, false)
				if name == "one of one is red" {
					if reader != "junit-xml-formatter" { // it shows no names of steps that failed
						assert.Contains(t, texts, "every answer keeps the rules of the contract", reader)
					}
					assert.Contains(t, texts, "expected the strings alg, typ and kid", reader)
				}
			}
		})
	}
}

// partial says that a run was ended; empty: it was not.
func partial(c *reports.Conformance) string {
	if c.Run.Partial == "" {
		return ""
	}
	return "partial: "
}

// tells checks that a reader names each scenario that failed, with its reason, and each that was skipped where it shows
// why.
func tells(t *testing.T, reader, texts string, c *reports.Conformance, skipped bool) {
	t.Helper()
	plain := func(text string) string {
		return strings.Join(strings.Fields(html.UnescapeString(html.UnescapeString(text))), " ")
	}
	texts = plain(texts)
	silent := []string{}
	for _, s := range c.Scenarios {
		failed := s.Verdict == reports.Fail || s.Verdict == reports.Error
		if !failed && (!skipped || s.Verdict != reports.Skipped) {
			continue
		}
		if !strings.Contains(texts, plain(s.Name)) {
			silent = append(silent, "no name: "+s.Name)
		}
		if why := figures.OneLine(plain(s.Why()), 80); why == "" || !strings.Contains(texts, strings.TrimSuffix(why, "…")) {
			silent = append(silent, "no reason: "+s.Name+": "+why)
		}
	}
	if len(silent) > 0 {
		t.Errorf("%s is silent about %d things of scenarios:\n%s", reader, len(silent), strings.Join(silent[:min(5, len(silent))], "\n"))
	}
}

// exportsOf adds the results of Allure and CTRF to the folder of a run.
func exportsOf(t *testing.T, folder string, c *reports.Conformance, l *reports.Load) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, export.AllureFolder), 0o700))
	write := func(name string, render func(io.Writer) error) error {
		var b bytes.Buffer
		require.NoError(t, render(&b))
		return os.WriteFile(filepath.Join(folder, filepath.FromSlash(name)), b.Bytes(), 0o600)
	}
	require.NoError(t, export.Allure(write, c, l))
	require.NoError(t, write("ctrf.json", func(w io.Writer) error { return export.CTRF(w, c, l) }))
}

// TestExportsShowWhatTheRunFound: Allure and CTRF's own library come to the counts of the run, and the verdict is one
// more test.
func TestExportsShowWhatTheRunFound(t *testing.T) {
	tool(t, "allure")
	for name, c := range readerRuns(t) {
		t.Run(name, func(t *testing.T) {
			folder, want := folderOf(t, c), scenarioCounts(c)
			exportsOf(t, folder, c, nil)
			if c.Verdict.Blocks() {
				want.Failed++
			} else {
				want.Passed++
			}
			for reader, module := range map[string]string{"allure-results": "allure", "ctrf": "ctrf"} {
				got := read(t, reader, module, folder)
				texts := strings.Join(got.Texts, "\n")
				got.Texts = nil
				assert.Equal(t, want, got, reader)
				tells(t, reader, texts, c, true)
			}
		})
	}
	t.Run("a load that is not valid, of two environments", func(t *testing.T) {
		var folders []string
		for _, environment := range []string{"staging", "production"} {
			folder := t.TempDir()
			l := &reports.Load{Verdict: reports.Invalid, Reason: "the generator was too slow", Invalid: []string{"9 % was sent"}, Run: reports.Run{ID: environment, Environment: environment}}
			exportsOf(t, folder, nil, l)
			var junit bytes.Buffer
			require.NoError(t, export.JUnit(&junit, nil, l))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "junit.xml"), junit.Bytes(), 0o600))
			folders = append(folders, folder)
		}
		got := read(t, "allure-results", "allure", folders...)
		assert.Equal(t, 4, got.Failed, "the generator and the verdict, of each: %s", got.Texts)
		assert.Contains(t, strings.Join(got.Texts, "\n"), "9 % was sent")
		for reader, module := range map[string]string{"ctrf": "ctrf", "allure-junit": "allure"} {
			if reader == "allure-junit" && os.Getenv("AGSTEST_PEERS_WIDE") != "1" {
				continue
			}
			got = read(t, reader, module, folders[0])
			assert.Equal(t, 2, got.Failed, "%s: the generator and the verdict: %s", reader, got.Texts)
			assert.Contains(t, strings.Join(got.Texts, "\n"), "9 % was sent", reader)
		}
	})
}

// TestAllureKeepsEnvironmentsApart: a red environment stays red beside a green one. (Of a cucumber.json Allure 3.18
// reads the first feature alone, so one with a single feature is looked at.)
func TestAllureKeepsEnvironmentsApart(t *testing.T) {
	server, _, e := service(t)
	var folders []string
	var runs []*reports.Conformance
	for _, environment := range []string{"staging", "production"} {
		var faults []string
		if environment == "staging" {
			faults = []string{"refresh-201"}
		}
		require.NoError(t, server.Use(nil, faults))
		e := *e
		e.Name = environment
		c := run(t, steps.Options{Environment: &e, Only: []string{"REF-02"}})
		folders, runs = append(folders, folderOf(t, c)), append(runs, c)
	}
	require.Equal(t, shown{Failed: 1, Passed: 1}, scenarioCounts(runs...))
	got := read(t, "allure-cucumber", "allure", folders...)
	assert.Equal(t, []int{1, 1}, []int{got.Failed, got.Passed}, got.Texts)
	got = read(t, "allure-junit", "allure", folders...)
	assert.Equal(t, 2, got.Failed, "the scenario and the verdict of the red one: %s", got.Texts)
	tells(t, "allure-junit", strings.Join(got.Texts, "\n"), runs[0], false)
	if os.Getenv("AGSTEST_PEERS_WIDE") != "1" {
		return
	}
	for i, folder := range folders {
		exportsOf(t, folder, runs[i], nil)
	}
	got = read(t, "allure-results", "allure", folders...)
	assert.Equal(t, []int{2, 2}, []int{got.Failed, got.Passed}, "a scenario and a verdict each: %s", got.Texts)
	tells(t, "allure-results", strings.Join(got.Texts, "\n"), runs[0], false)
}

// TestMessagesKeepTheirSchema holds every message against the schema of Cucumber's own package.
func TestMessagesKeepTheirSchema(t *testing.T) {
	tool(t, "@cucumber/messages")
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile("node_modules/@cucumber/messages/messages.schema.json")
	require.NoError(t, err)
	for name, c := range readerRuns(t) {
		var b bytes.Buffer
		require.NoError(t, export.Messages(&b, c, nil))
		lines := bufio.NewScanner(&b)
		lines.Buffer(nil, 16<<20)
		for n := 1; lines.Scan(); n++ {
			message, err := jsonschema.UnmarshalJSON(bytes.NewReader(lines.Bytes()))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(message), "%s, message %d: %.300s", name, n, lines.Text())
		}
	}
}
