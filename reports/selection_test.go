package reports_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// TestMended: that a requirement holds now means that it was mended only where what had failed was tried again.
func TestMended(t *testing.T) {
	was := reports.Requirement{ID: "REF-02", Verdict: reports.Fail, Findings: []reports.Finding{
		{Verdict: reports.Pass, Scenario: "a:1"}, {Verdict: reports.Fail, Scenario: "a:2"},
	}}
	ran := func(settings map[string]string, partial string) *reports.Conformance {
		return &reports.Conformance{Run: reports.Run{Settings: settings, Partial: partial}}
	}
	whole := map[string]string{"profile": "full", "seed": "7"}
	only := map[string]string{"profile": "full", "only": "REF-01,REF-02"}
	for _, c := range []struct {
		name         string
		earlier, now *reports.Conformance
		played       []string
		again        bool
	}{
		{"two whole runs", ran(whole, ""), ran(whole, ""), nil, true},
		{"a whole run after a part", ran(only, ""), ran(whole, ""), nil, true},
		{"the same part", ran(only, ""), ran(only, ""), nil, true},
		{"a part that holds the scenario", ran(whole, ""), ran(only, ""), []string{"a:2", "a:3"}, true},
		{"a part that holds another", ran(whole, ""), ran(only, ""), []string{"a:1"}, false},
		{"judged on the way", ran(whole, ""), ran(only, ""), nil, false},
		{"ended before the scenario", ran(whole, ""), ran(whole, "interrupted"), []string{"a:1"}, false},
		{"ended after the scenario", ran(whole, ""), ran(whole, "interrupted"), []string{"a:2"}, true},
	} {
		is := reports.Requirement{ID: was.ID, Verdict: reports.Pass, Scenario: c.played}
		assert.Equal(t, c.again, c.now.Mended(c.earlier, &was, &is), c.name)
	}
	rule := reports.Requirement{ID: "TOK-02", Verdict: reports.Fail}
	holds := reports.Requirement{ID: "TOK-02", Verdict: reports.Pass}
	assert.False(t, ran(only, "").Mended(ran(whole, ""), &rule, &holds), "nobody knows what failed")
}

func TestAskedFor(t *testing.T) {
	played, onTheWay := &reports.Requirement{ID: "REF-02", Scenario: []string{"a:1"}}, &reports.Requirement{ID: "REF-03"}
	for _, c := range []struct {
		settings         map[string]string
		played, onTheWay bool
	}{
		{nil, true, true},
		{map[string]string{"only": "REF-01,REF-03"}, false, true},
		{map[string]string{"tags": "@refresh"}, true, false},
	} {
		run := &reports.Conformance{Run: reports.Run{Settings: c.settings}}
		assert.Equal(t, c.played, run.AskedFor(played), c.settings)
		assert.Equal(t, c.onTheWay, run.AskedFor(onTheWay), c.settings)
	}
}
