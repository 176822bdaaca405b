package steps_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// behind makes the environment of a live service that something stands in front of.
func behind(t *testing.T, config mock.Config, front func(*mock.Server) http.Handler) *environment.Environment {
	t.Helper()
	e, end, err := started(config, front)
	require.NoError(t, err)
	t.Cleanup(end)
	e.Mock = nil
	return e
}

// TestDiagnosisNamesWhatIsWrong: one slip in an environment file ends a run before it judges anything, with the key
// that it is in.
func TestDiagnosisNamesWhatIsWrong(t *testing.T) {
	portal := httptest.NewServer(http.RedirectHandler("https://login.example.com/", http.StatusFound))
	t.Cleanup(portal.Close)
	for name, c := range map[string]struct {
		slip    func(*environment.Environment)
		says    string
		choices []mock.Choice
	}{
		"head end": {func(e *environment.Environment) { e.Operator.URL = portal.URL },
			"to https://login.example.com; redirects are not followed: write the final address into operator.url", nil},
		"path":    {func(e *environment.Environment) { e.URL += "/gateway" }, "are answered like a call that does not exist (status 404)", nil},
		"tenant":  {func(e *environment.Environment) { e.Tenant = "nargra"; e.Operator = nil }, `for the tenant "nargra" (status 404) just as for a made-up one: check tenant`, nil},
		"service": {func(e *environment.Environment) { e.Service = "Operater SSO" }, `lists no service "Operater SSO"`, nil},
		"nearest": {func(e *environment.Environment) { e.Service = "Operater SSO" }, `did you mean "Operator SSO"?`, nil},
		"secret":  {func(e *environment.Environment) { e.Operator.Secret = "another-secret-of-32-characters-x" }, "check operator.secret", nil},
		"account": {func(e *environment.Environment) { slip(e, func(s *environment.Situation) { s.AccountID = "99999" }) }, `knows no account "99999"`, nil},
		"device":  {func(e *environment.Environment) { slip(e, func(s *environment.Situation) { s.ClientID = "PUB_none" }) }, `refuses the clientId "PUB_none" of situations.active`, nil},
		"suspended": {func(e *environment.Environment) {
			slip(e, func(s *environment.Situation) { s.AccountID = e.Situations["suspended-account"].AccountID })
		}, "the operator has suspended the account; name an account in good standing", nil},
		"disabled": {func(e *environment.Environment) {
			slip(e, func(s *environment.Situation) { s.ClientID = e.Situations["disabled-device"].ClientID })
		}, "the operator has disabled the device; name a device in good standing", nil},
		"account, refused with 409": {func(e *environment.Environment) { slip(e, func(s *environment.Situation) { s.AccountID = "99999" }) }, `knows no account "99999"`,
			[]mock.Choice{conformingChoice(t, "strange-account-409")}},
		"device, refused with 422": {func(e *environment.Environment) { slip(e, func(s *environment.Situation) { s.ClientID = "PUB_none" }) }, `refuses the clientId "PUB_none" of situations.active`,
			[]mock.Choice{conformingChoice(t, "strange-client-422")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := behind(t, mock.Config{Choices: c.choices}, itself)
			slip(e, func(s *environment.Situation) { s.SessionToken = "" })
			c.slip(e)
			o := quick
			o.Environment, o.Only = e, []string{"SOST-01", "GST-01"}
			_, err := steps.Run(context.Background(), o)
			require.Error(t, err)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
			assert.Contains(t, err.Error(), c.says)
			assert.NotContains(t, err.Error(), "another-secret")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// slip changes the situation active.
func slip(e *environment.Environment, change func(*environment.Situation)) {
	s := e.Situations["active"]
	change(&s)
	e.Situations["active"] = s
}

// TestDiagnosisLeavesServicesInPeace: no conforming choice of a live service is taken for a mistake in the file,
// whatever the file has.
func TestDiagnosisLeavesServicesInPeace(t *testing.T) {
	choices := mock.Choices()
	for i, h := range choices {
		if i%every(4) != 0 {
			continue
		}
		for name, less := range map[string]func(*environment.Environment){
			"whole":       func(*environment.Environment) {},
			"no operator": func(e *environment.Environment) { e.Operator = nil },
			"no service":  func(e *environment.Environment) { e.Service = "" },
			"a head end":  func(e *environment.Environment) { e.Operator.URL = e.URL },
		} {
			if name != "whole" && i%5 != 0 {
				continue
			}
			t.Run(h.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
					require.NoError(t, s.Use([]string{h.Name}, nil))
					return s
				})
				less(e)
				o := quick
				o.Environment, o.Only, o.Generate, o.Sequences = e, []string{"SOST-03"}, 0, 0
				_, err := steps.Run(context.Background(), o)
				assert.NoError(t, err)
			})
		}
	}
}

// TestDiagnosisKeepsSessionTokens: a session token of the file may be good for one use, so the diagnosis sends none.
func TestDiagnosisKeepsSessionTokens(t *testing.T) {
	sent := 0
	e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if bytes.Contains(body, []byte("the-one-session-token")) {
				sent++
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			s.ServeHTTP(w, r)
		})
	})
	e.Service = "nobody's"
	slip(e, func(s *environment.Situation) { s.SessionToken = "the-one-session-token" })
	o := quick
	o.Environment, o.Only = e, []string{"SOST-01"}
	_, err := steps.Run(context.Background(), o)
	require.Error(t, err)
	assert.Zero(t, sent)
}

