package steps_test

import (
	"net/http"
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

// outage is what stands before a service that nobody reaches for a while.
type outage struct {
	from   int                        // the request with which it begins; 0: none
	deadly func(r *http.Request) bool // the service dies of it; nil: of none
	length time.Duration              // 0: it has no end
	answer func(w http.ResponseWriter)

	mutex      sync.Mutex
	all, asked int
	began      time.Time
}

func (o *outage) before(s *mock.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mutex.Lock()
		o.all++
		if o.all == o.from || o.deadly != nil && o.began.IsZero() && o.deadly(r) {
			o.began = time.Now()
		}
		down := !o.began.IsZero() && (o.length == 0 || time.Since(o.began) < o.length)
		if down && r.URL.Path == "/ags/servicediscovery" {
			o.asked++
		}
		o.mutex.Unlock()
		if down {
			o.answer(w)
			return
		}
		s.ServeHTTP(w, r)
	})
}

func pageOf(status int, title string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><head><title>" + title + "</title></head></html>"))
	}
}

// redirected leads to a login, as a portal does when a session of its own has ended.
func redirected(w http.ResponseWriter) {
	w.Header().Set("Location", "https://login.example.com/")
	w.WriteHeader(http.StatusFound)
}

// TestAnOutageIsOutlasted: what is lost to a restart, or to a firewall that lets nobody through, is sent again when the
// service is back. Nothing fails for it.
func TestAnOutageIsOutlasted(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"502":        pageOf(http.StatusBadGateway, "502 Bad Gateway"),
		"521":        pageOf(521, "Web server is down"),
		"no answer":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"a firewall": pageOf(http.StatusForbidden, "Access denied"),
		"a login":    pageOf(http.StatusOK, "Sign in"),
		"a redirect": redirected,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &outage{from: 60, length: 1500 * time.Millisecond, answer: answer}
			report := conformed(t, mock.Config{}, o.before, func(s *steps.Options) {
				s.Environment.Mock, s.Profile, s.Retry, s.Patience, s.Sleep = nil, "signon-with-session-token", 0, 0, nil
			})
			assert.NotEqual(t, reports.Fail, report.Verdict, "%s %+v", report.Reason, report.Causes)
			assert.NotEqual(t, reports.Error, report.Verdict, "%s %+v", report.Reason, report.Causes)
			assert.Contains(t, strings.Join(report.Notes, "\n"), "in the middle of the run nothing reached the service")
			assert.NotContains(t, strings.Join(report.Notes, "\n"), "one may be down")
			if name == "no answer" {
				assert.Contains(t, strings.Join(report.Notes, "\n"),
					"servicediscovery gets no answer (the service closed the connection without a whole answer)")
			}
		})
	}
}

// TestAServiceThatIsBeingStarted answers 500 until all that it needs is up: it is waited for, and the report says so.
func TestAServiceThatIsBeingStarted(t *testing.T) {
	o := &outage{from: 1, answer: jsonOf(http.StatusInternalServerError, `{"message":"Internal server error"}`)}
	report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
		down := o.before(s)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if o.all < 4 {
				down.ServeHTTP(w, r)
				return
			}
			s.ServeHTTP(w, r)
		})
	}, func(o *steps.Options) {
		o.Environment.Mock, o.Only = nil, []string{"DISC-01", "DISC-03", "REF-01"}
	})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Contains(t, strings.Join(report.Notes, "\n"), "at the start servicediscovery was answered with status 500")
}

