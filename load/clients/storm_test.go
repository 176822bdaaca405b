package clients

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"agstest/load/hit"

	"github.com/stretchr/testify/assert"
)

// A client whose answer comes after the storm was given up is lost, but nobody asked it to come again later.
func TestOnlyWhoWasAskedToWaitWasSentAway(t *testing.T) {
	t.Parallel()
	origin := time.Now()
	late := &hit.Answer{Status: 500, Received: origin.Add(21 * time.Second)}
	for wait, away := range map[time.Duration]int{0: 0, time.Hour: 1} {
		s := &StormRun{storm: Storm{Patience: 20 * time.Second}, tries: map[uint32]int{}, random: rand.New(rand.NewPCG(1, 2)),
			origin: origin}
		s.changed = sync.NewCond(&s.mu)
		s.answered(1, late, false, false, true, wait)
		assert.Equal(t, 1, s.lost)
		assert.Equal(t, away, s.away, "wait %s", wait)
	}
}
