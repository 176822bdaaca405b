package steps_test

import (
	"context"
	"encoding/json"
	"index/suffixarray"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crypto/tls"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/mock"
	"agstest/mock/dumb"
	"agstest/reports"
	"agstest/steps"
)

// service starts a mock with its control interface and gives the environment that fits it.
func service(t testing.TB, config mock.Config) *environment.Environment {
	t.Helper()
	e, end, err := started(config, itself)
	require.NoError(t, err)
	t.Cleanup(end)
	return e
}

func run(t testing.TB, o steps.Options) *reports.Conformance {
	t.Helper()
	report, err := steps.Run(context.Background(), o)
	require.NoError(t, err)
	return report
}

func requirement(t testing.TB, report *reports.Conformance, id string) reports.Requirement {
	t.Helper()
	for _, q := range report.Requirements {
		if q.ID == id {
			return q
		}
	}
	t.Fatalf("%s is not in the report", id)
	return reports.Requirement{}
}

// TestMockIsGreen: the mock as it is passes over https, strictly judged, with nothing skipped and only exempt
// requirements left out.
func TestMockIsGreen(t *testing.T) {
	authority, err := mock.NewAuthority(time.Now())
	require.NoError(t, err)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, authority.PEM, 0o600))
	server := mock.New(mock.Config{})
	api := httptest.NewUnstartedServer(server)
	api.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Server}}
	api.StartTLS()
	control := httptest.NewServer(server.Control())
	t.Cleanup(func() { api.Close(); control.Close() })
	e, err := environment.Parse(server.Environment(api.URL, control.URL, ca), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)

	report := run(t, steps.Options{Environment: e, Strictness: steps.Strict, Generate: 20, Sequences: 10, Slow: true})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	for _, q := range report.Requirements {
		_, isExempt := steps.Exempt(q.ID)
		switch {
		case isExempt:
		case q.Verdict != reports.Pass && q.Verdict != reports.Observed:
			t.Errorf("%s is %s: %s", q.ID, q.Verdict, q.Reason)
		case q.Checked == 0:
			t.Errorf("%s is %s, but nothing was checked", q.ID, q.Verdict)
		}
	}
	for _, s := range report.Scenarios {
		if s.Verdict != reports.Pass && s.Verdict != reports.Observed {
			t.Errorf("%s (%s) is %s: %s", s.ID, s.Name, s.Verdict, s.Reason)
		}
	}
	assert.Equal(t, "full", report.Profile.Name)
	assert.Equal(t, 214, report.Profile.Asked)
	assert.Equal(t, 214, report.Profile.Exercised)
	assert.Greater(t, report.Counts.Exchanges, 500)
	assert.NotEmpty(t, report.Shape)
	t.Logf("%d scenarios, %d exchanges in %s", len(report.Scenarios), report.Counts.Exchanges, report.Run.End.Sub(report.Run.Start))
}

