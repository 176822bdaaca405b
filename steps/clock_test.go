package steps_test

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// withClockSet returns a moment as it reads after the clock of the machine was set: another time of day at the same
// monotonic reading.
func withClockSet(t *testing.T, moment time.Time, by time.Duration) time.Time {
	t.Helper()
	fields := (*struct {
		wall      uint64
		monotonic int64
	})(unsafe.Pointer(&moment)) // see time.Time: the topmost bit tells of a monotonic reading, then come 33 bits of seconds
	require.NotZero(t, fields.wall>>63, "it has no monotonic reading")
	fields.wall += uint64(by/time.Second) << 30
	return moment
}

// TestClockThatIsSetIsNotTheServicesFault: once some scenarios are over, the clock of this machine is set back by an
// hour. That is the same as a service whose clock goes forward by an hour and a clock of ours that says so, which can
// be made.
func TestClockThatIsSetIsNotTheServicesFault(t *testing.T) {
	for _, told := range []bool{true, false} {
		var off atomic.Int64
		e := service(t, mock.Config{Clock: func() time.Time { return time.Now().Add(time.Duration(off.Load())) }})
		o := steps.Options{
			Environment: e, Tags: "@TOK-08 or @TOK-09 or @TOK-10 or @TOK-11 or @REF-05 or @refresh", Concurrency: 1, Seed: 1,
			Progress: func(done, _ int, _ string, _ reports.Verdict) {
				if done == 3 {
					off.Store(int64(time.Hour))
				}
			},
		}
		if told {
			o.Now = func() time.Time { return withClockSet(t, time.Now(), -time.Duration(off.Load())) }
		}
		report := run(t, o)
		note := "the clock of this machine was set by -1h0m0s during the run, so that nothing can be told of times"
		if !told {
			assert.Equal(t, reports.Fail, report.Verdict, "a service whose clock jumps misses requirements: this test can see it")
			assert.NotContains(t, report.Notes, note)
			continue
		}
		assert.Equal(t, reports.Error, report.Verdict, report.Reason)
		assert.Contains(t, report.Notes, note)
		for _, q := range report.Requirements {
			assert.NotEqual(t, reports.Fail, q.Verdict, q.ID)
		}
		took := report.Run.End.Round(0).Sub(report.Run.Start.Round(0))
		assert.Positive(t, took, "it ends after it began")
		assert.Less(t, took, time.Minute)
	}
}
