package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// sample is a run with a scenario of each kind, two of them with one name.
func sample() *reports.Conformance {
	start := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	later := start.Add(time.Second)
	x := reports.Exchange{
		Operation: "refresh", Method: "POST", URL: "https://ags.example/ags/refresh?x=a%20b", RequestHeader: [][2]string{{"Authorization", "Bearer «refresh token adf39e»"}},
		RequestBody: "{}", Status: 200, Curl: `curl -X POST https://ags.example/ags/refresh -H 'Authorization: Bearer '"$REFRESH_TOKEN"`,
	}
	scenario := func(line int, name string, verdict reports.Verdict, requirement string) reports.Scenario {
		return reports.Scenario{
			ID: "features/refresh.feature:" + string(rune('0'+line)), Feature: "Refresh", File: "features/refresh.feature", Line: line, Name: name, Verdict: verdict, Reason: "=because", Start: &later,
			Nanoseconds: 5e6, Requirements: []string{requirement}, Tags: []string{"@" + requirement, "@slow"}, Steps: []reports.Step{{Keyword: "When ", Text: "it is", Verdict: reports.Pass, DocString: "below"}}, Transcript: []reports.Exchange{x},
		}
	}
	c := &reports.Conformance{
		Run: reports.Run{ID: "r", Kind: "conform", Environment: "staging", Release: "4.12", URL: "https://ags.example", Start: start, End: start.Add(2 * time.Second), Tool: reports.Tool{Version: "1"}}, Verdict: reports.Fail, Reason: "1 requirement failed",
		Requirements: []reports.Requirement{
			{ID: "REF-01", Level: "documented", Verdict: reports.Fail, Text: "It is so.", Sources: []reports.Source{{Key: "REF", Where: "re-authenticating-using-the-refresh-token"}}},
			{ID: "REF-02", Level: "sampled", Verdict: reports.Pass, Text: "It is.", Sources: []reports.Source{{Key: "RFC", Where: "RFC 7519, section 4"}}},
		},
		Scenarios: []reports.Scenario{scenario(1, "same", reports.Fail, "REF-01"), scenario(2, "same", reports.Pass, "REF-02"), scenario(3, "c", reports.Error, "REF-02"), scenario(4, "d", reports.Skipped, "REF-02"), scenario(5, "e", reports.Known, "REF-02"), scenario(6, "f", reports.Warn, "REF-02")},
		Causes:    []reports.Cause{{ID: "C-12345678", Verdict: reports.Fail, Operation: "refresh", Expected: "status 200", Got: "status 201", Requirements: []string{"REF-01"}, Scenarios: []string{"features/refresh.feature:1"}, Times: 3}},
	}
	c.Scenarios[0].Findings = []reports.Finding{{Requirement: "REF-01", Verdict: reports.Fail, Expected: "status 200", Got: "status 201", Cause: "C-12345678"}}
	return c
}

func sampleLoad() *reports.Load {
	return &reports.Load{
		Run: reports.Run{ID: "l", Kind: "load", Environment: "staging"}, Verdict: reports.Fail, Valid: true, Reason: "a limit was not kept", Operations: map[string]*reports.Operation{"refresh": {Sent: 9}},
		Limits:  []reports.Limit{{Expression: "refresh.p99<300ms", Verdict: reports.Fail, Value: "400ms"}, {Expression: "errors<1%", Verdict: reports.Pass, Value: "0%"}},
		Seconds: []reports.Second{{At: 1, Operation: "refresh", Sent: 9, P50: 1_500_000}},
	}
}

// allureFiles collects what Allure writes.
func allureFiles(t *testing.T, c *reports.Conformance, l *reports.Load) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, Allure(func(name string, render func(io.Writer) error) error {
		var b bytes.Buffer
		err := render(&b)
		require.NotContains(t, files, name)
		files[name] = b.String()
		return err
	}, c, l))
	return files
}