// TestDiagnosisFindsTheParameter: the session token has the name that discovery tells of, where the service misses it
// under ours.
func TestDiagnosisFindsTheParameter(t *testing.T) {
	e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler { return withParameter(s, "sessionToken", "opfToken") })
	slip(e, func(s *environment.Situation) { s.SessionToken = "" })
	o := quick
	o.Environment, o.Only = e, []string{"SOST-01", "SOST-03"}
	report, err := steps.Run(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Contains(t, strings.Join(report.Notes, "\n"), `sent as the parameter "opfToken"`)
}

// TestDiagnosisSendsWhatTheFileGives: the session token has the name that the file says, and the further parameters that
// the service wants are sent beside it. Otherwise all is refused alike, and a slip in the file is not found.
func TestDiagnosisSendsWhatTheFileGives(t *testing.T) {
	e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
		named := withParameter(s, "sessionToken", "opfToken")
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body := recordBody(r); r.URL.Path == "/ags/signOnWithSessionToken" && !strings.Contains(body, `"brand"`) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			named.ServeHTTP(w, r)
		})
	})
	e.SignOn = environment.SessionSignOn{Parameter: "opfToken", Parameters: map[string]string{"brand": "one"}}
	slip(e, func(s *environment.Situation) { s.SessionToken, s.ClientID = "", "PUB_none" })
	o := quick
	o.Environment, o.Only = e, []string{"SOST-01"}
	_, err := steps.Run(context.Background(), o)
	require.ErrorContains(t, err, `refuses the clientId "PUB_none" of situations.active`)
}

// TestASessionTokenThatNeverWorkedIsNamed: the diagnosis keeps the session token of the file, so the end of the run says
// that nobody was let in with it.
func TestASessionTokenThatNeverWorkedIsNamed(t *testing.T) {
	for token, named := range map[string]bool{"agstest-made-up-session-token": true, "": false} {
		e := behind(t, mock.Config{}, itself)
		if token != "" {
			e.Operator = nil
		}
		slip(e, func(s *environment.Situation) { s.SessionToken = token })
		o := quick
		o.Environment, o.Only, o.Tags = e, []string{"SOST-01", "SOST-03"}, "not @near-misses and not @odd-input"
		notes := strings.Join(run(t, o).Notes, "\n")
		assert.Equal(t, named, strings.Contains(notes, "the sessionToken of situations.active was refused at its first use (401) and let nobody in during this run"), notes)
	}
}

