package load

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

// withClockSet is a moment as it would be read after the clock of the machine was set: another time of day at the same monotonic reading.
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

func TestTokensAreNotBlamedWhereTheClockWasSet(t *testing.T) {
	r := &reports.Load{Total: &reports.Operation{Asked: 100, Sent: 100, Right: 60, Wrong: 40, Outcomes: map[string]int64{hit.KindToken: 40}}}
	decide(r, nil, nil)
	assert.Equal(t, reports.Fail, r.Verdict)
	r.Generator.ClockStep = int64(time.Hour)
	decide(r, nil, nil)
	assert.Equal(t, reports.Invalid, r.Verdict)
	assert.Equal(t, "the clock of this machine was set by 1h0m0s during the run", r.Reason)
	r.Total.Outcomes[hit.KindIdentity] = 1
	decide(r, nil, nil)
	assert.Equal(t, reports.Fail, r.Verdict, "a mix-up is one at any time")
}

func TestHowLongARunTookIsNotByTheClock(t *testing.T) {
	t.Parallel()
	s := newService(t, mock.Config{}, nil)
	reads := 0
	report, err := Run(t.Context(), Options{
		Environment: s.environment, Workload: WorkloadSignOn, Rate: schedule.Rate{Hits: 50, Per: time.Second}, Duration: 300 * time.Millisecond,
		Now: func() time.Time { // set back by a day while the run goes on
			reads++
			return withClockSet(t, time.Now(), time.Duration(1-reads)*24*time.Hour)
		},
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, reads, 2)
	took := report.Run.End.Round(0).Sub(report.Run.Start.Round(0))
	assert.Greater(t, took, 250*time.Millisecond)
	assert.Less(t, took, time.Minute)
}