// TestNoSecretInTheReport searches the whole report of a run, with failures in it, for every secret that went over the
// wire.
func TestNoSecretInTheReport(t *testing.T) {
	var seen []string
	secret := regexp.MustCompile(`"(?:access_token|refresh_token|sessionToken|userAccountToken|signOnActivationToken|dsraToken|password)"\s*:\s*"([^"]{8,})"`)
	submitted := regexp.MustCompile(`"value":"([^"]{12,})"`)
	server := mock.New(mock.Config{Faults: []mock.Fault{fault(t, "get-session-201"), fault(t, "get-session-any-signature")}})
	collector := &recorder{next: server}
	api, control := httptest.NewServer(collector), httptest.NewServer(server.Control())
	t.Cleanup(func() { api.Close(); control.Close() })
	file := server.Environment(api.URL, control.URL, "")
	e, err := environment.Parse(file, "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	report := run(t, steps.Options{Environment: e, Generate: 5, Sequences: 2})
	require.Equal(t, reports.Fail, report.Verdict)
	text, err := json.Marshal(report)
	require.NoError(t, err)
	for _, traffic := range collector.texts() {
		for _, m := range secret.FindAllStringSubmatch(traffic, -1) {
			seen = append(seen, m[1])
		}
		for _, m := range submitted.FindAllStringSubmatch(traffic, -1) {
			if !strings.HasPrefix(m[1], "user-") && !strings.HasPrefix(m[1], "made-up") && !strings.HasPrefix(m[1], "not-the-password") {
				seen = append(seen, m[1])
			}
		}
	}
	seen = append(seen, e.Operator.Secret, e.Mock.Token)
	slices.Sort(seen)
	seen = slices.Compact(seen)
	require.Greater(t, len(seen), 300)
	index := suffixarray.New(text) // in which thousands of secrets are looked for
	require.NotEmpty(t, index.Lookup([]byte(e.Tenant), 1), "what does stand in it")
	for _, s := range seen {
		if places := index.Lookup([]byte(s), 1); len(places) > 0 {
			at := places[0]
			t.Fatalf("a secret of %d bytes stands in the report: …%s…", len(s), text[max(0, at-200):at])
		}
	}
}

// TestParallelEqualsSerial: the number of scenarios that run at the same time does not change the report, apart from
// times and the ids and marks that the mock makes up as it goes.
func TestParallelEqualsSerial(t *testing.T) {
	many := run(t, steps.Options{Environment: service(t, mock.Config{Seed: 3}), Concurrency: 8, Seed: 5})
	if underRace {
		return // the detector has seen what it is to see
	}
	one := run(t, steps.Options{Environment: service(t, mock.Config{Seed: 3}), Concurrency: 1, Seed: 5})
	if diff := cmp.Diff(comparable(one), comparable(many)); diff != "" {
		t.Error(diff[:min(len(diff), 4000)])
	}
	// The evidence of each scenario is its own: correlation ids come from the seed and the scenario.
	for i := range one.Scenarios {
		assert.Equal(t, correlations(one.Scenarios[i]), correlations(many.Scenarios[i]), one.Scenarios[i].ID)
	}
}

func correlations(s reports.Scenario) []string {
	var ids []string
	for _, x := range s.Transcript {
		for _, h := range x.RequestHeader {
			if h[0] == "x-correlation-id" {
				ids = append(ids, h[1])
			}
		}
	}
	return ids
}

// made are ids, marks and addresses that differ from run to run.
var made = regexp.MustCompile(`«[^»]*»|"N[0-9]+"|user-N[0-9]+|\b[0-9a-f]{24}\b|127\.0\.0\.1:[0-9]+|[0-9]{19}|[0-9]{10}|agstest[-_][a-z0-9]+`)

// comparable keeps what must be the same.
func comparable(r *reports.Conformance) []string {
	var lines []string
	line := func(words ...string) { lines = append(lines, made.ReplaceAllString(strings.Join(words, " | "), "#")) }
	line(string(r.Verdict), r.Reason)
	for _, q := range r.Requirements {
		line(q.ID, string(q.Verdict), q.Reason, q.Needs, strings.Join(q.Scenario, " "))
	}
	for _, s := range r.Scenarios {
		line(s.ID, string(s.Verdict), s.Reason)
		for _, step := range s.Steps {
			line(step.Keyword, step.Text, string(step.Verdict), step.Message)
		}
		for _, x := range s.Transcript {
			line(x.Method, x.Operation, http.StatusText(x.Status))
		}
	}
	return lines
}

// TestDumbServers: a server that is no AGS gets a red verdict, and passes only for what it really does.
func TestDumbServers(t *testing.T) {
	ceilings := map[string]int{ // requirements that may hold, of 214
		"empty-object": 5, "all-401": 15, "all-500": 3, "replay": 80, "first-user": 105, "random-tokens": 55, "captive-portal": 0, "echo": 0,
		"static-mock": 70, "redirect-loop": 0, "closed": 0, "flaky": 185,
	}
	for _, d := range dumb.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			ceiling, ok := ceilings[d.Name]
			require.True(t, ok, "no ceiling is stated")
			e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler { return d.Handler(s) })
			require.NoError(t, err)
			defer end()
			o := quick
			o.Environment = e
			report, err := steps.Run(context.Background(), o)
			if ceiling == 0 {
				require.Error(t, err)
				assert.Equal(t, failure.Setup, failure.KindOf(err))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
			assert.LessOrEqual(t, report.Counts.Requirements[reports.Pass], ceiling)
			t.Logf(d.Name+": %d pass, %d fail, %d error", report.Counts.Requirements[reports.Pass], report.Counts.Requirements[reports.Fail], report.Counts.Requirements[reports.Error])
		})
	}
}