// jsonOf answers with JSON, as gateways do.
func jsonOf(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestASpellIsOutlasted: for a while one answer comes whatever is asked, servicediscovery too, as while a route is made
// anew or a database is away. What was lost to it is sent again; a status 5xx in it warns, and a fault beside it is
// found.
func TestASpellIsOutlasted(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		fault  string
		warns  bool
	}{
		"500 in JSON":              {jsonOf(http.StatusInternalServerError, `{"message":"Internal server error"}`), "", true},
		"404 of a router":          {jsonOf(http.StatusNotFound, `{"message":"no Route matched with those values"}`), "", false},
		"404 without a body":       {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, "", false},
		"404 of Traefik":           {func(w http.ResponseWriter) { http.NotFound(w, nil) }, "", false},
		"401 in JSON":              {jsonOf(http.StatusUnauthorized, `{"message":"Unauthorized"}`), "", false},
		"500 in JSON, and a fault": {jsonOf(http.StatusInternalServerError, `{"message":"Internal server error"}`), "session-service-not-needed", true},
		"401 in JSON, and a fault": {jsonOf(http.StatusUnauthorized, `{"message":"Unauthorized"}`), "session-service-not-needed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &outage{from: 60, length: 1500 * time.Millisecond, answer: c.answer}
			var faults []mock.Fault
			if c.fault != "" {
				faults = []mock.Fault{fault(t, c.fault)}
			}
			report := conformed(t, mock.Config{Faults: faults}, o.before, func(s *steps.Options) {
				s.Environment.Mock, s.Profile = nil, "signon-with-session-token"
				s.Retry, s.Patience, s.Sleep = 0, 0, nil
			})
			for _, q := range report.Requirements {
				switch {
				case c.fault != "" && q.ID == "SOST-06": // the fault breaks it too, with an empty service
				case c.fault != "" && q.ID == fault(t, c.fault).Requirement:
					assert.Equal(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
				case q.ID == "ERR-08" && c.warns:
					told := []reports.Verdict{reports.Warn, reports.Error} // some may not have been sent again
					assert.Contains(t, told, q.Verdict, q.Reason)
				default:
					red := []reports.Verdict{reports.Fail, reports.Warn}
					assert.NotContains(t, red, q.Verdict, "%s: %s", q.ID, q.Reason)
				}
			}
			assert.Contains(t, strings.Join(report.Notes, "\n"), "in the middle of the run nothing reached the service")
		})
	}
}

// TestASpellWithoutEndIsTheServices: a service that answers everything with 500 from some request on is at fault, and
// so is one of whose nodes one does.
func TestASpellWithoutEndIsTheServices(t *testing.T) {
	for name, down := range map[string]func(n int64) bool{
		"from some request on": func(n int64) bool { return n > 60 },
		"one node of three":    func(n int64) bool { return n%3 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if down(n.Add(1)) {
						jsonOf(http.StatusInternalServerError, `{"message":"Internal server error"}`)(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			}, func(s *steps.Options) {
				s.Environment.Mock, s.Profile, s.Retry, s.Patience = nil, "signon-with-session-token", 0, 0
				s.Generate, s.Sequences = 0, 0
			})
			q := requirement(t, report, "ERR-08")
			assert.Equal(t, reports.Fail, q.Verdict, q.Reason)
		})
	}
}

// TestARequestThatTakesTheServiceAway: a service that answers everything with 500 for a while after each request of one
// kind is at fault: the request gets the same when it is sent again.
func TestARequestThatTakesTheServiceAway(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	var until time.Time
	report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			deadly := recordBody(r) == `{"parameters":`
			mutex.Lock()
			if deadly {
				until = time.Now().Add(600 * time.Millisecond)
			}
			away := time.Now().Before(until)
			mutex.Unlock()
			if away {
				jsonOf(http.StatusInternalServerError, `{"message":"Internal server error"}`)(w)
				return
			}
			s.ServeHTTP(w, r)
		})
	}, func(s *steps.Options) {
		s.Environment.Mock, s.Retry, s.Generate, s.Sequences, s.Sleep = nil, 0, 0, 0, nil
		s.Tags = "@SUB-06 and @subsequent-sign-on or @refresh or @SOST-01 or @GST-03 or @OUT-01"
	})
	q := requirement(t, report, "SUB-06")
	assert.Equal(t, reports.Fail, q.Verdict, q.Reason)
}

