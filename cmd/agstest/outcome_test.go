package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/html"
)

// redForms names the forms of results that are red, and those that are not; words of verdicts on stdout and in
// summary.md are red where they are none of a good run.
func redForms(t *testing.T, p *program, r results) (red, green []string) {
	t.Helper()
	tell := func(name string, is bool) {
		if is {
			red = append(red, name)
		} else {
			green = append(green, name)
		}
	}
	has := func(pattern string, text []byte) bool { return regexp.MustCompile(pattern).Match(text) }
	good := regexp.MustCompile(`(?i): \W*(pass|holds in part|warning|observed|known|improved)\n`)
	allure := false
	r.formats = exportNames
	for _, f := range slices.Concat(filesOf(r, html.Style{}, "gitlab"), exportsOf(r)) {
		if strings.HasSuffix(f.name, ".html") || strings.HasSuffix(f.name, ".csv") || slices.Contains([]string{reports.ConformanceFile, reports.LoadFile, "grafana.json", "postman.json"}, f.name) {
			continue // they tell the verdict in its own word, or none
		}
		var b bytes.Buffer
		require.NoError(t, f.render(&b))
		text := b.Bytes()
		switch {
		case f.name == "junit.xml":
			// But for a set-up that did not go smoothly, which is in no figure: an error, whatever the run comes to.
			tell(f.name, has(`<(failure|error) `, regexp.MustCompile(`<error type="set-up"`).ReplaceAll(text, nil)))
		case f.name == "ctrf.json":
			tell(f.name, has(`"failed": [1-9]`, text))
		case f.name == "agstest.sarif":
			type result struct{ Level string }
			var log struct{ Runs []struct{ Results []result } }
			require.NoError(t, json.Unmarshal(text, &log))
			bad := false
			for _, run := range log.Runs { // a gate has two
				bad = bad || slices.Contains(run.Results, result{"error"})
			}
			tell(f.name, bad)
		case f.name == "codequality.json":
			tell(f.name, has(`"severity": "major"`, text))
		case f.name == "cucumber.json":
			tell(f.name, has(`"status": "failed"`, text))
		case f.name == "messages.ndjson":
			tell(f.name, has(`"success":false`, text))
		case strings.HasPrefix(f.name, "metrics."):
			tell(f.name, has(`(?m)^agstest_(conformance|load)_passed\S* 0`, text))
		case f.name == "summary.md":
			first, _, _ := strings.Cut(string(text), "\n")
			tell(f.name, !good.MatchString(first+"\n"))
		case strings.HasPrefix(f.name, "allure-results/"):
			allure = allure || has(`"status":"(failed|broken)"`, text) && strings.HasSuffix(f.name, "-result.json")
		default:
			t.Errorf("%s: nobody looks whether it is red", f.name)
		}
	}
	tell("allure-results", allure)
	var stdout, stderr bytes.Buffer
	p.stdout, p.stderr, p.color = &stdout, &stderr, "never"
	r.only = true
	require.NoError(t, p.show(r, "out", &outputFlags{annotations: "github"}))
	tell("annotations", strings.Contains(stdout.String(), "::error "))
	lines := strings.SplitAfter(stdout.String(), "\n")
	tell("stdout", !good.MatchString(lines[len(lines)-2]))
	return red, green
}

// TestExitCodesAndFilesAgree: a run that ends with another exit code than 0 is red in every form, and one that ends
// with 0 in none, whatever the parts of it came to.
func TestExitCodesAndFilesAgree(t *testing.T) {
	t.Parallel()
	for _, verdict := range append([]reports.Verdict{"unheard-of"}, reports.Verdicts...) {
		for _, strict := range []bool{false, true} {
			for _, partial := range []string{"", "it was interrupted"} {
				for _, part := range []reports.Verdict{reports.Pass, reports.Fail, reports.Error, reports.Inconclusive, reports.Known} {
					run := reports.Run{ID: "r", Environment: "staging", Partial: partial}
					check := func(kind string, p *program, r results) {
						red, green := redForms(t, p, r)
						if p.exitCode() == exitPass {
							assert.Empty(t, red, "%s: %s of %s, strict: %v, partial: %q", kind, verdict, part, strict, partial)
							return
						}
						if partial != "" && exitOfVerdict(verdict) == exitPass { // no run that was ended has such a verdict, and the word of it is told
							green = slices.DeleteFunc(green, func(name string) bool { return name == "summary.md" || name == "stdout" })
						}
						assert.Empty(t, green, "%s: %s of %s, strict: %v, partial: %q", kind, verdict, part, strict, partial)
					}
					c := &reports.Conformance{
						Run: run, Verdict: verdict, Reason: "so it is",
						Requirements: []reports.Requirement{{ID: "REF-01", Verdict: part, Text: "It is so."}},
						Scenarios: []reports.Scenario{{
							ID: "own/a.feature:1", File: "own/a.feature", Name: "one", Verdict: part, Findings: []reports.Finding{{Verdict: part, Expected: "a", Got: "b", Cause: "C-12345678"}},
							Steps: []reports.Step{{Text: "it is", Verdict: part}},
						}},
						Causes: []reports.Cause{{ID: "C-12345678", Verdict: part, Expected: "a", Got: "b", Exchange: -1}},
					}
					p := &program{}
					p.end(exitOfConformance(c))
					check("conform", p, results{conformance: c})

					l := &reports.Load{
						Run: run, Verdict: verdict, Reason: "so it is", Valid: part != reports.Error, Operations: map[string]*reports.Operation{"refresh": {Sent: 1}},
						Limits: []reports.Limit{{Expression: "errors<1%", Verdict: part}}, SetUp: &reports.SetUp{Calls: 9, Again: 1, First: "it was so"},
						Wrong: []reports.Wrong{{Operation: "refresh", Kind: "status", Times: 1}}, WrongKinds: []reports.WrongKind{{Operation: "refresh", Kind: "status", Verdict: part}},
					}
					p = &program{}
					p.endLoad(l, strict)
					check("load", p, results{load: l})

					well := &reports.Conformance{
						Run: reports.Run{ID: "r", Environment: "staging", Kind: "gate"}, Verdict: reports.Pass, Reason: "1 requirement holds",
						Scenarios: []reports.Scenario{{ID: "a.feature:1", File: "a.feature", Name: "one", Verdict: reports.Pass, Steps: []reports.Step{{Text: "it is", Verdict: reports.Pass}}}},
					}
					p.end(exitOfConformance(well))
					check("gate", p, results{conformance: well, load: l})
				}
			}
		}
	}
}

// TestStrictLoadsSayWhyTheyFail: a warning that fails a load is told as a failure, by its record too.
func TestStrictLoadsSayWhyTheyFail(t *testing.T) {
	for strict, want := range map[bool]struct {
		code    int
		verdict reports.Verdict
		reason  string
	}{false: {exitPass, reports.Warn, "kept"}, true: {exitFail, reports.Fail, "kept; warnings fail (--strict)"}} {
		p, l := &program{}, &reports.Load{Verdict: reports.Warn, Reason: "kept"}
		p.endLoad(l, strict)
		assert.Equal(t, want.code, p.exitCode())
		assert.Equal(t, want.verdict, l.Verdict)
		assert.Equal(t, want.reason, l.Reason)
	}
}
