package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/journal"
	"agstest/mock"
	"agstest/reports"
)

const operatorSecret = "C4nary-secret-of-an-operator-0123"

// actionsOfMock are actions against a mock: its public calls for operators, and for the rest its control interface as
// any platform's own calls.
func actionsOfMock(control string) string {
	call := func(more, way, path, body string) string {
		return fmt.Sprintf(`{%srequest: {method: %s, url: "%s/control/%s", headers: {Authorization: "Bearer ${OPERATOR_SECRET}", Content-Type: application/json}%s}}`, more, way, control, path, body)
	}
	change := func(more, path, body string) string { return call(more, "POST", path, ", body: '"+body+"'") }
	return `
actions:
  adm: {url: "{url}", token: {keycloak: {url: "{url}/keycloak/auth/realms/nagra/protocol/openid-connect/token", client: agstest, secret: "${OPERATOR_SECRET}"}}}
  disable: ` + change("", "devices/nagra/{clientId}", `{"status":"DISABLED"}`) + `
  enable: ` + change("", "devices/nagra/{clientId}", `{"status":"ENABLED"}`) + `
  delete: ` + change("", "devices/nagra/{clientId}", `{"deleted":true}`) + `
  limit: ` + change("before: 20, ", "accounts/nagra/{accountId}", `{"deviceLimit":{limit}}`) + `
  vpn: ` + change("", "platform/nagra", `{"vpnBlocking":"{state}"}`) + `
  geo: ` + change("", "platform/nagra", `{"geoBlocking":"{state}"}`) + `
  list: ` + call("devices: /devices, id: /clientId, ", "GET", "accounts/nagra/{accountId}", "") + "\n"
}

// actedMock is a mock that is met as a live service is, with actions.
type actedMock struct {
	*runningMock
	dir, file string
	control   *httptest.Server
	slow      atomic.Int64 // nanoseconds that each call of the control interface takes
	broken    atomic.Bool  // each call of the control interface fails
	acted     atomic.Int64
	under     atomic.Int64 // calls of the control interface that are under way
	env       map[string]string
}

func newActedMock(t *testing.T, config mock.Config, more string) *actedMock {
	t.Helper()
	config.ControlToken = operatorSecret
	dir := t.TempDir()
	server := mock.New(config)
	running, err := startMock(server, mockAddresses{service: "127.0.0.1:0", tls: true, caFile: filepath.Join(dir, "ca.pem")})
	require.NoError(t, err)
	t.Cleanup(func() { running.stop(time.Second) })
	m := &actedMock{runningMock: running, dir: dir, env: map[string]string{"OPERATOR_SECRET": operatorSecret}}
	inner := server.Control()
	m.control = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.acted.Add(1)
		m.under.Add(1)
		defer m.under.Add(-1)
		time.Sleep(time.Duration(m.slow.Load())) // stands for the way to a platform
		if m.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		body, _ := io.ReadAll(r.Body) // a switch of this platform is a truth value
		text := strings.NewReplacer(`:"on"`, ":true", `:"off"`, ":false").Replace(string(body))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(m.control.Close)
	r := httptest.NewRequest(http.MethodPost, "/control/accounts/nagra/1663", strings.NewReader(`{"deviceLimit":20}`))
	r.Header.Set("Authorization", "Bearer "+operatorSecret)
	inner.ServeHTTP(httptest.NewRecorder(), r)
	text, err := os.ReadFile(environmentElsewhere(t, running, running.url, ""))
	require.NoError(t, err)
	said := strings.Replace(string(text), "allow: {", "allow: {actions: true, surroundings: true, ", 1) + "\ndevices: {budget: 40}\n"
	said += strings.ReplaceAll(actionsOfMock(m.control.URL), "{url}", running.url) + more
	m.file = filepath.Join(dir, "live.yaml")
	require.NoError(t, os.WriteFile(m.file, []byte(said), 0o600))
	return m
}

