package shards

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// The true offset lies within the bound whatever the trips are like: how long they take, how unevenly there and back,
// and where in the trip the shard reads its clock.
func TestOffsetLiesWithinItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		skew := rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "skew")
		now := int64(1_800_000_000_000_000_000)
		var trips []clockTrip
		shortest := int64(math.MaxInt64)
		for range rapid.IntRange(1, 30).Draw(t, "trips") {
			there := rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "there")
			back := rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "back")
			trips = append(trips, clockTrip{asked: now, said: now + there + skew, came: now + there + back})
			shortest = min(shortest, there+back)
			now += there + back + rapid.Int64Range(0, int64(time.Second)).Draw(t, "between")
		}
		got := offsetOf(trips)
		if wrong := time.Duration(skew) - got.Offset; wrong.Abs() > got.Bound {
			t.Fatalf("the offset is %s and was taken for %s ± %s", time.Duration(skew), got.Offset, got.Bound)
		}
		if half := time.Duration(shortest - shortest/2); got.Bound != half {
			t.Fatalf("the bound is %s and half of the shortest trip %s", got.Bound, half)
		}
	})
}

func TestOffsetOfTrips(t *testing.T) {
	ms := int64(time.Millisecond)
	assert.Equal(t, clockOffset{Offset: 7 * time.Millisecond, Bound: 2 * time.Millisecond}, offsetOf([]clockTrip{
		{asked: 0, came: 90 * ms, said: 60 * ms}, {asked: 100 * ms, came: 104 * ms, said: 109 * ms}, {asked: 200 * ms, came: 230 * ms, said: 220 * ms},
	}), "the shortest trip counts")
	assert.Equal(t, clockOffset{Offset: 4, Bound: 2}, offsetOf([]clockTrip{{asked: 0, came: 3, said: 5}}), "half of an odd trip is rounded up")
	assert.Equal(t, time.Duration(math.MaxInt64), offsetOf([]clockTrip{{asked: 5, came: 4}}).Bound, "a clock that was set back says nothing")
}
