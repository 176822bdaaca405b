package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
)

// overheard collects every secret that passes between the tool and a service: what a service gives out and what is
// shown to it.
type overheard struct {
	mutex   sync.Mutex
	secrets map[string]string // what it is, by value
}

func (o *overheard) add(what, value string) {
	value = strings.TrimSpace(strings.TrimPrefix(value, "Bearer "))
	if len(value) < 12 || strings.HasPrefix(value, "not-") { // what was sent as a mistake on purpose stands in the feature files
		return
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.secrets[value] = what
}

// listen wraps a service.
func (o *overheard) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		o.add("header Authorization", r.Header.Get("Authorization"))
		o.add("header User-Token", r.Header.Get("User-Token"))
		o.read(body)
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		o.read(recorded.Body.Bytes())
		maps.Copy(w.Header(), recorded.Header())
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

// mock starts a mock with its control interface that is overheard, and writes its environment file. Before stands in
// front of all; nil: nothing does.
func (o *overheard) mock(t *testing.T, faults []string, before func(http.Handler) http.Handler) (m *mock.Server,
	file string, e *environment.Environment) {
	t.Helper()
	m, err := newMock(mock.Config{}, nil, faults)
	require.NoError(t, err)
	handler := o.listen(m)
	if before != nil {
		handler = before(handler)
	}
	service, control := httptest.NewServer(handler), httptest.NewServer(m.Control())
	t.Cleanup(service.Close)
	t.Cleanup(control.Close)
	text := m.Environment(service.URL, control.URL, "")
	file = filepath.Join(t.TempDir(), "mock.yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	e, err = environment.Parse(text, "mock.yaml", t.TempDir(), os.LookupEnv)
	require.NoError(t, err)
	return m, file, e
}

// read finds secrets in a body by the names they stand under.
func (o *overheard) read(body []byte) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			if name, ok := v["name"].(string); ok && (name == "sessionToken" || name == "password" || name == "OperatorAuthToken") {
				if text, ok := v["value"].(string); ok {
					o.add("parameter "+name, text)
				}
			}
			for key, member := range v {
				switch key {
				case "access_token", "refresh_token", "sessionToken", "userAccountToken", "signOnActivationToken", "dsraToken":
					if text, ok := member.(string); ok {
						o.add(key, text)
					}
				}
				walk(member)
			}
		}
	}
	walk(value)
}

// forms are the ways in which a secret could be written.
func forms(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	all := map[string]string{
		"plain": secret, "JSON": strings.Trim(string(quoted), `"`), "URL": url.QueryEscape(secret), "path": url.PathEscape(secret),
		"hex": hex.EncodeToString([]byte(secret)), "base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	if parts := strings.Split(secret, "."); len(parts) == 3 && len(parts[2]) >= 12 {
		all["signature"] = parts[2]
	}
	return all
}

// everyCommand are commands of every kind with an environment file, which write below dir; of the gate those scenarios
// that the last arguments choose.
func everyCommand(file, dir string, scenarios ...string) [][]string {
	at := func(name string) string { return filepath.Join(dir, name) }
	gate := []string{"gate", "--env", file, "--workload", "mixed", "--mix", "signon=1,refresh=2", "--rate", "50/s",
		"--duration", "1s", "--raw", "--out", at("gate"), "--annotations", "github"}
	return [][]string{
		{"env", file}, {"env", file, "--json"}, append(gate, scenarios...),
		{"load", "--env", file, "--workload", "head-end", "--rate", "30/s", "--duration", "1s", "--trace", "--json",
			"--out", at("load")},
		{"report", at("gate"), "--annotations", "gitlab"},
		{"compare", at("gate"), at("load"), "--out", at("compare")},
	}
}

// saidBy runs commands within this process, and gives all that they write to the streams.
func saidBy(t *testing.T, commands [][]string) string {
	t.Helper()
	var streams strings.Builder
	for _, args := range commands {
		code, stdout, stderr := call(t, nil, args...)
		assert.Contains(t, []int{exitPass, exitFail, exitInconclusive, exitInvalid}, code, "%v: %s", args, stderr)
		streams.WriteString(stdout + stderr)
	}
	return streams.String()
}