func fault(t testing.TB, name string) mock.Fault {
	f, ok := mock.FaultByName(name)
	require.True(t, ok, name)
	return f
}

// TestKnownDepartures: a listed failure is known; a listed success, an expired entry and one that matches nothing fail
// the run.
func TestKnownDepartures(t *testing.T) {
	now := func() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }
	entry := func(id, expires string) []steps.KnownDeparture {
		return []steps.KnownDeparture{{ID: id, Reason: "a reason", Owner: "somebody", Expires: expires}}
	}
	faulty := mock.Config{Faults: []mock.Fault{fault(t, "refresh-no-account")}} // breaks REF-03
	for _, c := range []struct {
		name    string
		config  mock.Config
		known   []steps.KnownDeparture
		run, at reports.Verdict
	}{
		{"not listed", faulty, nil, reports.Fail, reports.Fail},
		{"listed and failing", faulty, entry("REF-03", "2030-05-01"), reports.Pass, reports.Known},
		{"expired", faulty, entry("REF-03", "2030-04-30"), reports.Fail, reports.Fail},
		{"listed and passing", mock.Config{}, entry("REF-03", "2031-01-01"), reports.Fail, reports.Fail},
		{"no such requirement", mock.Config{}, entry("GST-99", "2031-01-01"), reports.Fail, reports.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := run(t, steps.Options{Environment: service(t, c.config), Only: []string{"REF-03"}, Known: c.known, Now: now})
			assert.Equal(t, c.run, report.Verdict, report.Reason)
			assert.Equal(t, c.at, requirement(t, report, "REF-03").Verdict)
		})
	}
}

