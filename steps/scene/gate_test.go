package scene

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"agstest/steps/script"
)

// TestTheLongestWayGoesFirst: of the requests that wait, those of the scenario with the longest way to the end go
// first, after those that belong to none; a request whose run ends waits no more, and keeps no place.
func TestTheLongestWayGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ways := map[string]int{"short": 1, "long": 9, "middle": 5}
		g := &gate{free: 1, way: func(s *script.Scenario) int {
			if way, has := ways[s.ID]; has {
				return way
			}
			return -1
		}}
		assert.True(t, g.enter(t.Context(), &script.Scenario{ID: "short"}))
		var all sync.WaitGroup
		var mu sync.Mutex
		var went []string
		wait := func(ctx context.Context, id string) {
			all.Go(func() {
				if g.enter(ctx, &script.Scenario{ID: id}) {
					mu.Lock()
					went = append(went, id)
					mu.Unlock()
					g.leave()
				}
			})
			synctest.Wait()
		}
		ending, end := context.WithCancel(t.Context())
		for _, id := range []string{"short", "long", "middle", "none", "long"} {
			wait(t.Context(), id)
		}
		wait(ending, "long")
		end()
		synctest.Wait()
		g.leave()
		all.Wait()
		assert.Equal(t, []string{"none", "long", "long", "middle", "short"}, went)
		assert.Equal(t, 1, g.free)
	})
}