// TestADeadNodeIsTold: a note says that a gateway reaches nobody now and then, and not where one call is never answered.
func TestADeadNodeIsTold(t *testing.T) {
	for name, dead := range map[string]func(n int64, path string) bool{
		"one node of three": func(n int64, _ string) bool { return n%3 == 0 },
		"one call":          func(_ int64, path string) bool { return path == "/ags/signOut" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if dead(n.Add(1), r.URL.Path) {
						pageOf(http.StatusBadGateway, "502 Bad Gateway")(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			}, func(o *steps.Options) {
				o.Environment.Mock, o.Generate, o.Sequences = nil, 0, 0
				o.Only = []string{"DISC-01", "GST-01", "REF-01", "REF-02", "OUT-01"}
			})
			text := strings.Join(report.Notes, "\n")
			if name == "one call" {
				assert.NotContains(t, text, "one may be down")
				return
			}
			assert.Regexp(t, `about one answer in [2-4] to good requests was a 502 or its like, which a gateway gives \([0-9]+ of [0-9]+\)`, text)
		})
	}
}

// TestAnOutageWithoutEnd: nothing can be told of a service that stays away, which is neither a pass nor a failure.
func TestAnOutageWithoutEnd(t *testing.T) {
	for says, answer := range map[string]func(http.ResponseWriter){
		"status 502":                    pageOf(http.StatusBadGateway, "502 Bad Gateway"),
		"status 530":                    pageOf(530, "Origin DNS error"),
		"a page “Sign in” (status 200)": pageOf(http.StatusOK, "Sign in"),
		"a redirect (status 302)":       redirected,
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			o := &outage{from: 8, answer: answer}
			report := conformed(t, mock.Config{}, o.before, func(s *steps.Options) {
				s.Environment.Mock, s.Retry, s.Concurrency, s.Only, s.Generate, s.Sequences = nil, 0, 1, []string{"TOK-01", "REF-15", "OUT-01"}, 0, 0
			})
			assert.Equal(t, reports.Error, report.Verdict, "%s %+v", report.Reason, report.Causes)
			text := ""
			for _, c := range report.Causes {
				text += c.Sentence() + "\n"
			}
			assert.Contains(t, text, "the service cannot be reached any more: servicediscovery, which was answered at the start, is answered with "+says+" too")
			assert.Less(t, o.asked, 100, "it is not asked for ever")
		})
	}
}

// TestAServiceThatDiesOfARequest: the request may be the reason of an outage that follows it, so it fails.
func TestAServiceThatDiesOfARequest(t *testing.T) {
	o := &outage{deadly: func(r *http.Request) bool { return recordBody(r) == `{"parameters":` }, answer: pageOf(http.StatusBadGateway, "502 Bad Gateway")}
	report := conformed(t, mock.Config{}, o.before, func(s *steps.Options) {
		s.Environment.Mock, s.Retry, s.Concurrency, s.Tags, s.Generate, s.Sequences = nil, 0, 1, "@SUB-06 and @subsequent-sign-on", 0, 0
	})
	assert.Equal(t, reports.Fail, report.Verdict, "%s %+v", report.Reason, report.Causes)
}

// TestAServiceThatDiesWithoutAnAnswer: the request with which the connection was closed for good fails, also among odd
// requests at the same time; what came after could not be told.
func TestAServiceThatDiesWithoutAnAnswer(t *testing.T) {
	o := &outage{deadly: func(r *http.Request) bool { return strings.Contains(recordBody(r), `"parameters":[17]`) }, answer: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }}
	report := conformed(t, mock.Config{}, o.before, func(s *steps.Options) {
		s.Environment.Mock, s.Retry, s.Tags, s.Generate, s.Sequences = nil, 0, "@odd-input and @GST-03 or @OUT-01 and @sign-out", 0, 0
	})
	assert.Equal(t, reports.Fail, report.Verdict, "%s %+v", report.Reason, report.Causes)
	q := requirement(t, report, "ERR-08")
	assert.Equal(t, reports.Fail, q.Verdict, q.Reason)
	assert.Contains(t, q.Reason, "the connection was closed without an answer, and the service cannot be reached any more since")
	for _, q := range report.Requirements {
		assert.False(t, q.Verdict == reports.Fail && q.ID != "ERR-08", "%s: %s", q.ID, q.Reason)
	}
}