// TestAKnownDepartureIsKnownEverywhere: what generated requests and random sequences meet too is laid to the one
// requirement it misses.
func TestAKnownDepartureIsKnownEverywhere(t *testing.T) {
	known := []steps.KnownDeparture{{ID: "ERR-10", Reason: "stack traces", Owner: "somebody", Expires: "2030-05-01"}}
	report := run(t, steps.Options{Environment: service(t, mock.Config{Faults: []mock.Fault{fault(t, "error-stack-trace")}}), Known: known, Strictness: steps.Strict,
		Generate: 5, Sequences: 3, Seed: 1, Now: func() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Equal(t, reports.Known, requirement(t, report, "ERR-10").Verdict)
	assert.Equal(t, reports.Pass, requirement(t, report, "ERR-07").Verdict)
	for _, s := range report.Scenarios {
		assert.NotEqual(t, reports.Fail, s.Verdict, s.ID)
	}
}

func TestReadKnown(t *testing.T) {
	list, err := steps.ReadKnown([]byte("- {id: SOST-07, reason: \"a proxy\", owner: team, expires: 2027-01-31}\n"))
	require.NoError(t, err)
	assert.Equal(t, []steps.KnownDeparture{{ID: "SOST-07", Reason: "a proxy", Owner: "team", Expires: "2027-01-31"}}, list)
	for text, want := range map[string]string{
		"":                "empty",
		"- {id: SOST-07}": "reason is missing",
		"- {id: A, reason: b, owner: c, expires: tomorrow}":                                                        "write one such as",
		"- {id: A, reason: b, owner: c, expires: 2027-01-31}\n- {id: A, reason: b, owner: c, expires: 2027-01-31}": "listed twice",
		"- {id: A, reasn: b}": "line 1",
		"- {id: A, reason: b, owner: c, expires: 2027-01-31}\n---\n- {id: B, reason: b, owner: c, expires: 2027-01-31}\n": "line 2: a second YAML document",
		"id: A": "line 1",
	} {
		_, err := steps.ReadKnown([]byte(text))
		require.Error(t, err, text)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
		assert.Contains(t, err.Error(), want)
	}
}

// TestStrictness: a sampled miss fails, warns when lenient; what warns fails when strict; a probe never fails.
func TestStrictness(t *testing.T) {
	for _, c := range []struct {
		fault, id  string
		strictness steps.Strictness
		want       reports.Verdict
	}{
		{"token-access-typ", "TOK-04", steps.Normal, reports.Fail}, // sampled
		{"token-access-typ", "TOK-04", steps.Lenient, reports.Warn},
		{"get-session-any-audience", "GST-06", steps.Normal, reports.Warn}, // inferred
		{"get-session-any-audience", "GST-06", steps.Strict, reports.Fail},
		{"get-session-signature-empty", "GST-04", steps.Lenient, reports.Fail}, // plain security
		{"get-session-201", "GST-01", steps.Lenient, reports.Fail},             // documented
	} {
		report := run(t, steps.Options{Environment: service(t, mock.Config{Faults: []mock.Fault{fault(t, c.fault)}}), Only: []string{c.id}, Strictness: c.strictness})
		assert.Equal(t, c.want, requirement(t, report, c.id).Verdict, "%s %s", c.fault, c.strictness)
	}
}

// TestEvidence: a failing requirement leads to the exchange that shows it, with a curl line that holds no secret.
func TestEvidence(t *testing.T) {
	e := service(t, mock.Config{Faults: []mock.Fault{fault(t, "get-session-any-audience")}})
	report := run(t, steps.Options{Environment: e, Only: []string{"GST-06"}})
	q := requirement(t, report, "GST-06")
	require.Equal(t, reports.Warn, q.Verdict)
	require.NotEmpty(t, q.Findings)
	f := q.Findings[0]
	assert.Equal(t, "status 401 or 403", f.Expected)
	assert.Equal(t, "status 200", f.Got)
	assert.Equal(t, "GST", q.Sources[0].Key)
	for _, s := range report.Scenarios {
		if s.ID != f.Scenario {
			continue
		}
		require.Less(t, f.Exchange, len(s.Transcript))
		x := s.Transcript[f.Exchange]
		assert.Equal(t, "getSessionToken", x.Operation)
		assert.Equal(t, 200, x.Status)
		assert.Contains(t, x.Curl, "curl ")
		assert.Contains(t, x.Curl, "/ags/getSessionToken")
		assert.NotContains(t, x.Curl+x.RequestBody+x.ResponseBody, e.Operator.Secret)
		assert.Equal(t, reports.Warn, s.Verdict)
		assert.Equal(t, reports.Warn, s.Steps[len(s.Steps)-1].Verdict)
		return
	}
	t.Fatal("the finding names no scenario of the report")
}

// TestGeneratedRequestIsShrunkAndReplayed: the suite finds a service that answers one odd request with 500, shortens
// the request to what matters and shows it as a curl line; the same seed finds the same.
func TestGeneratedRequestIsShrunkAndReplayed(t *testing.T) {
	front := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/refresh") && strings.Contains(recordBody(r), `"parameters":17`) {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			s.ServeHTTP(w, r)
		})
	}
	find := func() string {
		e, end, err := started(mock.Config{}, front)
		require.NoError(t, err)
		defer end()
		report := run(t, steps.Options{Environment: e, Tags: "@generated", Generate: 150, Seed: 11})
		assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
		q := requirement(t, report, "ERR-08")
		require.Equal(t, reports.Fail, q.Verdict)
		for _, s := range report.Scenarios {
			if s.Verdict == reports.Fail {
				return s.Steps[len(s.Steps)-1].Message
			}
		}
		return ""
	}
	first := find()
	assert.Contains(t, first, "status 500 came")
	assert.Contains(t, first, "of seed 11, in which the member parameters is a number; reproduce it with: ")
	assert.Contains(t, first, "curl")
	shown := regexp.MustCompile(`request [0-9]+ of seed 11, in which [^;]*`)
	assert.Equal(t, shown.FindString(first), shown.FindString(find()))
}

