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
		})
	}
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
