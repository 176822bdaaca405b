package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadersQuoteNothing gives each reader of a user's file the file of somebody else, whose lines must not come out
// of any error.
func TestReadersQuoteNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	env := "url: http://127.0.0.1:9\nload: {clients: {file: other}}\n"
	for _, other := range []string{
		"c4n4ry-token-1,c4n4ry-2,c4n4ry-3\nc4n4ry-4,c4n4ry-5,c4n4ry-6\n", "c4n4ry:x:0:0:c4n4ry:/root:/bin/sh\n", "c4n4ry\n", "\"c4n4ry\nc4n4ry", "c4n4ry: c4n4ry\n", "- c4n4ry\n- id: c4n4ry\n",
		"- {id: SOST-07, reason: a, owner: b, expires: c4n4ry}\n", "{\"schema\": \"c4n4ry\"}", "{\"schema\": c4n4ry}", "[c4n4ry", "Feature: c4n4ry\n  c4n4ry\n",
		"-----BEGIN CERTIFICATE-----\nc4n4ry\n-----END CERTIFICATE-----\n", "url: \"c4n4ry\n", "name: x\nurl: c4n4ry\nload: {maxRate: c4n4ry, clients: {count: c4n4ry}}\nsituations: {c4n4ry: {}}\n",
	} {
		require.NoError(t, os.WriteFile(at("env.yaml"), []byte(env), 0o600))
		require.NoError(t, os.WriteFile(at("other"), []byte(other), 0o600))
		require.NoError(t, os.WriteFile(at("ca.yaml"), []byte("url: https://127.0.0.1:9\ntls: {ca: other}\n"), 0o600))
		for _, args := range [][]string{
			{"env", at("env.yaml")}, {"env", at("ca.yaml")}, {"env", at("other")}, {"conform", "--env", at("other"), "--dry-run"}, {"conform", "--known", at("other"), "--only", "SOST-07", "--dry-run"},
			{"load", "--load-profile", at("other"), "--dry-run"}, {"report", at("other")}, {"compare", at("other"), at("other")}, {"merge", at("other"), at("other")},
			{"load", "--env", at("env.yaml"), "--workload", "refresh", "--rate", "1/s", "--duration", "1s", "--dry-run"},
		} {
			code, stdout, stderr := call(t, nil, args...)
			if code == exitPass && args[0] != "load" && args[0] != "env" { // it was good for something
				continue
			}
			assert.NotEqual(t, exitInternal, code, "%v: %s", args, stderr)
			assert.NotContains(t, stdout+stderr, "c4n4ry", "%v of %.40q", args, other)
		}
	}
}

// TestSmallFilesStaySmall: a file of a few kilobytes asks for no more than that, and its error is one sentence with
// exit code 2.
func TestSmallFilesStaySmall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		aliases += strings.ReplaceAll("aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n", "N", string(rune('0'+i)))
		aliases = strings.ReplaceAll(aliases, "M", string(rune('0'+i-1)))
	}
	files := map[string]string{
		"aliases": aliases + "limits: *a8\n", "list": "- &x {id: A-01, reason: a, owner: b, expires: 2030-01-01}\n- *x\n", "deep": strings.Repeat("[", 5000), "deep-blocks": strings.Repeat("- ", 5000) + "x",
		"braces": strings.Repeat("{a: ", 5000), "json": strings.Repeat("[", 100_000), "unlimited": "limits: &l [" + strings.Repeat("'p99<1s', ", 100) + "]\nstages: [{constant: {rate: 1/s, for: 1s}}]\nmix: {<<: *l}\n",
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		for _, args := range [][]string{{"env", path}, {"conform", "--known", path, "--dry-run"}, {"load", "--load-profile", path, "--dry-run"}, {"report", path}} {
			code, _, stderr := call(t, nil, args...)
			assert.Equal(t, exitUsage, code, "%v: %.300s", args, stderr)
			assert.NotContains(t, stderr, "goroutine ", args)
			assert.Less(t, len(stderr), 2000, args)
		}
	}
}