// TestGeneratedRequestsChangeTheParameterOfTheEnvironment: if a head-end's token has another name, generated requests
// change that parameter. This service breaks down where it holds no token.
func TestGeneratedRequestsChangeTheParameterOfTheEnvironment(t *testing.T) {
	front := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/getSessionToken") {
				body, err := io.ReadAll(r.Body)
				if text := string(body); err == nil && strings.Contains(text, `"HeadEndToken"`) && !strings.Contains(text, `"HeadEndToken","value":"ey`) {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), "HeadEndToken", "OperatorAuthToken"))), -1
			}
			s.ServeHTTP(w, r)
		})
	}
	e, end, err := started(mock.Config{}, front)
	require.NoError(t, err)
	defer end()
	e.Operator.Parameter = "HeadEndToken"
	report := run(t, steps.Options{Environment: e, Tags: "@generated", Generate: 60, Seed: 11})
	require.Equal(t, reports.Fail, requirement(t, report, "ERR-08").Verdict)
	for _, s := range report.Scenarios {
		if s.Verdict == reports.Fail {
			assert.Contains(t, s.Steps[len(s.Steps)-1].Message, "the parameter HeadEndToken")
		}
	}
}

// TestSequenceIsShrunk: random sequences find a broken state rule, and are shortened to what matters.
func TestSequenceIsShrunk(t *testing.T) {
	var name string
	for _, f := range mock.Faults() {
		if f.Requirement == "REF-13" {
			name = f.Name
			break
		}
	}
	require.NotEmpty(t, name)
	report := run(t, steps.Options{Environment: service(t, mock.Config{Faults: []mock.Fault{fault(t, name)}}), Tags: "@sequences", Sequences: 200, Seed: 2})
	assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
	q := requirement(t, report, "REF-13")
	require.Equal(t, reports.Fail, q.Verdict)
	require.NotEmpty(t, q.Findings)
	assert.Regexp(t, `after: (suspend|cancel), refresh client \d \(sequence`, q.Findings[0].Got)
}

// TestCancelledRunIsPartial: a run that is ended says so and never passes.
func TestCancelledRunIsPartial(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	report, err := steps.Run(ctx, steps.Options{Environment: service(t, mock.Config{}), Concurrency: 1,
		Progress: func(done, _ int, _ string, _ reports.Verdict) {
			if done == 20 {
				cancel()
			}
		}})
	require.NoError(t, err)
	assert.NotEmpty(t, report.Run.Partial)
	assert.Equal(t, reports.Error, report.Verdict)
	assert.Contains(t, report.Reason, "the run was ended after 20 of")
}

func TestUnreachableService(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	e := service(t, mock.Config{})
	e.URL = dead.URL
	_, err := steps.Run(context.Background(), steps.Options{Environment: e})
	require.Error(t, err)
	assert.Equal(t, failure.Setup, failure.KindOf(err))
}

