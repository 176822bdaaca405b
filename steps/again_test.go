package steps_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// verdictsOf are the verdicts of all requirements, one a line.
func verdictsOf(report *reports.Conformance) string {
	var b strings.Builder
	b.WriteString(string(report.Verdict) + "\n")
	for _, q := range report.Requirements {
		b.WriteString(q.ID + " " + string(q.Verdict) + "\n")
	}
	return b.String()
}

// devicesOf counts the devices of an account of the mock.
func devicesOf(t testing.TB, control *environment.MockControl, account string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, control.URL+"/control/accounts/nagra/"+account, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+control.Token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct{ Devices []json.RawMessage }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return len(answer.Devices)
}

// allDevices counts the devices of the accounts of which the environment file of the mock tells.
func allDevices(t testing.TB, control *environment.MockControl) int {
	n := 0
	for _, account := range []string{"1663", "1664", "1665", "1666", "1667", "1668", "1663-expired", "1700", "2001", "2002", "2003"} {
		n += devicesOf(t, control, account)
	}
	return n
}

// TestTheSameVerdictsEveryTime: one live service, looked at twenty times in a row and four times at once, gets the same
// verdicts each time, and each run makes four devices at most.
func TestTheSameVerdictsEveryTime(t *testing.T) {
	times, together := 20, 4
	if underRace || testing.Short() {
		times, together = 2, 2
	}
	e := service(t, mock.Config{})
	control := e.Mock
	e.Mock = nil
	o := steps.Options{Environment: e, Seed: 5, Generate: 3, Sequences: 2}
	before := allDevices(t, control)
	first := run(t, o)
	assert.Equal(t, reports.Pass, first.Verdict, first.Reason)
	assert.Equal(t, before+4, allDevices(t, control), "devices of one run")
	want := verdictsOf(first)
	o.BriefEvidence = true // the others are asked for their verdicts alone
	for range times - 1 {
		require.Equal(t, want, verdictsOf(run(t, o)))
	}
	var all sync.WaitGroup
	got := make([]string, together)
	for i := range got {
		all.Go(func() {
			report, err := steps.Run(context.Background(), o)
			if assert.NoError(t, err) {
				got[i] = verdictsOf(report)
			}
		})
	}
	all.Wait()
	for i := range got {
		assert.Equal(t, want, got[i])
	}
	assert.Equal(t, before+4*(times+together), allDevices(t, control), "devices of all runs")
}

// tooManyDevices is how the page on errors says that an account is full.
const tooManyDevices = `{"code":20007,"message":"too many devices"}`

// limited gives the mock's first account room for few devices: it refuses every later first-time sign-on with 403 and
// this body.
func limited(server *mock.Server, room int, refusal string) http.Handler {
	var mu sync.Mutex
	made := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/signOnWithSessionToken") {
			server.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		body := recordBody(r)
		if strings.Contains(body, `"deviceInformation"`) && made >= room {
			answer := httptest.NewRecorder()
			server.ServeHTTP(answer, r)
			if answer.Code == http.StatusCreated {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(refusal))
				return
			}
			copyAnswer(w, answer)
			return
		}
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		if answer.Code == http.StatusCreated && strings.Contains(body, `"deviceInformation"`) {
			made++
		}
		copyAnswer(w, answer)
	})
}

func copyAnswer(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// TestAFullAccountIsNoFault: however little room an account has, the run is not red, and scenarios that need room could
// not tell.
func TestAFullAccountIsNoFault(t *testing.T) {
	for _, room := range []int{0, 1, 2, 3} {
		e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler { return limited(s, room, tooManyDevices) })
		require.NoError(t, err)
		e.Mock = nil
		report := run(t, steps.Options{Environment: e, Seed: 5, Generate: 3, Sequences: 3})
		assert.Equal(t, reports.Pass, report.Verdict, "room for %d: %s", room, report.Reason)
		for _, q := range report.Requirements {
			if q.Verdict == reports.Fail || q.Verdict == reports.Error {
				t.Errorf("room for %d: %s is %s: %s", room, q.ID, q.Verdict, q.Reason)
			}
		}
		if room == 0 {
			for id, verdict := range map[string]reports.Verdict{
				"SOST-02": reports.Skipped, "SOST-21": reports.Skipped, "DEV-01": reports.Skipped, "DEV-22": reports.Skipped,
				"DEV-14": reports.Partly, // situations.device-limit shows its refusal, not that there is room below the limit
			} {
				q := requirement(t, report, id)
				assert.Equal(t, verdict, q.Verdict, "%s: %s", id, q.Reason)
				assert.Contains(t, q.Reason, "could not tell: the account has no room", id)
			}
		}
		end()
	}
}

