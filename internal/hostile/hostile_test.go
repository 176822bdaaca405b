package hostile_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/hostile"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// The bounds of one run: services that never answer end it by its time-out, all others much sooner.
const (
	patience   = 12 * time.Second // the time-out where a service is endless
	longest    = 5 * time.Minute  // of one run, on a machine that does much else
	hits       = 4                // of one load run
	maxWritten = 256 << 20        // bytes that clients and the buffers of connections take, of all answers to a run
	maxHeap    = 768 << 20        // of the whole table at any time; one bomb that is let in is more
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

// each runs something for every chosen row, in t.Run. Rows that only wait do it all at once; of the others a few run at
// a time.
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

// TestTheServerTellsWhatItDid: a careless client takes all of a long answer and follows redirects, and both are
// counted.
func TestTheServerTellsWhatItDid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ written, strayed int64 }{"100 MB": {100 << 20, 0}, "307 to another host": {0, 1}} {
		server, _ := target(t, behaviours[name], nil)
		response, err := http.Post(server.URL, "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		response.Body.Close()
		// The last bytes are counted a moment after they have come.
		assert.Eventually(t, func() bool { return server.Written() >= test.written }, 10*time.Second, time.Millisecond, name)
		assert.Equal(t, test.strayed, server.Strayed(), name)
		assert.EqualValues(t, 1, server.Turns(), name)
	}
}

// TestNothingIsJudgedWhereNothingIsAnswered: with every call unanswered, a run ends with exit code 3 before its first
// scenario or hit. A gateway at the door is told as what it is. A limiter at the door (429) is a service that is there:
// nothing can be told, and a load ends in its set-up.
func TestNothingIsJudgedWhereNothingIsAnswered(t *testing.T) {
	t.Parallel()
	unanswered := func(r row, b hostile.Behaviour) bool { return r.conform == "error" && b.Shared() }
	each(t, 8, unanswered, func(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration) {
		server, e := target(t, b, nil)
		report, err := steps.Run(t.Context(), steps.Options{Environment: e, Only: []string{"SOST-01"}, Timeout: timeout, Sleep: atOnce})
		assert.Zero(t, server.Strayed())
		_, loadErr := load.Run(t.Context(), load.Options{
			Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 8}, Rate: schedule.Rate{Hits: 200, Per: time.Second}, Duration: 20 * time.Millisecond, Timeout: timeout,
		})
		discovery := "GET " + server.URL + "/ags/servicediscovery "
		door, says := discovery+"got no answer: ", r.says
		switch {
		case strings.HasPrefix(r.name, "429"):
			require.NoError(t, err)
			nothingTold(t, report, r.says)
			setUpFailed(t, loadErr, "signon was answered 429 with Retry-After")
			assert.ErrorContains(t, loadErr, "0 of 8 clients signed on")
			return
		case strings.HasPrefix(r.name, "503"):
			door = discovery + "was answered by what looks like a gateway (status 503) instead of by an AGS: the gateway is up, and the service behind it is down or shut off"
		case r.name == "407":
			door, says = discovery+"was refused: the proxy wants a user name and password", ""
		}
		for _, err := range []error{err, loadErr} { // a load looks before its clock starts
			setUpFailed(t, err, says)
			assert.ErrorContains(t, err, door)
		}
	})
}

// nothingTold: what was asked has the verdict error and says why, nothing failed, and what passed is not of the
// operation.
func nothingTold(t *testing.T, report *reports.Conformance, says string) {
	t.Helper()
	assert.Equal(t, reports.Error, report.Verdict, report.Reason)
	asked := 0
	for _, q := range report.Requirements {
		assert.NotEqual(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
		if q.ID == "SOST-01" {
			asked++
			assert.Equal(t, reports.Error, q.Verdict)
			assert.Contains(t, q.Reason, says)
		}
	}
	assert.Equal(t, 1, asked, "SOST-01 stands in the report")
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
	assert.Less(t, m.HeapSys, uint64(maxHeap))
}
