package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/kept"
	"agstest/mock"
	"agstest/reports"
)

// TestTokensOfThePast: what prepare keeps lets a later run judge an expired refresh token and one of an account that
// was suspended since, without waiting; without the key nothing of it is used, and no token stands anywhere.
func TestTokensOfThePast(t *testing.T) {
	t.Parallel()
	var behind atomic.Int64 // the clock of the service
	m := mock.New(mock.Config{ControlToken: operatorSecret, Clock: func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }})
	running, err := startMock(m, mockAddresses{service: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	state := func(status string) {
		r := httptest.NewRequest(http.MethodPost, "/control/accounts/nagra/1664", strings.NewReader(`{"status":"`+status+`"}`))
		r.Header.Set("Authorization", "Bearer "+operatorSecret)
		w := httptest.NewRecorder()
		m.Control().ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
	}
	file := environmentElsewhere(t, running, running.url, "")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	said := regexp.MustCompile(`(?m)^  expired-refresh: .*\n`).ReplaceAllString(string(text), "")
	said = regexp.MustCompile(`(suspended-account: +\{)sessionToken: [^,]*, `).ReplaceAllString(said, "$1")
	require.NoError(t, os.WriteFile(file, []byte(said), 0o600))

	code, _, stderr := call(t, nil, "prepare", file)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "AGSTEST_KEPT_KEY is not set")
	code, key, stderr := call(t, nil, "prepare", "--new-key")
	assert.Equal(t, exitPass, code, stderr)
	env := map[string]string{kept.Variable: strings.TrimSpace(key)}
	code, _, stderr = call(t, map[string]string{kept.Variable: "short"}, "prepare", file)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "holds 5 characters, and a key has at least 32")

	state("ACTIVE")
	behind.Store(int64(10 * 24 * time.Hour))
	code, _, stderr = call(t, env, "prepare", file)
	require.Equal(t, exitPass, code, stderr)
	behind.Store(0)
	code, stdout, stderr := call(t, env, "prepare", file)
	require.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stdout, "kept: a refresh token of suspended-account, which expires at")
	assert.Contains(t, stdout, "4 tokens in "+file+".kept")
	info, err := os.Stat(kept.Place(file))
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
	tokens, err := kept.Read(kept.Place(file), env[kept.Variable], kept.Of{URL: running.url, Tenant: "nagra"})
	require.NoError(t, err)
	require.Len(t, tokens, 4)
	state("SUSPENDED")

	out := filepath.Join(t.TempDir(), "out")
	verdicts := func(name string, variables map[string]string, more ...string) (map[string]reports.Verdict, string) {
		folder := filepath.Join(out, name)
		_, stdout, stderr := call(t, variables, append([]string{"conform", "--env", file, "--only", "REF-07,REF-13,FLOW-05", "--generate", "0", "--sequences", "0", "--show-ids", "--out", folder}, more...)...)
		text, err := os.ReadFile(filepath.Join(folder, reports.ConformanceFile))
		require.NoError(t, err, stdout+stderr)
		var c reports.Conformance
		require.NoError(t, json.Unmarshal(text, &c))
		of := map[string]reports.Verdict{}
		for _, s := range c.Scenarios {
			of[s.Name] = s.Verdict
		}
		return of, stdout + stderr
	}
	const waited, past, suspended, back = "A refresh token is waited out", "A refresh token past its time", "The account was suspended since", "A client comes back after its refresh token has expired"
	of, all := verdicts("with", env)
	for _, scenario := range []string{past, suspended, back} {
		assert.Equal(t, reports.Pass, of[scenario], "%s: %v\n%s", scenario, of, all)
	}
	began := time.Now()
	of, said = verdicts("slow", env, "--slow", "--tags", "@slow")
	assert.Equal(t, reports.Pass, of[waited], "%v\n%s", of, said)
	assert.Less(t, time.Since(began), time.Minute, "nothing is waited for")
	all += said
	of, said = verdicts("without", nil)
	assert.Equal(t, reports.Skipped, of[past], "%v\n%s", of, said)
	assert.Equal(t, reports.Skipped, of[suspended], "%v\n%s", of, said)
	assert.Contains(t, said, file+".kept is not used: the key in AGSTEST_KEPT_KEY opens it, which is not set")
	all += said

	require.NoError(t, m.Use(nil, []string{"refresh-suspended", "refresh-never-expires"}))
	of, said = verdicts("faults", env)
	assert.Equal(t, reports.Fail, of[suspended], "%v\n%s", of, said)
	assert.Equal(t, reports.Fail, of[past], "%v\n%s", of, said)
	require.NoError(t, m.Use(nil, []string{"refresh-suspended-401"}))
	of, said = verdicts("revoked", env)
	assert.Equal(t, reports.Error, of[suspended], "%v\n%s", of, said)
	all += said
	code, _, stderr = call(t, map[string]string{kept.Variable: strings.Repeat("another", 6)}, "conform", "--env", file, "--only", "REF-07", "--out", filepath.Join(out, "wrong"))
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "cannot be opened with the key in AGSTEST_KEPT_KEY: it was written with another key, or changed since")
	texts := map[string]string{"the streams": all + stdout + stderr}
	maps.Copy(texts, allFiles(t, filepath.Dir(out)))
	sealed, err := os.ReadFile(kept.Place(file))
	require.NoError(t, err)
	texts["the kept tokens"] = string(sealed)
	canaries := map[string]string{env[kept.Variable]: "the key"}
	for _, token := range tokens {
		canaries[token.RefreshToken] = "a kept token"
	}
	for _, hit := range search(texts, canaries) {
		t.Error(hit)
	}
}
