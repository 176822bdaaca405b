package engine

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A closed loop ends by our clock, whatever Vegeta's says: it may have been looked at long before.
func TestAClosedLoopEndsByTheClock(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ends := func(end time.Time, elapsed ...time.Duration) (stops []bool) {
		p := closedPacer{ctx: ctx, end: end}
		for hits, since := range elapsed {
			_, stop := p.Pace(since, uint64(hits))
			stops = append(stops, stop)
		}
		return stops
	}
	now := time.Now()
	assert.Equal(t, []bool{false, true}, ends(now, 0, 0), "the first hit is due at the start")
	assert.Equal(t, []bool{false, false, false}, ends(now.Add(time.Hour), 0, time.Minute, 2*time.Hour), "the hour is not over")
	cancel()
	assert.Equal(t, []bool{true}, ends(now.Add(time.Hour), 0), "interrupted")
}
