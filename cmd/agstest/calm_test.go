package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/reports/runs"
)

// log is what reached a service.
type requestLog struct {
	mutex  sync.Mutex
	lines  []string // method and path
	times  []time.Time
	wrong  map[string]int // wrong passwords by user name
	bodies []string
	right  map[string]bool // passwords that are right
}

func (l *requestLog) listen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		l.mutex.Lock()
		l.lines, l.times, l.bodies = append(l.lines, r.Method+" "+r.URL.Path), append(l.times, time.Now()), append(l.bodies, string(body))
		var parsed struct {
			Parameters []struct{ Name, Value string }
		}
		if json.Unmarshal(body, &parsed) == nil {
			user, wrong := "", false
			for _, p := range parsed.Parameters {
				switch p.Name {
				case "username":
					user = p.Value
				case "password":
					wrong = !l.right[p.Value]
				}
			}
			if wrong {
				l.wrong[user]++
			}
		}
		l.mutex.Unlock()
		next.ServeHTTP(w, r)
	})
}

// liveMock is a mock as a live service: without its control interface, and what reaches it is kept.
func liveMock(t *testing.T, extra string) (file string, log *requestLog, host string) {
	t.Helper()
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	log = &requestLog{wrong: map[string]int{}, right: map[string]bool{}}
	for _, secret := range m.Secrets() {
		log.right[secret] = true
	}
	service := httptest.NewServer(log.listen(m))
	t.Cleanup(service.Close)
	text := strings.Replace(string(m.Environment(service.URL, "", "")), "protected: false\nlockout: 0\n", extra, 1)
	require.NotContains(t, text, "mock:", "a live service has no control interface")
	file = filepath.Join(t.TempDir(), "live.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file, log, strings.TrimPrefix(service.URL, "http://")
}

func TestProtectedServiceGetsWhatACalmClientSends(t *testing.T) {
	t.Parallel()
	file, log, host := liveMock(t, "protected: true\n")
	out := filepath.Join(t.TempDir(), "run")
	code, _, stderr := call(t, nil, "conform", "--env", file, "--out", out)
	assert.Equal(t, exitPass, code, stderr)
	assert.Contains(t, stderr, "is protected: ")
	assert.Contains(t, stderr, "--yes "+host)

	assert.Less(t, len(log.lines), 40, "no repeats")
	assert.Greater(t, len(log.lines), 5, "something was checked")
	assert.Empty(t, log.wrong, "wrong passwords")
	seen := map[string]int{}
	for i, line := range log.lines {
		seen[line]++
		method, path, _ := strings.Cut(line, " ")
		assert.Contains(t, []string{"GET", "POST"}, method, line)
		assert.Contains(t, []string{"/ags/servicediscovery", "/ags/signOnWithSessionToken", "/ags/signOn", "/ags/refresh", "/ags/signOut", "/ags/getSessionToken"}, path)
		assert.NotContains(t, log.bodies[i], "deviceInformation", "no device is made")
	}
	if n := len(log.times); n > 2 {
		assert.GreaterOrEqual(t, log.times[n-1].Sub(log.times[0]), time.Duration(n-3)*time.Second/calmRate, "%d requests at 2/s at most", n)
	}

	stored, err := runs.Read(out)
	require.NoError(t, err)
	skipped := 0
	for _, scenario := range stored.Conformance.Scenarios {
		if scenario.Verdict == reports.Skipped && strings.Contains(scenario.Reason, "protected") {
			skipped++
		}
	}
	assert.Greater(t, skipped, 150, "what was left out is told, with the reason")
	assert.Contains(t, strings.Join(stored.Conformance.Notes, "\n"), "only what a calm client would send")
}

func TestConsentGetsTheWholeCheckAndNoAccountIsLocked(t *testing.T) {
	t.Parallel()
	file, log, host := liveMock(t, "protected: true\nlockout: 3\n")
	code, _, stderr := call(t, nil, "conform", "--env", file, "--yes", host, "--generate", "2", "--sequences", "1", "--out", filepath.Join(t.TempDir(), "run"))
	assert.Contains(t, []int{exitPass, exitFail, exitInconclusive}, code, stderr)
	assert.Greater(t, len(log.lines), 200)
	assert.NotEmpty(t, log.wrong, "wrong passwords were tried, so the bound was tested")
	for user, n := range log.wrong {
		assert.Less(t, n, 3, "%s would be locked", user)
	}

	file, log, _ = liveMock(t, "protected: true\nlockout: 1\n")
	_, _, _ = call(t, nil, "conform", "--env", file, "--yes", "127.0.0.1", "--tags", "@sign-on or @register", "--generate", "2", "--out", filepath.Join(t.TempDir(), "run"))
	assert.Empty(t, log.wrong, "one wrong password would lock an account")
	assert.NotEmpty(t, log.lines)
}

func TestNothingIsSentToAProtectedServiceWithoutTheRightHost(t *testing.T) {
	t.Parallel()
	file, log, _ := liveMock(t, "protected: true\n")
	for _, args := range [][]string{
		{"gate", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s"},
		{"gate", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s", "--yes", "prod.example.com"},
		{"load", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s"},
		{"capacity", "--env", file, "--workload", "refresh", "--limit", "refresh.p99<1s"},
		{"ab", "--aa", "--env", file, "--workload", "refresh", "--rate", "5/s"},
	} {
		code, _, stderr := call(t, nil, append(args, "--out", filepath.Join(t.TempDir(), "run"))...)
		assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
		assert.Contains(t, stderr, "--yes", args)
	}
	for _, args := range [][]string{
		{"conform", "--env", file, "--dry-run"}, {"conform", "--env", file, "--dry-run", "--yes", "127.0.0.1"},
		{"gate", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s", "--yes", "127.0.0.1", "--dry-run"},
		{"load", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s", "--yes", "127.0.0.1", "--dry-run"},
		{"load", "--env", file, "--storm", "20", "--within", "2s", "--yes", "127.0.0.1", "--dry-run"},
		{"capacity", "--env", file, "--workload", "refresh", "--limit", "refresh.p99<1s", "--yes", "127.0.0.1", "--dry-run"},
		{"ab", "--aa", "--env", file, "--workload", "refresh", "--rate", "5/s", "--yes", "127.0.0.1", "--dry-run"},
	} {
		code, stdout, stderr := call(t, nil, args...)
		assert.Equal(t, exitPass, code, "%v: %s", args, stderr)
		assert.Contains(t, stdout, "request", args)
		assert.Contains(t, stdout, "; nothing was sent\n", args)
	}
	assert.Empty(t, log.lines, "something was sent")

	code, _, stderr := call(t, nil, "load", "--env", file, "--workload", "refresh", "--rate", "5/s", "--duration", "1s", "--max-lag", "1s", "--yes-load", "mock", "--out", filepath.Join(t.TempDir(), "run"))
	assert.Contains(t, []int{exitPass, exitInvalid}, code, stderr)
	assert.Contains(t, stderr, "agstest: warning: --yes-load gives back a name")
	assert.NotEmpty(t, log.lines)
}

// TestAYesToAnotherHostIsAMistake: who named another service is refused before anything is sent, by every command that
// takes consent, whether the service is protected or not, and in a dry run too. The right host is the control.
func TestAYesToAnotherHostIsAMistake(t *testing.T) {
	t.Parallel()
	for _, guarded := range []string{"protected: true\n", "protected: false\n"} {
		file, log, host := liveMock(t, guarded)
		plan := filepath.Join(t.TempDir(), "plan.yaml")
		require.NoError(t, os.WriteFile(plan, []byte("environments: [{file: "+file+", conform: {only: [DISC-01]}, load: none}]\n"), 0o600))
		traffic := []string{"--workload", "refresh", "--rate", "5/s"}
		for name, args := range map[string][]string{
			"conform":  {"conform", "--env", file, "--yes"},
			"actions":  {"conform", "--env", file, "--yes-actions"},
			"gate":     append([]string{"gate", "--env", file, "--duration", "1s", "--yes"}, traffic...),
			"load":     append([]string{"load", "--env", file, "--duration", "1s", "--yes"}, traffic...),
			"storm":    {"load", "--env", file, "--storm", "5", "--within", "1s", "--yes"},
			"capacity": {"capacity", "--env", file, "--workload", "refresh", "--limit", "refresh.p99<1s", "--yes"},
			"ab":       append([]string{"ab", "--aa", "--env", file, "--yes"}, traffic...),
			"run":      {"run", plan, "--yes"},
		} {
			at := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--yes") })
			flag := args[at]
			for _, dry := range []bool{false, true} {
				given := slices.Insert(slices.Clone(args), at+1, "prod.example.com")
				right := slices.Insert(slices.Clone(args), at+1, host)
				if dry {
					given = append(given, "--dry-run")
				}
				out := filepath.Join(t.TempDir(), "run")
				code, stdout, stderr := call(t, nil, append(given, "--out", out)...)
				assert.Equal(t, exitUsage, code, "%s: %s", name, stderr)
				assert.Contains(t, stderr, `agstest: `+flag+` says "prod.example.com" and the service`, name)
				assert.Contains(t, stderr, host, name)
				assert.Contains(t, stderr, "; nothing was sent\n", name)
				assert.Empty(t, stdout, name)
				assert.NoDirExists(t, out, name)
				code, _, stderr = call(t, nil, append(right, "--dry-run")...)
				assert.Equal(t, exitPass, code, "%s, the right host: %s", name, stderr)
			}
		}
		assert.Empty(t, log.lines, "something was sent")
	}
}

// TestForecastsOfLoadsHold: what a load says before it sends is what is counted afterwards, and a dry run says the
// same.
func TestForecastsOfLoadsHold(t *testing.T) {
	t.Parallel()
	file, log, host := liveMock(t, "protected: true\n")
	for _, test := range []struct {
		name string
		args []string
		want string
		most int // requests, with discovery and a probe of the service
	}{
		{"load", []string{"load", "--workload", "refresh", "--rate", "20/s", "--duration", "1s", "--clients", "5"},
			"load: at most 20 requests, at most 20/s (refresh, constant 20/s for 1s) within 1s by 5 clients, after about 5 requests of set-up, 0 new devices and 0 wrong passwords to " + host, 31},
		{"storm", []string{"load", "--storm", "10", "--within", "1s"},
			"load: 10 requests, at most 10/s, and what clients send again (storm: 10 clients come back within 1s, each tries until it is signed in) within 10m0s by 10 clients, after about 9 requests of set-up, 0 new devices and 0 wrong passwords to " + host, 31},
	} {
		code, stdout, stderr := call(t, nil, append(test.args, "--env", file, "--yes", "127.0.0.1", "--dry-run")...)
		require.Equal(t, exitPass, code, "%s: %s", test.name, stderr)
		assert.Contains(t, stdout, test.want+"; nothing was sent\n", test.name)
		assert.Empty(t, log.lines, test.name)
		code, stdout, stderr = call(t, nil, append(test.args, "--env", file, "--yes", "127.0.0.1", "--max-lag", "5s", "--out", filepath.Join(t.TempDir(), "run"))...)
		assert.Contains(t, []int{exitPass, exitInvalid}, code, stdout+stderr)
		assert.Contains(t, stderr, test.want+"\n", test.name)
		assert.LessOrEqual(t, len(log.lines), test.most, "%s: %s", test.name, log.lines)
		assert.Empty(t, log.wrong, test.name)
		log.lines = nil
	}
}

// TestForecastOfAGateKnowsTheHighestRate: load.maxRate paces the check of a gate as that of conform, and both say so.
func TestForecastOfAGateKnowsTheHighestRate(t *testing.T) {
	t.Parallel()
	file, _, host := liveMock(t, "protected: false\n")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	text = []byte(strings.Replace(string(text), "\nload:\n", "\nload:\n  maxRate: 10/s\n", 1))
	require.NoError(t, os.WriteFile(file, text, 0o600))
	for _, args := range [][]string{
		{"conform"}, {"gate", "--workload", "refresh", "--rate", "5/s", "--duration", "1s"},
	} {
		code, stdout, stderr := call(t, nil, append(args, "--env", file, "--only", "REF-01", "--dry-run")...)
		require.Equal(t, exitPass, code, stderr)
		assert.Contains(t, stdout, " to "+host+"; at most 10/s; nothing was sent\n", args[0])
	}
}

func TestActivationsNeedToBeAllowed(t *testing.T) {
	t.Parallel()
	for allow, want := range map[string]bool{"allow: {first-time: true, register: true}": true, "allow: {first-time: true}": false} {
		file, log, _ := liveMock(t, "")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "allow: {first-time: true, register: true}", allow, 1)), 0o600))
		code, _, stderr := call(t, nil, "conform", "--env", file, "--tags", "@register", "--generate", "2", "--out", filepath.Join(t.TempDir(), "run"))
		assert.NotEqual(t, exitUsage, code, stderr)
		assert.Equal(t, want, strings.Contains(strings.Join(log.lines, "\n"), "/ags/register"), allow)
	}
}

func TestIDsAreMaskedUnlessTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	file, _, _ := liveMock(t, "")
	for _, show := range []bool{false, true} {
		out := filepath.Join(t.TempDir(), "run")
		args := []string{"conform", "--env", file, "--only", "SOST-01,SOST-20,REF-01,SSO-01", "--generate", "0", "--sequences", "0", "--out", out}
		if show {
			args = append(args, "--show-ids")
		}
		code, stdout, stderr := call(t, nil, args...)
		require.Equal(t, exitPass, code, stderr)
		texts := printedFiles(t, out)
		page, err := os.ReadFile(filepath.Join(out, "conformance.html"))
		require.NoError(t, err)
		texts["the page"], texts["the streams"] = string(page), stdout+stderr
		all := ""
		for _, text := range texts {
			all += text
		}
		assert.Equal(t, show, strings.Contains(all, "PUB_989"), "device, %v", show)
		assert.Equal(t, show, strings.Contains(all, `\"1663\"`) || strings.Contains(all, "&#34;1663&#34;"), "account, %v", show)
		if !show {
			assert.Contains(t, all, "PU…89")
		}
	}
}
