package steps_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// nginxPage is nginx's own page, with the status in place of TITLE.
const nginxPage = "<html>\r\n<head><title>TITLE</title></head>\r\n<body>\r\n<center><h1>TITLE</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

// TestAFirewallsPageIsNotTheServices: a firewall of web applications refuses what no service would mind, and bodies
// that are no JSON before the service sees them. Neither is held against the service, nor for it. The same statuses
// from the service itself are its own.
func TestAFirewallsPageIsNotTheServices(t *testing.T) {
	otherLetters := regexp.MustCompile(`[а-я]|\\u04`)
	for name, page := range map[string]bool{"the firewall": true, "the service": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					status := 0
					switch {
					case r.URL.Path != "/ags/getSessionToken":
					case otherLetters.Match(body):
						status = http.StatusForbidden
					case len(body) > 0 && !json.Valid(body):
						status = http.StatusNotAcceptable
					}
					switch {
					case status == 0:
						s.ServeHTTP(w, r)
					case page:
						w.Header().Set("Content-Type", "text/html")
						w.WriteHeader(status)
						_, _ = io.WriteString(w, strings.ReplaceAll(nginxPage, "TITLE", http.StatusText(status)))
					default:
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(status)
						_, _ = io.WriteString(w, `{"code":20020,"message":"no"}`)
					}
				})
			})
			require.NoError(t, err)
			defer end()
			report := run(t, steps.Options{Environment: e, Only: []string{"GST-01", "GST-03"}})
			letters, broken := requirement(t, report, "GST-01"), requirement(t, report, "GST-03")
			notes := strings.Join(report.Notes, "\n")
			if !page {
				assert.Equal(t, reports.Warn, letters.Verdict, letters.Reason)
				assert.Equal(t, reports.Fail, broken.Verdict, broken.Reason)
				assert.NotContains(t, notes, "came in place of")
				return
			}
			assert.Equal(t, reports.Error, letters.Verdict)
			assert.Contains(t, letters.Reason, "status 403 came with a page of nginx, “Forbidden”: a firewall or another rule there refused the call, and the service was not asked")
			assert.Equal(t, reports.Error, broken.Verdict)
			assert.Contains(t, broken.Reason, "status 406 came with a page of nginx, “Not Acceptable”")
			assert.Contains(t, notes, `pages of nginx came in place of the service's answers: a firewall or another rule there refused requests to getSessionToken, and nothing of that is held against the service; ask who runs it`)
		})
	}
}

// TestAFirewallHidesNoNearMiss: a firewall bars the one value that looks like an attack. A near miss beside it that the
// service accepts is found all the same, and a sound service passes in part.
func TestAFirewallHidesNoNearMiss(t *testing.T) {
	for name, c := range map[string]struct {
		faults []mock.Fault
		f5     bool
		alone  bool // wrong passwords lock a user out, so they are sent one after the other
		want   reports.Verdict
		whole  reports.Verdict
	}{
		"sound":              {nil, false, false, reports.Partly, reports.Pass},
		"sound, with 200":    {nil, true, false, reports.Partly, reports.Pass},
		"sound, in turn":     {nil, false, true, reports.Partly, reports.Pass},
		"accepting":          {[]mock.Fault{fault(t, "near-password-last-character")}, false, false, reports.Fail, reports.Fail},
		"accepting, in turn": {[]mock.Fault{fault(t, "near-password-padded")}, false, true, reports.Fail, reports.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, end, err := started(mock.Config{Faults: c.faults}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if body := recordBody(r); r.URL.Path == "/ags/signOn" && strings.Contains(body, `"value":"%"`) {
						w.Header().Set("Content-Type", "text/html")
						if c.f5 {
							_, _ = io.WriteString(w, "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br><br>Your support ID is: 17</body></html>")
							return
						}
						w.WriteHeader(http.StatusForbidden)
						_, _ = io.WriteString(w, strings.ReplaceAll(nginxPage, "TITLE", "403 Forbidden"))
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			require.NoError(t, err)
			defer end()
			e.Mock = nil
			if c.alone {
				e.NeverLocks, e.Lockout = false, 100
			}
			report := run(t, steps.Options{Environment: e, Only: []string{"SSO-08"}})
			q := requirement(t, report, "SSO-08")
			assert.Equal(t, c.want, q.Verdict, q.Reason)
			assert.Equal(t, c.whole, report.Verdict, report.Reason)
			if c.want == reports.Partly {
				page := "status 403 came with a page of nginx"
				if c.f5 {
					page = "status 200 came with a page of F5, “Request Rejected”"
				}
				assert.Contains(t, q.Reason, "in part not checked: 1 of 14 near misses of the password: "+page)
			}
		})
	}
}

// TestAFirewallOfPatternsIsNoFault: a firewall that bars patterns and NUL wherever they stand turns nothing red, and
// leaves everything told that does not hang on them.
func TestAFirewallOfPatternsIsNoFault(t *testing.T) {
	t.Parallel()
	patterns := regexp.MustCompile(`"(%|\*|\.\*)"|\\u0000`)
	for _, live := range []bool{false, true} {
		e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				barred := patterns.MatchString(recordBody(r)) || strings.Contains(r.URL.EscapedPath(), "%25")
				for _, values := range r.Header {
					barred = barred || slices.ContainsFunc(values, func(v string) bool { return patterns.MatchString(strconv.Quote(strings.TrimPrefix(v, "Bearer "))) })
				}
				if !barred {
					s.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, strings.ReplaceAll(nginxPage, "TITLE", "403 Forbidden"))
			})
		})
		require.NoError(t, err)
		defer end()
		if live {
			e.Mock = nil
		}
		report := run(t, steps.Options{Environment: e, Seed: 5})
		assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
		for _, q := range report.Requirements {
			assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Error}, q.Verdict, "%s: %s", q.ID, q.Reason)
		}
		assert.Equal(t, reports.Partly, requirement(t, report, "SSO-08").Verdict)
	}
}