// state is what the platform says of the accounts that the file names, without devices that were deleted: those of a
// run.
func (m *actedMock) state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"accounts/nagra/1663", "accounts/nagra/1700", "accounts/nagra/1664", "platform/nagra"} {
		r := httptest.NewRequest(http.MethodGet, "/control/"+path, nil)
		r.Header.Set("Authorization", "Bearer "+operatorSecret)
		w := httptest.NewRecorder()
		m.mock.Control().ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		text := regexp.MustCompile(`"now":"[^"]*",?`).ReplaceAllString(w.Body.String(), "")
		for _, d := range regexp.MustCompile(`\{"clientId":"[^}]*\},?`).FindAllString(text, -1) {
			if known := regexp.MustCompile(`"clientId":"(PUB|OTH|SUS)_`).MatchString(d); !known {
				text = strings.Replace(text, d, "", 1)
			}
		}
		all.WriteString(strings.ReplaceAll(text, ",]", "]"))
	}
	return all.String()
}

// TestLiveServiceThroughActions: with actions a live service is judged on what else only a mock shows, everything is as
// it was before, and no secret of an action stands anywhere.
func TestLiveServiceThroughActions(t *testing.T) {
	t.Parallel()
	m := newActedMock(t, mock.Config{}, "")
	before := m.state(t)
	out := filepath.Join(m.dir, "out")
	code, stdout, stderr := call(t, m.env, "conform", "--env", m.file, "--generate", "1", "--sequences", "1", "--out", out)
	assert.Equal(t, exitPass, code, "%s", stdout+stderr)
	text, err := os.ReadFile(filepath.Join(out, reports.ConformanceFile))
	require.NoError(t, err)
	var c reports.Conformance
	require.NoError(t, json.Unmarshal(text, &c))
	judged, left := 0, []string{}
	for _, r := range c.Requirements {
		switch r.Verdict {
		case reports.Skipped:
			left = append(left, r.ID)
		case reports.NotExercised:
		default:
			judged++
		}
	}
	assert.GreaterOrEqual(t, judged, 195, "not judged: %v", left)
	assert.Equal(t, before, m.state(t))
	assert.NoFileExists(t, journal.Marker(m.file))
	assert.NoFileExists(t, filepath.Join(out, journal.FileName))
	assert.Contains(t, strings.Join(c.Notes, "\n"), "changed by actions and put back")
	texts := allFiles(t, out)
	texts["streams"] = stdout + stderr
	for path, text := range texts {
		assert.NotContains(t, text, operatorSecret, path)
	}
}

