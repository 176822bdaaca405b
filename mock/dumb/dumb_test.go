package dumb_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/mock/dumb"
)

// TestDumbServers: each answers as its summary says, and those that are the same for everybody are.
func TestDumbServers(t *testing.T) {
	t.Parallel()
	all := dumb.All()
	require.Len(t, all, 12)
	want := map[string]int{"empty-object": 200, "all-401": 401, "all-500": 500, "replay": 201, "first-user": 201, "random-tokens": 201, "captive-portal": 200,
		"echo": 200, "static-mock": 201, "redirect-loop": 307, "closed": 0, "flaky": 201}
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			behind := mock.New(mock.Config{})
			server, control := httptest.NewServer(d.Handler(behind)), httptest.NewServer(behind.Control())
			defer server.Close()
			defer control.Close()
			e, err := environment.Parse(behind.Environment(server.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
			require.NoError(t, err)
			client := server.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			post := func(url, authorization, body string) (int, string) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
				require.NoError(t, err)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("x-auth-service-id", e.Service)
				r.Header.Set("nv-tenant-id", e.Tenant)
				r.Header.Set("Authorization", authorization)
				answer, err := client.Do(r)
				if err != nil {
					return 0, ""
				}
				defer answer.Body.Close()
				text, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				return answer.StatusCode, string(text)
			}
			signOn := func() (int, string) {
				var made struct{ AccountID, SessionToken string }
				_, text := post(e.Mock.URL+"/control/accounts", "Bearer "+e.Mock.Token, `{"status":"ACTIVE"}`)
				require.NoError(t, json.Unmarshal([]byte(text), &made))
				_, text = post(e.Mock.URL+"/control/session-tokens", "Bearer "+e.Mock.Token, `{"accountId":"`+made.AccountID+`"}`)
				require.NoError(t, json.Unmarshal([]byte(text), &made))
				return post(server.URL+"/ags/signOnWithSessionToken", "", `{"parameters":[{"name":"sessionToken","value":"`+made.SessionToken+`"}],`+
					`"deviceInformation":{"device":{"OS":{"type":"Android","version":"14"}},"playoutDeviceClass":"mobileDevice","deviceType":"OPEN"}}`)
			}
			status, first := signOn()
			assert.Equal(t, want[d.Name], status, first)
			_, second := signOn()
			if d.Name == "replay" || d.Name == "first-user" || d.Name == "static-mock" {
				assert.Equal(t, first, second, "the same answer for everybody")
			}
		})
	}
}