// challenged wants a browser to solve something, as AWS WAF does: a client that takes no HTML gets no page.
func challenged(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-Waf-Action", "challenge")
	w.WriteHeader(http.StatusAccepted)
}

// TestAPageThatLetsNobodyInIsNoAcceptance: a firewall answers what looks like an attack with a page of its own and
// status 200, or leads to one. Nobody is let in by that, and nobody knows what the service would say: nothing fails,
// but for what the service takes beside it.
func TestAPageThatLetsNobodyInIsNoAcceptance(t *testing.T) {
	patterns := regexp.MustCompile(`"(%|\*|\.\*)"|\\u0000|'|\[17\]`)
	anyJSON := []mock.Fault{fault(t, "sign-on-bad-request-accepted")}
	for name, c := range map[string]struct {
		faults []mock.Fault
		answer func(http.ResponseWriter)
		fails  []string
	}{
		"a page":               {nil, pageOf(http.StatusOK, "Notice of security"), nil},
		"a redirect":           {nil, redirected, nil},
		"a challenge":          {nil, challenged, nil},
		"a challenge, JSON":    {anyJSON, challenged, []string{"SSO-07"}},
		"a page, accepting":    {[]mock.Fault{fault(t, "near-password-last-character")}, pageOf(http.StatusOK, "Notice of security"), []string{"SSO-08"}},
		"a redirect, any JSON": {[]mock.Fault{fault(t, "sign-on-bad-request-accepted")}, redirected, []string{"SSO-07"}},
		"a page for a token":   {[]mock.Fault{fault(t, "get-session-expired")}, pageOf(http.StatusOK, "Notice of security"), []string{"GST-05"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := behind(t, mock.Config{Faults: c.faults}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if patterns.MatchString(recordBody(r)) {
						c.answer(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			o := quick
			o.Environment, o.Generate, o.Sequences, o.Retry = e, 0, 0, 0
			o.Only = []string{"SSO-07", "SSO-08", "GST-03", "GST-05", "SUB-06"}
			report := run(t, o)
			for _, q := range report.Requirements {
				if slices.Contains(c.fails, q.ID) {
					assert.Equal(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
				} else if c.fails == nil {
					assert.NotEqual(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
				}
			}
			if c.fails == nil {
				assert.Equal(t, reports.Error, report.Verdict, report.Reason)
				assert.Contains(t, requirement(t, report, "SSO-08").Reason, "came to signOn, whose good requests are answered as documented: a firewall, a login or a portal may have given it")
			}
		})
	}
}

// TestALoginForAnOldTokenIsNoAcceptance: a gateway that looks at tokens leads one that is past its time to a login.
func TestALoginForAnOldTokenIsNoAcceptance(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a redirect": redirected,
		"a page":     pageOf(http.StatusOK, "Sign in"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := ""
			e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.Header.Get("Authorization"), " "+old) {
						answer(w)
						return
					}
					s.ServeHTTP(w, r)
				})
			})
			old = e.Situations["expired-refresh"].RefreshToken
			o := quick
			o.Environment, o.Generate, o.Sequences, o.Retry, o.Only = e, 0, 0, 0, []string{"REF-07", "REF-01"}
			report := run(t, o)
			for _, q := range report.Requirements {
				assert.NotEqual(t, reports.Fail, q.Verdict, "%s: %s", q.ID, q.Reason)
			}
			q := requirement(t, report, "REF-07")
			assert.Equal(t, reports.Error, q.Verdict, q.Reason)
			assert.Contains(t, q.Reason, "came to refresh, whose good requests are answered as documented")
		})
	}
}