// TestAccountsThatOthersShutOutStayShutOut: a run that can reactivate, but neither suspend nor cancel, leaves the accounts
// of the file as they are, whose refresh tokens of before it knows. Nothing would bring them back.
func TestAccountsThatOthersShutOutStayShutOut(t *testing.T) {
	t.Parallel()
	m := newActedMock(t, mock.Config{}, "")
	text, err := os.ReadFile(m.file)
	require.NoError(t, err)
	said := string(text)
	ask := func(h http.Handler, method, path, body string) map[string]any {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header = http.Header{"Authorization": {"Bearer " + operatorSecret}, "Content-Type": {"application/json"}, "Nv-Tenant-Id": {"nagra"}, "X-Auth-Service-Id": {"Operator SSO"}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Contains(t, []int{http.StatusOK, http.StatusCreated}, w.Code, w.Body.String())
		answer := map[string]any{}
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		return answer
	}
	troubled := map[string]string{"1664": "SUSPENDED", "1665": "CANCELLED"}
	for account, state := range troubled {
		line := regexp.MustCompile(`\{sessionToken: "?([^",]+)"?, (clientId: (\w+), accountId: "` + account + `")`).FindStringSubmatch(said)
		require.NotNil(t, line, said)
		ask(m.mock.Control(), http.MethodPost, "/control/accounts/nagra/"+account, `{"status":"ACTIVE"}`)
		pair := ask(m.mock, http.MethodPost, "/ags/signOnWithSessionToken", fmt.Sprintf(`{"parameters":[{"name":"sessionToken","value":%q}],"clientId":%q}`, line[1], line[3]))
		ask(m.mock.Control(), http.MethodPost, "/control/accounts/nagra/"+account, fmt.Sprintf(`{"status":%q}`, state))
		said = strings.Replace(said, line[2], fmt.Sprintf("%s, refreshToken: %q", line[2], pair["refresh_token"]), 1)
	}
	said = regexp.MustCompile(`(?m)^  adm: .*$`).ReplaceAllLiteralString(said, `  reactivate: {request: {method: POST, url: "`+m.control.URL+
		`/control/accounts/nagra/{accountId}", headers: {Authorization: "Bearer ${OPERATOR_SECRET}", Content-Type: application/json}, body: '{"status":"ACTIVE"}'}}`)
	require.NoError(t, os.WriteFile(m.file, []byte(said), 0o600))
	code, stdout, stderr := call(t, m.env, "conform", "--env", m.file, "--only", "REF-13,DEV-08,DEV-09,DEV-10,DEV-20,FLOW-07", "--generate", "0", "--sequences", "0", "--out", filepath.Join(m.dir, "out"))
	assert.Equal(t, exitPass, code, stdout+stderr)
	for account, state := range troubled {
		assert.Equal(t, state, ask(m.mock.Control(), http.MethodGet, "/control/accounts/nagra/"+account, "")["status"], "%s: %s", account, stdout)
	}
}

// TestDevicesOfTheFileAreNotTakenForMadeOnes: a service that answers a request with deviceInformation by a device which
// it knows already has made none, so nothing is deleted and nothing that the file names is signed out.
func TestDevicesOfTheFileAreNotTakenForMadeOnes(t *testing.T) {
	t.Parallel()
	both, found := mock.ChoiceByName("both-client-id")
	require.True(t, found)
	again, found := mock.FaultByName("device-recognised")
	require.True(t, found)
	for name, config := range map[string]mock.Config{"clientId counts": {Choices: []mock.Choice{both}}, "the device that the account has": {Faults: []mock.Fault{again}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newActedMock(t, config, "")
			text, err := os.ReadFile(m.file)
			require.NoError(t, err)
			with := strings.Replace(string(text), "  disabled-device:", "  spare-device: {clientId: PUB_994}\n  disabled-device:", 1)
			require.NoError(t, os.WriteFile(m.file, []byte(with), 0o600))
			before := m.state(t)
			out := filepath.Join(m.dir, "out")
			code, stdout, stderr := call(t, m.env, "conform", "--env", m.file, "--only", "SOST-13,SOST-02,SOST-21,OUT-01,REF-14,TOK-23,DEV-01", "--generate", "0", "--sequences", "0", "--out", out)
			assert.Equal(t, before, m.state(t), stdout+stderr)
			if config.Faults == nil {
				assert.Equal(t, exitPass, code, stdout+stderr)
				return
			}
			assert.Equal(t, exitFail, code, stdout+stderr)
			assert.Contains(t, stdout, "DEV-01")
			assert.NotContains(t, stdout, "that this run made")
		})
	}
}

// TestFaultsAreCaughtThroughActions: a sample of the faults that only the control interface shows in a run without
// actions.
func TestFaultsAreCaughtThroughActions(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, name := range []string{"account-stays-suspended", "refresh-suspended", "refresh-disabled", "refresh-deleted", "flow-not-reactivated", "device-made-on-nth", "error-switches-ignored", "device-all-count", "register-state-ignored"} {
		fault, found := mock.FaultByName(name)
		require.True(t, found, name)
		m := newActedMock(t, mock.Config{Faults: []mock.Fault{fault}}, "")
		all.Go(func() {
			out := filepath.Join(m.dir, "out")
			code, stdout, stderr := call(t, m.env, "conform", "--env", m.file, "--only", fault.Requirement+",SOST-01,SOST-02,REF-01", "--strict", "--generate", "0", "--sequences", "0", "--out", out)
			assert.Equal(t, exitFail, code, "%s (%s): %s", name, fault.Requirement, stdout+stderr)
			assert.NoFileExists(t, journal.Marker(m.file), name)
		})
	}
	all.Wait()
}

