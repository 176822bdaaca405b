package load

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/schedule"
	"agstest/reports"
)

// CapacityOptions tune the search for the highest rate that keeps the limits. The zero value works.
type CapacityOptions struct {
	// From is the first rate, and nothing below it is tried; zero means 10/s, or more where the limits need many
	// answers.
	From schedule.Rate
	// To is never passed; zero means load.maxRate of the environment, if it has one.
	To schedule.Rate
	// Point is how long one rate is tried at least; 0 means 15 s. It is longer where the limits need more answers than
	// that.
	Point time.Duration
	// Precision is the gap, as a share, at which the search ends: between the highest rate that keeps the limits and
	// the lowest one that does not. 0 means 0.05.
	Precision float64
	// Pause is the time between two points, so that queues of the service run empty; 0 means 1 s, below 0 none.
	Pause time.Duration
	// Starting is told of each point before it starts, and how long it will take; Tried is told of each when it is
	// over.
	Starting func(rate float64, length time.Duration)
	Tried    func(reports.CapacityPoint)
}

const (
	maxPoints       = 60
	longestStart    = time.Minute // of the first point, when From is not given
	confirmations   = 2
	tooMany         = 2 // misses of a rate: a single one may have been a moment of the service
	extended        = 3 // times as long is a point that was not decided
	defaultPoint    = 15 * time.Second
	minStep         = 0.01
	kneeNeeds       = 4   // points
	kneeLeastGrowth = 1.5 // of the response time over the curve
)

// Capacity finds the highest rate at which a workload keeps its limits. It doubles the rate until a limit breaks,
// halves the gap (on a logarithmic scale) down to the precision, and confirms the rate found twice. A limit breaks at
// a rate where it was not kept twice: after the first time the rate is tried again, and confirmed anew. The report is
// that of the last run at the rate found, with Capacity filled in. If the generator itself cannot keep up, the rate is
// only a lower bound and the report says so. Errors are those of Run; when ctx ends after the first point, the report
// has all points so far, marked partial.
func Capacity(ctx context.Context, o Options, options CapacityOptions) (*reports.Load, error) {
	s, err := searchOf(&o, options)
	if err != nil {
		return nil, err
	}
	taken, tried := 0, 0
	record := o.Record
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		if tried > 0 {
			if err := pause(ctx, s.pause); err != nil {
				return nil, err
			}
		}
		tried++
		point := o
		point.Rate, point.Duration = schedule.RateOf(rate), length
		point.skip = taken
		if record != "" {
			point.Record = filepath.Join(record, fmt.Sprintf("point-%02d", tried))
		}
		report, consumed, err := run(ctx, point)
		taken += consumed
		return report, err
	}
	return s.search(ctx)
}

// searchOf makes the search, or refuses options that make no sense.
func searchOf(o *Options, options CapacityOptions) (*search, error) {
	if len(o.Limits) == 0 {
		return nil, failure.Usagef(
			"a capacity is the highest rate that keeps a limit; give one, such as --limit 'signon.p99<300ms'")
	}
	for _, l := range o.Limits {
		if l.OfLoad() {
			return nil, failure.Usagef(
				"the limit %s makes no sense in a search for a rate; limit response times and errors", l.Expression)
		}
	}
	if o.Rate != (schedule.Rate{}) || o.Max || o.Duration != 0 || o.Profile != nil || o.Population != nil ||
		o.Storm != nil || o.Shard.Of > 1 {
		return nil, failure.Usagef("a capacity search chooses rates and durations itself; leave --rate, --duration, " +
			"--load-profile, --population, --storm and --shard out")
	}
	if o.Environment == nil {
		return nil, failure.Usagef("a load needs an environment")
	}
	return newSearch(o, options)
}

// AskedByCapacity returns the maximum that a search asks for: rates that double until a limit breaks or the highest
// rate to try is reached, the halving of the gap, and the confirmations. Without a highest rate Hits and Peak are 0,
// because nobody knows beforehand where a limit breaks. Errors are those of Capacity before it sends anything.
// AskedByCapacity sends nothing.
func AskedByCapacity(o Options, options CapacityOptions) (*Asked, error) {
	s, err := searchOf(&o, options)
	if err != nil {
		return nil, err
	}
	first := o
	first.Rate, first.Duration = schedule.RateOf(s.from), s.length(s.from)
	asked, err := Check(first, 1)
	if err != nil {
		return nil, err
	}
	asked.Schedule = fmt.Sprintf("from %s for %s, doubled until a limit breaks", figures.Rate(s.from), s.length(s.from))
	if s.to == 0 {
		asked.Hits, asked.Peak, asked.Length, asked.Longest, asked.Devices = 0, 0, 0, 0, 0
		return asked, nil
	}
	hits, length := 0.0, time.Duration(0)
	try := func(rate float64) {
		hits += rate * s.length(rate).Seconds()
		length += s.length(rate) + s.pause
	}
	for rate := s.from; rate < s.to; rate *= 2 {
		try(rate)
	}
	for range confirmations + 1 + tooMany*int(math.Ceil(math.Log2(1/s.precision))) {
		try(s.to)
	}
	asked.Hits, asked.Peak, asked.Length, asked.Longest = uint64(math.Ceil(hits)), s.to, length, length
	if asked.Devices > 0 {
		asked.Devices = asked.Hits
	}
	return asked, nil
}

// pause waits for some time, or until ctx ends.
func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
