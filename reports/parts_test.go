package reports_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/text"
)

// What is red of a gate comes first: in its reason, and in the summary of a merge request.
func TestTheWorsePartOfAGateComesFirst(t *testing.T) {
	for _, test := range []struct {
		conformance, load reports.Verdict
		want              string
	}{
		{reports.Pass, reports.Fail, "load: 3 limits were broken; conformance: 8 requirements hold."},
		{reports.Pass, reports.Invalid, "load: 3 limits were broken; conformance: 8 requirements hold."},
		{reports.Pass, reports.Pass, "conformance: 8 requirements hold; load: 3 limits were broken."},
		{reports.Fail, reports.Fail, "conformance: 8 requirements hold; load: 3 limits were broken."},
		{reports.Fail, reports.Pass, "conformance: 8 requirements hold; load: 3 limits were broken."},
	} {
		c, l := sampleConformance(), sampleLoad(1, 5)
		c.Verdict, c.Reason = test.conformance, "8 requirements hold."
		l.Verdict, l.Reason = test.load, "3 limits were broken."
		assert.Equal(t, test.want, reports.Parts{Conformance: c, Load: l}.Reason())
		var summary bytes.Buffer
		require.NoError(t, text.Markdown(&summary, c, l))
		conformance := bytes.Index(summary.Bytes(), []byte("Conformance of"))
		load := bytes.Index(summary.Bytes(), []byte("Load of"))
		require.Positive(t, conformance)
		require.Positive(t, load)
		assert.Equal(t, test.want[:4] == "load", load < conformance)
	}
}

// A cause says how many requirements it breaks, and what came of them where that is not one thing: the number of those
// that failed is that of the verdict's reason.
func TestACauseSaysWhatCameOfItsRequirements(t *testing.T) {
	c := &reports.Conformance{Requirements: []reports.Requirement{
		{ID: "REF-01", Verdict: reports.Fail}, {ID: "REF-08", Verdict: reports.Warn}, {ID: "TOK-01", Verdict: reports.Error},
		{ID: "ERR-09", Verdict: reports.Fail},
	}}
	for want, ids := range map[string][]string{
		"4 requirements (2 fail, 1 could not tell, 1 warning): REF-01 REF-08 and 2 more": {
			"REF-01", "REF-08", "TOK-01", "ERR-09"},
		"2 requirements: REF-01 ERR-09": {"REF-01", "ERR-09"},
		"1 requirement: REF-08":         {"REF-08"},
		"1 requirement: MINE-1":         {"MINE-1"}, // of which a report that was cut short says nothing
	} {
		assert.Equal(t, want, c.Breaks(reports.Cause{Verdict: reports.Fail, Requirements: ids}, 2))
	}
}
