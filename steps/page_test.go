package steps_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/mock"
	"agstest/reports"
)

// pagesFor stands before a service and answers requests of a call with a page of its own, if they are as it says.
func pagesFor(path string, status int, odd func(r *http.Request) bool) func(*mock.Server) http.Handler {
	return func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path && odd(r) {
				pageOf(status, http.StatusText(status))(w)
				return
			}
			s.ServeHTTP(w, r)
		})
	}
}

// TestAPageIsNoRefusalOfAServiceWithoutPages: a gateway has no room for a long token, or minds what it takes for an
// attack, and says so with a page. Whether the service would refuse is not known where it refuses without pages, so
// nothing passes. A service whose refusals are pages passes as before, and what it accepts fails.
func TestAPageIsNoRefusalOfAServiceWithoutPages(t *testing.T) {
	// an access token is longer than a refresh token
	long := func(r *http.Request) bool { return len(r.Header.Get("Authorization")) > 600 }
	pagesProveNothing(t, "refresh 400", "refresh-any-type", "REF-06", "/ags/refresh", 400, long)
	pagesProveNothing(t, "refresh 404", "refresh-any-type", "REF-06", "/ags/refresh", 404, long)
	pagesProveNothing(t, "refresh 414", "refresh-any-type", "REF-06", "/ags/refresh", 414, long)
	pagesProveNothing(t, "refresh 494", "refresh-any-type", "REF-06", "/ags/refresh", 494, long)
	pagesProveNothing(t, "getSessionToken", "get-session-any-algorithm", "GST-08", "/ags/getSessionToken", 400,
		func(r *http.Request) bool { // of another algorithm than HS256
			return !strings.Contains(recordBody(r), "eyJhbGciOiJIUzI1NiI") && !strings.Contains(recordBody(r), "agstest-")
		})
}

func pagesProveNothing(t *testing.T, name, faulty, id, path string, status int, odd func(r *http.Request) bool) {
	for _, c := range []struct {
		what    string
		faults  []mock.Fault
		choices []mock.Choice
		before  func(*mock.Server) http.Handler
		want    reports.Verdict
	}{
		{"behind a gateway", nil, nil, pagesFor(path, status, odd), reports.Error},
		{"faulty behind a gateway", []mock.Fault{fault(t, faulty)}, nil, pagesFor(path, status, odd), reports.Error},
		{"faulty", []mock.Fault{fault(t, faulty)}, nil, itself, reports.Fail},
		{"pages of its own", nil, []mock.Choice{conformingChoice(t, "errors-html")}, itself, reports.Pass},
	} {
		for _, live := range []bool{true, false} {
			t.Run(name+" "+c.what, func(t *testing.T) {
				t.Parallel()
				e, end, err := started(mock.Config{Faults: c.faults, Choices: c.choices}, c.before)
				assert.NoError(t, err)
				defer end()
				if live {
					e.Mock = nil
				}
				o := quick
				o.Environment, o.Only, o.Generate, o.Sequences, o.Retry = e, []string{id}, 0, 0, 0
				q := requirement(t, run(t, o), id)
				assert.Equal(t, c.want, q.Verdict, q.Reason)
				if c.want == reports.Error {
					assert.Contains(t, q.Reason, "a credential that nobody has is refused without one there (status 40")
				}
			})
		}
	}
}

// TestAPageForAForgedTokenLetsNobodyIn: a firewall answers an OperatorAuthToken that looks odd to it with a page and
// status 200, which neither passes nor fails.
func TestAPageForAForgedTokenLetsNobodyIn(t *testing.T) {
	t.Parallel()
	e := behind(t, mock.Config{}, pagesFor("/ags/getSessionToken", http.StatusOK, func(r *http.Request) bool {
		return !strings.Contains(recordBody(r), "eyJhbGciOiJIUzI1NiI")
	}))
	o := quick
	o.Environment, o.Only, o.Generate, o.Sequences, o.Retry = e, []string{"GST-08"}, 0, 0, 0
	q := requirement(t, run(t, o), "GST-08")
	assert.Equal(t, reports.Error, q.Verdict, q.Reason)
	assert.Contains(t, q.Reason, "a page “OK” (status 200) came to getSessionToken, whose good requests are answered")
}