// TestKilledRunIsPutBack kills a run at random moments: 4 of them or KILLS, chosen by KILL_SEED, and when something is
// open if nothing was at any of these. The next run does not begin before restore, which puts everything back.
func TestKilledRunIsPutBack(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes are not killed by a signal here")
	}
	kills, seed := number(t, "KILLS", 4), uint64(number(t, "KILL_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("%d kills; the same moments again: KILLS=%d KILL_SEED=%d", kills, kills, seed)
	random := rand.New(rand.NewPCG(seed, 1))
	m := newActedMock(t, mock.Config{}, "")
	before := m.state(t)
	m.slow.Store(int64(20 * time.Millisecond))
	pendingRuns := 0
	for i := 0; i < kills || pendingRuns == 0 && i < kills+20; i++ {
		out := fmt.Sprintf("out-%d", i)
		c := newChild(t, m.dir, "conform", "--env", m.file, "--only", "REF-13,REF-14,FLOW-07,DEV-10,DEV-13,ERR-13", "--generate", "0", "--sequences", "0", "--out", out)
		c.Env = append(c.Env, "OPERATOR_SECRET="+operatorSecret)
		acted := m.acted.Load()
		c.start()
		wanted := acted + 1 + random.Int64N(12)
		there := func() bool { return m.acted.Load() >= wanted }
		if i >= kills {
			there = func() bool { _, err := os.Stat(journal.Marker(m.file)); return err == nil }
		}
		for wanted > 0 && !there() {
			select {
			case <-c.ended:
				wanted = 0
			case <-time.After(time.Millisecond):
			}
		}
		_ = c.Process.Kill()
		<-c.ended
		require.Eventually(t, func() bool { return m.under.Load() == 0 }, longest, time.Millisecond, "what it had asked for last is done, or not")
		folder, err := os.ReadFile(journal.Marker(m.file))
		if err != nil {
			assert.Equal(t, before, m.state(t), "nothing was open")
			continue
		}
		pendingRuns++
		code, _, stderr := call(t, m.env, "conform", "--env", m.file, "--only", "SOST-01", "--generate", "0", "--sequences", "0", "--out", filepath.Join(m.dir, "next"))
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, "agstest restore "+string(folder))
		code, stdout, stderr := call(t, m.env, "restore", string(folder))
		assert.Equal(t, exitPass, code, stdout+stderr)
		assert.Equal(t, before, m.state(t), "kill %d", i)
		assert.NoFileExists(t, journal.Marker(m.file))
		code, _, stderr = call(t, m.env, "restore", string(folder))
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, "holds no journal of actions")
	}
	assert.Positive(t, pendingRuns, "some run had something open when it was killed")
}