// TestAFullAccountThatDoesNotSaySo: a service whose refusals name no reason refuses new devices from the second run on.
// Where an account at its limit is refused alike, nothing fails for it. Where the file has none, it could not be told,
// and where that one is told its reason, the refusal is another one and fails.
func TestAFullAccountThatDoesNotSaySo(t *testing.T) {
	if testing.Short() {
		t.Skip("whole runs")
	}
	empty := []mock.Choice{conformingChoice(t, "errors-empty")}
	for name, c := range map[string]struct {
		choices []mock.Choice
		full    bool // the file has an account at its limit
		refusal string
		want    reports.Verdict
	}{
		"refused alike":          {empty, true, "", reports.Skipped},
		"an unpublished code":    {nil, false, `{"code":20099,"message":"no"}`, reports.Error},
		"nothing to hold it to":  {empty, false, "", reports.Error},
		"the other has a reason": {nil, true, `{"message":"no"}`, reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			e, end, err := started(mock.Config{Choices: c.choices}, func(s *mock.Server) http.Handler { return limited(s, 2, c.refusal) })
			require.NoError(t, err)
			defer end()
			e.Mock = nil
			if !c.full {
				delete(e.Situations, "device-limit")
			}
			o := steps.Options{Environment: e, Seed: 5, Generate: 3, Sequences: 3}
			first := run(t, o)
			assert.Zero(t, first.Counts.Requirements[reports.Fail], first.Reason)
			second := run(t, o)
			for id, wanted := range map[string]reports.Verdict{"SOST-02": c.want, "DEV-01": c.want, "SOST-01": reports.Pass} {
				q := requirement(t, second, id)
				assert.Equal(t, wanted, q.Verdict, "%s: %s", id, q.Reason)
				if wanted == reports.Skipped || wanted == reports.Error {
					assert.Contains(t, q.Reason, "could not tell: the account may have no room", id)
				}
			}
			if c.want == reports.Fail {
				return
			}
			for _, q := range second.Requirements {
				assert.NotEqual(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
			}
		})
	}
}

// TestSigningOutIsJudgedOnAFullAccount: with a spare device OUT-06 is judged where no device can be made, and a service
// that removes a device which signs out is found by it; without one it could not be told.
func TestSigningOutIsJudgedOnAFullAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spare  string
		faults []mock.Fault
		want   reports.Verdict
		says   string
	}{
		"a sound service":                 {"PUB_994", nil, reports.Partly, "the devices of an account can be counted only"},
		"a service that removes a device": {"PUB_994", []mock.Fault{fault(t, "sign-out-deletes-device")}, reports.Warn, "20003"},
		"no spare device":                 {"", nil, reports.Skipped, "could not tell: the account has no room"},
	} {
		e, end, err := started(mock.Config{Faults: test.faults}, func(s *mock.Server) http.Handler { return limited(s, 0, tooManyDevices) })
		require.NoError(t, err)
		e.Mock = nil
		delete(e.Situations, "spare-device")
		if test.spare != "" {
			e.Situations["spare-device"] = environment.Situation{ClientID: test.spare}
		}
		o := quick
		o.Environment, o.Only = e, []string{"OUT-06"}
		q := requirement(t, run(t, o), "OUT-06")
		assert.Equal(t, test.want, q.Verdict, "%s: %s", name, q.Reason)
		assert.Contains(t, q.Reason, test.says, name)
		end()
	}
}

// TestNothingIsMadeOrSignedOutThatTheFileDoesNotAllow: without allow.first-time a run leaves the accounts as they were.
func TestNothingIsMadeOrSignedOutThatTheFileDoesNotAllow(t *testing.T) {
	signedOut := 0
	e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			if strings.HasSuffix(r.URL.Path, "/signOut") && answer.Code == http.StatusOK {
				signedOut++
			}
			copyAnswer(w, answer)
		})
	})
	require.NoError(t, err)
	defer end()
	control := e.Mock
	e.Mock, e.Allow = nil, environment.Allow{}
	before := allDevices(t, control)
	report := run(t, steps.Options{Environment: e, Seed: 5, Generate: 10, Sequences: 5})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Equal(t, before, allDevices(t, control))
	assert.Zero(t, signedOut, "successful calls of signOut")
	again := run(t, steps.Options{Environment: e, Seed: 5, Generate: 10, Sequences: 5})
	assert.Equal(t, verdictsOf(report), verdictsOf(again))
	assert.Contains(t, requirement(t, report, "OUT-01").Needs, "allow: {first-time: true}")
}

// recordBody reads the body of a request and leaves it for others to read.
func recordBody(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return string(body)
}
