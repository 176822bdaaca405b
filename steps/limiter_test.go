package steps_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// limitExceeded stands before a service and refuses requests as a gateway may that counts them: by their number, and by
// how often servicediscovery was refused.
func limitExceeded(refuses func(n, asked int64) bool) func(*mock.Server) http.Handler {
	return func(s *mock.Server) http.Handler {
		var n, asked atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !refuses(n.Add(1), asked.Load()) {
				s.ServeHTTP(w, r)
				return
			}
			if r.URL.Path == "/ags/servicediscovery" {
				asked.Add(1)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message":"Limit Exceeded"}`))
		})
	}
}

// byLimiters are requirements that failed for a limiter's refusals, and two that passed for them.
var byLimiters = []string{"DISC-01", "DISC-03", "SOST-20", "SOST-28", "SSO-07", "SSO-13", "SUB-01", "SUB-03", "GST-03", "GST-08", "GST-13",
	"GST-15", "REF-01", "REF-02", "REF-07", "REG-07", "ERR-14", "FLOW-04"}

// TestALimitersRefusalIsNotTheServices: a limiter that answers 403 with JSON looks like a service that refuses. Where
// servicediscovery gets the same, nothing passes or fails for it, and what a service accepts beside it still fails.
func TestALimitersRefusalIsNotTheServices(t *testing.T) {
	forGood := func(n, _ int64) bool { return n > 60 }
	forAWhile := func(n, asked int64) bool { return n > 60 && asked < 40 }
	bursts := func(n, _ int64) bool { return n%300 > 60 && n%300 < 160 }
	for name, c := range map[string]struct {
		refuses func(n, asked int64) bool
		faulty  bool
		told    bool // everything can be told in the end
	}{
		"for good":            {forGood, false, false},
		"from the start":      {func(n, _ int64) bool { return n > 1 }, false, false},
		"for a while":         {forAWhile, false, true},
		"bursts":              {bursts, false, false},
		"for good, faulty":    {forGood, true, false},
		"for a while, faulty": {forAWhile, true, true},
		"bursts, faulty":      {bursts, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var faults []mock.Fault
			if c.faulty {
				faults = []mock.Fault{fault(t, "refresh-never-expires"), fault(t, "get-session-any-algorithm")}
			}
			report := conformed(t, mock.Config{Faults: faults}, limitExceeded(c.refuses), func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Only = nil, 0, 0, byLimiters
			})
			for _, q := range report.Requirements {
				switch broken := q.ID == "REF-07" || q.ID == "GST-08"; {
				case !c.faulty:
					assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Warn}, q.Verdict, "%s: %s", q.ID, q.Reason)
				case broken && c.told:
					assert.Equal(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
				case broken:
					assert.Contains(t, []reports.Verdict{reports.Fail, reports.Error}, q.Verdict, "%s: %s", q.ID, q.Reason)
				}
			}
			if c.told && !c.faulty {
				assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
			}
			text := strings.Join(report.Notes, "\n")
			for _, c := range report.Causes {
				text += c.Sentence() + "\n"
			}
			assert.Contains(t, text, "load.maxRate")
		})
	}
}

// TestRefusalsInOneFormStayTheServices: a service that refuses whatever it refuses with one answer is judged as before:
// servicediscovery does not get that answer.
func TestRefusalsInOneFormStayTheServices(t *testing.T) {
	for _, want := range []reports.Verdict{reports.Pass, reports.Fail} {
		t.Run(string(want), func(t *testing.T) {
			t.Parallel()
			c := mock.Config{}
			if want == reports.Fail {
				c.Faults = []mock.Fault{fault(t, "refresh-never-expires"), fault(t, "get-session-any-algorithm")}
			}
			report := conformed(t, c, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					answer := httptest.NewRecorder()
					s.ServeHTTP(answer, r)
					for name, values := range answer.Header() {
						w.Header()[name] = values
					}
					if answer.Code/100 == 4 {
						w.Header().Del("Content-Length")
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(http.StatusForbidden)
						_, _ = w.Write([]byte(`{"message":"Forbidden"}`))
						return
					}
					w.WriteHeader(answer.Code)
					_, _ = w.Write(answer.Body.Bytes())
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Only = nil, 0, 0, []string{"GST-08", "GST-01", "REF-01", "REF-07"}
			})
			for _, id := range []string{"GST-08", "REF-07"} {
				q := requirement(t, report, id)
				assert.Equal(t, want, q.Verdict, "%s: %s", id, q.Reason)
			}
		})
	}
}

