package steps

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/steps/scene"
	"agstest/steps/script"
)

// lined makes turns of these lengths and claims, in line.
func lined(seats int, all ...turn) (*turns, []*script.Scenario) {
	t := &turns{byName: map[*script.Scenario]*turn{}, free: seats}
	var line []*turn
	var scenarios []*script.Scenario
	for i := range all {
		own, s := &all[i], &script.Scenario{}
		own.place, own.given = i, make(chan struct{})
		t.byName[s] = own
		line, scenarios = append(line, own), append(scenarios, s)
	}
	t.begin(line)
	return t, scenarios
}

func given(own *turn) bool {
	select {
	case <-own.given:
		return true
	default:
		return false
	}
}

// TestSeatsAreGivenByTheWayToTheEnd: the first seats too, though any scenario with a seat may come last.
func TestSeatsAreGivenByTheWayToTheEnd(t *testing.T) {
	t.Parallel()
	line, all := lined(1, turn{length: 2}, turn{length: 9}, turn{length: 5}, turn{length: 9})
	var order []int
	for range all {
		for i, s := range all {
			if own := line.byName[s]; given(own) && !own.ended {
				order = append(order, i)
				line.end(s)
				line.end(s) // which says nothing new
				break
			}
		}
	}
	assert.Equal(t, []int{1, 3, 2, 0}, order)
}

// TestWhoOthersWaitForIsFirst: a short scenario before a long one that must not meet it goes before one of middle
// length.
func TestWhoOthersWaitForIsFirst(t *testing.T) {
	t.Parallel()
	device := func(alone bool) map[string]bool { return map[string]bool{"a device": alone} }
	line, all := lined(1, turn{length: 10}, turn{length: 1, claims: device(false)}, turn{length: 1, claims: device(false)}, turn{length: 20, claims: device(true)})
	assert.Equal(t, 21, line.byName[all[1]].way)
	assert.False(t, given(line.byName[all[0]]))
	require.True(t, given(line.byName[all[1]]))
	line.end(all[1])
	require.True(t, given(line.byName[all[2]]), "two who only use it do not wait for each other")
	assert.False(t, given(line.byName[all[3]]))
	line.end(all[2])
	require.True(t, given(line.byName[all[3]]), "all who use it have ended")
}

func TestWhoWaitsWhenARunEndsDoesNotPlay(t *testing.T) {
	t.Parallel()
	line, all := lined(1, turn{length: 2}, turn{length: 1})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	require.True(t, line.wait(ctx, all[0]))
	var others sync.WaitGroup
	others.Go(func() { assert.False(t, line.wait(ctx, all[1])) })
	cancel()
	others.Wait()
}

// TestUserSignsOutTheirOwnDevice: a scenario whose only client is a user holds the user's device, not the one that is
// there to be signed out.
func TestUserSignsOutTheirOwnDevice(t *testing.T) {
	t.Parallel()
	_, all, err := understand(nil)
	require.NoError(t, err)
	var own, other int
	for _, s := range all {
		if !scene.SignsOut(s) {
			continue
		}
		if signOutByUser(s) {
			own++
			assert.Equal(t, "A user signs on, goes on, and signs out", s.Pickle.Name)
		} else {
			other++
		}
	}
	assert.Equal(t, 1, own)
	assert.Greater(t, other, 10)
}
