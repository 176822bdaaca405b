package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/wire"
	"agstest/load/clients"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/transport"
)

// A profile asks for enough answers that its own limits can be kept.
func TestShippedProfilesCanMeetTheirLimits(t *testing.T) {
	for _, name := range schedule.Profiles() {
		text, _ := schedule.ShippedProfile(name)
		p, err := schedule.ReadProfile(text, name)
		require.NoError(t, err)
		assert.Contains(t, clients.Workloads, p.Workload)
		for _, l := range p.Limits {
			assert.LessOrEqual(t, clients.Traffic{Workload: p.Workload, Mix: p.Mix}.MinHits(l), float64(p.Schedule(1).Hits()), "%s: %s", name, l.Expression)
		}
	}
}

func TestProfileFillsInWhatIsLeftOpen(t *testing.T) {
	p, err := schedule.ReadProfile([]byte("workload: mixed\nworkers: 8\nlimits: [errors<1%]\nstages: [{constant: {rate: 600/m, for: 1s}}]\n"), "p.yaml")
	require.NoError(t, err)
	o := Options{Limits: must(limit.ParseAll([]string{"errors<5%"}))}
	require.NoError(t, fillIn(&o, p))
	assert.Equal(t, "mixed", o.Workload)
	assert.Equal(t, 8, o.Workers)
	assert.Len(t, o.Limits, 1)
	assert.Equal(t, "errors<5%", o.Limits[0].Expression, "the command line is nearer than the profile")
	assert.ErrorContains(t, fillIn(&Options{Traffic: clients.Traffic{Workload: "refresh"}}, p), "leave --workload out")
	assert.ErrorContains(t, fillIn(&Options{Duration: 1}, p), "leave --duration out")
}

// TestAPlanNamesWhatIsUnusual: what a run asks for otherwise than usual is in its plan, so that it is compared with none
// that did not.
func TestAPlanNamesWhatIsUnusual(t *testing.T) {
	usual := Options{Traffic: clients.Traffic{Workload: clients.WorkloadLifecycle, Refreshes: clients.DefaultRefreshes}, Timeout: transport.DefaultTimeout}
	assert.Empty(t, usual.asked(nil, wire.Target{}).Plan.Options())
	assert.Empty(t, (&Options{}).asked(nil, wire.Target{}).Plan.Options())
	unusual := Options{Traffic: clients.Traffic{Workload: clients.WorkloadLifecycle, Refreshes: 9, IgnoreRetryAfter: true, ReuseSessions: true}, Timeout: time.Second}
	assert.Equal(t, "refreshes of a client: 9, a timeout of 1s, no wait after Retry-After, session tokens used again",
		unusual.asked(nil, wire.Target{}).Plan.Options())
}
