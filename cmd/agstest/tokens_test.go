package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
)

// mintedOutside are session tokens of an account of a mock that somebody else asked for.
func mintedOutside(t *testing.T, running *runningMock, account string, count int) []string {
	t.Helper()
	var list []string
	for range count {
		body, _ := json.Marshal(map[string]string{"tenant": "nagra", "accountId": account, "expiresIn": "10m"})
		request, err := http.NewRequest(http.MethodPost, running.controlURL+"/control/session-tokens", bytes.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+regexp.MustCompile(`(?ms)^mock:.*?token: "?([^"\s]+)`).FindStringSubmatch(string(running.environment()))[1])
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var said struct{ SessionToken string }
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&said))
		answer.Body.Close()
		require.NotEmpty(t, said.SessionToken)
		list = append(list, said.SessionToken)
	}
	return list
}

// withSource is an environment file of a mock as a live service, whose session tokens come from a source alone.
func withSource(t *testing.T, running *runningMock, active, clients string) string {
	t.Helper()
	text, err := os.ReadFile(environmentElsewhere(t, running, running.url, ""))
	require.NoError(t, err)
	changed := regexp.MustCompile(`(?ms)^(situations|load|operator|mock):[^\n]*\n(  .*?\n)*`).ReplaceAllString(string(text), "")
	changed += "situations:\n  active: {clientId: PUB_989, accountId: \"1663\", sessionToken: " + active + "}\nload: {clients: {count: 40, clientId: \"LOAD_{n}\", accountId: \"L{n}\", sessionToken: " + clients + "}}\n"
	file := filepath.Join(t.TempDir(), "env.yaml")
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	return file
}

// TestSessionTokensOfACommand: conform and load take each session token from a program beside the environment file, and
// show none of them.
func TestSessionTokensOfACommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the script of this test is for sh")
	}
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	file := withSource(t, running, `{command: [./mint.sh, "{accountId}"]}`, `{command: [./mint.sh, "{accountId}"]}`)
	dir := filepath.Dir(file)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "stock"), 0o700))
	canaries := map[string]string{}
	stock := func(account string, count int) {
		for i, token := range mintedOutside(t, running, account, count) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "stock", fmt.Sprintf("%s-%d", account, i)), []byte(token), 0o600))
			canaries[token] = "a session token of " + account
		}
	}
	stock("1663", 300)
	for n := range 40 {
		stock(fmt.Sprintf("L%d", n+1), 3)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "taken"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mint.sh"), []byte("#!/bin/sh\nfor f in stock/$1-*; do\n  if mv \"$f\" taken/ 2>/dev/null; then cat \"taken/${f#stock/}\"; exit 0; fi\ndone\necho \"none left; api_key=k-9a7b6c5d4e3f2a1b\" >&2\nexit 3\n"), 0o700))
	out := t.TempDir()
	code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-01,SOST-02,SOST-19,REF-01", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "conform"))
	assert.Equal(t, exitPass, code, stdout+stderr)
	taken, err := os.ReadDir(filepath.Join(dir, "taken"))
	require.NoError(t, err)
	assert.Greater(t, len(taken), 2)
	text := stdout + stderr
	code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(out, "load"))
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	assert.NotContains(t, stdout, "was answered")
	text += stdout + stderr
	code, stdout, stderr = call(t, nil, "load", "--env", file, "--workload", "signon", "--rate", "200/s", "--duration", "1s", "--out", filepath.Join(out, "load2"))
	assert.Equal(t, exitSetup, code)
	assert.Contains(t, stderr, "failed (exit status 3); it said: none left")
	text += stdout + stderr
	code, stdout, stderr = call(t, nil, "env", file)
	assert.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stdout, "sessionToken:\n      command:\n      - "+filepath.Join(dir, "mint.sh"))
	texts := map[string]string{"the streams": text}
	maps.Copy(texts, allFiles(t, out))
	for _, hit := range search(texts, canaries) {
		t.Error(hit)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "stock")))
	code, stdout, stderr = call(t, nil, "conform", "--env", file, "--only", "SOST-01", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "none"))
	assert.NotEqual(t, exitPass, code, "without a token nothing was checked, so nothing passes")
	assert.Contains(t, stdout+stderr, "none left")
}

