package tally

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A second that is taken out late holds answers to hits of later seconds too. A second far away is a damaged record.
func TestLateSecondsHoldLaterHits(t *testing.T) {
	l := NewLedger([]string{"refresh"}, false)
	require.NoError(t, l.Add(&Frame{Second: 0, Operations: []operationFrame{{Asked: map[int]int64{0: 5, 2: 3}, counts: counts{Sent: 8, Right: 8}}}}))
	require.NoError(t, l.Add(&Frame{Second: 1, Operations: []operationFrame{{Asked: map[int]int64{1: 4}, counts: counts{Sent: 4, Right: 4}}}}))
	assert.Equal(t, int64(12), l.totals[0].asked)
	assert.Equal(t, int64(3), l.row(2, 0).Asked)
	assert.Equal(t, int64(8), l.row(0, 0).Sent)

	for _, second := range []int{-1, 1 << 30} {
		assert.ErrorIs(t, l.Add(&Frame{Second: 2, Operations: []operationFrame{{Asked: map[int]int64{second: 1}}}}), errSecond)
	}
}
