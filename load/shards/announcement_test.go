package shards

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAnnouncementComesBack(t *testing.T) {
	t.Parallel()
	n := announcement{Turn: 7, Clock: 1_700_000_000_123_456_789, Status: &Status{Index: 2, Phase: PhaseArmed, Version: "v1"}, Progress: &Progress{Sent: 5, P99: time.Second}}
	var out bytes.Buffer
	require.NoError(t, n.write(&out))
	got, ok := readAnnouncement(out.String()[:out.Len()-1])
	assert.True(t, ok)
	assert.Equal(t, n, got)
	for _, line := range []string{"", "agstest-shard", "agstest-shard {", `agstest-shard {"clock":5}`, `agstest-shard {"turn":-1}`, "a warning", `{"turn":1}`} {
		_, ok := readAnnouncement(line)
		assert.False(t, ok, "%q", line)
	}
}

// Whatever the ways take and however the clock is off, the true offset lies within the bound, as long as lines take no
// time.
func TestOffsetBetweenAnnouncements(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "offset")
		written := map[int]int64{}
		var moments []int64 // of the announcements, by our clock
		at := int64(0)
		for turn := 1; turn <= 6; turn++ {
			at += rapid.Int64Range(int64(150*time.Millisecond), int64(400*time.Millisecond)).Draw(t, "turn")
			moments = append(moments, at)
			written[turn] = at + offset
		}
		var looks []clockLook
		for now := moments[0]; now < moments[4]; {
			there, back := rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(t, "there"), rapid.Int64Range(0, int64(30*time.Millisecond)).Draw(t, "back")
			turn := 0
			for turn < len(moments) && moments[turn] <= now+there {
				turn++
			}
			looks = append(looks, clockLook{asked: now, came: now + there + back, turn: turn})
			now += there + back + int64(10*time.Millisecond)
		}
		got := offsetBetween(looks, written)
		if diff := time.Duration(offset) - got.Offset; diff.Abs() > got.Bound {
			t.Fatalf("the offset is %s; told were %s ± %s", time.Duration(offset), got.Offset, got.Bound)
		}
		if got.Bound > 100*time.Millisecond {
			t.Fatalf("the bound is %s", got.Bound)
		}
	})
	assert.Equal(t, time.Duration(math.MaxInt64), offsetBetween(nil, nil).Bound)
	assert.Equal(t, time.Duration(math.MaxInt64), offsetBetween([]clockLook{{asked: 1, came: 2, turn: 1}}, map[int]int64{1: 5}).Bound, "there is no next one")
	assert.Equal(t, clockOffset{Offset: 0, Bound: 30}, offsetBetween([]clockLook{{asked: 100, came: 110, turn: 1}, {asked: 140, came: 150, turn: 1}}, map[int]int64{1: 110, 2: 110}),
		"the second line was not seen 30 after it was written")
}
