package shards

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/failure"
	"agstest/reports"
)

func TestWhatTheCoordinatorKnowsOfAShard(t *testing.T) {
	t.Parallel()
	s := Shard{
		Index: 3, Of: 8, Pod: "agstest-r1-2", Node: "n2", Trouble: "its node no longer answers", ClockAhead: 5 * time.Millisecond, ClockError: time.Millisecond, ClockDrift: -time.Microsecond,
		Ending: &Ending{Index: 2, Phase: PhaseRunning, Planned: 800, Sent: 350, StartLate: 7 * time.Microsecond, Throttled: time.Second, ThrottledTimes: 4, CPU: 2 * time.Second},
	}
	assert.Equal(t, reports.ShardRun{
		Shard: "3/8", Node: "n2", Pod: "agstest-r1-2", Reason: "its node no longer answers", Planned: 800, Sent: 350, StartLate: 7000, Throttled: 1e9, ThrottledTimes: 4,
		CPUSeconds: 2, ClockAhead: 5e6, ClockError: 1e6, ClockDrift: -1000,
	}, s.run())
	s.Trouble, s.Ending.Error = "", "a session token could not be had"
	assert.Equal(t, "a session token could not be had", s.run().Reason)

	o := &Outcome{Run: "r1", Shards: []Shard{s, {Index: 1, Of: 8}}}
	_, err := o.Merge()
	assert.ErrorContains(t, err, "nothing that the shards of the run r1 recorded came home")
	assert.Equal(t, failure.Setup, failure.KindOf(err))
}