// TestALimiterOfOneRouteProvesNothing: a limiter of refresh alone refuses good and bad tokens in the same words, and lets
// them through later. What is refused in these words is sent again then, so that what the service takes fails.
func TestALimiterOfOneRouteProvesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		faults []mock.Fault
		want   reports.Verdict
	}{
		"403, sound":  {http.StatusForbidden, `{"message":"Limit Exceeded"}`, nil, reports.Pass},
		"403, faulty": {http.StatusForbidden, `{"message":"Limit Exceeded"}`, []mock.Fault{fault(t, "refresh-any-type")}, reports.Fail},
		"400, sound":  {http.StatusBadRequest, `{"error":"quota"}`, nil, reports.Pass},
		"500, sound":  {http.StatusInternalServerError, `{"error":"quota"}`, nil, reports.Fail}, // as a fault would
		"401, faulty": {http.StatusUnauthorized, `{"error":"quota"}`, []mock.Fault{fault(t, "refresh-any-type")}, reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var good, access atomic.Int64
			report := conformed(t, mock.Config{Faults: c.faults}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					n := &good
					if len(r.Header.Get("Authorization")) >= 600 {
						n = &access
					}
					if r.URL.Path != "/ags/refresh" || n.Add(1) > 1 {
						s.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(c.body))
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Concurrency, o.Retry = nil, 0, 0, 1, 2
				o.Only = []string{"REF-02", "REF-06"}
			})
			assert.Equal(t, reports.Fail, requirement(t, report, "REF-02").Verdict, "good requests are refused, whoever does it")
			q := requirement(t, report, "REF-06")
			assert.Equal(t, c.want, q.Verdict, q.Reason)
			assert.Contains(t, strings.Join(report.Notes, "\n"), "or nodes behind a balancer may not share what was just made")
			assert.Contains(t, strings.Join(report.Notes, "\n"), "such as another run, may use the account")
		})
	}
}

// TestARefusalThatGoodRequestsGetTooProvesNothing: what refuses good requests of a call at every try, in the words of
// the service, makes no requirement pass: a quota that is used up, or a node that does not know yet what another one
// issued.
func TestARefusalThatGoodRequestsGetTooProvesNothing(t *testing.T) {
	const words = `{"code":401,"message":"the token is not usable"}`
	quota := func() func(r *http.Request) bool {
		var n atomic.Int64
		return func(r *http.Request) bool { return r.URL.Path == "/ags/getSessionToken" && n.Add(1)%20 > 3 }
	}
	lag := func() func(r *http.Request) bool {
		var last atomic.Int64 // when the last sign-on was
		return func(r *http.Request) bool {
			switch r.URL.Path {
			case "/ags/signOnWithSessionToken":
				last.Store(time.Now().UnixNano())
			case "/ags/refresh":
				return time.Since(time.Unix(0, last.Load())) < time.Second
			}
			return false
		}
	}
	for name, c := range map[string]struct {
		refuses     func() func(r *http.Request) bool
		fault       string
		only        []string
		requirement string
	}{
		"quota":         {quota, "get-session-any-algorithm", []string{"GST-01", "GST-04", "GST-08"}, "GST-08"},
		"lagging nodes": {lag, "refresh-any-type", []string{"REF-01", "REF-02", "REF-06"}, "REF-06"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuses := c.refuses()
			config := mock.Config{Faults: []mock.Fault{fault(t, c.fault)}}
			report := conformed(t, config, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !refuses(r) {
						s.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = w.Write([]byte(words))
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Concurrency, o.Retry, o.Only = nil, 0, 0, 1, 2, c.only
			})
			q := requirement(t, report, c.requirement)
			assert.Contains(t, []reports.Verdict{reports.Error, reports.Fail}, q.Verdict, q.Reason)
		})
	}
}

// TestARefusalOfAFaultyServiceIsProved: a service that refuses some good requests in the words of all its refusals is
// asked again with a good request beside each, and what it rightly refuses passes.
func TestARefusalOfAFaultyServiceIsProved(t *testing.T) {
	for name, c := range map[string]struct {
		retry   int
		refused reports.Verdict
	}{
		"tried again":     {2, reports.Pass},
		"not tried again": {0, reports.Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var second sync.Map // refresh tokens that a refresh gave
			report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/ags/refresh" {
						s.ServeHTTP(w, r)
						return
					}
					if _, given := second.Load(r.Header.Get("Authorization")); given {
						r.Header.Set("Authorization", "Bearer nobody")
					}
					answer := httptest.NewRecorder()
					s.ServeHTTP(answer, r)
					var given struct {
						Refresh string `json:"refresh_token"`
					}
					if _ = json.Unmarshal(answer.Body.Bytes(), &given); given.Refresh != "" {
						second.Store("Bearer "+given.Refresh, true)
					}
					copyAnswer(w, answer)
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Retry = nil, 0, 0, c.retry
				o.Only = []string{"REF-05", "REF-18", "REF-22"}
			})
			assert.Equal(t, reports.Fail, requirement(t, report, "REF-18").Verdict)
			for _, id := range []string{"REF-05", "REF-22"} {
				q := requirement(t, report, id)
				assert.Equal(t, c.refused, q.Verdict, "%s: %s", id, q.Reason)
			}
		})
	}
}

