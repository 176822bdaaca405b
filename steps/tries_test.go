package steps_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestWhatShowsInOneAnswerOfManyIsFound repeats the scenarios of each intermittent fault, with and without the control
// interface: it fails sometimes, and the report says so.
func TestWhatShowsInOneAnswerOfManyIsFound(t *testing.T) {
	t.Parallel()
	faults := 0
	for _, f := range mock.Faults() {
		if f.Every == 0 {
			continue
		}
		faults++
		for _, isLive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s live=%v", f.Name, isLive), func(t *testing.T) {
				t.Parallel()
				o := quick
				o.Repeat, o.Generate, o.Sequences = 2*f.Every+1, 0, 0
				o.Tags = "@" + f.Requirement + " and (@refresh or @sign-on-with-session-token or @discovery or @get-session-token)" // which send little
				trial := steps.Trial{Name: f.Name, Requirement: f.Requirement, Start: func() (*environment.Environment, func(), error) {
					fresh, _ := mock.FaultByName(f.Name)
					e, end, err := started(mock.Config{Faults: []mock.Fault{fresh}}, itself)
					if isLive && err == nil {
						e.Mock = nil
					}
					return e, end, err
				}}
				r := steps.Try(context.Background(), []steps.Trial{trial}, o, 1)[0]
				require.NoError(t, r.Err)
				assert.True(t, r.Right, "%s: %s", r.At, r.Reason)
				if assert.NotNil(t, r.Tries) {
					assert.True(t, r.Tries.Sometimes(), "%+v", r.Tries)
					assert.GreaterOrEqual(t, r.Tries.Times, o.Repeat)
				}
			})
		}
	}
	assert.GreaterOrEqual(t, faults, 12)
}

// oneRefresh is a scenario that refreshes once.
var oneRefresh = fstest.MapFS{"once.feature": {Data: []byte("Feature: Refresh\n  @REF-01 @once\n  Scenario: Once\n    Given a client that is signed on\n    When the client refreshes its tokens\n    Then the status is 200\n")}}

// TestAFailingScenarioIsTriedAgain tells scenarios that always fail from those that sometimes do, in each place of the
// report.
func TestAFailingScenarioIsTriedAgain(t *testing.T) {
	t.Parallel()
	only := steps.Options{Features: oneRefresh, Tags: "@once", Retry: 2, Seed: 3}
	always := only
	always.Environment = service(t, mock.Config{Faults: []mock.Fault{fault(t, "refresh-201")}})
	report := run(t, always)
	assert.Equal(t, reports.Fail, report.Verdict)
	q := requirement(t, report, "REF-01")
	assert.Equal(t, &reports.Tries{Times: 3, Showed: 3, First: 1}, q.Tries)
	assert.Contains(t, q.Reason, "fails always (3 of 3): expected status 200; got status 201")
	require.NotEmpty(t, report.Causes)
	assert.Contains(t, report.Causes[0].Sentence(), "fails always (3 of 3): refresh: ")
	assert.Contains(t, report.Scenarios[0].Reason, "fails always (3 of 3): ")

	never := always
	never.Retry = 0
	report = run(t, never)
	assert.Nil(t, requirement(t, report, "REF-01").Tries)
	assert.Nil(t, report.Causes[0].Tries)

	var refreshes int
	e, end, err := started(mock.Config{}, refreshesBehind(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if refreshes++; refreshes == 1 {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			answer.Code = http.StatusCreated
			copyAnswer(w, answer)
			return
		}
		next.ServeHTTP(w, r)
	}))
	require.NoError(t, err)
	defer end()
	sometimes := only
	sometimes.Environment = e
	report = run(t, sometimes)
	assert.Equal(t, reports.Fail, report.Verdict, "what fails sometimes fails")
	q = requirement(t, report, "REF-01")
	assert.Equal(t, &reports.Tries{Times: 3, Showed: 1, First: 1}, q.Tries)
	assert.Contains(t, q.Reason, "fails sometimes (1 of 3): ")
	assert.Equal(t, 3, refreshes)
	s := report.Scenarios[0]
	assert.Equal(t, reports.Fail, s.Verdict)
	assert.Equal(t, http.StatusCreated, s.Transcript[report.Causes[0].Exchange].Status, "the evidence is that of the try that failed")
	said := ""
	for _, step := range s.Steps {
		said += step.Message
	}
	assert.Contains(t, said, "fails sometimes (1 of 3): ")
}

