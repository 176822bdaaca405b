package shards

import (
	"bufio"
	"cmp"
	"context"
	"math"
	"time"

	"agstest/internal/failure"
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

const (
	// clockTurns is between how many announcements of a shard a moment of ours is looked for, and clockLines how many of
	// them one look takes in.
	clockTurns = 4
	clockLines = 20
	// clockEvery is the pause between two looks, to spare the API server.
	clockEvery = 10 * time.Millisecond
)

// clockLook is one look at the end of an output: when it was asked for and when it came by our clock, and the newest
// announcement in it.
type clockLook struct {
	asked, came int64 // nanoseconds since 1970
	turn        int
}

// offsetBetween returns by how much the clock of a shard is ahead of ours, from looks at its output and the times at
// which its announcements were written, by turn. An announcement in a look was written before the look ended; the next
// one, which is not in it, after the look began. This assumes that lines take no time from the shard into the output,
// as RFC 5905 assumes of the delay in a server; if that is plainly not so, the bound says by how much.
func offsetBetween(looks []clockLook, written map[int]int64) clockOffset {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	for _, l := range looks {
		least = max(least, written[l.turn]-l.came)
		if next, known := written[l.turn+1]; known {
			most = min(most, next-l.asked)
		}
	}
	if least == math.MinInt64 || most == math.MaxInt64 {
		return clockOffset{Bound: math.MaxInt64}
	}
	if least > most { // lines came late; what was seen was written all the same
		return clockOffset{Offset: time.Duration(least), Bound: time.Duration(least - most)}
	}
	return clockOffset{Offset: time.Duration(least + (most-least)/2),
		Bound: time.Duration(most - least - (most-least)/2)}
}

// readClockInOutput looks at the output of a shard that tells the time, one look after the other, until some turns have
// passed. A busy moment gets two more chances.
func (r *conductor) readClockInOutput(ctx context.Context, s *shard) (clockOffset, error) {
	most := cmp.Or(r.MaxClockError, defaultMaxClockError)
	best := clockOffset{Bound: math.MaxInt64}
	for range 3 {
		var looks []clockLook
		written := map[int]int64{}
		for first, last := 0, 0; last-first < clockTurns; {
			asked := r.now().UnixNano()
			seen, err := r.announcements(ctx, s)
			came := r.now().UnixNano()
			if ctx.Err() != nil {
				return best, ctx.Err()
			}
			if err != nil || len(seen) == 0 { // the API may be out of reach for a moment
				if pause(ctx, readyEvery) != nil {
					return best, ctx.Err()
				}
				continue
			}
			for _, n := range seen {
				written[n.Turn] = n.Clock
			}
			last = seen[len(seen)-1].Turn
			if first == 0 {
				first = last
			}
			looks = append(looks, clockLook{asked: asked, came: came, turn: last})
			if s.output.last().Phase != PhaseArmed {
				return best, failure.Setupf("%s is %s and does not wait for the start", r.name(s),
					s.output.last().Phase)
			}
			_ = pause(ctx, clockEvery)
		}
		if clock := offsetBetween(looks, written); clock.Bound < best.Bound {
			best = clock
		}
		if best.Bound <= most {
			break
		}
	}
	return best, nil
}

// announcements are the newest lines of a shard's output.
func (r *conductor) announcements(ctx context.Context, s *shard) (seen []announcement, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	log, err := r.Engine.Log(ctx, r.work.Run, s.index, LogOptions{Tail: clockLines})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if n, ok := readAnnouncement(lines.Text()); ok {
			seen = append(seen, n)
		}
	}
	return seen, lines.Err()
}
