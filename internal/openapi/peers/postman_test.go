package peers_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports/export"
	"agstest/steps"
)

// newSessionToken asks the mock for a session token of an account.
func newSessionToken(t *testing.T, server *mock.Server) string {
	t.Helper()
	answer := httptest.NewRecorder()
	ask := httptest.NewRequest(http.MethodPost, "/control/session-tokens", strings.NewReader(`{"accountId":"1663"}`))
	ask.Header.Set("Authorization", "Bearer "+server.ControlToken())
	server.Control().ServeHTTP(answer, ask)
	var minted struct{ SessionToken string }
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &minted), answer.Body.String())
	require.NotEmpty(t, minted.SessionToken, answer.Body.String())
	return minted.SessionToken
}

// TestNewmanRunsTheCollection: with a session token alone, newman runs those calls of a collection that need no more
// one after the other, each with the tokens of the one before, and each is answered as in the run; at a service that
// answers otherwise it says so.
func TestNewmanRunsTheCollection(t *testing.T) {
	wide(t)
	node := tool(t, "newman")
	server, api, e := service(t)
	report := run(t, steps.Options{Environment: e, Only: []string{"DISC-01", "SOST-01", "REF-01", "OUT-01"}, Sleep: dozes})
	var collection bytes.Buffer
	require.NoError(t, export.Postman(&collection, report))
	path := filepath.Join(t.TempDir(), "postman.json")
	require.NoError(t, os.WriteFile(path, collection.Bytes(), 0o600))

	newman := func() (asked []string, failed []string) {
		found := filepath.Join(t.TempDir(), "found.json")
		command := exec.CommandContext(t.Context(), node, filepath.FromSlash("node_modules/newman/bin/newman.js"), "run", path, "--suppress-exit-code",
			"--env-var", "SESSION_TOKEN="+newSessionToken(t, server), "--env-var", "url="+api.URL,
			"--folder", "servicediscovery", "--folder", "signOnWithSessionToken", "--folder", "refresh", "--folder", "signOut", "--reporters", "json", "--reporter-json-export", found)
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
		text, err := os.ReadFile(found)
		require.NoError(t, err)
		var read struct {
			Run struct {
				Stats struct {
					Assertions struct{ Total, Failed int }
				}
				Executions []struct{ Item struct{ Name string } }
				Failures   []struct {
					Source struct{ Name string }
					Error  struct{ Message string }
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &read))
		for _, execution := range read.Run.Executions {
			asked = append(asked, execution.Item.Name)
		}
		for _, failure := range read.Run.Failures {
			failed = append(failed, failure.Source.Name+": "+failure.Error.Message)
		}
		assert.Equal(t, len(asked), read.Run.Stats.Assertions.Total, "each call is checked")
		return asked, failed
	}
	asked, failed := newman()
	assert.Equal(t, []string{"servicediscovery", "signOnWithSessionToken", "refresh", "signOut"}, asked)
	assert.Empty(t, failed)

	require.NoError(t, server.Use(nil, []string{"refresh-201"}))
	_, failed = newman()
	require.Len(t, failed, 1)
	assert.Contains(t, failed[0], "refresh: expected response to have status code 200 but got 201")
}
