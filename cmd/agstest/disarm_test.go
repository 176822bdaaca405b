package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// armedText is what agents and terminals would obey, harmless and our own: it sets nothing.
const armedText = "x##vso[task.debug]agstest ##[debug]agstest\n::debug::agstest\nsection_start:1:agstest\r\x1b[0K ##teamcity[agstest] \x1b]8;;http://127.0.0.1/\x07link \x1b]0;agstest\x07\u202e"

// obeyedIn names what an agent or a terminal would obey in a text; colours of our own are not meant.
func obeyedIn(text string) []string {
	var found []string
	for _, sign := range []string{"##vso[", "##[", "##teamcity[", "::debug", "section_start:", "\x1b]", "\x1b[0K", "\x07", "\r", "\u202e"} {
		if strings.Contains(text, sign) {
			found = append(found, sign)
		}
	}
	return found
}

// arm puts the text into every text of a JSON value.
func arm(v any, spare func(path string) bool, path string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = arm(member, spare, path+"."+key)
		}
	case []any:
		for i, member := range v {
			v[i] = arm(member, spare, path)
		}
	case string:
		if !spare(path) {
			return v + armedText
		}
	}
	return v
}

// arming puts the text into every field of every answer, also into headers and the reason of a status where HTTP allows
// it.
func arming(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		var value any
		if r.Method != http.MethodGet && json.Unmarshal(body, &value) == nil {
			body, _ = json.Marshal(arm(value, func(string) bool { return false }, ""))
		}
		for name, values := range recorded.Header() {
			for _, value := range values {
				w.Header().Add(name, value+" ##vso[task.debug]agstest ::debug::agstest")
			}
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	})
}

// printedFiles are the files of a folder that an agent prints or reads, by their path.
func printedFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.Contains(".json .ndjson .xml .md .txt .csv .sarif .properties", filepath.Ext(path)) && filepath.Ext(path) != "" {
			text, err := os.ReadFile(path)
			texts[path] = strings.ReplaceAll(string(text), "\r\n", "\n") // the lines of tables
			return err
		}
		return err
	}))
	return texts
}

func TestNoAnswerCommandsAnAgent(t *testing.T) {
	t.Parallel()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	service := httptest.NewServer(arming(m))
	defer service.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "mock.yaml")
	require.NoError(t, os.WriteFile(file, m.Environment(service.URL, "", ""), 0o600))
	at := func(name string) string { return filepath.Join(dir, name) }
	met := false
	for _, args := range [][]string{
		{"conform", "--env", file, "--generate", "2", "--sequences", "1", "--out", at("a"), "--reports", strings.Join(exportNames, ",")},
		{"conform", "--env", file, "--generate", "1", "--sequences", "1", "--tags", "@sign-on or @refresh", "--out", at("b"), "--json"},
		{"conform", "--env", file, "--generate", "1", "--sequences", "0", "--only", "SOST-07", "--out", at("h"), "--annotations", "gitlab", "--color", "always"},
		{"load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration", "1s", "--out", at("c")},
		{"load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration", "1s", "--out", at("d"), "--json"},
		{"report", at("a"), "--json"}, // all scenarios as JSON
		{"compare", at("a"), at("b"), "--out", at("e")},
	} {
		_, stdout, stderr := call(t, nil, args...)
		assert.Empty(t, obeyedIn(stdout), "%v: stdout", args)
		assert.Empty(t, obeyedIn(stderr), "%v: stderr", args)
		met = met || strings.Contains(stdout, "agstest")
	}
	assert.True(t, met)
	files := printedFiles(t, dir)
	assert.Greater(t, len(files), 15)
	for path, text := range files {
		assert.Empty(t, obeyedIn(text), path)
	}
	assert.Contains(t, files[at("a/conformance.json")], `#\u0023vso[`, "the answers got into the record, so something was shown")
}

// TestNoStoredRunCommandsAnAgent: a run of somebody else, with the marks in every text that it holds.
func TestNoStoredRunCommandsAnAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	code, _, stderr := call(t, nil, "conform", "--tags", "@sign-out", "--generate", "0", "--sequences", "0", "--mock-fault", "error-echoes-parameters", "--out", at("c1"))
	require.Contains(t, []int{exitPass, exitFail, exitInconclusive}, code, stderr)
	code, _, stderr = call(t, nil, "load", "--rate", "50/s", "--duration", "1s", "--limit", "p99<1ms", "--out", at("l1"))
	require.Contains(t, []int{exitPass, exitFail, exitInconclusive, exitInvalid}, code, stderr)
	spare := func(path string) bool {
		for _, name := range []string{".schema", ".start", ".end", ".sentAt", ".run.id", ".kind", ".verdict", ".level", ".gating", ".from", ".metric", ".bound"} {
			if strings.HasSuffix(path, name) {
				return true
			}
		}
		return false
	}
	for from, name := range map[string]string{"c1": "conformance.json", "l1": "load.json"} {
		text, err := os.ReadFile(filepath.Join(at(from), name))
		require.NoError(t, err)
		var value any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&value))
		text, err = json.Marshal(arm(value, spare, ""))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(at("runs/"+from), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(at("runs/"+from), name), text, 0o600))
	}
	for _, args := range [][]string{
		{"report", at("runs/c1"), "--out", at("r1")}, {"report", at("runs/c1"), "--json", "--out", at("r1")}, {"report", at("runs/l1"), "--out", at("r2"), "--annotations", "gitlab"},
		{"report", at("runs/l1"), "--json", "--out", at("r2")},
		{"compare", at("runs/c1"), at("c1"), "--out", at("r3")}, {"compare", at("l1"), at("runs/l1"), "--out", at("r4"), "--json"},
		{"merge", at("runs/l1"), at("runs/l1"), "--out", at("r5")},
		{"history", "--dir", at("runs"), "list"}, {"history", "--dir", at("runs"), "list", "--json"}, {"history", "--dir", at("runs"), "trend"},
		{"history", "--dir", at("runs"), "prune", "--keep", "1", "--dry-run"},
	} {
		code, stdout, stderr := call(t, nil, args...)
		assert.NotEqual(t, exitInternal, code, "%v: %s", args, stderr)
		if args[0] == "report" || args[len(args)-1] == "list" {
			assert.Equal(t, exitPass, code, "%v: %s", args, stderr)
			assert.Contains(t, stdout, "agstest", "%v: the run is told, so something was shown", args)
		}
		assert.Empty(t, obeyedIn(stdout), "%v: stdout", args)
		assert.Empty(t, obeyedIn(stderr), "%v: stderr", args)
		for _, name := range []string{"github", "azure"} { // the only marks are those that we write ourselves, one a line and at its start
			if args[0] != "report" || args[len(args)-1] == "gitlab" {
				continue
			}
			_, stdout, _ := call(t, nil, append(args, "--annotations", name)...)
			for line := range strings.Lines(stdout) {
				line = strings.TrimPrefix(line, "##vso[task.logissue ")
				assert.Empty(t, obeyedIn(line), "%v %s", args, name)
			}
		}
	}
	for path, text := range printedFiles(t, dir) {
		if !strings.HasPrefix(path, at("runs/")) { // what was given
			assert.Empty(t, obeyedIn(text), path)
		}
	}
}
