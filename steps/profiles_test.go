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

// TestProfilesCountWhatTheyList: a run of a profile is asked for the requirements that --list shows of it, less those
// that only a load can show, and says how many of those it counts were judged on the way.
func TestProfilesCountWhatTheyList(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"signon-with-session-token", "sso", "head-end"} {
		o := quick
		o.Environment, o.Profile = service(t, mock.Config{}), profile
		list, err := steps.List(o)
		require.NoError(t, err)
		listed := map[string]bool{}
		for _, l := range list {
			if l.Exempt == "" {
				listed[l.Requirement.ID] = true
			}
		}
		report := run(t, o)
		require.Equal(t, reports.Pass, report.Verdict, report.Reason)
		assert.Equal(t, len(listed), report.Profile.Asked, profile)
		besides := 0
		for _, q := range report.Requirements {
			if !listed[q.ID] {
				besides++
			}
		}
		assert.Equal(t, report.Profile.Asked+besides, len(report.Requirements), profile)
		require.Positive(t, besides, "%s: nothing was judged on the way, so the count of it is not tested", profile)
		assert.True(t, strings.HasSuffix(report.Reason, fmt.Sprintf("; %d of these were not asked for, and judged on the way", besides)), "%s: %s", profile, report.Reason)
	}
	o := quick
	o.Environment = service(t, mock.Config{})
	assert.NotContains(t, run(t, o).Reason, "on the way", "all was asked for")
}
