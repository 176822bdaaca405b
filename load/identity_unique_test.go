package load

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/schedule"
)

func TestSeenSetFindsEveryRepeatAndNamesTheOwner(t *testing.T) {
	s := newSeenSet(nil)
	const count = 20000
	for i := range uint32(count) {
		_, again := s.claim(s.hash(uniqueJTI, fmt.Appendf(nil, "jti-%d", i)), i)
		require.False(t, again, "value %d is new", i)
	}
	assert.Equal(t, 1.0, s.watched())
	for i := range uint32(count) {
		owner, again := s.claim(s.hash(uniqueJTI, fmt.Appendf(nil, "jti-%d", i)), count+1)
		require.True(t, again)
		require.Equal(t, i, owner)
	}
	_, again := s.claim(s.hash(uniqueSession, []byte("jti-1")), 0)
	assert.False(t, again, "a session token may read like a jti")
}

// A full stripe stands for a run of millions: it must stay within its memory, and still find repeats of what it watches.
func TestSeenSetIsBoundedAndStillFindsRepeatsOfWhatItWatches(t *testing.T) {
	s := newSeenSet(nil)
	stripe := &s.stripes[5]
	hashes := make([]uint64, 0, 4*seenMaxSlots)
	for i := range uint64(cap(hashes)) {
		hashes = append(hashes, 5<<58|scramble(i)>>6|1<<57)
	}
	for i, hash := range hashes {
		if _, again := s.claim(digest{hash: hash}, uint32(i)); again {
			t.Fatalf("value %d is new", i)
		}
	}
	assert.LessOrEqual(t, len(stripe.hashes), seenMaxSlots)
	assert.Less(t, s.watched(), 1.0)
	found := 0
	for i, hash := range hashes {
		owner, again := s.claim(digest{hash: hash}, 0)
		if again {
			require.EqualValues(t, i, owner)
			found++
		}
	}
	assert.InDelta(t, s.watched(), float64(found)/float64(len(hashes)), 0.02, "the share that is watched is the share that is found")
}

func BenchmarkSeenSet(b *testing.B) {
	for name, key := range map[string][]byte{"alone": nil, "shard": sharedKey(7, schedule.Shard{Index: 1, Of: 8})} {
		b.Run(name, func(b *testing.B) { benchmarkSeenSet(b, newSeenSet(key)) })
	}
}

func benchmarkSeenSet(b *testing.B, s *seenSet) {
	value := []byte("4789023423714089478")
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		for d := range 8 {
			value[d] = byte('0' + i>>(4*d)&15)
		}
		s.claim(s.hash(uniqueJTI, value), uint32(i))
	}
}

func TestSeenSetReservesWhatARunNeeds(t *testing.T) {
	for expected, slots := range map[uint64]int{0: 0, 1: 64, 100_000: 4096, 3_000_000: seenMaxSlots, math.MaxUint64: seenMaxSlots} {
		s := newSeenSet([]byte("key"))
		s.reserve(expected)
		assert.Len(t, s.stripes[7].hashes, slots, expected)
		for i := range uint32(min(expected, 100_000)) {
			s.claim(s.hash(uniqueJTI, fmt.Append(nil, i)), i)
		}
		assert.Len(t, s.stripes[7].hashes, slots, "room for %d does not grow", expected)
	}
}
