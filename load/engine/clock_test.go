package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/lab"
)

func TestClockThatIsSetBackAndForthIsTold(t *testing.T) {
	began := time.Now()
	w := newHealthWatch(began, 0)
	for second, off := range []time.Duration{0, time.Hour, time.Hour, -2 * time.Hour, 0} {
		h := w.look(lab.WithClockSet(t, began.Add(time.Duration(second)*time.Second), off))
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
			return lab.WithClockSet(t, time.Now(), time.Duration(1-reads)*24*time.Hour)
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
	w.clocks(10*time.Minute+300*time.Millisecond, 10*time.Minute)
	assert.Zero(t, w.look(time.Now()).ClockStep, "slewed while a long set-up went on")
	w.clocks(-time.Hour, time.Second)
	h := w.look(time.Now())
	assert.EqualValues(t, -time.Hour-time.Second, h.ClockStep)
	w.clocks(time.Hour+2*time.Second, time.Second)
	assert.EqualValues(t, -time.Hour-time.Second, w.look(time.Now()).ClockStep, "set back and forth, it was wrong in between")
	assert.Positive(t, h.CPUs)
	assert.Positive(t, h.Elapsed)
}

// A clock that is set before the first look, in the set-up or in the first second, is told as one that is set later.
func TestAClockThatIsSetBeforeTheFirstLookIsTold(t *testing.T) {
	before := time.Now()
	for name, w := range map[string]*healthWatch{
		"in the set-up":       newHealthWatch(time.Now(), 0).since(lab.WithClockSet(t, before, -2*time.Hour)),
		"in the first second": newHealthWatch(lab.WithClockSet(t, before, -2*time.Hour), 0).since(lab.WithClockSet(t, before, -2*time.Hour)),
	} {
		step := time.Duration(w.look(time.Now()).ClockStep)
		assert.InDelta(t, 2*time.Hour, step, float64(time.Minute), name)
	}
	assert.Zero(t, newHealthWatch(before, 0).since(time.Time{}).look(time.Now()).ClockStep)
}