// TestOwnFeatures: people's own scenarios run beside the suite's; one that fails without naming a requirement fails the
// run.
func TestOwnFeatures(t *testing.T) {
	feature := func(status string) fstest.MapFS {
		return fstest.MapFS{"team/mine.feature": {Data: []byte("Feature: Mine\n  @mine\n  Scenario: Signing on\n    Given an account in good standing\n    And a device of the account\n" +
			"    When the client signs on with a session token and its clientId\n    Then the status is " + status + "\n")}}
	}
	report := run(t, steps.Options{Environment: service(t, mock.Config{}), Features: feature("201"), Tags: "@mine"})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	require.Len(t, report.Scenarios, 1)
	assert.Equal(t, "own/team/mine.feature:3", report.Scenarios[0].ID)
	report = run(t, steps.Options{Environment: service(t, mock.Config{}), Features: feature("418"), Tags: "@mine"})
	assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
}

// TestOwnSentencesThatLookAtNothing: what names a claim or a request that is not there is no pass, and two names are
// two however they are joined.
func TestOwnSentencesThatLookAtNothing(t *testing.T) {
	const generated = "every one was answered in time, none with 500 or more, and nobody was let in without a good " +
		"token or password"
	for sentence, want := range map[string]reports.Verdict{
		"the access token has none of the claims accountId and deviceId": reports.Fail,
		"the access token has none of the claims accountId,deviceId":     reports.Fail,
		"the access token has none of the claims password and pin":       reports.Pass,
		"the claims accountid are the same in both tokens":               reports.Error,
		"the claims accountId and deviceId are the same in both tokens":  reports.Pass,
		"each was refused with 400":                                      reports.Error,
		"each was answered without a fault of the service":               reports.Error,
		"each was refused":                           reports.Error,
		"every answer was one that the model allows": reports.Error,
		generated: reports.Error,
	} {
		t.Run(sentence, func(t *testing.T) {
			feature := fstest.MapFS{"mine.feature": {Data: []byte("Feature: Mine\n  @mine\n  Scenario: Looking\n" +
				"    Given a client that is signed on\n    Then " + sentence + "\n")}}
			report := run(t, steps.Options{Environment: service(t, mock.Config{}), Features: feature, Tags: "@mine"})
			require.Len(t, report.Scenarios, 1)
			assert.Equal(t, want, report.Scenarios[0].Verdict, report.Scenarios[0].Reason)
		})
	}
}

// TestWaitedOutAnswersAreNoted: 429 with Retry-After is neither a failure nor hidden.
func TestWaitedOutAnswersAreNoted(t *testing.T) {
	n := 0
	front := func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/refresh") {
				if n++; n == 1 {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
			}
			s.ServeHTTP(w, r)
		})
	}
	e, end, err := started(mock.Config{}, front)
	require.NoError(t, err)
	defer end()
	o := quick
	o.Environment, o.Only, o.Concurrency = e, []string{"REF-01"}, 1
	report := run(t, o)
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	require.NotEmpty(t, report.Notes)
	assert.Contains(t, report.Notes[0], "1 answer 429 came and was waited out (refresh)")
}

// live makes an environment of a service without a control interface.
func live(t testing.TB, change func(*environment.Environment)) *environment.Environment {
	e := service(t, mock.Config{})
	e.Mock = nil
	if change != nil {
		change(e)
	}
	return e
}

// TestLiveService: without a control interface the run uses the situations of the environment file. It skips what they
// do not allow, says what the file would need, and nothing fails for it.
func TestLiveService(t *testing.T) {
	report := run(t, steps.Options{Environment: live(t, func(e *environment.Environment) { e.Allow.Devices = 40 }), Generate: 3, Sequences: 2})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Greater(t, report.Profile.Exercised, 170)
	for _, s := range report.Scenarios {
		if s.Verdict == reports.Fail || s.Verdict == reports.Error {
			t.Errorf("%s (%s) is %s: %s", s.ID, s.Name, s.Verdict, s.Reason)
		}
	}
}

