package peers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/openapi"
	"agstest/reports"
	"agstest/steps"
)

// shape are requirements about the form of answers, which samples made from the document meet.
const shape = "DISC-01 DISC-04 DISC-05 DISC-06 DISC-07 DISC-08 DISC-09 DISC-10 DISC-11 SOST-01 SOST-02 SOST-03 SOST-04 SOST-24 GST-01 GST-02 OUT-01 " +
	"REF-01 REF-03 REG-01 TOK-01 TOK-02 TOK-03 TOK-04 TOK-05 TOK-06 TOK-07 TOK-08 TOK-09 TOK-10 TOK-11 TOK-12 TOK-13 TOK-14 TOK-15 TOK-16 TOK-18 " +
	"TOK-19 TOK-20 TOK-22 GW-05"

// state are requirements that want a service to know who asks, what time it is, or what is allowed: no static sample
// meets them.
const state = "DISC-02 SOST-11 SOST-14 SOST-17 SOST-18 SOST-19 SOST-20 SOST-22 SOST-23 SOST-33 SSO-02 SSO-08 GST-04 GST-05 GST-13 REF-02 REF-05 REF-07 " +
	"REF-12 REF-13 OUT-03 REG-02 DEV-01 DEV-03 DEV-08 DEV-09 ERR-01 ERR-02 FLOW-01 FLOW-03 FLOW-07 TOK-17"

// ceiling is how many of the 197 requirements may hold at a static mock. Negatives that it refuses for the form of the
// request count too.
const ceiling = 80

// TestStaticMockOfOthers runs the suite against a mock that Prism serves from our document. It meets what is asked of
// the form of answers and nothing that wants a state, and the run is red.
func TestStaticMockOfOthers(t *testing.T) {
	_, _, e := service(t)
	e.URL = prism(t, "mock", fromHelp(t))
	report := run(t, steps.Options{Environment: e})
	assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
	passes, fails := report.Counts.Requirements[reports.Pass], report.Counts.Requirements[reports.Fail]
	assert.LessOrEqual(t, passes, ceiling, "requirements that hold at a static mock")
	assert.GreaterOrEqual(t, fails, 60, "requirements that a static mock breaks")
	t.Logf("%d of %d requirements hold, %d fail", passes, report.Profile.Asked, fails)

	wanted := map[string]reports.Verdict{}
	for id := range strings.FieldsSeq(shape) {
		wanted[id] = reports.Pass
	}
	for id := range strings.FieldsSeq(state) {
		wanted[id] = reports.Fail
	}
	got := map[string]reports.Verdict{}
	for _, q := range report.Requirements {
		if want, asked := wanted[q.ID]; asked {
			got[q.ID] = q.Verdict
			if q.Verdict != want {
				t.Errorf("%s is %s and not %s: %s", q.ID, q.Verdict, want, q.Reason)
			}
		}
	}
	assert.Len(t, got, len(wanted), "every requirement that is named here is in the report")

	// Asked for the form of discovery and of session tokens alone, where no state comes into it, the run is green: what
	// the suite understands of the document, Prism does too.
	report = run(t, steps.Options{Environment: e, Only: strings.Fields("DISC-01 DISC-04 DISC-05 DISC-06 DISC-07 DISC-08 GST-01 GST-02")})
	assert.Equal(t, reports.Pass, report.Verdict, "%s; %s", report.Reason, failures(report))
}

// fromHelp does what the help of agstest openapi says: it writes the document into a file of the name that stands
// there, and gives it for the mock that is named there.
func fromHelp(t *testing.T) string {
	t.Helper()
	help, err := os.ReadFile("../../../cmd/agstest/testdata/help/agstest-openapi.txt")
	require.NoError(t, err)
	example := regexp.MustCompile(`(?m)^  agstest openapi > (\S+)\n  npx @stoplight/prism-cli mock (\S+) `).FindStringSubmatch(string(help))
	require.NotNil(t, example, "the help shows how to serve the document")
	require.Equal(t, example[1], example[2])
	text, err := openapi.Document("1.0.0")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), example[1])
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// failures says what failed, for messages of tests.
func failures(report *reports.Conformance) string {
	var all []string
	for _, q := range report.Requirements {
		if q.Verdict == reports.Fail || q.Verdict == reports.Error {
			all = append(all, fmt.Sprintf("%s %s: %s", q.ID, q.Verdict, q.Reason))
		}
	}
	return strings.Join(all, "\n")
}