// TestATryThatCouldNotTellShowsNothing: the first refresh fails, and nobody can sign on any more when it is tried again.
// That does not make it a failure that comes and goes.
func TestATryThatCouldNotTellShowsNothing(t *testing.T) {
	t.Parallel()
	var refreshes atomic.Int64
	e := behind(t, mock.Config{Faults: []mock.Fault{fault(t, "refresh-201")}}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refreshes.Load() > 0 && strings.HasSuffix(r.URL.Path, "/getSessionToken") {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if strings.HasSuffix(r.URL.Path, "/refresh") {
				refreshes.Add(1)
			}
			s.ServeHTTP(w, r)
		})
	})
	report := run(t, steps.Options{Environment: e, Features: oneRefresh, Tags: "@once", Retry: 2, Seed: 3, Concurrency: 1})
	q := requirement(t, report, "REF-01")
	assert.Equal(t, reports.Fail, q.Verdict, q.Reason)
	assert.Nil(t, q.Tries)
	assert.NotContains(t, q.Reason, "sometimes")
	assert.Contains(t, strings.Join(report.Notes, "\n"), "whether 1 cause always shows was not tried")
}

// refreshesBehind puts something before the calls of refresh, one at a time.
func refreshesBehind(spoil func(http.ResponseWriter, *http.Request, http.Handler)) func(*mock.Server) http.Handler {
	return func(s *mock.Server) http.Handler {
		var mu sync.Mutex
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/refresh") {
				s.ServeHTTP(w, r)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			spoil(w, r, s)
		})
	}
}