// TestNoSecretLeavesTheProcess searches everything that runs write, files and streams, for every secret that was used.
func TestNoSecretLeavesTheProcess(t *testing.T) {
	t.Parallel()
	for _, faults := range [][]string{nil, {"error-echoes-parameters", "error-echoes-token"}} {
		name := strings.Join(append([]string{"mock"}, faults...), " ")
		t.Run(name, func(t *testing.T) {
			for _, fault := range faults {
				if _, found := mock.FaultByName(fault); !found {
					t.Fatalf("the mock has no fault %s", fault)
				}
			}
			heard := &overheard{secrets: map[string]string{}}
			m, file, e := heard.mock(t, faults, nil)
			dir := t.TempDir()
			commands := everyCommand(file, dir, "--generate", "2", "--sequences", "2")
			if faults != nil {
				commands = [][]string{
					{"conform", "--env", file, "--tags", "@ERR-07 or @ERR-10 or @refresh", "--generate", "2", "--sequences", "0",
						"--out", filepath.Join(dir, "conform")},
					{"report", filepath.Join(dir, "conform")},
				}
			}
			texts := everythingSaid(t, dir, heard, append(m.Secrets(), e.Secrets()...), saidBy(t, commands))
			require.Greater(t, len(texts), 7)
			for _, hit := range search(texts, heard.secrets) {
				t.Error(hit)
			}
		})
	}
}

// TestEveryCommandRunsItsPartsSideBySide is for the race detector. All scenarios run under it in package steps; here it
// is those of two calls, and what a command does beside them.
func TestEveryCommandRunsItsPartsSideBySide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tags := []string{"--tags", "@refresh or @sign-out", "--generate", "1", "--sequences", "1"}
	said := saidBy(t, everyCommand(mockFile(t), dir, tags...))
	assert.Contains(t, said, "\nReport: "+filepath.Join(dir, "gate", "gate.html")+"\n")
}

// search finds secrets in texts, whatever the form they are written in. It looks for the last letters of each first,
// because texts and secrets are many.
func search(texts, secrets map[string]string) []string {
	const tail = 12
	type written struct{ text, form, what, secret string }
	byTail := map[string][]written{}
	ends := make([]bool, 1<<20) // by the sum of the last four letters: nearly everything is told apart by them already
	sum := func(s string) uint32 {
		n := len(s)
		return (uint32(s[n-4])<<24 | uint32(s[n-3])<<16 | uint32(s[n-2])<<8 | uint32(s[n-1])) * 2654435761 >> 12
	}
	for secret, what := range secrets {
		for form, text := range forms(secret) {
			key := text[len(text)-tail:]
			byTail[key] = append(byTail[key], written{text, form, what, secret})
			ends[sum(key)] = true
		}
	}
	var hits []string
	for where, content := range texts {
		for end := tail; end <= len(content); end++ {
			if !ends[sum(content[end-4:end])] {
				continue
			}
			for _, w := range byTail[content[end-tail:end]] {
				if strings.HasSuffix(content[:end], w.text) && len(hits) < 30 {
					hits = append(hits, fmt.Sprintf("%s (%s, %s…) is in %s", w.what, w.form, w.secret[:4], where))
				}
			}
		}
	}
	return hits
}

func TestSearchFindsSecretsInEveryForm(t *testing.T) {
	secret := "s3cret/with \"quotes\" and more"
	secrets := map[string]string{secret: "a secret", "aaaa.bbbb.ccccccccccccccccc": "a token"}
	for form, text := range forms(secret) {
		assert.Len(t, search(map[string]string{"x": "before " + text + " after"}, map[string]string{secret: "a secret"}), countEqual(forms(secret), text), form)
	}
	assert.NotEmpty(t, search(map[string]string{"x": "only ccccccccccccccccc"}, secrets), "the signature of a token")
	assert.Empty(t, search(map[string]string{"x": "nothing to be found here"}, secrets))
}

// countEqual counts the forms that are written in the same way.
func countEqual(all map[string]string, text string) int {
	n := 0
	for _, other := range all {
		if strings.HasSuffix(text, other) {
			n++
		}
	}
	return n
}

// everythingSaid is what runs wrote: the streams, and every file below a folder by its name. The secrets of the
// environment are among those that are searched for then.
func everythingSaid(t *testing.T, dir string, heard *overheard, secrets []string, streams string) map[string]string {
	t.Helper()
	for _, secret := range secrets {
		heard.add("secret of the environment", secret)
	}
	require.Greater(t, len(heard.secrets), 100, "the runs used few secrets, so little was shown")
	texts := map[string]string{"the streams": streams}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		texts[strings.TrimPrefix(path, dir)] = string(content)
		return err
	}))
	return texts
}
