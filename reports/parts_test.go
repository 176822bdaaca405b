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
