package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/load/schedule"
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

// slowToTell is a schedule that knows only shortly before it when a hit is due, as that of a storm does.
type slowToTell struct {
	schedule.Schedule
	early time.Duration
}

func (s slowToTell) At(n uint64) time.Duration {
	due := s.Schedule.At(n)
	time.Sleep(max(0, due-s.early))
	return due
}

// A hit leaves when it is due, however long it took the schedule to tell when that is.
func TestAHitThatIsKnownLateLeavesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		hits := schedule.Constant(schedule.Rate{Hits: 1, Per: time.Minute}, time.Minute+time.Second)
		p := schedulePacer{schedule: slowToTell{hits, time.Millisecond}, timer: &sleepTimer{}, ctx: t.Context(),
			began: began, interrupted: func() {}}
		_, stop := p.Pace(0, 0)
		assert.False(t, stop)
		_, stop = p.Pace(0, 1)
		assert.False(t, stop)
		assert.Equal(t, time.Minute, time.Since(began))
		assert.Zero(t, p.waited.Load(), "no worker kept it waiting")

		_, stop = p.Pace(0, 2)
		assert.True(t, stop, "that was the last one")
	})
}
