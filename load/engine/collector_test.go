package engine

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheCollectorWaitsWhileALoadLasts(t *testing.T) {
	percent := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	before := debug.SetGCPercent(usualPercent)
	defer debug.SetGCPercent(before)
	first := collectLess()
	during := percent()
	assert.Greater(t, during, usualPercent)
	second := collectLess()
	first()
	first()
	assert.Equal(t, during, percent(), "another load goes on")
	second()
	assert.Equal(t, usualPercent, percent())

	debug.SetGCPercent(90)
	third := collectLess()
	assert.Equal(t, 90, percent(), "who has set it has it")
	third()
	assert.Equal(t, 90, percent())
}

func TestGarbageIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 3 << 20: 400, 16 << 20: 400, 32 << 20: 200, 64 << 20: 100, 160 << 20: 100} {
		assert.Equal(t, want, percentFor(live), live)
	}
}
