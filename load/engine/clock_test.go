package engine

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withClockSet returns a moment as it reads after the clock of the machine was set: another time of day at the same
// monotonic reading.
func withClockSet(t *testing.T, moment time.Time, by time.Duration) time.Time {
	t.Helper()
	require.Zero(t, by%time.Second)
	fields := (*struct {
		wall      uint64
		monotonic int64
	})(unsafe.Pointer(&moment)) // see time.Time: the topmost bit tells of a monotonic reading, then come 33 bits of seconds
	require.NotZero(t, fields.wall>>63, "it has no monotonic reading")
	before := moment
	fields.wall += uint64(by/time.Second) << 30
	require.Equal(t, by, moment.Round(0).Sub(before.Round(0)))
	require.Zero(t, moment.Sub(before))
	return moment
}

func TestClockThatIsSetBackAndForthIsTold(t *testing.T) {
	began := time.Now()
	w := newHealthWatch(began, 0)
	for second, off := range []time.Duration{0, time.Hour, time.Hour, -2 * time.Hour, 0} {
		h := w.look(withClockSet(t, began.Add(time.Duration(second)*time.Second), off))
		assert.EqualValues(t, time.Duration(second)*time.Second, h.Elapsed, "time passes as it does, whatever the clock says")
		assert.EqualValues(t, []time.Duration{0, time.Hour, time.Hour, -2 * time.Hour, -2 * time.Hour}[second], h.ClockStep)
	}
}

func TestHowLongARunTookIsNotByTheClock(t *testing.T) {
	t.Parallel()
	server := serve(t, right)
	reads := 0
	report, err := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{
		Rate: per(50), Duration: 300 * time.Millisecond,
		Now: func() time.Time { // set back by a day while the run goes on
			reads++
			return withClockSet(t, time.Now(), time.Duration(1-reads)*24*time.Hour)
		},
	}).run(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, reads, 2)
	took := report.Run.End.Round(0).Sub(report.Run.Start.Round(0))
	assert.Greater(t, took, 250*time.Millisecond)
	assert.Less(t, took, time.Minute)
}

func TestHealthSeesTheClockBeingSet(t *testing.T) {
	w := newHealthWatch(time.Now(), 0)
	w.clocks(time.Second, time.Second)
	w.clocks(time.Second+time.Millisecond, time.Second)
	assert.Zero(t, w.look(time.Now()).ClockStep)
	w.clocks(-time.Hour, time.Second)
	h := w.look(time.Now())
	assert.EqualValues(t, -time.Hour-time.Second, h.ClockStep)
	w.clocks(time.Hour+2*time.Second, time.Second)
	assert.EqualValues(t, -time.Hour-time.Second, w.look(time.Now()).ClockStep, "set back and forth, it was wrong in between")
	assert.Positive(t, h.CPUs)
	assert.Positive(t, h.Elapsed)
}
