package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

// One bad answer of a gateway among many ends no load before it began; a service that stays bad does.
func TestSetUpIsPatient(t *testing.T) {
	strict := mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true, PopulationOnce: true}}
	for name, test := range map[string]struct {
		path   string
		minted bool
		lost   bool // the service did its work, but its answer got lost
		status int
		right  int64
	}{
		"sign-on":                              {"/signOnWithSessionToken", false, false, 502, 100},
		"mint":                                 {"/getSessionToken", true, false, 502, 100},
		"sign-on while busy":                   {"/signOnWithSessionToken", false, false, 503, 100},
		"mint behind a limiter":                {"/getSessionToken", true, false, 429, 100},
		"sign-on that was done, tokens of own": {"/signOnWithSessionToken", false, true, 502, 100},
		"sign-on that was done, minted":        {"/signOnWithSessionToken", true, true, 502, 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, strict, lab.Spoiled(test.path, 5, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n == 1 && test.lost {
					next.ServeHTTP(httptest.NewRecorder(), r)
				}
				if n == 1 {
					w.WriteHeader(test.status)
					return
				}
				next.ServeHTTP(w, r)
			}))
			if test.minted {
				s.Environment.Load.Clients.SessionToken = ""
			}
			var told atomic.Int64
			r, err := Run(context.Background(), Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 150}, Rate: schedule.Rate{Hits: 100, Per: time.Second},
				Duration: time.Second, MaxLag: time.Minute, SetUp: func(clients.SetUp) { told.Add(1) }})
			require.NoError(t, err)
			assert.Equal(t, test.right, r.Total.Right)
			require.NotNil(t, r.SetUp)
			assert.EqualValues(t, 1, r.SetUp.Again)
			if r.Verdict == reports.Invalid {
				return // the figures of so short a run, on a busy machine
			}
			assert.Equal(t, reports.Warn, r.Verdict, r.Reason)
			call := map[string]string{"/getSessionToken": "mint", "/signOnWithSessionToken": "signon"}[test.path]
			assert.Contains(t, r.Reason, "had to be made again; the first because "+call+" was answered "+
				strconv.Itoa(test.status))
		})
	}
}

func TestSetUpThatIsEndedSaysHowFarItWas(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := newServer(t, mock.Config{}, lab.Spoiled("/signOnWithSessionToken", 147, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		cancel(fmt.Errorf("the run was told to stop (SIGTERM)"))
	}))
	_, err := Run(ctx, Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 700}, Rate: schedule.Rate{Hits: 10000, Per: time.Second}, Duration: time.Second})
	require.Error(t, err)
	require.Regexp(t, `^set-up: 1[34]\d of 700 clients signed on when the run was told to stop \(SIGTERM\)$`, err.Error())
	never := NeverSent(Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Rate: schedule.Rate{Hits: 10, Per: time.Second}, Duration: time.Second}, err.Error())
	assert.Equal(t, reports.Error, never.Verdict)
	assert.False(t, never.Valid)
	assert.Contains(t, never.Reason, "the load was never sent: set-up: 1")
	assert.Equal(t, "constant 10/s for 1s", never.Plan.Schedule)
}

func TestMixUpBeforeTheClockStartsFailsTheRun(t *testing.T) {
	s := newServer(t, mock.Config{}, lab.Spoiled("/signOnWithSessionToken", 5, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n <= 4 {
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, lab.TokenBody("L777", "LOAD_777", "L777", "LOAD_777", fmt.Sprint(n)))
			return
		}
		next.ServeHTTP(w, r)
	}))
	r, err := Run(context.Background(), Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 20}, Rate: schedule.Rate{Hits: 40, Per: time.Second}, Duration: 500 * time.Millisecond})
	require.NoError(t, err)
	assert.EqualValues(t, 20, r.Total.Right, "spare clients do the run")
	assert.Equal(t, reports.Fail, r.Verdict)
	assert.Regexp(t, `^4 calls before the clock started were answered with something that is not right: the answer to the signon of client .* which belongs to client 777`, r.Reason)
	require.Len(t, r.Wrong, hit.MaxExamples)
	for _, w := range r.Wrong {
		assert.Equal(t, "set-up", w.Operation)
		assert.EqualValues(t, 4, w.Times)
		assert.Contains(t, w.Message, "which belongs to client 777")
	}
}

