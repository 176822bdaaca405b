package shards

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load/engine"
	"agstest/reports"
)

// A shard that goes away while it sends is reported, and its report has all data that came home.
func TestShardsThatGoAway(t *testing.T) {
	for name, test := range map[string]struct {
		set    func(e *fakeEngine)
		home   []int
		way    Way
		want   string // warning
		within time.Duration
	}{
		"its pod is gone": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving, e.shards[1].dies = 15*time.Second, Sight{State: Gone, Reason: "the node n2 was removed"}, true
		}, []int{1, 3}, "", "shard 2/3 on node node-b is lost: its pod is gone; the node n2 was removed", 40 * time.Second},
		"it is evicted": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving = 15*time.Second, Sight{State: Leaving, Reason: "evicted: the node is drained"}
		}, []int{1, 2, 3}, WayForward, "shard 2/3 on node node-b ended early: it was taken away: evicted: the node is drained; what it had sent until then is in the report", 40 * time.Second},
		"it crashes": {func(e *fakeEngine) {
			e.load = func(index int, ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
				if index == 1 {
					at, _ := barrier(ctx, engine.Ready{})
					time.Sleep(time.Until(at) + 5*time.Second)
					return &reports.Load{Total: &reports.Operation{Sent: 5}}, failure.Setupf("the disk is full")
				}
				return plainLoad(e.plan())(index, ctx, barrier, progress)
			}
		}, []int{1, 3}, "", "shard 2/3 on node node-b is lost: the disk is full", 40 * time.Second},
		"its node does not answer any more": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving, e.shards[1].dies = 15*time.Second, Sight{State: Unsure, Reason: "the node n2 is unreachable"}, true
		}, []int{1, 3}, "", "shard 2/3 on node node-b is lost: its node does not answer any more; the node n2 is unreachable; the connection was refused", 75 * time.Second},
		"its node does not answer for a while": {func(e *fakeEngine) {
			e.shards[1].leaves, e.shards[1].leaving = 15*time.Second, Sight{State: Unsure, Reason: "the node n2 is unreachable"}
			e.shards[1].unreach = between(e, 15*time.Second, 45*time.Second)
		}, []int{1, 2, 3}, WayForward, "", time.Minute},
		"no forward works while it sends": {func(e *fakeEngine) {
			for _, s := range e.shards {
				s.cut = between(e, 10*time.Second, 26*time.Second)
			}
		}, []int{1, 2, 3}, WayForward, "", time.Minute},
		"no forward works after the start": {func(e *fakeEngine) {
			e.shards[1].cut = between(e, 10*time.Second, time.Hour)
		}, []int{1, 2, 3}, WayLog, "", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *fakeEngine) {
				test.set(e)
				c, work, l := newRun(t, e)
				began := time.Now()
				o, err := c.Run(context.Background(), work)
				require.NoError(t, err)
				found := results(o)
				assert.Len(t, found, len(test.home))
				for _, i := range test.home {
					assert.Equal(t, allHome[i], found[i])
				}
				assert.Equal(t, test.way, o.Shards[1].Way)
				if test.want == "" {
					assert.Empty(t, l.warnings)
				} else {
					assert.Equal(t, []string{test.want}, l.warnings)
				}
				assert.LessOrEqual(t, time.Since(began), test.within)
				assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
			})
		})
	}
}

// between is a condition that holds from one time to another after the work was created.
func between(e *fakeEngine, from, to time.Duration) func() bool {
	began := time.Now()
	return func() bool { return time.Since(began) >= from && time.Since(began) < to }
}

func TestARunOfWhichNothingComesHome(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fakeEngine) {
		for _, s := range e.shards {
			s.leaves, s.leaving, s.dies = 15*time.Second, Sight{State: Gone, Reason: "the namespace was deleted"}, true
		}
		c, work, _ := newRun(t, e)
		_, err := c.Run(context.Background(), work)
		assert.EqualError(t, err, "no result of the run r1 came home, so that nothing can be said of it; of shard 1/3 on node node-a: its pod is gone; the namespace was deleted")
		assert.Equal(t, failure.Setup, failure.KindOf(err))
	})
}