// TestWhatLimitersSayInPlaceOf429: statuses that HTTP does not know, and what gateways say of a quota in JSON under
// other statuses, are waited out and fail nothing, as 429. The same statuses with other words still fail.
func TestWhatLimitersSayInPlaceOf429(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		fault  bool
	}{
		"420":                {420, ``, false},
		"509":                {509, ``, false},
		"Apigee":             {500, `{"fault":{"faultstring":"Spike arrest violation. Allowed rate : 10ps","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}`, false},
		"Azure":              {403, `{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 00:00:12."}`, false},
		"Tyk":                {403, `{ "error": "Quota exceeded" }`, false},
		"WSO2":               {500, `{"fault":{"code":900803,"message":"Message throttled out","description":"You have exceeded your quota"}}`, false},
		"500 of the service": {500, `{"code":500,"message":"quota"}`, true},
		"other words at 500": {500, `{"fault":{"faultstring":"Execution of x failed","detail":{"errorcode":"steps.javascript.ScriptExecutionFailed"}}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if n.Add(1)%7 == 0 {
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(c.status)
						_, _ = w.Write([]byte(c.body))
						return
					}
					s.ServeHTTP(w, r)
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Only = nil, 0, 0, []string{"DISC-01", "GST-08", "SSO-03"}
			})
			if c.fault {
				// Where all fell on requests that are sent again, or on servicediscovery, it warns or cannot be told.
				q := requirement(t, report, "ERR-08")
				assert.Contains(t, []reports.Verdict{reports.Fail, reports.Warn, reports.Error}, q.Verdict, q.Reason)
				return
			}
			for _, q := range report.Requirements {
				assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Warn}, q.Verdict, "%s: %s", q.ID, q.Reason)
			}
			assert.Contains(t, strings.Join(report.Notes, "\n"), strconv.Itoa(c.status)+" came and")
		})
	}
}

// TestAPageThatSaysThereIsNoRoomIsQuoted: a page of maintenance tells more than its status 503.
func TestAPageThatSaysThereIsNoRoomIsQuoted(t *testing.T) {
	t.Parallel()
	report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/refresh" {
				pageOf(http.StatusServiceUnavailable, "Maintenance until noon")(w)
				return
			}
			s.ServeHTTP(w, r)
		})
	}, func(o *steps.Options) {
		o.Environment.Mock, o.Generate, o.Sequences, o.Retry, o.Only = nil, 0, 0, 0, []string{"REF-02"}
	})
	q := requirement(t, report, "REF-02")
	assert.Equal(t, reports.Error, q.Verdict, q.Reason)
	assert.Contains(t, q.Reason, "with a page “Maintenance until noon”: there was no room for the call")
}

// TestWhatLeadsToARefusalIsNoMissOfIt: where the call before the one that is to be refused is not accepted, the
// scenarios about that call fail, and whether the other one is refused could not be told.
func TestWhatLeadsToARefusalIsNoMissOfIt(t *testing.T) {
	t.Parallel()
	report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/signOn" && strings.Contains(recordBody(r), `"multi"`) {
				jsonOf(http.StatusUnauthorized, `{"message":"no"}`)(w)
				return
			}
			s.ServeHTTP(w, r)
		})
	}, func(o *steps.Options) {
		o.Environment.Mock, o.Generate, o.Sequences = nil, 0, 0
		o.Only = []string{"SSO-06", "SUB-01", "SUB-05", "SUB-09", "GST-04"}
	})
	for id, want := range map[string]reports.Verdict{"SSO-06": reports.Fail, "SUB-01": reports.Fail,
		"SUB-05": reports.Error, "SUB-09": reports.Error, "GST-04": reports.Error} {
		q := requirement(t, report, id)
		assert.Equal(t, want, q.Verdict, "%s: %s", id, q.Reason)
	}
}

// TestOneRefusalOfALimiterAccusesNobody: whichever request a limiter refuses, nobody is said to be let in by it.
func TestOneRefusalOfALimiterAccusesNobody(t *testing.T) {
	for id, path := range map[string]string{"SUB-09": "/ags/signOn", "GST-17": "/ags/signOnWithSessionToken"} {
		for refused := range int64(12) {
			var n atomic.Int64
			report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == path && n.Add(1) == refused+1 {
						jsonOf(http.StatusUnauthorized, `{"code":401,"message":"the token is not usable"}`)(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences, o.Concurrency, o.Only = nil, 0, 0, 1, []string{id}
			})
			for _, f := range requirement(t, report, id).Findings {
				assert.NotContains(t, f.Expected+f.Got, "refused again, as the first time", "request %d", refused)
				assert.NotContains(t, f.Got, "with which the device of that account is refused", "request %d", refused)
			}
		}
	}
}
