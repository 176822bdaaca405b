package scene

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// TestBurstsLeaveNoDoubt: each try of a row is decided either by its acceptance or by a refusal beside none that was
// accepted, however many are under way, and one after the other if a run has no room for more.
func TestBurstsLeaveNoDoubt(t *testing.T) {
	accepts := map[int]bool{0: true, 1: true, 5: true, 9: true, 10: true, 19: true}
	for _, concurrency := range []int{1, 8} {
		stage, err := NewStage(Setting{Environment: &environment.Environment{URL: "http://127.0.0.1:1"}}, nil)
		require.NoError(t, err)
		stage.Concurrency = concurrency
		w := New(stage, &script.Scenario{ID: "a"})
		w.Add(&talk.Client{ID: "d"})
		var mu sync.Mutex
		good, tokens := "token 0", 0
		w.Client.Pair = &talk.Pair{AccessToken: good}
		decided := map[int]bool{}
		err = w.InBursts(context.Background(), 20, func(_ context.Context, own *World, i int) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			took := accepts[i] && own.Client.Pair.AccessToken == good
			if decided[i] = took; took { // the token is used up, and the next one is had
				tokens++
				good = "token " + string(rune('0'+tokens))
				own.Client.Pair = &talk.Pair{AccessToken: good}
			}
			return took, nil
		})
		require.NoError(t, err)
		for i := range 20 {
			assert.Equal(t, accepts[i], decided[i], "try %d with concurrency %d", i, concurrency)
		}
		assert.Equal(t, good, w.Client.Pair.AccessToken)
		assert.Equal(t, len(accepts), tokens)
	}
}
