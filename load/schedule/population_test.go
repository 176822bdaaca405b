package schedule

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load/hit"
)

func TestPopulationOfAMillion(t *testing.T) {
	p := Population{Clients: 1_000_000, AccessLifetime: time.Hour}
	refreshes, signOns := p.Rates()
	assert.InDelta(t, 277.78, refreshes, 0.01)
	assert.InDelta(t, 0.386, signOns, 0.001)
	assert.Equal(t, map[string]int{hit.OpRefresh: 720, hit.OpSignOn: 1}, p.Mix())
	assert.Equal(t, "population of 1,000,000 with access tokens of 1h: 277.8/s refreshes and 0.4/s sign-ons",
		p.String())

	p.Peak = 3
	refreshes, _ = p.Rates()
	assert.InDelta(t, 833.33, refreshes, 0.01)

	schedule := p.Schedule(time.Minute, 1)
	assert.InDelta(t, 60*834.5, float64(schedule.Hits()), 4*224, "Poisson arrivals: within four standard deviations")
	assert.Equal(t,
		"population of 1,000,000 with access tokens of 1h: 833.3/s refreshes and 1.2/s sign-ons, 3 times the steady rate, as Poisson arrivals for 1m", schedule.String())
	gaps := map[time.Duration]int{}
	for n := range uint64(1000) {
		gaps[schedule.At(n+1)-schedule.At(n)]++
	}
	assert.Greater(t, len(gaps), 900, "arrivals have jitter")
}

// Sessions that do not last much longer than their tokens: the shares are those of the rates, and not the nearest whole
// number.
func TestPopulationOfShortSessions(t *testing.T) {
	for session, want := range map[time.Duration]map[string]int{
		time.Hour:        {hit.OpRefresh: 1, hit.OpSignOn: 1},
		90 * time.Minute: {hit.OpRefresh: 3, hit.OpSignOn: 2},
		84 * time.Minute: {hit.OpRefresh: 7, hit.OpSignOn: 5},
		24 * time.Hour:   {hit.OpRefresh: 24, hit.OpSignOn: 1},
	} {
		p := Population{Clients: 1000, AccessLifetime: time.Hour, SessionLifetime: session}
		assert.Equal(t, want, p.Mix(), session)
	}
}

func TestPopulationThatCannotBe(t *testing.T) {
	for says, p := range map[string]Population{
		"a population of 0 is none": {},
		"access tokens that last":   {Clients: 1, AccessLifetime: time.Millisecond},
		"sessions of 1m0s end":      {Clients: 1, AccessLifetime: time.Hour, SessionLifetime: time.Minute},
		"a peak of -1":              {Clients: 1, Peak: -1},
	} {
		err := p.Check()
		require.ErrorContains(t, err, says)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
	require.NoError(t, Population{Clients: 1}.Check())
}
