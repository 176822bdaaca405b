package hostile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/hostile"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/schedule"
	"agstest/reports"
)

// TestLoadBearsHostileServices: whatever refresh is answered with, a run ends in bounded time, counts no answer right
// that is not, and says why. No hostile row ends green.
func TestLoadBearsHostileServices(t *testing.T) {
	t.Parallel()
	each(t, 8, func(row, hostile.Behaviour) bool { return true }, func(t *testing.T, r row, b hostile.Behaviour, timeout time.Duration) {
		server, e := target(t, b, hostile.Refreshes)
		workers := 0
		if b.Kept || b.Ruins() {
			workers = 1 // so that it is known which connection carries a hit
		}
		report, err := load.Run(t.Context(), load.Options{
			Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 8, JudgeEvery: 1}, Rate: schedule.Rate{Hits: 200, Per: time.Second}, Duration: hits * time.Second / 200,
			Workers: workers, Timeout: timeout, MaxLag: time.Minute,
		})
		assert.Zero(t, server.Strayed(), "a redirect was followed")
		assert.Less(t, server.Written(), int64(maxWritten))
		smallHeap(t)
		if r.load == "setup" {
			setUpFailed(t, err, r.loadSays)
			return
		}
		require.NoError(t, err)
		refresh := report.Operations["refresh"]
		var outcomes []string
		if refresh.Right > 0 {
			outcomes = append(outcomes, "right")
		}
		outcomes = append(outcomes, slices.Sorted(maps.Keys(refresh.Outcomes))...)
		var messages []string
		for _, w := range report.Wrong {
			messages = append(messages, w.Message)
		}
		require.Equal(t, r.load, strings.Join(outcomes, " "), "%v", messages)
		assert.EqualValues(t, hits, refresh.Right+refresh.Wrong)
		assert.Contains(t, strings.Join(messages, "\n"), r.loadSays)
		assert.NotContains(t, strings.Join(messages, "\n"), "s3cret")
		if r.load == "right" {
			// The figures of so short a run may be invalid: the collector of garbage alone can take a hundredth of it.
			assert.Contains(t, []reports.Verdict{reports.Pass, reports.Invalid}, report.Verdict, report.Reason)
			return
		}
		assert.Contains(t, []reports.Verdict{reports.Fail, reports.Invalid}, report.Verdict, report.Reason)
		assert.Positive(t, refresh.Wrong)
	})
}

// TestClientsThatAreSentAwayEndTheRun: whoever is asked to come again in the year 9999 is not waited for, and the run
// says so.
func TestClientsThatAreSentAwayEndTheRun(t *testing.T) {
	t.Parallel()
	_, e := target(t, behaviours["429 that asks to come in the year 9999"], hostile.Refreshes)
	e.Load.Clients.Count = 20
	report, err := load.Run(t.Context(), load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 20}, Rate: schedule.Rate{Hits: 200, Per: time.Second}, Duration: 10 * time.Minute, MaxLag: time.Minute,
	})
	require.NoError(t, err)
	assert.Contains(t, report.Run.Partial, "were asked with Retry-After to come again later than in a day")
	assert.Zero(t, report.Total.Right)
	assert.NotEqual(t, reports.Pass, report.Verdict, report.Reason)
}

// TestLoadOverHTTP2Alone: a service that speaks nothing else is loaded over net/http where the set-up has nothing to
// ask it.
func TestLoadOverHTTP2Alone(t *testing.T) {
	t.Parallel()
	_, e := target(t, behaviours["HTTP/2 alone"], hostile.Refreshes)
	report, err := load.Run(t.Context(), load.Options{
		Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: schedule.Rate{Hits: 200, Per: time.Second}, Duration: 60 * time.Millisecond, MaxLag: time.Minute,
	})
	require.NoError(t, err)
	assert.Equal(t, "net/http, since the service speaks HTTP/2 only", report.Plan.Transport)
	assert.EqualValues(t, 12, report.Total.Right, "%v", report.Wrong)
	assert.Zero(t, report.Total.Wrong)
}