// mainThatBreaksDown is agstest, but for a goroutine that panics as soon as something of the platform is changed.
func mainThatBreaksDown() {
	here, _ := os.Getwd()
	marker := journal.Marker(filepath.Join(here, "live.yaml"))
	go func() {
		defer failure.Guard()
		for {
			if _, err := os.Stat(marker); err == nil {
				panic(secretOfPanic)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	main()
}

// TestRunThatEndsEarlyPutsBack: Ctrl-C, SIGTERM and a panic end a run in order, whatever is changed at that moment.
func TestRunThatEndsEarlyPutsBack(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes are not told by a signal here")
	}
	for name, test := range map[string]struct {
		signal os.Signal // nil: it breaks down by itself
		code   int
	}{
		"Ctrl-C": {os.Interrupt, exitInterrupted}, "SIGTERM": {syscall.SIGTERM, exitTerminated}, "panic": {nil, exitInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newActedMock(t, mock.Config{}, "")
			before := m.state(t)
			m.slow.Store(int64(30 * time.Millisecond))
			c := newChild(t, m.dir, "conform", "--env", m.file, "--only", "REF-13,REF-14,DEV-13,ERR-13", "--generate", "0", "--sequences", "0", "--out", "out")
			if test.signal == nil {
				c.as("agstest-that-breaks-down")
			}
			c.Env = append(c.Env, "OPERATOR_SECRET="+operatorSecret)
			c.start()
			for acts := false; test.signal != nil && !acts; {
				_, err := os.Stat(journal.Marker(m.file))
				acts = err == nil
				select {
				case <-c.ended:
					t.Fatal(c.stderr.String())
				case <-time.After(time.Millisecond):
				}
			}
			if test.signal != nil {
				require.NoError(t, c.Process.Signal(test.signal))
			}
			assert.Equal(t, test.code, c.code(), c.stderr.String())
			assert.Positive(t, m.acted.Load(), "something was changed")
			assert.Equal(t, before, m.state(t))
			assert.NoFileExists(t, journal.Marker(m.file))
			assert.NotContains(t, c.stderr.String()+c.stdout.String(), secretOfPanic)
		})
	}
}

// TestPlatformThatDoesNotPutBack: a run that cannot put back says what is left, judges no more, and stands in the way
// of the next until it is put back.
func TestPlatformThatDoesNotPutBack(t *testing.T) {
	t.Parallel()
	m := newActedMock(t, mock.Config{}, "")
	before := m.state(t)
	text, err := os.ReadFile(m.file)
	require.NoError(t, err)
	const goodPath = "devices/nagra/{clientId}\", headers: {Authorization: \"Bearer ${OPERATOR_SECRET}\", Content-Type: application/json}, body: '{\"status\":\"ENABLED\"}'"
	bad := strings.Replace(string(text), goodPath, strings.Replace(goodPath, "devices/", "nowhere/", 1), 1)
	require.NotEqual(t, string(text), bad)
	require.NoError(t, os.WriteFile(m.file, []byte(bad), 0o600))
	out := filepath.Join(m.dir, "out")
	code, stdout, stderr := call(t, m.env, "conform", "--env", m.file, "--only", "REF-14", "--generate", "0", "--sequences", "0", "--out", out)
	assert.NotEqual(t, exitPass, code)
	assert.Contains(t, stdout+stderr, "could not be put back: to enable the device PUB_989: the request POST "+m.control.URL+"/control/nowhere/nagra/{clientId} was answered with status 404")
	assert.Contains(t, stderr, "agstest restore "+out)
	code, stdout, stderr = call(t, m.env, "restore", out)
	assert.Equal(t, exitSetup, code, stdout+stderr)
	require.NoError(t, os.WriteFile(m.file, text, 0o600))
	code, stdout, stderr = call(t, m.env, "restore", out)
	assert.Equal(t, exitPass, code, stdout+stderr)
	assert.Equal(t, "1 change put back\n", stdout)
	assert.Equal(t, before, m.state(t))
}

// TestActionsThatMayNotBeUsed: those that the file does not allow, and those of a protected environment without a yes.
func TestActionsThatMayNotBeUsed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from, to string
		args     []string
		acts     bool
		says     string
	}{
		"not allowed":     {"actions: true, ", "", nil, false, "are not used, because the file does not allow them"},
		"protected":       {"protected: false", "protected: true", []string{"--yes", "127.0.0.1"}, false, "--yes-actions 127.0.0.1"},
		"said yes":        {"protected: false", "protected: true", []string{"--yes", "127.0.0.1", "--yes-actions", "mock"}, true, ""},
		"unnamed account": {`active:             {clientId: PUB_989, accountId: "1663"}`, `active:             {clientId: PUB_989}`, nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newActedMock(t, mock.Config{}, "")
			text, err := os.ReadFile(m.file)
			require.NoError(t, err)
			changed := strings.Replace(string(text), test.from, test.to, 1)
			require.NotEqual(t, string(text), changed)
			require.NoError(t, os.WriteFile(m.file, []byte(changed), 0o600))
			if name == "unnamed account" {
				changed = strings.ReplaceAll(changed, `accountId: "1663"`, `accountId: "1663-other"`)
				require.NoError(t, os.WriteFile(m.file, []byte(changed), 0o600))
			}
			code, stdout, stderr := call(t, m.env, append([]string{"conform", "--env", m.file, "--only", "REF-14", "--generate", "0", "--sequences", "0", "--out", filepath.Join(m.dir, "out")}, test.args...)...)
			// Where no action may be used, all that was asked for is skipped.
			assert.Equal(t, map[bool]int{true: exitPass, false: exitInconclusive}[test.acts], code, stdout+stderr)
			assert.Equal(t, test.acts, m.acted.Load() > 0, stdout+stderr)
			assert.Contains(t, stderr, test.says)
			if name == "protected" { // the file has the actions, so that it is no line of it that lacks
				assert.Contains(t, stdout, "\n    --yes-actions 127.0.0.1", stdout)
				assert.NotContains(t, stdout, "with allow: {actions: true}")
			}
		})
	}
}