func TestAllureTellsWhatTheRunFound(t *testing.T) {
	files := allureFiles(t, sample(), sampleLoad())
	counts, histories := map[reports.Outcome]int{}, map[string]bool{}
	for name, text := range files {
		if !strings.HasSuffix(name, "-result.json") {
			continue
		}
		var r allureResult
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		counts[r.Status]++
		require.False(t, histories[r.HistoryID], "two tests of one identity are taken for tries of one")
		histories[r.HistoryID] = true
		if r.Status != passed {
			require.NotNil(t, r.Details)
			require.NotEmpty(t, r.Details.Message)
		}
		attached := r.Attachments
		for _, s := range r.Steps {
			attached = append(attached, s.Attachments...)
		}
		for _, a := range attached {
			require.Contains(t, files, AllureFolder+"/"+a.Source)
		}
		if r.Status == failed && r.Name == "same" {
			assert.Contains(t, r.Details.Message, "(C-12345678)")
			assert.Equal(t, []allureLink{{"tms", "REF-01", "https://docs.nagra.vision/opentv-docs/re-authenticating-using-the-refresh-token"}}, r.Links)
			assert.Contains(t, r.Labels, allurePair{"severity", "critical"})
			assert.Equal(t, failed, r.Steps[len(r.Steps)-1].Status, "a step shows it")
			assert.EqualValues(t, time.Date(2026, 11, 23, 9, 30, 1, 0, time.UTC).UnixMilli(), r.Start)
		}
	}
	assert.Equal(t, map[reports.Outcome]int{passed: 2 + 2, failed: 1 + 1 + 2, broken: 1, skipped: 2}, counts)
	assert.Equal(t, "environment=staging\nrelease=4.12\nurl=https://ags.example\nrun=r\n", files[AllureFolder+"/environment.properties"])
	assert.Contains(t, files[AllureFolder+"/categories.json"], "C-12345678 refresh: expected status 200, got status 201")

	other := sample()
	other.Run.Environment = "production"
	for name, text := range allureFiles(t, other, nil) {
		var r allureResult
		if strings.HasSuffix(name, "-result.json") && json.Unmarshal([]byte(text), &r) == nil {
			require.False(t, histories[r.HistoryID], "another environment's test is another test")
		}
	}
}

func TestRedRunsAreRedInEveryForm(t *testing.T) {
	for _, verdict := range append([]reports.Verdict{"unheard-of"}, reports.Verdicts...) {
		for _, partial := range []string{"", "it was interrupted"} {
			run := reports.Run{Partial: partial}
			for kind, tests := range map[string][]test{
				"conformance": testsOf(&reports.Conformance{Verdict: verdict, Reason: "so", Run: run}, nil),
				"load":        testsOf(nil, &reports.Load{Verdict: verdict, Reason: "so", Valid: true, Run: run}),
			} {
				assert.Equal(t, run.Outcome(verdict).Red(), slices.ContainsFunc(tests, func(k test) bool { return k.outcome.Red() }), "%s: %s %s", kind, verdict, partial)
			}
		}
	}
}

func TestTablesAreTables(t *testing.T) {
	rows := map[string][][]string{}
	for _, table := range Tables(sample(), sampleLoad()) {
		var b bytes.Buffer
		require.NoError(t, table.Write(&b))
		all, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		rows[table.Name] = all
	}
	assert.Equal(t, []string{"staging", "4.12", "REF-01", "documented", "fail", "It is so.", "", "", "0", ""}, rows["requirements.csv"][1])
	assert.Equal(t, []string{"staging", "4.12", "C-12345678", "fail", "refresh: expected status 200, got status 201", "3", "REF-01", "features/refresh.feature:1"}, rows["causes.csv"][1])
	assert.Equal(t, []string{"staging", "", "refresh.p99<300ms", "fail", "400ms", "", ""}, rows["limits.csv"][1])
	assert.Equal(t, []string{"staging", "", "1", "refresh", "0", "9", "0", "0", "1.500", "0.000", "0.000", "0.000", "0.000"}, rows["seconds.csv"][1])
	for said, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "-5": "-5", "-x": "'-x", "+1.5": "+1.5", "calm": "calm", "": ""} {
		assert.Equal(t, want, cellText(said), "a spreadsheet computes no cell")
	}
}