// withParameter gives a parameter of signOnWithSessionToken another name.
func withParameter(s *mock.Server, ours, theirs string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/ags/signOnWithSessionToken" {
			body = bytes.ReplaceAll(body, []byte(`"`+ours+`"`), []byte(`"unknown"`))
			body = bytes.ReplaceAll(body, []byte(`"`+theirs+`"`), []byte(`"`+ours+`"`))
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		out := answer.Body.Bytes()
		if r.URL.Path == "/ags/servicediscovery" {
			out = bytes.ReplaceAll(out, []byte(`"`+ours+`"`), []byte(`"`+theirs+`"`))
		}
		for name, values := range answer.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(out)
	})
}

// TestDiagnosisKnowsTheClock: two answers whose Date is far off are the clock's, one from a cache is nobody's.
func TestDiagnosisKnowsTheClock(t *testing.T) {
	late := func(age string) func(*mock.Server) http.Handler {
		return func(s *mock.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-20*time.Minute).UTC().Format(http.TimeFormat))
				if age != "" {
					w.Header().Set("Age", age)
				}
				s.ServeHTTP(w, r)
			})
		}
	}
	o := quick
	o.Environment, o.Only = behind(t, mock.Config{}, late("")), []string{"SOST-01"}
	slip(o.Environment, func(s *environment.Situation) { s.SessionToken = "" })
	o.Environment.ClockSkew = 5 * time.Second
	_, err := steps.Run(context.Background(), o)
	require.ErrorContains(t, err, "the clock of the service (header Date) is 20m")
	assert.ErrorContains(t, err, "behind this machine's, more than 2m0s: set the clock, or raise clockSkew, which is 5s")
	o.Environment = behind(t, mock.Config{}, late("1200"))
	_, err = steps.Run(context.Background(), o)
	assert.NoError(t, err)
}

// TestDiagnosisWritesNamesAsDiscoveryDoes: a service may mind the case of a parameter, and its own spelling is sent.
func TestDiagnosisWritesNamesAsDiscoveryDoes(t *testing.T) {
	e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler { return withParameter(s, "sessionToken", "SESSIONtoken") })
	slip(e, func(s *environment.Situation) { s.SessionToken = "" })
	o := quick
	o.Environment, o.Only = e, []string{"SOST-01", "SOST-03"}
	report, err := steps.Run(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.NotContains(t, strings.Join(report.Notes, "\n"), "is sent as the parameter")
}

// TestDiagnosisNamesWhatDiscoveryLists: where no name is near, the first eight are named, and how many more there are.
func TestDiagnosisNamesWhatDiscoveryLists(t *testing.T) {
	var names []string
	for i := range 11 {
		names = append(names, fmt.Sprintf("Service %c of the operator", 'A'+i))
	}
	e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ags/servicediscovery" {
				s.ServeHTTP(w, r)
				return
			}
			var list []any
			for _, name := range names {
				list = append(list, map[string]any{"authServiceName": name, "endpoints": []any{}})
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"availableServices": list})
		})
	})
	slip(e, func(s *environment.Situation) { s.SessionToken = "" })
	e.Service = "xyz"
	o := quick
	o.Environment, o.Only = e, []string{"SOST-01"}
	_, err := steps.Run(context.Background(), o)
	require.ErrorContains(t, err, `lists no service "xyz"`)
	for _, name := range names[:8] {
		assert.ErrorContains(t, err, fmt.Sprintf("%q", name))
	}
	assert.ErrorContains(t, err, " and 3 more")
	assert.NotContains(t, err.Error(), names[8])
	assert.NotContains(t, err.Error(), "did you mean")
}

// TestDiagnosisOfWhatRefusesEverything: the words name what stands before the service, not the tenant or the secret
// alone.
func TestDiagnosisOfWhatRefusesEverything(t *testing.T) {
	for name, c := range map[string]struct {
		discovery bool // is let through
		says      string
	}{
		"all":               {false, "a call that does not exist are all refused alike (status 403): something before the service"},
		"all but discovery": {true, "and as a call that does not exist is refused: check operator.secret"},
	} {
		t.Run(name, func(t *testing.T) {
			e := behind(t, mock.Config{}, func(s *mock.Server) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.discovery && r.URL.Path == "/ags/servicediscovery" {
						s.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, `{"message":"Missing Authentication Token"}`)
				})
			})
			slip(e, func(s *environment.Situation) { s.SessionToken = "" })
			o := quick
			o.Environment, o.Only = e, []string{"SOST-01"}
			_, err := steps.Run(context.Background(), o)
			require.ErrorContains(t, err, c.says)
			assert.Equal(t, failure.Setup, failure.KindOf(err))
		})
	}
}

