package reports_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

// TestNotEnoughIsSaidEverywhere: each report has the verdict, what lacks and what to write.
func TestNotEnoughIsSaidEverywhere(t *testing.T) {
	c := &reports.Conformance{
		Schema: reports.ConformanceSchema, Verdict: reports.NotEnough, Reason: "5 of 72 documented requirements judged", Counts: reports.Counts{Exchanges: 1},
		Scenarios: []reports.Scenario{{ID: "a:1", Verdict: reports.Pass}}, Requirements: []reports.Requirement{{ID: "DEV-06", Level: "documented", Gating: "fails", Verdict: reports.Skipped}},
		Coverage: &reports.Coverage{Asked: "90%, disabled-device", Documented: 72, Judged: 5, Lacks: []reports.CoverageLack{
			{Situation: "disabled-device", Why: "the environment file does not give it whole", Write: "disabled-device: {clientId: PUB_990}", Requirements: []string{"DEV-06"}},
		}},
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"terminal": func(b *bytes.Buffer) error { return text.Terminal(b, c, nil, false) },
		"page":     func(b *bytes.Buffer) error { return html.Conformance(b, c, html.Style{}) },
		"JUnit":    func(b *bytes.Buffer) error { return export.JUnit(b, c, nil) },
		"Markdown": func(b *bytes.Buffer) error { return text.Markdown(b, c, nil) },
		"JSON":     func(b *bytes.Buffer) error { return json.NewEncoder(b).Encode(c) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			assert.Regexp(t, `(?i)not[ -]enough`, b.String())
			assert.Regexp(t, `disabled-device: (\\)?\{clientId: PUB(\\)?_990`, b.String())
			assert.Contains(t, b.String(), "5 of 72 documented requirements judged")
			if name == "JUnit" {
				assert.Regexp(t, `<error [^>]*type="not-enough"`, b.String())
			}
		})
	}
	var b bytes.Buffer
	require.NoError(t, export.OpenMetrics(&b, c, nil))
	assert.Contains(t, b.String(), "agstest_coverage_kept 0.0\n")
	assert.Contains(t, b.String(), "agstest_conformance_passed 0.0\n")
	assert.Contains(t, b.String(), `agstest_documented_requirements{part="judged"} 5`)
}
