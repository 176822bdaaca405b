package steps

import (
	"math/rand/v2"
	"sync"

	"agstest/steps/script"
)

// DrawOrder lets chance decide which of the scenarios that may play next plays first, until undo is called.
func DrawOrder(seed uint64) (undo func()) {
	var mu sync.Mutex
	draw := rand.New(rand.NewPCG(seed, 0))
	measure = func(*script.Scenario) int {
		mu.Lock()
		defer mu.Unlock()
		return 1 + draw.IntN(1000)
	}
	return func() { measure = lengthOf }
}