// TestSessionTokensOfAPool: each is used once, over several runs; where too few are left, nothing is sent.
func TestSessionTokensOfAPool(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	file := withSource(t, running, `{pool: active.txt}`, `{pool: load.txt}`)
	dir := filepath.Dir(file)
	pool := mintedOutside(t, running, "1663", 25)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "active.txt"), []byte(strings.Join(pool, "\n")+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "load.txt"), []byte("few-1\nfew-2\n"), 0o600))
	out := t.TempDir()
	for i := range 2 {
		code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-02", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, fmt.Sprint(i)))
		assert.Equal(t, exitPass, code, stdout+stderr)
	}
	notes, err := os.ReadFile(filepath.Join(dir, "active.txt.used"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, bytes.Count(notes, []byte("\n")), 2)
	code, _, stderr := call(t, nil, "load", "--env", file, "--workload", "signon", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(out, "load"))
	assert.Equal(t, exitUsage, code)
	assert.Regexp(t, `the workload signon needs \d+ session tokens, and .*load.txt holds 2 that are not used yet`, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "active.txt"), []byte(pool[0]+"\n"), 0o600))
	code, stdout, stderr := call(t, nil, "conform", "--env", file, "--only", "SOST-02", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "empty"))
	assert.NotEqual(t, exitPass, code)
	assert.Contains(t, stdout+stderr, "more session tokens in the pool of situations.active")
}

// TestSessionTokensOfARequest: conform and load take each session token from the answer to a call, and show neither it
// nor the key of the call.
func TestSessionTokensOfARequest(t *testing.T) {
	t.Parallel()
	running, err := startMock(mock.New(mock.Config{}), mockAddresses{service: "127.0.0.1:0", control: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	const key = "k-9a7b6c5d4e3f2a1b"
	var mutex sync.Mutex
	canaries := map[string]string{key: "the key"}
	mint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said struct{ Account string }
		if r.Header.Get("X-Api-Key") != key || json.NewDecoder(r.Body).Decode(&said) != nil || said.Account == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token := mintedOutside(t, running, said.Account, 1)[0]
		mutex.Lock()
		defer mutex.Unlock()
		canaries[token] = "a session token of " + said.Account
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]string{"ticket": token}})
	}))
	t.Cleanup(mint.Close)
	source := `{request: {url: "` + mint.URL + `/mint", headers: {X-Api-Key: "${MINT_KEY}"}, body: '{"account": "{accountId}"}'}, token: /data/ticket}`
	file := withSource(t, running, source, source)
	out := t.TempDir()
	variables := map[string]string{"MINT_KEY": key}
	code, stdout, stderr := call(t, variables, "conform", "--env", file, "--generate", "2", "--sequences", "0", "--only", "SOST-01,SOST-02,SOST-19,REF-01,GW-02,DEV-06", "--out", filepath.Join(out, "conform"))
	assert.Equal(t, exitPass, code, stdout+stderr)
	minted := len(canaries) - 1
	assert.Greater(t, minted, 2)
	text := stdout + stderr
	code, stdout, stderr = call(t, variables, "load", "--env", file, "--workload", "mixed", "--mix", "signon=1,refresh=4", "--rate", "20/s", "--duration", "1s", "--out", filepath.Join(out, "load"))
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
	assert.Greater(t, len(canaries)-1, minted)
	text += stdout + stderr
	_, stdout, stderr = call(t, variables, "env", file)
	text += stdout + stderr
	assert.Contains(t, stdout, `X-Api-Key: "[secret, from ${MINT_KEY}]"`)
	code, stdout, stderr = call(t, map[string]string{"MINT_KEY": "another-key-altogether"}, "conform", "--env", file, "--only", "SOST-01", "--generate", "0", "--sequences", "0", "--out", filepath.Join(out, "refused"))
	assert.NotEqual(t, exitPass, code, "without a token nothing was checked, so nothing passes")
	assert.Contains(t, stdout+stderr, "/mint was answered with status 401")
	text += stdout + stderr
	texts := map[string]string{"the streams": text}
	maps.Copy(texts, allFiles(t, out))
	for _, hit := range search(texts, canaries) {
		t.Error(hit)
	}
}
