// Package peers_test lets tools of other people read what agstest writes: a linter reads the OpenAPI document, a mock
// is served from it, a proxy validates the traffic of a run against it, and a formatter of Cucumber messages counts
// scenarios. The tools come from npm ("npm ci" in this folder); without them the tests are skipped, with the word what
// is missing. All traffic stays on the loopback interface, and every process that is started is ended and waited for.
package peers_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/openapi"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// tool finds node and a module of this folder, or skips the test with what is missing.
func tool(t testing.TB, module string) (node string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short leaves the tools of npm out")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: no node on this machine")
	}
	if _, err := os.Stat(filepath.Join("node_modules", filepath.FromSlash(module))); err != nil {
		t.Skipf("skipped: internal/openapi/peers has no module %s; run npm ci there", module)
	}
	return node
}

// document writes the OpenAPI document into a file of its own.
func document(t testing.TB) string {
	t.Helper()
	text, err := openapi.Document("1.0.0")
	require.NoError(t, err)
	return written(t, text)
}

func written(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ags.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// lint gives what Redocly's linter complains of, as "rule at place", under its strictest set of rules.
func lint(t *testing.T, path string) []string {
	t.Helper()
	node := tool(t, "@redocly/cli")
	command := exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/@redocly/cli/bin/cli.js"), "lint", "--format=json", "--extends=recommended-strict", path)
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "CI=true")
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError), "the linter must run")
	}
	var found struct {
		Totals struct{ Errors, Warnings, Ignored int }
		// Problems is a pointer, so that a report of another form is not taken for one without problems.
		Problems *[]struct {
			RuleID   string
			Message  string
			Location []struct{ Pointer string }
		}
	}
	require.NoError(t, json.Unmarshal(out, &found), "%s\n%s", out, said.String())
	require.NotNil(t, found.Problems)
	assert.Zero(t, found.Totals.Ignored)
	problems := []string{}
	for _, p := range *found.Problems {
		place := ""
		if len(p.Location) > 0 {
			place = p.Location[0].Pointer
		}
		problems = append(problems, p.RuleID+" at "+place)
	}
	assert.Equal(t, len(problems), found.Totals.Errors+found.Totals.Warnings)
	return problems
}

// TestDocumentIsLinted: the document has neither errors nor warnings, and the linter does see what is wrong with spoilt
// ones.
func TestDocumentIsLinted(t *testing.T) {
	assert.Empty(t, lint(t, document(t)))

	text, err := openapi.Document("1.0.0")
	require.NoError(t, err)
	var spoilt map[string]any
	require.NoError(t, json.Unmarshal(text, &spoilt))
	operation := spoilt["paths"].(map[string]any)["/ags/refresh"].(map[string]any)["post"].(map[string]any)
	delete(operation, "security")
	operation["responses"].(map[string]any)["200"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["schema"] = map[string]any{"$ref": "#/components/schemas/Token"}
	text, err = json.Marshal(spoilt)
	require.NoError(t, err)
	problems := lint(t, written(t, text))
	assert.Contains(t, strings.Join(problems, "\n"), "no-unresolved-refs at #/paths/~1ags~1refresh/post/responses/200/content/application~1json/schema")
	assert.Contains(t, strings.Join(problems, "\n"), "security-defined at #/paths/~1ags~1refresh/post")
}

var prismListens = regexp.MustCompile(`Prism is listening on (http://127\.0\.0\.1:\d+)`)

// prism starts Stoplight's Prism ("mock" or "proxy") on a free port and gives its address.
func prism(t *testing.T, mode string, arguments ...string) string {
	t.Helper()
	node := tool(t, "@stoplight/prism-cli")
	command := exec.Command(node, append([]string{filepath.FromSlash("node_modules/@stoplight/prism-cli/dist/index.js"), mode, "--host", "127.0.0.1", "--port", "0", "--cors=false", "--multiprocess=false"}, arguments...)...)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	var said bytes.Buffer
	command.Stderr = &said
	require.NoError(t, command.Start())
	address := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer close(address)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if m := prismListens.FindStringSubmatch(line); m != nil {
				address <- m[1]
				break
			}
			if err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, lines) // its log holds requests with tokens: it is read and dropped
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-drained
		_ = command.Wait()
	})
	select {
	case found, ok := <-address:
		if !ok {
			_ = command.Wait()
			t.Fatalf("prism ended before it listened: %s", said.String())
		}
		return found
	case <-time.After(10 * time.Minute):
		t.Fatal("prism did not listen within ten minutes")
	}
	return ""
}

// service starts our mock and gives the environment that fits it.
func service(t *testing.T) (*mock.Server, *httptest.Server, *environment.Environment) {
	t.Helper()
	server := mock.New(mock.Config{Seed: 1})
	api, control := httptest.NewServer(server), httptest.NewServer(server.Control())
	t.Cleanup(func() { api.Close(); control.Close() })
	e, err := environment.Parse(server.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	return server, api, e
}

// dozes does not wait in real time before a request that is sent again.
func dozes(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func run(t *testing.T, o steps.Options) *reports.Conformance {
	t.Helper()
	o.Timeout = 30 * time.Second
	report, err := steps.Run(t.Context(), o)
	require.NoError(t, err)
	return report
}

func verdicts(report *reports.Conformance) map[string]reports.Verdict {
	found := map[string]reports.Verdict{}
	for _, q := range report.Requirements {
		found[q.ID] = q.Verdict
	}
	return found
}
