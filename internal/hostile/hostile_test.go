package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/hostile"
	"agstest/load"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// The bounds of one run: services that never answer end it by its time-out, all others much sooner.
const (
	patience    = 2 * time.Second  // the time-out where a service is endless
	longest     = 60 * time.Second // of one run, on a machine that does much else
	hits        = 4                // of one load run
	mostWritten = 256 << 20        // bytes that clients and the buffers of connections take, of all answers to a run
	mostHeap    = 768 << 20        // of the whole table at any time; one bomb that is let in is more
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http tells there of bytes that nobody asked for
	os.Exit(m.Run())
}

// target starts a mock behind a behaviour.
func target(t testing.TB, b hostile.Behaviour, chosen func(*http.Request) bool) (*hostile.Server, *environment.Environment) {
	t.Helper()
	service := mock.New(mock.Config{Seed: 7})
	server, err := hostile.Start(b, service, chosen)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server, environmentOf(t, service, server)
}

// environmentOf is the environment of a mock behind a hostile server.
func environmentOf(t testing.TB, service *mock.Server, server *hostile.Server) *environment.Environment {
	t.Helper()
	control := httptest.NewServer(service.Control())
	t.Cleanup(control.Close)
	ca := ""
	if server.CA != nil {
		ca = filepath.Join(t.TempDir(), "ca.pem")
		require.NoError(t, os.WriteFile(ca, server.CA, 0o600))
	}
	e, err := environment.Parse(service.Environment(server.URL, control.URL, ca), "mock.yaml", "/", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	e.Load.MaxRate, e.Load.Clients.Count = "", 100
	return e
}

// each runs something for every chosen row, in t.Run. Rows that only wait do it all at once; of the others a few run at a time.
func each(t *testing.T, few int, chosen func(r row, b hostile.Behaviour) bool, run func(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration)) {
	turn := make(chan struct{}, few)
	var rows sync.WaitGroup
	defer rows.Wait()
	for _, r := range table {
		b := behaviours[r.name]
		if !chosen(r, b) {
			continue
		}
		timeout := longest
		if b.Endless {
			timeout = patience
		}
		rows.Go(func() {
			if !b.Endless {
				turn <- struct{}{}
				defer func() { <-turn }()
			}
			t.Run(r.name, func(t *testing.T) {
				began := time.Now()
				run(t, r, b, timeout)
				assert.Less(t, time.Since(began), longest)
			})
		})
	}
}

// behaviours by their names.
var behaviours = func() map[string]hostile.Behaviour {
	all := map[string]hostile.Behaviour{}
	for _, b := range hostile.Behaviours() {
		all[b.Name] = b
	}
	return all
}()

// atOnce: no wait for a service that asks to come again later.
func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// TestEveryBehaviourHasItsRow: each behaviour stands in the table once, and there are enough of them.
func TestEveryBehaviourHasItsRow(t *testing.T) {
	var have, want []string
	for _, r := range table {
		want = append(want, r.name)
	}
	for _, b := range hostile.Behaviours() {
		have = append(have, b.Name)
	}
	assert.Equal(t, have, want)
	assert.GreaterOrEqual(t, len(table), 60)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(want))), len(want), "two of one name")
	bad, right := 0, 0
	for _, r := range table {
		if r.conform == "pass" && r.load == "right" {
			right++
			continue
		}
		bad++
		assert.True(t, r.conform == "pass" || r.says != "", "%s: conformance names no cause", r.name)
		assert.True(t, r.load == "right" || r.loadSays != "", "%s: load names no cause", r.name)
	}
	assert.GreaterOrEqual(t, bad, 60, "behaviours that are wrong")
	assert.GreaterOrEqual(t, right, 20, "behaviours that are strange and right")
}