// TestWhatCouldNotBeToldIsTriedAgain: a lost connection, a limiter that has no room, and a refusal of what was sent
// again after a 503 are settled by another try, which the report says; without one, and where it goes on, they could
// not be told.
func TestWhatCouldNotBeToldIsTriedAgain(t *testing.T) {
	t.Parallel()
	carriedOut := func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := httptest.NewRecorder()
		switch n { // a gateway that answers for a service which has done its work, and the service then refuses
		case 0:
			next.ServeHTTP(answer, r)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"message":"no"}`)
		default:
			next.ServeHTTP(w, r)
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(n int, w http.ResponseWriter, r *http.Request, next http.Handler)
		retry int
		want  reports.Verdict
	}{
		{"a lost connection", func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n == 0 {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		}, 2, reports.Pass},
		{"a limiter", func(n int, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n < 5 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		}, 2, reports.Pass},
		{"a refusal after a 503", carriedOut, 2, reports.Pass},
		{"a refusal after a 503, not tried again", carriedOut, 0, reports.Error},
		{"a limiter that goes on", func(_ int, w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusTooManyRequests)
		}, 2, reports.Error},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := -1
			e, end, err := started(mock.Config{}, refreshesBehind(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				n++
				test.spoil(n, w, r, next)
			}))
			require.NoError(t, err)
			defer end()
			o := quick
			o.Environment, o.Features, o.Tags, o.Retry = e, oneRefresh, "@once", test.retry
			report := run(t, o)
			q := requirement(t, report, "REF-01")
			assert.Equal(t, test.want, q.Verdict, q.Reason)
			if test.want == reports.Pass {
				assert.Contains(t, report.Scenarios[0].Reason, "at first it could not be told, and it was tried again")
				assert.Contains(t, strings.Join(report.Notes, "\n"), "1 scenario could not be told at first and could when tried again")
			}
		})
	}
}

// TestTryingAgainIsBounded: a service that is wrong all over does not get many more requests for it, no more devices
// than allowed are made, and no more wrong passwords are sent.
func TestTryingAgainIsBounded(t *testing.T) {
	t.Parallel()
	var passwords int
	var mu sync.Mutex
	look := func(retry int) (*reports.Conformance, int) {
		passwords = 0
		e, end, err := started(mock.Config{Faults: []mock.Fault{fault(t, "session-sign-on-200"), fault(t, "refresh-201"), fault(t, "sign-on-any-password")}}, func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := recordBody(r)
				mu.Lock()
				if strings.Contains(body, "not-the-password") {
					passwords++
				}
				mu.Unlock()
				s.ServeHTTP(w, r)
			})
		})
		require.NoError(t, err)
		defer end()
		control := e.Mock
		e.Mock, e.Lockout, e.NeverLocks = nil, 3, false
		before := allDevices(t, control)
		o := quick
		o.Environment, o.Retry, o.Seed, o.Patience, o.Generate, o.Sequences = e, retry, 3, 0, 0, 0
		report := run(t, o)
		return report, allDevices(t, control) - before
	}
	once, devices := look(0)
	wrong := passwords
	assert.Positive(t, wrong)
	again, devicesAgain := look(2)
	assert.Equal(t, reports.Fail, again.Verdict)
	assert.Greater(t, again.Counts.Scenarios[reports.Fail], 20, "red all over")
	assert.Less(t, float64(again.Counts.Exchanges), 1.5*float64(once.Counts.Exchanges))
	assert.LessOrEqual(t, devicesAgain, 4)
	assert.GreaterOrEqual(t, devicesAgain, devices)
	assert.Less(t, passwords, wrong+3, "wrong passwords of the users, of whom lockout lets each have 2")
}

// TestAProtectedServiceGetsNoRepeats: nor is a scenario tried again that was ended.
func TestAProtectedServiceGetsNoRepeats(t *testing.T) {
	t.Parallel()
	e := live(t, nil)
	o := quick
	o.Environment, o.Calm, o.Seed, o.Patience = e, "--yes host", 3, 0
	once := run(t, o)
	o.Repeat, o.Retry = 3, 2
	assert.Equal(t, once.Counts.Exchanges, run(t, o).Counts.Exchanges)

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	o = quick
	o.Environment = service(t, mock.Config{Faults: []mock.Fault{fault(t, "session-sign-on-200")}})
	o.Retry, o.Repeat, o.Concurrency, o.Profile = 2, 5, 1, "signon-with-session-token"
	o.Progress = func(done, total int, _ string, _ reports.Verdict) {
		if done == total/5+3 {
			cancel(errors.New("enough"))
		}
	}
	report, err := steps.Run(ctx, o)
	require.NoError(t, err)
	assert.Equal(t, reports.Fail, report.Verdict)
	assert.Equal(t, "enough, in repetition 2 of 5", report.Run.Partial)
	for _, s := range report.Scenarios {
		assert.NotEqual(t, reports.NotExercised, s.Verdict, "%s was played in the first repetition", s.ID)
	}
}

// TestASequenceIsWalkedAgain: a 503 to a refresh that was carried out all the same lets nothing be told of a sequence,
// which is then begun again.
func TestASequenceIsWalkedAgain(t *testing.T) {
	var n atomic.Int64
	e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
		if err := s.Use([]string{"revoke-on-refresh"}, nil); err != nil {
			t.Error(err)
		}
		return refreshesBehind(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n.Add(1) == 2 {
				next.ServeHTTP(httptest.NewRecorder(), r)
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})(s)
	})
	require.NoError(t, err)
	defer end()
	o := quick
	o.Environment, o.Tags, o.Retry, o.Generate, o.Sequences = e, "@sequences", 0, 0, 4
	e.Mock = nil
	report := run(t, o)
	assert.Equal(t, reports.Pass, report.Scenarios[0].Verdict, report.Scenarios[0].Reason)
	assert.Greater(t, n.Load(), int64(2))
}
