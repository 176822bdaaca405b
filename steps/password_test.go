package steps_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// renamed is a service that calls the user name login and the password pin, and whose discovery may not say that it is
// a password. An unknown user is told which one it is.
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
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			w.WriteHeader(answer.Code)
			io.WriteString(w, text)
		})
	}
}

// TestPasswordOfAnotherName: a wrong password is wrong whatever name the service gives it. If nobody says which
// parameter it is, none is tried.
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