// TestTheServerTellsWhatItDid: a careless client takes all of a long answer and follows redirects, and both are counted.
func TestTheServerTellsWhatItDid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ written, strayed int64 }{"100 MB": {100 << 20, 0}, "307 to another host": {0, 1}} {
		server, _ := target(t, behaviours[name], nil)
		response, err := http.Post(server.URL, "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		response.Body.Close()
		assert.GreaterOrEqual(t, server.Written(), test.written, name)
		assert.Equal(t, test.strayed, server.Strayed(), name)
		assert.EqualValues(t, 1, server.Turns(), name)
	}
}

// TestConformanceBearsHostileServices: whatever refresh is answered with, a run ends in bounded time and says why, and what needs no
// refresh goes on. Behaviours that can live side by side are met in one run, each by a client of its own; the others each have a run.
func TestConformanceBearsHostileServices(t *testing.T) {
	t.Parallel()
	var plain, endless []row
	for _, r := range table {
		switch b := behaviours[r.name]; {
		case b.Plain() && b.Endless:
			endless = append(endless, r)
		case b.Plain():
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
		each(t, 3, func(r row, b hostile.Behaviour) bool { return !b.Plain() }, alone)
	})
}

// hostileFeature has a scenario for each behaviour. The model of the device says whose refresh is to be answered badly.
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
	signedOn := clientsByRow{next: service, row: map[string]int{}}
	server, err := hostile.StartMany(&signedOn, func(r *http.Request) (hostile.Behaviour, bool) {
		i, ok := signedOn.of(r)
		if !ok || !hostile.Refreshes(r) {
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
	assert.Less(t, server.Written(), int64(mostWritten))
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

// clientsByRow remembers which refresh token belongs to a client of which row.
type clientsByRow struct {
	next http.Handler
	mu   sync.Mutex // guards row
	row  map[string]int
}

var rowOfDevice = regexp.MustCompile(`"model":"row (\d+)"`)

func (c *clientsByRow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.next.ServeHTTP(w, r)
	var tokens struct {
		Refresh string `json:"refresh_token"`
	}
	if row := rowOfDevice.FindSubmatch(body); row != nil && json.Unmarshal(w.(*httptest.ResponseRecorder).Body.Bytes(), &tokens) == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.row[tokens.Refresh], _ = strconv.Atoi(string(row[1]))
	}
}

func (c *clientsByRow) of(r *http.Request) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	row, ok := c.row[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	return row, ok
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

// TestLoadBearsHostileServices: whatever refresh is answered with, a run ends in bounded time, counts no answer right that is not, and
// says why. No hostile row ends green.
func TestLoadBearsHostileServices(t *testing.T) {
	t.Parallel()
	each(t, 8, func(row, hostile.Behaviour) bool { return true }, func(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration) {
		server, e := target(t, b, hostile.Refreshes)
		workers := 0
		if b.Kept || b.Ruins() {
			workers = 1 // so that it is known which connection carries a hit
		}
		report, err := load.Run(t.Context(), load.Options{
			Environment: e, Workload: load.WorkloadRefresh, Rate: load.Rate{Hits: 200, Per: time.Second}, Duration: hits * time.Second / 200, Clients: 8,
			Workers: workers, Timeout: timeout, MaxLag: time.Minute, JudgeEvery: 1,
		})
		assert.Zero(t, server.Strayed(), "a redirect was followed")
		assert.Less(t, server.Written(), int64(mostWritten))
		smallHeap(t)
		if r.load == "setup" {
			setUpFailed(t, err, r.loadSays)
			return
		}
		require.NoError(t, err)
		refresh := report.Operations["refresh"]
		var outcomes []string
		if refresh.Right > 0 {
			outcomes = append(outcomes, "right")
		}
		outcomes = append(outcomes, slices.Sorted(maps.Keys(refresh.Outcomes))...)
		var messages []string
		for _, w := range report.Wrong {
			messages = append(messages, w.Message)
		}
		require.Equal(t, r.load, strings.Join(outcomes, " "), "%v", messages)
		assert.EqualValues(t, hits, refresh.Right+refresh.Wrong)
		assert.Contains(t, strings.Join(messages, "\n"), r.loadSays)
		assert.NotContains(t, strings.Join(messages, "\n"), "s3cret")
		if r.load == "right" {
			// The figures of so short a run may be invalid: the collector of garbage alone can take a hundredth of it.
			assert.Contains(t, []reports.Verdict{reports.Pass, reports.Invalid}, report.Verdict, report.Reason)
			return
		}
		assert.Contains(t, []reports.Verdict{reports.Fail, reports.Invalid}, report.Verdict, report.Reason)
		assert.Positive(t, refresh.Wrong)
	})
}

// TestNothingIsJudgedWhereNothingIsAnswered: with every call unanswered, a run ends with exit code 3 before its first scenario or hit.
func TestNothingIsJudgedWhereNothingIsAnswered(t *testing.T) {
	t.Parallel()
	unanswered := func(r row, b hostile.Behaviour) bool { return r.conform == "error" && b.Plain() }
	each(t, 3, unanswered, func(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration) {
		server, e := target(t, b, nil)
		_, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: timeout, Sleep: atOnce})
		assert.Zero(t, server.Strayed())
		setUpFailed(t, err, r.says)
		assert.ErrorContains(t, err, "GET "+server.URL+"/ags/servicediscovery got no answer: ")
		_, err = load.Run(t.Context(), load.Options{
			Environment: e, Workload: load.WorkloadRefresh, Rate: load.Rate{Hits: 200, Per: time.Second}, Duration: 20 * time.Millisecond, Clients: 8, Timeout: timeout,
		})
		setUpFailed(t, err, r.says)
		assert.ErrorContains(t, err, "could not be signed on: ")
	})
}

// TestClientsThatAreSentAwayEndTheRun: whoever is asked to come again in the year 9999 is not waited for, and the run says so.
func TestClientsThatAreSentAwayEndTheRun(t *testing.T) {
	t.Parallel()
	_, e := target(t, behaviours["429 that asks to come in the year 9999"], hostile.Refreshes)
	e.Load.Clients.Count = 20
	report, err := load.Run(t.Context(), load.Options{
		Environment: e, Workload: load.WorkloadRefresh, Rate: load.Rate{Hits: 200, Per: time.Second}, Duration: 10 * time.Minute, Clients: 20, MaxLag: time.Minute,
	})
	require.NoError(t, err)
	assert.Contains(t, report.Run.Partial, "were asked with Retry-After to come again later than in a day")
	assert.Zero(t, report.Total.Right)
	assert.NotEqual(t, reports.Pass, report.Verdict, report.Reason)
}

// TestLoadOverHTTP2Alone: a service that speaks nothing else is loaded over net/http where the set-up has nothing to ask it.
func TestLoadOverHTTP2Alone(t *testing.T) {
	t.Parallel()
	_, e := target(t, behaviours["HTTP/2 alone"], hostile.Refreshes)
	report, err := load.Run(t.Context(), load.Options{
		Environment: e, Workload: load.WorkloadSignOn, Rate: load.Rate{Hits: 200, Per: time.Second}, Duration: 60 * time.Millisecond, MaxLag: time.Minute,
	})
	require.NoError(t, err)
	assert.Equal(t, "net/http, since the service speaks HTTP/2 only", report.Plan.Transport)
	assert.EqualValues(t, 12, report.Total.Right, "%v", report.Wrong)
	assert.Zero(t, report.Total.Wrong)
}

func setUpFailed(t *testing.T, err error, says string) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, failure.Setup, failure.KindOf(err), "exit code 3: %v", err)
	assert.ErrorContains(t, err, says)
	assert.NotContains(t, err.Error(), "s3cret")
	assert.NotContains(t, err.Error(), "\n")
	assert.False(t, errors.Is(err, context.DeadlineExceeded))
}

// smallHeap looks how much memory the process has taken for its heap so far, which never becomes less.
func smallHeap(t *testing.T) {
	t.Helper()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	assert.Less(t, m.HeapSys, uint64(mostHeap))
}
