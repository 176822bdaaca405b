package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/ports"
	"agstest/mock"
	"agstest/reports"
	"agstest/reports/matrix"
)

// planEnvironments writes the files of six environments: one sound, two faulty in different ways, one nobody answers
// at, one with little in its file, and one that is slow. None has a control interface.
func planEnvironments(t *testing.T, dir string) {
	t.Helper()
	start := func(name string, slow time.Duration, faults ...string) {
		var config mock.Config
		for _, fault := range faults {
			f, known := mock.FaultByName(fault)
			require.True(t, known, fault)
			config.Faults = append(config.Faults, f)
		}
		service := mock.New(config)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(slow) // stands for a service that is far away
			service.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		text := string(service.Environment(server.URL, "", ""))
		if name == "lean" {
			text = "name: lean\nurl: " + server.URL + "\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600))
	}
	start("sound", 0)
	start("moved", 0, "refresh-201")
	start("untyped", 0, "token-typ-other")
	start("lean", 0)
	start("slow", 20*time.Millisecond)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gone.yaml"), fmt.Appendf(nil, "name: gone\nurl: http://%s\n", ports.Closed(t)), 0o600))
}

const sixPlan = `name: six
release: "25.52"
conform: {only: [DISC-01, REF-01, TOK-02], generate: 0, sequences: 0}
load: none
environments:
  - {file: "{env}.yaml", names: [sound, moved, untyped, gone, lean, slow]}
`

// TestPlanOverSixEnvironments drives agstest run as a user does and reads all that it leaves behind.
func TestPlanOverSixEnvironments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	planEnvironments(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "six.yaml"), []byte(sixPlan), 0o600))
	c := newChild(t, dir, "run", "six.yaml", "--out", "whole").start()
	require.Equal(t, exitSetup, c.code(), "the gravest of all by the rule of README: one cannot be reached\n%s%s", c.stdout.String(), c.stderr.String())

	assert.Contains(t, c.stderr.String(), "run: the files of sound, moved, untyped, slow all have the name mock, "+
		"so that their results share names, such as those in junit.xml: give each a name of its own\n")

	var m matrix.Matrix
	text, err := os.ReadFile(filepath.Join(dir, "whole", matrix.File))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &m))
	verdicts := map[string]reports.Verdict{}
	codes := map[string]int{}
	for _, e := range m.Environments {
		verdicts[e.Name] = e.Verdict
		require.Len(t, e.Runs, 1)
		codes[e.Name] = *e.Runs[0].Exit
	}
	assert.Equal(t, 0, codes["sound"])
	assert.Equal(t, 1, codes["moved"])
	assert.Equal(t, 1, codes["untyped"])
	assert.Equal(t, 3, codes["gone"])
	assert.Equal(t, 0, codes["slow"])
	assert.Equal(t, reports.Fail, verdicts["moved"])
	assert.Equal(t, reports.Error, verdicts["gone"])
	assert.Equal(t, reports.Fail, m.Verdict)

	cells := map[string]matrix.Requirement{}
	for _, r := range m.Requirements {
		cells[r.ID] = r
	}
	assert.Equal(t, reports.Pass, cells["REF-01"].Cells[0].Verdict)
	assert.Equal(t, reports.Fail, cells["REF-01"].Cells[1].Verdict)
	assert.True(t, cells["REF-01"].Differs)
	assert.Equal(t, reports.Fail, cells["TOK-02"].Cells[2].Verdict)
	assert.Equal(t, reports.Skipped, cells["REF-01"].Cells[4].Verdict, "a lean file cannot have it checked")
	evidence, _, _ := strings.Cut(cells["REF-01"].Cells[1].Link, "#")
	assert.FileExists(t, filepath.Join(dir, "whole", filepath.FromSlash(evidence)))

	for _, name := range []string{"matrix.html", "summary.md", "plan.json", "gone/conform.txt", "sound/conform/junit.xml"} {
		assert.FileExists(t, filepath.Join(dir, "whole", filepath.FromSlash(name)))
	}
	junit, err := os.ReadFile(filepath.Join(dir, "whole", "junit.xml"))
	require.NoError(t, err)
	var suites struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   int    `xml:"errors,attr"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(junit, &suites))
	red := map[string][2]int{}
	for _, suite := range suites.Suites {
		red[suite.Name] = [2]int{suite.Failures, suite.Errors}
	}
	assert.Equal(t, [2]int{1, 0}, red["plan (moved)"])
	assert.Equal(t, [2]int{0, 1}, red["plan (gone)"])
	assert.Equal(t, [2]int{0, 0}, red["plan (sound)"])
	assert.Contains(t, fitsAMergeRequest(t, filepath.Join(dir, "whole")), "## six: ❌ fail")
	assert.Regexp(t, `Report: whole[/\\]matrix\.html\nVerdict: FAIL; exit code 3, since something else could not be judged at all\n$`, c.stdout.String())

	_, _, said := call(t, nil, "history", "list", "--dir", dir)
	assert.Contains(t, said, "there are no runs in "+dir+" itself; those of the plan "+filepath.Join(dir, "whole")+" are in its folders")

	// The same from what is stored, held against itself; and one environment alone, held against the first run.
	again := newChild(t, dir, "matrix", "whole", "--against", "whole", "--out", "again").start()
	assert.Equal(t, exitFail, again.code(), again.stderr.String())
	assert.FileExists(t, filepath.Join(dir, "again", "matrix.html"))
	only := newChild(t, dir, "run", "six.yaml", "--only", "sound", "--against", "whole").start()
	assert.Equal(t, exitPass, only.code(), only.stderr.String())
	assert.Contains(t, only.stdout.String(), "six: PASS  pass in sound")
}

// TestPlanIsGoneOnWith: what was done stays, what was not is done.
func TestPlanIsGoneOnWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	planEnvironments(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two.yaml"), []byte("name: two\nconform: {only: REF-01, generate: 0, sequences: 0}\nenvironments: [sound.yaml, moved.yaml]\n"), 0o600))
	require.Equal(t, exitFail, newChild(t, dir, "run", "two.yaml", "--out", "whole").start().code())

	journal, err := os.ReadFile(filepath.Join(dir, "whole", "plan.json"))
	require.NoError(t, err)
	cut := strings.Replace(string(journal), `"state": "done",`+"\n      \"code\": 1", `"state": "running",`+"\n      \"code\": 0", 1)
	require.NotEqual(t, string(journal), cut)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "whole", "plan.json"), []byte(cut), 0o600))
	sound, err := os.Stat(filepath.Join(dir, "whole", "sound", "conform", "conformance.json"))
	require.NoError(t, err)

	left := newChild(t, dir, "run", "--resume", "whole", "--only", "sound").start()
	require.Equal(t, exitInconclusive, left.code(), "what is not done yet leaves the whole open")
	assert.Contains(t, left.stdout.String(), "Verdict: COULD NOT TELL")

	c := newChild(t, dir, "run", "--resume", "whole").start()
	require.Equal(t, exitFail, c.code(), c.stderr.String())
	assert.NotContains(t, c.stderr.String(), "run: sound")
	assert.Contains(t, c.stderr.String(), "run: moved conform: exit code 1")
	same, err := os.Stat(filepath.Join(dir, "whole", "sound", "conform", "conformance.json"))
	require.NoError(t, err)
	assert.Equal(t, sound.ModTime(), same.ModTime())
}

func TestPlanIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "e.yaml"), []byte("url: http://127.0.0.1:1\n"), 0o600))
	for _, c := range []struct{ name, plan, says string }{
		{"a flag that the command has not", "environments: [{file: e.yaml, load: {rats: 1/s}}]\n", "agstest load has no flag --rats; did you mean --rate?"},
		{"a flag of the plan itself", "environments: [{file: e.yaml, conform: {out: x}}]\n", "--out is what the plan itself decides"},
		{"a value that is none", "environments: [{file: e.yaml, conform: {generate: many}}]\n", "p.yaml:1: agstest conform: --generate must be a whole number, not \"many\"; see: agstest conform --help"},
		{"a time without a unit", "environments: [{file: e.yaml, load: {duration: 3}}]\n", "p.yaml:1: agstest load: --duration must be a time with its unit, such as 30s or 10m, not \"3\"; see: agstest load --help"},
		{"several values for one", "environments: [{file: e.yaml, conform: {tags: [a, b]}}]\n", "--tags of agstest conform takes one value, not 2"},
		{"a requirement that there is not", "environments: [e.yaml]\nconform: {only: [REF-01, REF-99]}\n", `p.yaml:2: there is no requirement "REF-99"; the nearest is REF-09`},
		{"one of a list in one text", "environments: [e.yaml]\nconform: {only: \"REF-01, REF99\"}\n", `p.yaml:2: there is no requirement "REF99"`},
		{"a part of no contract", "environments: [e.yaml]\ngate: {profile: soo}\n", `p.yaml:2: --profile must be one of full, `},
		{"a rate without a unit", "environments: [{file: e.yaml, load: {rate: 20}}]\n", `p.yaml:1: --rate: the rate "20" has no unit`},
		{"a limit without a unit", "environments: [e.yaml]\nload:\n  limit: [\"errors<1%\", \"refresh.p99<300\"]\n", `p.yaml:3: --limit: the limit "refresh.p99<300": p99 needs a time with a unit`},
		{"a mix that is none", "environments: [e.yaml]\nload: {mix: signon}\n", "p.yaml:2: --mix: "},
		{"a workload that is none", "environments: [e.yaml]\nab: {workload: refesh}\n", "p.yaml:2: "},
		{"tags that are none", "environments: [e.yaml]\nconform: {tags: \"\"}\n", "p.yaml:2: tags is empty"},
		{"a load of no time", "environments: [e.yaml]\nload: {duration: 0s}\n", "p.yaml:2: --duration must be a time such as 30s, not 0s"},
		{"a load of nobody", "environments: [e.yaml]\nload: {population: 0}\n", "p.yaml:2: --population must be at least 1, not 0"},
		{"a report that is none", "environments: [e.yaml]\nconform: {reports: \"csv,alure\"}\n", `p.yaml:2: --reports must be one of allure, `},
	} {
		path := filepath.Join(dir, "p.yaml")
		require.NoError(t, os.WriteFile(path, []byte(c.plan), 0o600))
		code, stdout, stderr := call(t, nil, "run", path, "--out", filepath.Join(dir, "out"))
		assert.Equal(t, exitUsage, code, c.name)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, c.says)
		assert.NoDirExists(t, filepath.Join(dir, "out"))
	}
}

// TestPlanTellsOfEveryFileWithItsLine: whatever file a plan names is read before the first job begins, and by
// --dry-run.
func TestPlanTellsOfEveryFileWithItsLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("e.yaml", "url: http://127.0.0.1:1\n")
	write("typo.yaml", "ulr: http://127.0.0.1:1\nnmae: x\n")
	write("clients.yaml", "url: http://127.0.0.1:1\nload:\n  clients: {file: none.csv}\n")
	write("unset.yaml", "url: http://127.0.0.1:1\ntenant: ${AGSTEST_NOBODY_SETS_THIS}\n")
	write("text.txt", "no YAML: [\n")
	write("own/bad.feature", "Feature: a\n  Scenario: b\n    Given nobody knows this\n")
	write("folder/keep", "")
	write("known.yaml", "- {id: REF-01, reason: it is known, owner: us, expires: 2999-01-01}\n")
	write("keys.yaml", "REF-01: AGS-1\n")
	write("sound/a.feature", "Feature: a\n  Scenario: b\n    Given an account in good standing\n    When the client asks for the authentication services\n    Then the status is 200\n")
	write("stages.yaml", "stages:\n  - constant: {rate: 1/s, for: 1s}\n")
	known := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name, plan string
		says       []string // none: the plan is carried out
	}{
		{"a file that is not there", "environments:\n  - e.yaml\n  - other.yaml\n", []string{"p.yaml:3: the environment file other.yaml of other: it cannot be read: "}},
		{"one of several names", "environments:\n  - file: \"{env}.yaml\"\n    names:\n      - e\n      - prod\n", []string{"p.yaml:5: the environment file prod.yaml of prod: it cannot be read: "}},
		{"both of two", "environments:\n  - name: both\n    ab: {rate: 1/s}\n    files:\n      - old.yaml\n      - new.yaml\n", []string{"p.yaml:5: the environment file old.yaml of both: ", "p.yaml:6: the environment file new.yaml of both: "}},
		{"a folder", "environments: [folder]\n", []string{"p.yaml:1: the environment file folder of folder: it is a folder"}},
		{"the plan itself", "environments:\n  - p.yaml\n", []string{"p.yaml:2: the environment file p.yaml of p: it is the plan itself"}},
		{"one with mistakes", "environments:\n  - typo.yaml\n", []string{"p.yaml:2: the environment file typo.yaml of typo: it has mistakes:\n", "typo.yaml:1: unknown key \"ulr\"", "typo.yaml:2: unknown key \"nmae\""}},
		{"no YAML", "environments:\n  - text.txt\n", []string{"p.yaml:2: the environment file text.txt of text: ", "text.txt:1: this is not valid YAML"}},
		{"clients of an environment", "environments: [clients.yaml]\n", []string{"p.yaml:1: the environment file clients.yaml of clients: ", "clients.yaml:3: load.clients.file: cannot read"}},
		{"a variable without a value", "environments: [unset.yaml]\n", nil},
		{"known departures", "environments: [e.yaml]\nconform:\n  known: none.yaml\n", []string{"p.yaml:3: conform: cannot read the file of known departures " + known("none.yaml")}},
		{"known departures that are none", "environments: [e.yaml]\nconform: {known: e.yaml}\n", []string{"p.yaml:2: conform: " + known("e.yaml") + ": the file of known departures, line 1"}},
		{"a load profile", "environments: [e.yaml]\nload: {load-profile: smoek}\n", []string{"p.yaml:2: load: --load-profile: there is no file smoek; did you mean smoke?"}},
		{"a load profile by the older name", "environments: [{file: e.yaml, load: {profile: none.yaml}}]\n", []string{"p.yaml:1: load: --profile: there is no file none.yaml"}},
		{"a load profile that comes along", "environments: [e.yaml]\nload: {load-profile: smoke}\n", nil},
		{"feature files", "environments: [e.yaml]\nconform: {features: none}\n", []string{"p.yaml:2: conform: cannot read the folder of feature files"}},
		{"a sentence nobody knows", "environments: [e.yaml]\nconform: {features: own}\n", []string{"p.yaml:2: conform: " + filepath.Join(known("own"), "bad.feature") + ":3: "}},
		{"test keys", "environments: [e.yaml]\ngate: {test-keys: none.yaml}\n", []string{"p.yaml:2: gate: cannot read the file of test keys"}},
		{"a baseline", "environments: [e.yaml]\nload: {baseline: last-year}\n", []string{"p.yaml:2: load: --baseline: "}},
		{"more repeats than anybody means", "environments: [e.yaml]\nconform:\n  only: REF-01\n  repeat: 5000\n", []string{"p.yaml:4: conform: --repeat must be from 1 to 1000, not 5000"}},
		{"a count below nothing", "environments: [{file: e.yaml, load: {clients: -4}}]\n", []string{"p.yaml:1: load: --clients must be 0 or more, not -4"}},
		{"a coverage that is none", "environments: [e.yaml]\nconform: {coverage: lots}\n", []string{"p.yaml:2: conform: --coverage "}},
		{"flags that exclude each other", "environments: [e.yaml]\nconform: {lenient: true, strict: true}\n", []string{"p.yaml:2: conform: --lenient and --strict exclude each other"}},
		{"tags that end in the middle", "environments: [e.yaml]\nconform: {tags: \"@refresh and\"}\n", []string{"p.yaml:2: conform: "}},
		{"a start that is no time", "environments: [e.yaml]\nload: {start-at: tomorrow}\n", []string{"p.yaml:2: load: --start-at must be a time"}},
		{"a part of nothing", "environments: [e.yaml]\ngate: {within: 3s}\n", []string{"p.yaml:2: gate: --within and --give-up-after describe a storm"}},
		{"bounds that are none", "environments: [e.yaml]\ncapacity: {from: 10/s, to: x}\n", []string{"p.yaml:2: capacity: --to: "}},
		{"a place that is none", "environments: [{name: x, files: [e.yaml, unset.yaml], ab: {rate: 1/s, placement: near}}]\n", []string{"p.yaml:1: ab: --placement must be same or unknown"}},
		{"annotations for nobody", "environments: [e.yaml]\nconform: {annotations: jenkins}\n", []string{"p.yaml:2: conform: --annotations must be one of"}},
		{"all flags that name files", "environments: [e.yaml]\nconform: {known: known.yaml, test-keys: keys.yaml, features: sound}\nload: {load-profile: stages.yaml}\n", nil},
		{"a way to a cluster", "environments: [e.yaml]\nload: {on: kubernetes, kubeconfig: none}\n", []string{"p.yaml:2: load: --kubeconfig: cannot read"}},
	} {
		path := filepath.Join(dir, "p.yaml")
		require.NoError(t, os.WriteFile(path, []byte(c.plan), 0o600))
		code, stdout, stderr := call(t, nil, "run", path, "--dry-run")
		if c.says == nil {
			assert.Equal(t, exitPass, code, "%s: %s", c.name, stderr)
			assert.NotEmpty(t, stdout, c.name)
			continue
		}
		assert.Equal(t, exitUsage, code, c.name)
		assert.Empty(t, stdout, c.name)
		for _, says := range c.says {
			assert.Contains(t, stderr, says, c.name)
		}
		code, _, again := call(t, nil, "run", path, "--out", filepath.Join(dir, "out"))
		assert.Equal(t, exitUsage, code, c.name)
		assert.Equal(t, stderr, again, c.name)
		assert.NoDirExists(t, filepath.Join(dir, "out"))
	}
}

// TestPlanSchemaKnowsTheExample: what init writes is valid by the schema, and names what it would run.
func TestPlanSchemaKnowsTheExample(t *testing.T) {
	t.Parallel()
	code, text, _ := call(t, nil, "schema", "plan")
	require.Equal(t, 0, code)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("plan.json", document))
	_, err = compiler.Compile("plan.json")
	require.NoError(t, err)

	dir := t.TempDir()
	path := filepath.Join(dir, "nightly.yaml")
	code, _, stderr := call(t, nil, "init", "--plan", path)
	require.Equal(t, 0, code, stderr)
	for _, name := range []string{"dev", "int", "staging", "production"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".yaml"), []byte("url: http://127.0.0.1:1\n"), 0o600))
	}
	code, stdout, stderr := call(t, nil, "run", path, "--dry-run")
	require.Equal(t, 0, code, stderr)
	assert.Equal(t, 7, strings.Count(stdout, "agstest "))
	assert.Contains(t, stdout, "production: agstest conform --env=production.yaml --profile=sso\n")
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(written), "\nname: nightly\n")
}