func TestPostmanHoldsNoSecretAndRunsAnywhere(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Postman(&b, sample()))
	var got struct {
		Item []struct {
			Name  string
			Event []struct {
				Listen string
				Script struct{ Exec []string }
			}
			Request struct {
				Method, Description string
				Header              []struct{ Key, Value string }
				URL                 struct {
					Raw   string
					Path  []string
					Query []struct{ Key, Value string }
				}
				Body struct{ Raw string }
			}
		}
		Variable []struct{ Key, Value string }
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	require.Len(t, got.Item, 1)
	r := got.Item[0].Request
	assert.Equal(t, "Bearer {{REFRESH_TOKEN}}", r.Header[0].Value)
	assert.Equal(t, "{{url}}/ags/refresh?x=a%20b", r.URL.Raw)
	assert.Equal(t, []string{"ags", "refresh"}, r.URL.Path)
	assert.Equal(t, "a%20b", r.URL.Query[0].Value)
	assert.Contains(t, r.Description, "curl -X POST")
	require.Len(t, got.Item[0].Event, 1)
	assert.Equal(t, "test", got.Item[0].Event[0].Listen)
	assert.Equal(t, []string{`pm.test("answered 200", () => pm.response.to.have.status(200));`}, got.Item[0].Event[0].Script.Exec)
	assert.Equal(t, "url", got.Variable[0].Key)
	assert.Equal(t, "https://ags.example", got.Variable[0].Value)
	assert.Equal(t, "REFRESH_TOKEN", got.Variable[1].Key)
}

// TestPostmanHasTheCallsOfARedRun: one fault can fail every scenario; what was changed on purpose is no call to copy.
func TestPostmanHasTheCallsOfARedRun(t *testing.T) {
	c := sample()
	for i := range c.Scenarios {
		c.Scenarios[i].Verdict = reports.Fail
	}
	var b bytes.Buffer
	require.NoError(t, Postman(&b, c))
	assert.Contains(t, b.String(), `"name": "refresh"`)
	for i := range c.Scenarios {
		c.Scenarios[i].Transcript = []reports.Exchange{c.Scenarios[i].Transcript[0]}
		c.Scenarios[i].Transcript[0].Tampered = "the value of the parameter is cut short"
	}
	b.Reset()
	require.NoError(t, Postman(&b, c))
	assert.Contains(t, b.String(), `"item": []`)
}

// TestGrafanaAsksForWhatThereIs: every metric of the dashboard is one that metrics.prom has.
func TestGrafanaAsksForWhatThereIs(t *testing.T) {
	var dashboard, metrics bytes.Buffer
	require.NoError(t, Grafana(&dashboard))
	l := sampleLoad()
	l.Operations["refresh"].Response = reports.Percentiles{Count: 1}
	l.Operations["refresh"].Service = reports.Percentiles{Count: 1}
	require.NoError(t, Prometheus(&metrics, sample(), l))
	for _, p := range panels {
		for _, q := range p.queries {
			for _, word := range strings.FieldsFunc(q[0], func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
				if strings.HasPrefix(word, "agstest_") {
					assert.Contains(t, metrics.String(), "# TYPE "+word+" ", p.title)
				}
			}
		}
	}
	assert.True(t, json.Valid(dashboard.Bytes()))
}

// TestHistogramsOfARunThatIsOver: the buckets of each operation, cumulative, in both forms, under the name that is
// served while a load runs.
func TestHistogramsOfARunThatIsOver(t *testing.T) {
	l := sampleLoad()
	o := l.Operations["refresh"]
	o.Response = reports.Percentiles{Count: 10, Mean: 40e6}
	o.Buckets = []int64{0, 0, 4, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2, 1}
	var open, plain bytes.Buffer
	require.NoError(t, OpenMetrics(&open, nil, l))
	require.NoError(t, Prometheus(&plain, nil, l))
	for text, form := range map[string]string{open.String(): "1.0", plain.String(): "1"} {
		assert.Contains(t, text, "# TYPE agstest_response_time_seconds histogram\n")
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_bucket\{.*operation="refresh",le="0\.005"\} 4$`, text)
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_bucket\{.*operation="refresh",le="0\.05"\} 7$`, text)
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_bucket\{.*operation="refresh",le="`+regexp.QuoteMeta(form)+`"\} 7$`, text)
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_bucket\{.*operation="refresh",le="\+Inf"\} 10$`, text)
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_sum\{.*operation="refresh"\} 0\.4$`, text)
		assert.Regexp(t, `(?m)^agstest_response_time_seconds_count\{.*operation="refresh"\} 10$`, text)
	}
	problems, err := promlint.New(&plain).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)
	l.Plan.Closed, o.Service = true, o.Response
	plain.Reset()
	require.NoError(t, Prometheus(&plain, nil, l))
	assert.Contains(t, plain.String(), "# TYPE agstest_service_time_seconds histogram\n")
	o.Buckets = o.Buckets[1:] // of a file that somebody else wrote
	plain.Reset()
	require.NoError(t, Prometheus(&plain, nil, l))
	assert.NotContains(t, plain.String(), "histogram")
}
