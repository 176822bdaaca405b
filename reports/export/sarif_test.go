package export

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// sarifOf reads what SARIF writes.
func sarifOf(t *testing.T, c *reports.Conformance, l *reports.Load) []sarifRun {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, SARIF(&b, c, l))
	var log struct {
		Version string
		Runs    []sarifRun
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &log))
	require.Equal(t, "2.1.0", log.Version)
	return log.Runs
}

// errorsOf counts the results that are errors.
func errorsOf(run sarifRun) (errors int) {
	for _, r := range run.Results {
		if r.Level == "error" {
			errors++
		}
	}
	return errors
}

func TestSARIFHasAResultOfEachCause(t *testing.T) {
	c := sample()
	c.Features = []reports.Feature{{File: "features/refresh.feature", Path: "qa/own tests/refresh.feature"}}
	c.Scenarios[0].Transcript[0].ResponseHeader = [][2]string{{"Set-Cookie", "a"}, {"Set-Cookie", "b"}}
	c.Scenarios[0].Transcript[0].Status = 201
	c.Causes[0].Scenario = c.Scenarios[0].ID
	c.Causes = append(c.Causes, reports.Cause{
		ID: "C-87654321", Verdict: reports.Known, Requirements: []string{"REF-02"}, Exchange: -1, Known: &reports.KnownDeparture{Reason: "mended soon", Owner: "gateway team", Expires: "2099-01-31"},
	})
	run := sarifOf(t, c, nil)[0]
	assert.Equal(t, "agstest/staging/conformance/r", run.Automation.ID)
	assert.Equal(t, map[string]string{"environment": "staging", "release": "4.12", "url": "https://ags.example", "run": "r", "verdict": "fail", "reason": "1 requirement failed"}, run.Properties)
	assert.Equal(t, []sarifInvocation{{Successful: true, Start: "2026-11-23T09:30:00.000Z", End: "2026-11-23T09:30:02.000Z"}}, run.Invocations)
	require.Len(t, run.Tool.Driver.Rules, 2)
	rule := run.Tool.Driver.Rules[0]
	assert.Equal(t, "REF-01", rule.ID)
	assert.Equal(t, "It is so.", rule.Short.Text)
	assert.Equal(t, "https://docs.nagra.vision/opentv-docs/re-authenticating-using-the-refresh-token", rule.HelpURI)

	require.Len(t, run.Results, 2)
	red, known := run.Results[0], run.Results[1]
	assert.Equal(t, []any{"REF-01", 0, "error", int64(3)}, []any{red.RuleID, red.RuleIndex, red.Level, red.Times})
	assert.Equal(t, "C-12345678 refresh: expected status 200, got status 201; breaks 1 requirement: REF-01\nPOST https://ags.example/ags/refresh?x=a%20b, answered 201", red.Message.Text)
	assert.Equal(t, map[string]string{"agstest/v1": "C-12345678"}, red.Fingerprints)
	assert.Equal(t, []sarifLocation{{&sarifPhysical{sarifArtifact{"qa/own%20tests/refresh.feature", "%SRCROOT%"}, sarifRegion{1}}, []sarifLogical{{"refresh", "operation"}}}}, red.Locations)
	assert.Equal(t, "Bearer «refresh token adf39e»", red.Request.Headers["Authorization"])
	assert.Equal(t, "a, b", red.Response.Headers["Set-Cookie"])
	assert.Equal(t, []sarifSuppression{{"external", "accepted", "mended soon (gateway team, until 2099-01-31)"}}, known.Suppressions)
	assert.Equal(t, []any{"REF-02", 1, "note"}, []any{known.RuleID, known.RuleIndex, known.Level})
	assert.Nil(t, known.Locations)

	c.Features, c.Run.ID, c.Run.Environment = nil, "s", "production"
	later := sarifOf(t, c, nil)[0]
	assert.Equal(t, "agstest/production/conformance/s", later.Automation.ID)
	assert.Equal(t, red.Fingerprints, later.Results[0].Fingerprints, "the same in each run")
	assert.Equal(t, []sarifLocation{{nil, []sarifLogical{{"refresh", "operation"}}}}, later.Results[0].Locations, "no file where the repository has none")
}

func TestSARIFTellsOfLoads(t *testing.T) {
	l := sampleLoad()
	l.Wrong = []reports.Wrong{{Operation: "refresh", Kind: "status", Times: 7, Message: "it was answered 201, not 200", Requirement: "REF-01"}}
	l.Run.Start, l.Run.End = time.Unix(0, 0), time.Unix(9, 0)
	runs := sarifOf(t, sample(), l)
	require.Len(t, runs, 2)
	assert.Equal(t, "agstest/staging/load/l", runs[1].Automation.ID)
	var told [][4]string
	for _, r := range runs[1].Results {
		told = append(told, [4]string{r.RuleID, r.Level, r.Message.Text, r.Fingerprints["agstest/v1"]})
	}
	assert.Equal(t, [][4]string{
		{"limit", "error", "refresh.p99<300ms: 400ms", "limit refresh.p99<300ms"},
		{"wrong-answers", "warning", "refresh: status, 7 times: it was answered 201, not 200", "wrong refresh status"},
	}, told)
}

// TestSARIFIsRedWhereTheRunIs: each verdict that ends a run with another code than 0 has an error, and no other has.
func TestSARIFIsRedWhereTheRunIs(t *testing.T) {
	for _, verdict := range []reports.Verdict{reports.Fail, reports.Error, reports.Invalid, reports.Skipped, reports.NotExercised, reports.NotEnough, "unheard-of", reports.Inconclusive, reports.Pass, reports.Warn} {
		red := verdict != reports.Pass && verdict != reports.Warn
		runs := sarifOf(t, &reports.Conformance{Verdict: verdict, Reason: "so"}, &reports.Load{Verdict: verdict, Reason: "so"})
		for _, run := range runs {
			assert.Equal(t, red, errorsOf(run) == 1, "%s: %s", verdict, run.Automation.ID)
			assert.Equal(t, verdict != reports.Invalid, run.Invocations[0].Successful, verdict)
		}
		runs = sarifOf(t, &reports.Conformance{Verdict: verdict, Reason: "so", Run: reports.Run{Partial: "it was interrupted"}}, nil)
		assert.Equal(t, 1, errorsOf(runs[0]), "an interrupted run of %s", verdict)
		assert.Equal(t, "partial: it was interrupted", runs[0].Invocations[0].Notifications[0].Message.Text)
	}
}