// A session token that was minted for two accounts is a finding about the service, and names both; whoever has none of
// its own takes no part.
func TestOneSessionTokenForTwoAccountsFailsTheRun(t *testing.T) {
	for name, test := range map[string]struct {
		workload string
		every    int64 // so many calls in a row are given the token of the first of them
		hits     int64
		right    int64
		before   string
	}{
		"two of many, who refresh":     {clients.WorkloadRefresh, 2, 40, 40, "10 calls before the clock started were"},
		"two of many, who sign on":     {clients.WorkloadSignOn, 2, 10, 10, ""},
		"one for all, and nobody goes": {clients.WorkloadRefresh, 1000, 40, 40, "19 calls before the clock started were"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var kept []byte
			count := int64(0)
			s := newServer(t, mock.Config{}, lab.Spoiled("/getSessionToken", 0, func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
				recorder := httptest.NewRecorder()
				next.ServeHTTP(recorder, r)
				mu.Lock()
				defer mu.Unlock()
				if count++; (count-1)%test.every == 0 {
					kept = recorder.Body.Bytes()
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(recorder.Code)
				w.Write(kept)
			}))
			s.Environment.Load.Clients.SessionToken = ""
			r, err := Run(context.Background(), Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: test.workload, Clients: 20}, Rate: schedule.Rate{Hits: 40, Per: time.Second},
				Duration: time.Second * time.Duration(test.hits) / 40, MaxLag: time.Minute})
			const again = `the session token for client \d+ \(device LO\S+, account L\S+\) was given before, for client \d+ \(device LO\S+, account L\S+\)`
			const overtaken = "answered 403"
			if err != nil { // the answer that was given later came first: then its client has the token of another, and signs on with it
				assert.ErrorContains(t, err, overtaken)
				assert.Regexp(t, again, err.Error())
				return
			}
			assert.Equal(t, reports.Fail, r.Verdict, r.Reason)
			assert.Contains(t, r.Reason, test.before)
			assert.Regexp(t, again, r.Reason)
			assert.Equal(t, "set-up", r.Wrong[0].Operation)
			assert.Equal(t, hit.KindDuplicate, r.Wrong[0].Kind)
			assert.Equal(t, "SOST-22", r.Wrong[0].Requirement)
			assert.Positive(t, r.Total.Right)
			for _, w := range r.Wrong {
				if w.Operation != "set-up" {
					assert.Equal(t, []any{hit.OpSignOn, hit.KindStatus}, []any{w.Operation, w.Kind}, w.Message)
					assert.Contains(t, w.Message, overtaken)
				}
			}
			s.NoSecretsIn(t, r.Reason)
		})
	}
}

// Where nobody is left to load, what was found before fails the run all the same, and what ends the set-up afterwards
// does not hide it.
func TestMixUpBeforeTheClockStartsIsNotLost(t *testing.T) {
	stranger := func(w http.ResponseWriter, n int64) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, lab.TokenBody("L777", "LOAD_777", "L777", "LOAD_777", fmt.Sprint(n)))
	}
	o := Options{Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 4}, Rate: schedule.Rate{Hits: 40, Per: time.Second}, Duration: 500 * time.Millisecond}
	s := newServer(t, mock.Config{}, lab.Spoiled("/signOnWithSessionToken", 0, func(n int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) { stranger(w, n) }))
	o.Environment = s.Environment
	o.Environment.Load.Clients.Count = 4
	r, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.Zero(t, r.Total.Sent)
	assert.Equal(t, reports.Fail, r.Verdict, r.Reason)
	assert.Regexp(t, `^4 calls before the clock started were .* is not its own`, r.Reason)

	refused := make(chan struct{})
	var first sync.Once
	s = newServer(t, mock.Config{}, lab.Spoiled("/signOnWithSessionToken", 0, func(n int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if n == 1 {
			<-refused // whichever answer comes first
			stranger(w, n)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		w.(http.Flusher).Flush()
		first.Do(func() { close(refused) })
	}))
	o.Environment = s.Environment
	_, err = Run(context.Background(), o)
	require.ErrorContains(t, err, "could not be signed on: signon was answered 403, not 201; besides, the answer to the signon of client")
}