// TestMadeUpCredentials: credentials that the service does not know are the file's mistake and not the service's.
func TestMadeUpCredentials(t *testing.T) {
	e := behind(t, mock.Config{}, itself)
	credentials := e.Situations["credentials"]
	credentials.Parameters = map[string]string{"username": "nobody", "password": "nothing-at-all"}
	e.Situations["credentials"] = credentials
	o := quick
	o.Environment, o.Only, o.Generate, o.Sequences = e, []string{"SSO-01", "SSO-11"}, 0, 0
	report, err := steps.Run(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, reports.Error, report.Verdict, report.Reason)
	require.NotEmpty(t, report.Causes)
	assert.Contains(t, report.Causes[0].Sentence(), "so those of situations.credentials may be wrong; check them")
}

// TestAWrongPasswordOfOneUser: the password of one situation is wrong in the file, while other users are let in. Nothing
// that begins with that user fails, by whatever call.
func TestAWrongPasswordOfOneUser(t *testing.T) {
	for _, situation := range []string{"credentials", "multi-account", "registration", "multi-registration"} {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			e := behind(t, mock.Config{}, itself)
			s := e.Situations[situation]
			s.Parameters = maps.Clone(s.Parameters)
			s.Parameters["password"] = "Summer-of-2026"
			e.Situations[situation] = s
			o := quick
			o.Environment, o.Generate, o.Sequences, o.Retry = e, 0, 0, 0
			o.Tags = "@SSO-01 or @SSO-02 or @SSO-12 or @SUB-01 or @REG-01 or @REG-02 or @FLOW-01 or @FLOW-03"
			report := run(t, o)
			assert.Equal(t, reports.Error, report.Verdict, "%s %+v", report.Reason, report.Causes)
			told := ""
			for _, c := range report.Causes {
				told += c.Sentence() + "\n"
			}
			assert.Contains(t, told, "so those of situations."+situation+" may be wrong; check them")
			for _, other := range []string{"credentials", "multi-account", "registration", "multi-registration"} {
				if other != situation {
					assert.NotContains(t, told, "situations."+other+" may be wrong")
				}
			}
		})
	}
}

// TestASpentSessionTokenBlamesNoHeader: sign-ons that leave a header out, or write it otherwise, are refused as the
// documented one is where the session token of the file is spent. That other accounts sign on does not make it good.
func TestASpentSessionTokenBlamesNoHeader(t *testing.T) {
	e := behind(t, mock.Config{}, itself)
	e.Operator = nil
	slip(e, func(s *environment.Situation) { s.SessionToken = "agstest-made-up-session-token" })
	o := quick
	o.Environment, o.Only, o.Generate, o.Sequences = e, []string{"SOST-26", "SOST-28", "DEV-04"}, 0, 0
	o.Tags = "not @near-misses and not @odd-input"
	report := run(t, o)
	for _, id := range []string{"SOST-26", "SOST-28"} {
		q := requirement(t, report, id)
		assert.Equal(t, reports.Error, q.Verdict, "%s: %s", id, q.Reason)
		assert.Contains(t, q.Reason, "situations.active", id)
	}
}

// TestDiagnosisAsksMoreThanOnce: a node or a limiter that refuses good OperatorAuthTokens now and then is no fault of
// the environment file, so that the service is judged.
func TestDiagnosisAsksMoreThanOnce(t *testing.T) {
	var n atomic.Int64
	report := conformed(t, mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ags/getSessionToken" || n.Add(1) > 2 {
				s.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":401,"message":"the token is not usable"}`))
		})
	}, func(o *steps.Options) {
		o.Environment.Mock, o.Generate, o.Sequences, o.Only = nil, 0, 0, []string{"SOST-01", "SOST-03"}
	})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
}
