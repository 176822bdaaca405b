package load

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/mock"
	"agstest/reports"
)

func TestRunAgainstTheMock(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	folder := t.TempDir()
	var raw bytes.Buffer
	report, err := Run(context.Background(), Options{
		Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 4}}, Rate: per(100), Duration: 1200 * time.Millisecond,
		Limits: must(limit.ParseAll([]string{"errors<1%", "refresh.max<30s"})), Record: folder, Raw: &raw, Trace: true, MaxLag: time.Minute, Secrets: &redact.Redactor{}, Seed: 4,
		Run: reports.Run{ID: "r1"},
	})
	require.NoError(t, err)
	assert.EqualValues(t, []int64{120, 120, 120, 0}, []int64{report.Total.Asked, report.Total.Sent, report.Total.Right, report.Total.Wrong}, "%v", report.Wrong)
	assert.EqualValues(t, 24, report.Operations[hit.OpSignOn].Right)
	assert.EqualValues(t, 96, report.Operations[hit.OpRefresh].Right)
	assert.Equal(t, map[string]int64{"201": 24}, report.Operations[hit.OpSignOn].Statuses)
	for _, reason := range report.Invalid { // a busy machine is no fault of the run
		assert.NotContains(t, reason, "hits")
	}
	assert.Len(t, report.Limits, 2)
	assert.Equal(t, reports.Pass, report.Limits[1].Verdict)
	assert.Equal(t, "r1", report.Run.ID)
	assert.Equal(t, "load", report.Run.Kind)
	assert.Equal(t, s.Server.URL, report.Run.URL)
	assert.Positive(t, report.Plan.Clients)
	assert.Equal(t, "constant 100/s for 1.2s", report.Plan.Schedule)
	assert.NotEmpty(t, report.Notes)

	// Nothing that is written holds a secret.
	record, err := os.ReadFile(filepath.Join(folder, tally.RecordFile))
	require.NoError(t, err)
	s.NoSecretsIn(t, string(record), raw.String(), string(must(json.Marshal(report))))
	again, err := tally.ReadRecord(folder)
	require.NoError(t, err)
	assert.Equal(t, report.Verdict, again.Verdict)
	assert.Equal(t, report.Total, again.Total)
}

func TestRunsOfOtherKinds(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	profile, err := schedule.ReadProfile([]byte("workload: refresh\nstages: [{poisson: {rate: 100/s, for: 300ms}}, {ramp: {from: 100/s, to: 0/s, for: 200ms}}]"), "p.yaml")
	require.NoError(t, err)
	for name, o := range map[string]Options{
		"profile":     {Profile: profile},
		"population":  {Population: &schedule.Population{Clients: 180_000}, Duration: 500 * time.Millisecond},
		"closed loop": {Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Max: true, Workers: 3, Duration: 200 * time.Millisecond},
		"shard":       {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(100), Duration: 300 * time.Millisecond, Shard: schedule.Shard{Index: 2, Of: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Environment, o.MaxLag = s.Environment, time.Minute
			var report *reports.Load
			for lead := 700 * time.Millisecond; ; lead *= 4 {
				if o.Shard.Of > 0 {
					o.StartAt = time.Now().Add(lead)
				}
				report, err = Run(context.Background(), o)
				if err == nil || !strings.Contains(err.Error(), "too late; start it with a later") || lead > time.Minute {
					break // and this machine was ready by then
				}
			}
			require.NoError(t, err)
			assert.Positive(t, report.Total.Right)
			assert.Zero(t, report.Total.Wrong, "%v", report.Wrong)
			assert.Equal(t, report.Total.Asked, report.Total.Sent)
			if name == "closed loop" {
				assert.Contains(t, report.Plan.Schedule, "(closed loop)")
			} else {
				assert.Equal(t, report.Plan.Hits, report.Total.Sent)
			}
		})
	}
}

// Three in ten users who are refused are three in ten answers, whatever a limit on errors allows besides.
func TestUsersWhoAreShutOutBreakALimit(t *testing.T) {
	s := newServer(t, mock.Config{}, lab.RefusingSome(3))
	o := Options{
		Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh, Clients: 20}, Rate: per(200), Duration: time.Second,
		Limits: must(limit.ParseAll([]string{"errors<5%"})), MaxLag: time.Minute,
	}
	report, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, reports.Fail, report.Limits[0].Verdict, report.Limits[0].Reason)
	assert.Contains(t, []reports.Verdict{reports.Fail, reports.Invalid}, report.Verdict, "a busy machine is no fault of the run")
	assert.Empty(t, report.Run.Partial)
	assert.InDelta(t, 60, report.Total.Wrong, 30, "at each of their turns: 10 each, more or less where a busy machine lets turns overtake each other; once each would be 6")
	assert.Equal(t, map[string]int64{hit.KindStatus: report.Total.Wrong}, report.Total.Outcomes)
	assert.Contains(t, strings.Join(report.Notes, "\n"), "6 clients of the 20 that stay signed in (30.00 %) had nothing to sign on with again and were refused for good")
}

func TestQuestionsThatMakeNoSense(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	profile, err := schedule.ReadProfile([]byte("stages: [{constant: {rate: 1/s, for: 1s}}]"), "p.yaml")
	require.NoError(t, err)
	second := time.Second
	for says, o := range map[string]Options{
		"needs a rate above 0":              {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Duration: second},
		"for how long":                      {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1)},
		"say how many with --workers":       {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: schedule.Rate{Max: true}, Duration: second},
		"leave --rate and --population out": {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Profile: profile, Rate: per(1)},
		"leave --rate out, or --population": {Population: &schedule.Population{Clients: 1000}, Rate: per(1), Duration: second},
		"no shard 4 of 3":                   {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1), Duration: second, Shard: schedule.Shard{Index: 4, Of: 3}},
		"workers are not possible":          {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1), Duration: second, Workers: -1},
		"there is no workload":              {Traffic: clients.Traffic{Workload: "sing-on"}, Rate: per(1), Duration: second},
		"has no hit for this run to send":   {Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1), Duration: second, Shard: schedule.Shard{Index: 2, Of: 3}},
	} {
		o.Environment = s.Environment
		_, err := Run(context.Background(), o)
		require.Error(t, err, says)
		assert.ErrorContains(t, err, says)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
	_, err = Run(context.Background(), Options{})
	assert.ErrorContains(t, err, "needs an environment")

	_, err = Run(context.Background(), Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1), Duration: second, StartAt: time.Now().Add(-time.Minute)})
	assert.ErrorContains(t, err, "too late")
	assert.Equal(t, failure.Setup, failure.KindOf(err))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Run(ctx, Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(1), Duration: second})
	assert.ErrorIs(t, err, context.Canceled)
}
