package steps_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestEvidenceIsOfItsScenario: the exchanges under a scenario are its own, complete and in order, whatever runs beside
// it. Its requests follow from the seed and its place, so it sends the same correlation ids when it runs alone.
func TestEvidenceIsOfItsScenario(t *testing.T) {
	together := run(t, steps.Options{Environment: service(t, mock.Config{}), Concurrency: 8, Seed: 11, Profile: "head-end"})
	sent := map[string][]string{}
	owner := map[string]string{}
	for _, s := range together.Scenarios {
		sent[s.ID] = correlations(s)
		at := -1
		for _, id := range correlations(s) {
			number := 0
			_, err := fmt.Sscanf(id[strings.LastIndex(id, "-"):], "-%d", &number)
			require.NoError(t, err, id)
			assert.Greater(t, number, at, "%s: exchanges come in the order in which they were sent", s.ID)
			at = number
			if other, taken := owner[id]; taken && other != s.ID {
				t.Errorf("%s and %s hold the same exchange %s", other, s.ID, id)
			}
			owner[id] = s.ID
		}
	}
	require.Greater(t, len(owner), 60)
	for _, only := range []string{"GST-06", "DISC-12", "GST-13"} {
		alone := run(t, steps.Options{Environment: service(t, mock.Config{}), Concurrency: 1, Seed: 11, Only: []string{only}, Profile: "head-end"})
		require.NotEmpty(t, alone.Scenarios)
		for _, s := range alone.Scenarios {
			require.NotEmpty(t, correlations(s), s.ID)
			assert.Equal(t, correlations(s), sent[s.ID], s.ID)
		}
	}
}

// TestFindingsPointAtTheirExchange: a finding about the last of several exchanges shows that one.
func TestFindingsPointAtTheirExchange(t *testing.T) {
	report := run(t, steps.Options{Environment: service(t, mock.Config{Faults: []mock.Fault{fault(t, "refresh-201")}}), Only: []string{"REF-01"}})
	scenarios := map[string]reports.Scenario{}
	for _, s := range report.Scenarios {
		scenarios[s.ID] = s
	}
	shown := 0
	for _, f := range requirement(t, report, "REF-01").Findings {
		s := scenarios[f.Scenario]
		require.Less(t, f.Exchange, len(s.Transcript), f.Scenario)
		require.GreaterOrEqual(t, f.Exchange, 1, "a sign-on comes before every refresh")
		assert.Equal(t, "refresh", s.Transcript[f.Exchange].Operation)
		assert.Equal(t, 201, s.Transcript[f.Exchange].Status)
		shown++
	}
	assert.Positive(t, shown)
}
