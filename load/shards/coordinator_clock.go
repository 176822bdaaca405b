package shards

import (
	"context"
	"math"
	"time"
)

// roundTrips is how often the clock of a shard is read; the shortest trip counts.
const roundTrips = 20

// clockTrip is one reading of the clock of a shard: by our clock the times of the question and of the answer, and the
// time that the shard answered.
type clockTrip struct {
	asked, came, said int64 // nanoseconds since 1970
}

// clockOffset is by how much the clock of a shard is ahead of ours, and the largest error of that: the shard read its
// clock at some moment of the trip, so the middle of the trip is wrong by at most half of it, however uneven the ways
// there and back are (D. L. Mills, RFC 5905, section 8, with the delay in the shard taken as none).
type clockOffset struct {
	Offset time.Duration
	Bound  time.Duration
}

// offsetOf takes the shortest trip. Without a trip the bound is as large as can be.
func offsetOf(trips []clockTrip) clockOffset {
	best := clockOffset{Bound: math.MaxInt64}
	for _, t := range trips {
		length := t.came - t.asked
		if length < 0 {
			continue
		}
		// Half of an odd length is rounded up, so that the true offset lies within the bound to the nanosecond.
		if bound := time.Duration(length - length/2); bound < best.Bound {
			best = clockOffset{Offset: time.Duration(t.said - (t.asked + length/2)), Bound: bound}
		}
	}
	return best
}

// readClock reads the clock of a shard the given number of times, one after the other. Trips that fail do not count; if
// all fail, it returns the last error.
func (s *shard) readClock(ctx context.Context, times int, now func() time.Time) (clockOffset, error) {
	var trips []clockTrip
	var failed error
	for range times {
		var clock Clock
		asked := now().UnixNano()
		if err := s.get(ctx, PathClock, &clock); err != nil {
			failed = err
			if ctx.Err() != nil {
				break
			}
			continue
		}
		trips = append(trips, clockTrip{asked: asked, came: now().UnixNano(), said: clock.Now})
	}
	if len(trips) == 0 {
		return clockOffset{}, failed
	}
	return offsetOf(trips), nil
}

// steadyClock returns the wall clock of one moment, carried on by the monotonic clock, so that setting this machine's
// clock between the readings of two shards does not shift one against the other.
func steadyClock() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Round(0).Add(time.Since(began)) }
}
