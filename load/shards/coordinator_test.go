package shards

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShardsStartTogetherAndComeHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newFakeEngine(t, 3)
		defer e.close()
		e.shards[0].skew, e.shards[1].skew, e.shards[2].skew = 0, 7*time.Minute, -90*time.Second
		e.shards[2].starts = 12 * time.Second
		c, work, l := newRun(t, e)
		o, err := c.Run(context.Background(), work)
		require.NoError(t, err)
		assert.Equal(t, map[int]string{1: "record of shard 1/3", 2: "record of shard 2/3", 3: "record of shard 3/3"}, results(o))
		for i, s := range o.Shards {
			assert.Empty(t, s.Trouble)
			assert.Equal(t, WayForward, s.Way)
			assert.Equal(t, fmt.Sprintf("node-%c", 'a'+i), s.Node)
			assert.InDelta(t, float64(e.shards[i].skew), float64(s.ClockAhead), float64(s.ClockError), "shard %d", i)
			assert.LessOrEqual(t, s.ClockError, 10*time.Millisecond)
		}
		assert.Equal(t, []string{"check", "create", "remove"}, e.noted())
		assert.Empty(t, l.warnings)
		require.NotEmpty(t, l.progress)
	})
}
