package hostile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/hostile"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestConformanceBearsHostileServices: whatever refresh is answered with, a run ends in bounded time and says why, and
// what needs no refresh goes on. Behaviours that can live side by side are met in one run, each by a client of its own;
// the others each have a run.
func TestConformanceBearsHostileServices(t *testing.T) {
	t.Parallel()
	var plain, endless []row
	for _, r := range table {
		switch b := behaviours[r.name]; {
		case b.Shared() && b.Endless:
			endless = append(endless, r)
		case b.Shared():
			plain = append(plain, r)
		}
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		together(t, plain, longest)
	})
	t.Run("together, endless", func(t *testing.T) {
		t.Parallel()
		together(t, endless, patience)
	})
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		each(t, 3, func(r row, b hostile.Behaviour) bool { return !b.Shared() }, alone)
	})
}

// hostileFeature has a scenario for each behaviour. The model of the device chooses the refresh to answer badly, the
// second one: a run gives a call up that was never answered and twice not in time, and which comes first is chance.
const hostileFeature = `@hostile
Feature: Hostile answers
  Scenario: A good one
    Given an account in good standing
    When the client signs on with a session token for the first time
    Then the status is 201
    When the client refreshes its tokens
    Then the status is 200

  Scenario Outline: row <row>
    Given an account in good standing
    When the client signs on with a session token for the first time with this deviceInformation:
      """
      {"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},"device":{"screen":{"height":2560,"width":1440,"density":560},
       "hardware":{"model":"row <row>","manufacturer":"Google","type":"Mobile"},"OS":{"type":"Android","version":"14"},
       "CPU":{"neon":"true","frequency":"2.9","cores":"9"},"GPU":{"frequency":null,"cores":null}},"playoutDeviceClass":"mobileDevice","deviceType":"OPEN"}
      """
    Then the status is 201
    When the client refreshes its tokens
    Then the status is 200
    When the client refreshes its tokens
    Then the status is 200

    Examples:
      | row |
`

// twice are behaviours that show only when somebody was there before.
var twice = map[string]bool{"answers to somebody else": true, "a late second answer": true}

// together lets a service behave in all the ways of the rows, one for each client.
func together(t *testing.T, rows []row, timeout time.Duration) {
	feature := strings.Builder{}
	feature.WriteString(hostileFeature)
	scenarios := 0
	for i, r := range rows {
		for n := 0; n == 0 || n == 1 && twice[r.name]; n++ {
			fmt.Fprintf(&feature, "      | %d |\n", i)
			scenarios++
		}
	}
	service := mock.New(mock.Config{Seed: 7})
	signedOn := clientsByRow{next: service, row: map[string]int{}, refreshed: map[string]bool{}}
	server, err := hostile.StartMany(&signedOn, func(r *http.Request) (hostile.Behaviour, bool) {
		i, ok := signedOn.due(r)
		if !ok {
			return hostile.Behaviour{}, false
		}
		return behaviours[rows[i].name], true
	})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	e := environmentOf(t, service, server)
	began := time.Now()
	report, err := steps.Run(t.Context(), steps.Options{
		Environment: e, Features: fstest.MapFS{"hostile.feature": {Data: []byte(feature.String())}}, Tags: "@hostile",
		Timeout: timeout, Sleep: atOnce, Concurrency: 16,
	})
	require.NoError(t, err)
	assert.Less(t, time.Since(began), longest)
	assert.Zero(t, server.Strayed(), "a redirect was followed")
	assert.Less(t, server.Written(), int64(maxWritten))
	smallHeap(t)
	require.Equal(t, reports.Fail, report.Verdict, report.Reason)
	require.GreaterOrEqual(t, server.Turns(), int64(scenarios), "every refresh of a row was answered badly")
	require.Len(t, report.Scenarios, 1+scenarios)
	assert.Equal(t, reports.Pass, report.Scenarios[0].Verdict, "who meets nothing hostile goes on")
	for i, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			verdict := reports.Pass
			var reasons []string
			for _, s := range report.Scenarios {
				if s.Name != fmt.Sprint("row ", i) {
					continue
				}
				assert.Equal(t, reports.Pass, s.Steps[2].Verdict, "the sign-on")
				if s.Verdict == reports.Fail || verdict == reports.Pass {
					verdict = s.Verdict
				}
				reasons = append(reasons, s.Reason)
				for _, f := range s.Findings {
					reasons = append(reasons, f.Got, f.Expected)
				}
				for _, x := range s.Transcript {
					assert.Less(t, len(x.ResponseBody), 1<<20)
				}
			}
			require.NotEmpty(t, reasons)
			assert.Equal(t, r.conform, string(verdict), reasons)
			assert.Contains(t, strings.Join(reasons, "\n"), r.says)
			if r.name != "tokens of another tenant" { // which is no secret
				assert.NotContains(t, strings.Join(reasons, "\n"), "s3cret")
			}
		})
	}
}

// clientsByRow remembers which refresh token belongs to a client of which row, and which of them come from a refresh.
type clientsByRow struct {
	next      http.Handler
	mu        sync.Mutex // guards the others
	row       map[string]int
	refreshed map[string]bool
}

var rowOfDevice = regexp.MustCompile(`"model":"row (\d+)"`)

func (c *clientsByRow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.next.ServeHTTP(w, r)
	var tokens struct {
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(w.(*httptest.ResponseRecorder).Body.Bytes(), &tokens) != nil || tokens.Refresh == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if device := rowOfDevice.FindSubmatch(body); device != nil {
		c.row[tokens.Refresh], _ = strconv.Atoi(string(device[1]))
	} else if row, ok := c.row[bearer(r)]; ok && hostile.Refreshes(r) {
		c.row[tokens.Refresh], c.refreshed[tokens.Refresh] = row, true
	}
}

// due tells the row whose second refresh a request is.
func (c *clientsByRow) due(r *http.Request) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.row[bearer(r)], hostile.Refreshes(r) && c.refreshed[bearer(r)]
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// alone is a run against one behaviour.
func alone(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration) {
	server, e := target(t, b, hostile.Refreshes)
	report, err := steps.Run(t.Context(), steps.Options{
		Environment: e, Only: []string{"SSO-01", "REF-01", "REF-12"}, Timeout: timeout, Sleep: atOnce, Concurrency: 1, BriefEvidence: true,
	})
	if r.conform == "setup" {
		setUpFailed(t, err, r.says)
		return
	}
	require.NoError(t, err)
	require.Equal(t, r.conform, string(report.Verdict), report.Reason)
	assert.True(t, b.Everywhere() || server.Turns() > 0, "nothing was answered badly")
	var reasons []string
	for _, q := range report.Requirements {
		if q.Verdict == reports.Fail || q.Verdict == reports.Error {
			reasons = append(reasons, q.Reason)
		}
	}
	assert.Equal(t, r.conform != "pass", len(reasons) > 0)
	assert.Contains(t, strings.Join(reasons, "\n"), r.says)
	for _, s := range report.Scenarios {
		if slices.Contains(s.Requirements, "SSO-01") && !b.Ruins() {
			assert.Equal(t, reports.Pass, s.Verdict, "what needs no refresh goes on: %s", s.Reason)
		}
	}
}