// TestTakenOverSessionTokenIsUsedOnce: the devices that scenarios share are made with session tokens of their own, also
// where the scenario that comes first has taken one over.
func TestTakenOverSessionTokenIsUsedOnce(t *testing.T) {
	report := run(t, steps.Options{Environment: live(t, nil), Only: []string{"FLOW-04", "SOST-33"}, Concurrency: 1})
	assert.Equal(t, reports.Pass, requirement(t, report, "FLOW-04").Verdict, report.Reason)
	assert.Equal(t, reports.Pass, requirement(t, report, "SOST-33").Verdict, report.Reason)
}

// TestLiveServiceWithFullAccount: an account of the environment file that can have no more devices is no fault of the
// service.
func TestLiveServiceWithFullAccount(t *testing.T) {
	e := live(t, func(e *environment.Environment) { e.Situations["active"] = e.Situations["device-limit"] })
	report := run(t, steps.Options{Environment: e, Only: []string{"SOST-01", "SOST-02"}})
	assert.Equal(t, reports.Pass, requirement(t, report, "SOST-01").Verdict)
	q := requirement(t, report, "SOST-02")
	assert.Equal(t, reports.Skipped, q.Verdict, q.Reason)
	assert.Contains(t, q.Needs, "room for more devices")
}

// TestPoorLiveService: a run on an environment that offers next to nothing skips most scenarios, says what it needs,
// and passes for what it could check.
func TestPoorLiveService(t *testing.T) {
	e := live(t, func(e *environment.Environment) {
		e.Operator, e.Situations, e.Allow = nil, environment.Situations{}, environment.Allow{}
	})
	report := run(t, steps.Options{Environment: e})
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.Regexp(t, `^on [0-9]+ of 214 requirements \([0-9]+ %\), the others were not judged: `, report.Reason)
	q := requirement(t, report, "SOST-01")
	assert.Equal(t, reports.Skipped, q.Verdict)
	assert.Contains(t, q.Needs, "active:")
	assert.Equal(t, reports.Pass, requirement(t, report, "DISC-01").Verdict)
	only := run(t, steps.Options{Environment: e, Only: []string{"SOST-01"}})
	assert.Equal(t, reports.Error, only.Verdict, "a run that exercised nothing is never a pass")
}

// TestGivenTokenThatWorksOnce: a session token of the environment file that is used up after its first sign-on is no
// fault of the service.
func TestGivenTokenThatWorksOnce(t *testing.T) {
	server := mock.New(mock.Config{})
	api, control := httptest.NewServer(server), httptest.NewServer(server.Control())
	t.Cleanup(func() { api.Close(); control.Close() })
	e, err := environment.Parse(server.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	token := mintSessionToken(t, e)
	e.Mock, e.Operator = nil, nil
	active := e.Situations["active"]
	active.SessionToken = token
	e.Situations["active"] = active
	report := run(t, steps.Options{Environment: e})
	for _, q := range report.Requirements {
		if q.Verdict == reports.Fail || q.Verdict == reports.Error {
			t.Errorf("%s is %s: %s", q.ID, q.Verdict, q.Reason)
		}
	}
	known, first := requirement(t, report, "SOST-01"), requirement(t, report, "SOST-02")
	judged := []reports.Verdict{reports.Pass, reports.Partly}
	assert.True(t, slices.Contains(judged, known.Verdict) || slices.Contains(judged, first.Verdict), "the one sign-on that it was good for counts")
	assert.False(t, known.Verdict == reports.Pass && first.Verdict == reports.Pass, "whichever came first had it, and the other lacks one")
	assert.Contains(t, known.Needs+first.Needs, "operator: {secret:")
}

func mintSessionToken(t testing.TB, e *environment.Environment) string {
	r, err := http.NewRequest(http.MethodPost, e.Mock.URL+"/control/session-tokens", strings.NewReader(`{"tenant":"nagra","accountId":"`+e.Situations["active"].AccountID+`"}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+e.Mock.Token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct{ SessionToken string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.NotEmpty(t, answer.SessionToken)
	return answer.SessionToken
}
