package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

// A gate whose load never ran says so in every file that it leaves.
func TestGateWhoseLoadNeverRan(t *testing.T) {
	var calls atomic.Int64
	m := mock.New(mock.Config{Seed: 3})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/signOnWithSessionToken") && calls.Add(1) > 20 {
			http.Error(w, `{"code":20002}`, http.StatusForbidden)
			return
		}
		m.ServeHTTP(w, r)
	}))
	defer server.Close()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("mock.yaml", m.Environment(server.URL, "", ""), 0o600))
	var stdout, stderr bytes.Buffer
	code := run([]string{"gate", "--env", "mock.yaml", "--only", "SOST-01", "--workload", "refresh", "--rate", "100/s", "--duration", "1s", "--clients", "60", "--out", "run"},
		func(string) (string, bool) { return "", false }, strings.NewReader(""), &stdout, &stderr)
	assert.Equal(t, exitSetup, code, "%s%s", stdout.String(), stderr.String())
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("run", name))
		require.NoError(t, err)
		return string(text)
	}
	const why = "the load was never sent: set-up: "
	for _, name := range []string{"load.json", "load.html", "gate.html", "junit.xml", "summary.md"} {
		assert.True(t, strings.Contains(strings.ToLower(read(name)), why), name)
	}
	assert.Contains(t, stdout.String(), why)
	assert.NotContains(t, read("load.html"), "was too slow")
	assert.Contains(t, read("junit.xml"), "<error ")
	assert.Regexp(t, `^## Gate of .*: ❓ could not tell\n`, read("summary.md"))
	stdout.Reset()
	code = run([]string{"history", "list", "."}, func(string) (string, bool) { return "", false }, strings.NewReader(""), &stdout, &stderr)
	assert.NotContains(t, strings.ToLower(stdout.String()), "pass", "%d", code)
}

// TestARefusedRunSaysSoInEveryFile: a run that could judge nothing writes why into each file that a pipeline reads, in
// place of the green ones of an earlier run, and none of them is green.
func TestARefusedRunSaysSoInEveryFile(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{Seed: 3})
	server := httptest.NewServer(m)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("mock.yaml"), m.Environment(server.URL, "", ""), 0o600))
	folder := at("run")
	commands := map[string][]string{
		"conform": {"conform", "--only", "SOST-01"},
		"gate":    {"gate", "--only", "SOST-01", "--workload", "refresh", "--rate", "20/s", "--duration", "1s"},
		"load":    {"load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--limit", "errors<1%"},

		"capacity": {"capacity", "--workload", "refresh", "--limit", "refresh.p99<300ms"},
	}
	code, stdout, stderr := call(t, nil, append(commands["gate"], "--env", at("mock.yaml"), "--out", folder)...)
	require.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	server.Close()
	for kind, args := range commands {
		code, stdout, stderr = call(t, nil, append(args, "--env", at("mock.yaml"), "--out", folder, "--reports", "allure,codequality,csv,ctrf,sarif")...)
		require.Equal(t, exitSetup, code, kind+stdout+stderr)
		assert.Contains(t, stderr, "nothing listens there", kind)
		assert.Regexp(t, `Verdict: (COULD NOT TELL|NOT COMPARABLE)\n$`, stdout)
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(folder, name))
			require.NoError(t, err, kind)
			return string(text)
		}
		if kind == "ab" {
			for _, name := range []string{"comparison.json", "compare.html", "junit.xml", "summary.md"} {
				assert.Contains(t, read(name), "nothing listens there", name)
			}
			assert.Contains(t, read("junit.xml"), "<error ")
			c, err := runs.Read(folder)
			require.NoError(t, err)
			assert.Equal(t, reports.NotComparable, c.Comparison.Verdict)
			continue
		}
		names := map[string][]string{
			"conform": {"conformance.json", "conformance.html", "cucumber.json", "messages.ndjson"}, "load": {"load.json", "load.html"},
			"capacity": {"load.json", "load.html"},
			"gate":     {"conformance.json", "conformance.html", "cucumber.json", "messages.ndjson", "load.json", "load.html", "gate.html"},
		}[kind]
		for _, name := range append(names, "junit.xml", "summary.md", "runs.csv", "ctrf.json", "agstest.sarif", "codequality.json") {
			assert.Contains(t, read(name), "nothing listens there", "%s %s", kind, name)
		}
		assert.Contains(t, read("junit.xml"), "<error ", kind)
		if kind == "conform" {
			assert.NotContains(t, read("conformance.html"), `<li class="v-pass">`, "a tick for nothing")
		}
		assert.Regexp(t, `(?m)^agstest_(conformance|load)_passed\{.*\} 0$`, read("metrics.prom"), kind)
		assert.NotRegexp(t, `(?m)^agstest_(conformance|load)_passed\{.*\} 1$`, read("metrics.prom"), kind)
		assert.Contains(t, read("ctrf.json"), `"passed": 0,`, kind)
		results, err := filepath.Glob(filepath.Join(folder, "allure-results", "*-result.json"))
		require.NoError(t, err)
		require.NotEmpty(t, results, kind)
		for _, result := range results {
			text, err := os.ReadFile(result)
			require.NoError(t, err)
			assert.Contains(t, string(text), `"status":"broken"`, kind)
		}
	}
}

// TestAComparisonThatCouldNotBeginSaysSoInEveryFile: as above, of two services by turns.
func TestAComparisonThatCouldNotBeginSaysSoInEveryFile(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Config{Seed: 3})
	server := httptest.NewServer(m)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("mock.yaml"), m.Environment(server.URL, "", ""), 0o600))
	args := []string{"ab", "--aa", "--env", at("mock.yaml"), "--workload", "refresh", "--rate", "100/s", "--pairs", "10", "--block", "200ms", "--max-lag", "1m", "--out", at("run")}
	code, stdout, stderr := call(t, nil, args...)
	require.Contains(t, []int{exitPass, exitFail, exitInconclusive, exitInvalid}, code, stdout+stderr) // its blocks are short, and a busy machine is too slow for it
	server.Close()
	code, stdout, stderr = call(t, nil, args...)
	require.Equal(t, exitSetup, code, stdout+stderr)
	assert.True(t, strings.HasSuffix(stdout, "Verdict: COULD NOT TELL\n"), stdout)
	for _, name := range []string{"comparison.json", "compare.html", "junit.xml", "summary.md"} {
		text, err := os.ReadFile(filepath.Join(at("run"), name))
		require.NoError(t, err)
		assert.Contains(t, string(text), "Nothing was measured: ", name)
		assert.NotContains(t, string(text), "NaN", name)
	}
	junit, err := os.ReadFile(filepath.Join(at("run"), "junit.xml"))
	require.NoError(t, err)
	assert.Contains(t, string(junit), "<error ")
}
