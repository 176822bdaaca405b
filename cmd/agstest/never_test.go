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
