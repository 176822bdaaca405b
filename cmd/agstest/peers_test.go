package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peers is where the tools of npm lie that read what agstest writes; package peers_test has the tests of single files.
const peers = "../../internal/openapi/peers"

// peer finds node and a module of npm, or skips the test with what is missing.
func peer(t *testing.T, module string) (node string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short leaves the tools of npm out")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: no node on this machine")
	}
	if _, err := os.Stat(filepath.Join(filepath.FromSlash(peers), "node_modules", filepath.FromSlash(module))); err != nil {
		t.Skipf("skipped: %s has no module %s; run npm ci there", peers, module)
	}
	return node
}

// written runs agstest within this process and wants one of these exit codes.
func written(t *testing.T, codes []int, args ...string) string {
	t.Helper()
	code, stdout, stderr := call(t, nil, args...)
	require.Contains(t, codes, code, "%v\n%s%s", args, stdout, stderr)
	return stdout
}

// asJSON converts a file of people to JSON beside it.
func asJSON(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	converted, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".json", converted, 0o600))
	return path + ".json"
}

// TestAjvStrictTakesEverySchema: every schema that agstest prints compiles in Ajv's strict mode, the strictest reader
// of schemas, and what agstest writes and offers to be filled in is of it; what is not, Ajv finds.
func TestAjvStrictTakesEverySchema(t *testing.T) {
	t.Parallel()
	node := peer(t, "ajv-formats")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	written(t, []int{exitPass}, "init", at("staging.yaml"))
	written(t, []int{exitPass}, "init", "--plan", at("plan.yaml"))
	gate := []string{"gate", "--only", "REF-01,REF-02", "--workload", "refresh", "--rate", "100/s", "--duration", "1s", "--max-lag", "5s"}
	// On a slow machine the figures of so short a load may not be valid, which its schema is for too.
	written(t, []int{exitPass, exitInvalid}, append(gate, "--out", at("old"))...)
	red := []int{exitFail, exitInvalid}
	written(t, red, append(gate, "--mock-fault", "refresh-201", "--out", at("new"))...)
	written(t, red, "compare", at("old"), at("new"), "--out", at("change"))
	written(t, red, "matrix", at("old"), at("new"), "--out", at("matrix"))

	arguments := []string{"ajv.mjs"}
	files := map[string][]string{
		"environment": {asJSON(t, at("staging.yaml"))}, "plan": {asJSON(t, at("plan.yaml"))},
		"conformance": {at("old/conformance.json"), at("new/conformance.json")}, "load": {at("old/load.json"), at("new/load.json")},
		"comparison": {at("change/comparison.json")}, "matrix": {at("matrix/matrix.json")},
	}
	for _, kind := range schemaKinds {
		schema := at(kind + ".printed.json")
		require.NoError(t, os.WriteFile(schema, []byte(written(t, []int{exitPass}, "schema", kind)), 0o600))
		arguments = append(append(append(arguments, schema), files[kind]...), "--")
	}
	beside, err := os.ReadFile(at("environment.schema.json"))
	require.NoError(t, err, "init writes the schema that its file names")
	printed, err := os.ReadFile(at("environment.printed.json"))
	require.NoError(t, err)
	assert.Equal(t, string(printed), string(beside))
	assert.FileExists(t, at("plan.schema.json"))

	// What is good and what is not in one start, since Ajv takes a while to load.
	require.NoError(t, os.WriteFile(at("slip.json"), []byte(`{"url":"https://a.example","tennant":"x"}`), 0o600))
	loose := `{"$schema":"http://json-schema.org/draft-07/schema#","type":["string","number"]}`
	require.NoError(t, os.WriteFile(at("loose.json"), []byte(loose), 0o600))
	arguments = append(arguments, at("environment.printed.json"), at("slip.json"), "--", at("loose.json"))
	command := exec.CommandContext(t.Context(), node, arguments...)
	command.Dir = filepath.FromSlash(peers)
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	found := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, found, 2, string(out))
	assert.Contains(t, found[0], "slip.json: data must NOT have additional properties")
	assert.Contains(t, found[1], "loose.json: strict mode: use allowUnionTypes")
}

// TestGitHubsMarkdownShowsTheSummaries: cmark-gfm, GitHub's own, makes the tables and folds of every summary, and
// nothing else of the texts.
func TestGitHubsMarkdownShowsTheSummaries(t *testing.T) {
	t.Parallel()
	cmark, err := exec.LookPath("cmark-gfm")
	if err != nil {
		t.Skip("skipped: no cmark-gfm on this machine (Debian: apt-get install cmark-gfm)")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	written(t, []int{exitFail}, "conform", "--mock-fault", "token-typ-other", "--generate", "0", "--sequences", "0", "--retry", "0", "--only", "SOST-01,TOK-01,REF-01,REF-02,DISC-01,OUT-01", "--out", at("conform"))
	written(t, []int{exitFail, exitInvalid}, "gate", "--only", "REF-01,REF-02", "--mock-fault", "refresh-201", "--workload", "refresh", "--rate", "100/s", "--duration", "1s", "--max-lag", "5s", "--limit", "errors<1%", "--out", at("gate"))
	written(t, []int{exitFail, exitInconclusive, exitInvalid}, "compare", at("conform"), at("gate"), "--out", at("compare"))
	written(t, []int{exitFail, exitInvalid}, "matrix", at("conform"), at("gate"), "--out", at("matrix"))
	for _, name := range []string{"conform", "gate", "compare", "matrix"} {
		text := fitsAMergeRequest(t, at(name))
		command := exec.CommandContext(t.Context(), cmark, "--unsafe", "-e", "table", "-e", "strikethrough", "-e", "autolink", "-e", "tagfilter")
		command.Stdin = strings.NewReader(text)
		var page bytes.Buffer
		command.Stdout = &page
		require.NoError(t, command.Run())
		shown := page.String()
		assert.Equal(t, strings.Count(text, "\n| --- |"), strings.Count(shown, "<table>"), "%s: tables", name)
		assert.Equal(t, strings.Count(text, "\n| ")-strings.Count(text, "\n| --- |"), strings.Count(shown, "<tr>"), "%s: rows", name)
		assert.Equal(t, strings.Count(text, "<details>"), strings.Count(shown, "<details>"), "%s: what is folded", name)
		var tags []string
		for _, tag := range regexp.MustCompile(`</?([a-z0-9]+)`).FindAllStringSubmatch(shown, -1) {
			tags = append(tags, tag[1])
		}
		assert.Subset(t, []string{"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "strong", "a", "ul", "li", "blockquote"}, tags, name)
		assert.NotContains(t, shown, "| --- |", name)
		assert.Regexp(t, `<h2>[^<]*(❌|❓|⚠️)`, shown, name)
	}
}

// fitsAMergeRequest reads the summary of a run, of which at most 4,000 characters are shown.
func fitsAMergeRequest(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "summary.md"))
	require.NoError(t, err)
	shown := regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>.*?</details>`).ReplaceAllString(string(text), "$1")
	assert.LessOrEqual(t, utf8.RuneCountInString(shown), 4000, folder)
	assert.Less(t, len(text), 60_000, folder)
	return string(text)
}
