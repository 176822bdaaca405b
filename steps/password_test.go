package steps_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// renamed is a service that calls the user name login and the password pin, and whose discovery may not say that it is a password. An
// unknown user is told which one it is.
func renamed(tells bool) func(*mock.Server) http.Handler {
	return func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			body = bytes.ReplaceAll(body, []byte(`"name":"login"`), []byte(`"name":"username"`))
			body = bytes.ReplaceAll(body, []byte(`"name":"pin"`), []byte(`"name":"password"`))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			text := answer.Body.String()
			if strings.HasSuffix(r.URL.Path, "/servicediscovery") {
				text = strings.NewReplacer(`"name":"username"`, `"name":"login"`, `"name":"password"`, `"name":"pin"`).Replace(text)
				if !tells {
					text = strings.ReplaceAll(text, `"isPassword":true`, `"isPassword":false`)
				}
			}
			if answer.Code == http.StatusUnauthorized && bytes.Contains(body, []byte(`"name":"password"`)) {
				text = strings.Replace(text, "{", `{"user":"dave",`, 1)
			}
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			w.WriteHeader(answer.Code)
			io.WriteString(w, text)
		})
	}
}

// TestPasswordOfAnotherName: a wrong password is wrong whatever the service calls it, and where nobody says which one it is, none is tried.
func TestPasswordOfAnotherName(t *testing.T) {
	for name, c := range map[string]struct {
		tells bool
		named string
		want  reports.Verdict
	}{
		"discovery tells":                {tells: true, want: reports.Pass},
		"the file tells":                 {named: "pin", want: reports.Pass},
		"nobody tells":                   {want: reports.Skipped},
		"both tell":                      {tells: true, named: "pin", want: reports.Pass},
		"the file spells it in own case": {named: "PIN", want: reports.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, end, err := started(mock.Config{}, renamed(c.tells))
			require.NoError(t, err)
			t.Cleanup(end)
			e.Mock = nil
			for _, situation := range []string{"credentials", "registration"} {
				s := e.Situations[situation]
				s.Parameters = map[string]string{"login": s.Parameters["username"], "pin": s.Parameters["password"]}
				s.PasswordParameter = c.named
				e.Situations[situation] = s
			}
			report := run(t, steps.Options{Environment: e, Tags: "@SSO-01 or @SSO-08 or @REG-03 or @ERR-10"})
			assert.Equal(t, reports.Pass, requirement(t, report, "SSO-01").Verdict)
			told := requirement(t, report, "SSO-08")
			assert.Equal(t, c.want, told.Verdict, told.Reason)
			if c.want == reports.Skipped {
				assert.Contains(t, told.Reason, "it is not known which of the parameters login, pin is the password")
				assert.Equal(t, "situations.credentials: {passwordParameter: …}", told.Needs)
			}
			for _, q := range report.Requirements {
				assert.NotContains(t, []reports.Verdict{reports.Fail, reports.Error}, q.Verdict, "%s: %s", q.ID, q.Reason)
			}
		})
	}
}

// TestWrongPasswordThatIsTaken: a service that lets anybody in is found, whatever it calls the password.
func TestWrongPasswordThatIsTaken(t *testing.T) {
	var password []byte
	e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
		inner := renamed(true)(s)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if at := bytes.Index(body, []byte(`"not-the-password-`)); at >= 0 {
				length := bytes.IndexByte(body[at+1:], '"') + 2
				body = bytes.Replace(body, body[at:at+length], password, 1)
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			inner.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	t.Cleanup(end)
	e.Mock = nil
	s := e.Situations["credentials"]
	password = []byte(strconv.Quote(s.Parameters["password"]))
	s.Parameters = map[string]string{"login": s.Parameters["username"], "pin": s.Parameters["password"]}
	e.Situations["credentials"] = s
	report := run(t, steps.Options{Environment: e, Tags: "@SSO-08"})
	assert.Equal(t, reports.Fail, requirement(t, report, "SSO-08").Verdict)
}

// TestChangesThatDoNotFit: what cannot be left out or changed because it is not there is an error that says what is there; the request is
// not sent as documented in its place, which would prove nothing.
func TestChangesThatDoNotFit(t *testing.T) {
	const signOn, refresh = "the client signs on with a session token and its clientId", "the client refreshes its tokens"
	for name, c := range map[string]struct{ given, change, when, says string }{
		"header":     {"a device of the account", `the next request has no header "x-auth-servce-id"`, signOn, `the request has no header "x-auth-servce-id" that could be left out; it has Accept, Content-Type, x-auth-service-id`},
		"member":     {"a device of the account", `the next request has no member "clientid"`, signOn, `the request has no member "clientid" that could be left out; it has parameters, clientId`},
		"parameter":  {"a device of the account", `the next request leaves out the parameter "password"`, signOn, `the request has no parameter "password" that could be left out; it has sessionToken`},
		"password":   {"a device of the account", "the next request has a wrong password", signOn, "the request has no password that could be wrong: only signOn and register have one"},
		"no token":   {"a device of the account", "the next request presents a token whose payload was changed", signOn, "the request has no token in Authorization that could be changed"},
		"unsigned":   {"a device of the account", "the next request presents an unsigned token", signOn, "no compact JWS whose signature could be taken away"},
		"used token": {"a client that is signed on", "the next request presents the refresh token that was used before", refresh, "let it refresh its tokens first"},
		"claim":      {"a device of the account", `the OperatorAuthToken has no claim "expiry"`, "the head-end system asks for a session token", `the OperatorAuthToken has no claim "expiry" that could be left out; it has typ, `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := run(t, steps.Options{Environment: service(t, mock.Config{}), Tags: "@mine", Features: own("Feature: Mine\n  @mine\n  Scenario: A change\n    Given an account in good standing\n" +
				"    And " + c.given + "\n    And " + c.change + "\n    When " + c.when + "\n    Then the service refuses\n")})
			assert.Equal(t, reports.Error, report.Verdict, report.Reason)
			require.Len(t, report.Scenarios, 1)
			assert.Contains(t, report.Scenarios[0].Reason, c.says)
		})
	}
	report := run(t, steps.Options{Environment: service(t, mock.Config{}), Tags: "@mine", Features: own("Feature: Mine\n  @mine\n  Scenario: Without what is not sent\n" +
		"    Given an account in good standing\n    And a device of the account\n    And the next request has no header \"nv-tenant-id\"\n    And the next request has no header \"nv-tenant-id\"\n" +
		"    When " + signOn + "\n    Then it is recorded how the service answers\n")})
	assert.Equal(t, reports.Pass, report.Verdict, "what a documented request may lack can be left out whether it is there or not: %s", report.Reason)
}

func own(text string) fstest.MapFS { return fstest.MapFS{"mine.feature": {Data: []byte(text)}} }
