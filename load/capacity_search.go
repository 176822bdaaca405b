package load

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/reports"
)

// search is a capacity search with its way to try a rate.
type search struct {
	run       func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error)
	limits    []Limit
	needs     float64 // hits for the limits to be decided
	from, to  float64 // to: 0 for none
	capped    string  // what set to
	point     time.Duration
	precision float64
	pause     time.Duration
	tried     func(reports.CapacityPoint)

	points []reports.CapacityPoint
	best   *reports.Load // of the highest rate that kept the limits
	last   *reports.Load
}

func newSearch(o *Options, options CapacityOptions) (*search, error) {
	s := &search{
		limits: o.Limits, from: options.From.PerSecond(), to: options.To.PerSecond(), point: options.Point, precision: options.Precision,
		pause: options.Pause, tried: options.Tried, capped: "the highest rate that was to be tried",
	}
	if s.point == 0 {
		s.point = defaultPoint
	}
	if s.precision == 0 {
		s.precision = 0.05
	}
	if s.pause == 0 {
		s.pause = time.Second
	}
	if s.tried == nil {
		s.tried = func(reports.CapacityPoint) {}
	}
	if most, err := environment.ParseRate(o.Environment.Load.MaxRate); err == nil && !o.OverrideMaxRate && (s.to == 0 || most < s.to) {
		s.to, s.capped = most, "load.maxRate of "+o.Environment.Name
	}
	for _, l := range o.Limits {
		s.needs = max(s.needs, l.leastHits(o))
	}
	if s.from == 0 {
		s.from = max(10, math.Ceil(s.needs/longestStart.Seconds()))
		if s.to > 0 {
			s.from = min(s.from, s.to)
		}
	}
	switch {
	case s.point < leastBlocks*time.Second:
		return nil, failure.Usagef("a point of %s is too short to judge a limit; give %d s or more", s.point, leastBlocks)
	case s.precision < leastStep || s.precision > 1:
		return nil, failure.Usagef("a precision of %g is not possible; give a share from %g to 1", s.precision, leastStep)
	case s.to > 0 && s.from > s.to:
		return nil, failure.Usagef("the search would begin at %s and must not pass %s (%s)", reports.Rate(s.from), reports.Rate(s.to), s.capped)
	}
	return s, nil
}

// leastHits is how many hits a run needs at least for the limit to be kept for sure.
func (l Limit) leastHits(o *Options) float64 {
	answers := 1.0
	switch {
	case l.Quantile > 0:
		answers = math.Ceil(math.Log((1-limitLevel)/2) / math.Log(l.Quantile))
	case (l.Metric == "errors" || l.Metric == "throttled") && l.Bound > 0:
		answers = math.Ceil(math.Log((1-limitLevel)/2) / math.Log1p(-l.Bound))
	}
	share := 1.0
	switch {
	case l.Operation == "":
	case o.Workload == WorkloadMixed && o.Mix[l.Operation] > 0:
		sum := 0
		for _, part := range o.Mix {
			sum += part
		}
		share = float64(o.Mix[l.Operation]) / float64(sum)
	case o.Workload == WorkloadLifecycle:
		refreshes := o.Refreshes
		if refreshes == 0 {
			refreshes = defaultRefreshes
		}
		share = 1 / float64(refreshes+3)
		if l.Operation == opRefresh {
			share *= float64(refreshes)
		}
	case o.Workload == WorkloadHeadEnd:
		share = 0.5
	}
	return answers / share
}

// length is how long a rate is tried: a tenth more than the limits need.
func (s *search) length(rate float64) time.Duration {
	return max(s.point, time.Duration(math.Ceil(1.1*s.needs/rate))*time.Second)
}

func (s *search) search(ctx context.Context) (*reports.Load, error) {
	kept, beyond := 0.0, 0.0 // rates; beyond: 0 for none yet
	confirmed := 0
	for rate := s.from; len(s.points) < mostPoints; {
		point, err := s.try(ctx, rate)
		if err != nil {
			return s.stopped(ctx, kept, err)
		}
		switch point.Verdict {
		case reports.Invalid:
			return s.found(kept, true, "the generator could not keep up at "+reports.Rate(rate)+": "+point.Reason), nil
		case reports.Pass:
			if rate == kept {
				confirmed++
			} else {
				kept, confirmed = rate, 0
			}
			s.best = s.last
		default:
			if beyond == 0 || rate < beyond {
				beyond = rate
			}
			if rate <= kept { // it was not confirmed
				kept, confirmed = s.below(rate), 0
			}
		}
		switch {
		case kept == 0 && beyond <= s.floor():
			return s.found(0, false, fmt.Sprintf("not even %s keeps the limits: %s", reports.Rate(beyond), point.Reason)), nil
		case kept == 0:
			rate = max(s.floor(), beyond/4)
		case beyond == 0 && s.to > 0 && kept >= s.to:
			if confirmed >= confirmations {
				return s.found(kept, true, s.capped+" is reached and kept"), nil
			}
			rate = kept
		case beyond == 0:
			rate = 2 * kept
			if s.to > 0 {
				rate = min(rate, s.to)
			}
		case beyond/kept > 1+s.precision:
			rate = math.Sqrt(kept * beyond)
		case confirmed >= confirmations:
			return s.found(kept, false, s.why(beyond)), nil
		default:
			rate = kept
		}
		if rate = tidy(rate); s.to > 0 {
			rate = min(rate, s.to)
		}
		if rate != kept && (rate <= kept || beyond > 0 && rate >= beyond) { // too near to each other to be told apart
			rate = kept
			if confirmed >= confirmations {
				return s.found(kept, false, s.why(beyond)), nil
			}
		}
	}
	return s.found(kept, true, fmt.Sprintf("the search did not settle within %d points: the service does not answer alike from one minute to the next", mostPoints)), nil
}

// floor is the lowest rate that is tried.
func (s *search) floor() float64 { return max(min(s.from, 1), s.from/16) }

// tidy rounds a rate to three digits.
func tidy(rate float64) float64 {
	digits := 2 - math.Floor(math.Log10(rate)) // behind the point
	if digits <= 0 {
		unit := math.Pow(10, -digits)
		return math.Round(rate/unit) * unit
	}
	parts := math.Pow(10, digits)
	return math.Round(rate*parts) / parts
}

// below is the highest rate under this one that was kept every time; 0 for none.
func (s *search) below(rate float64) float64 {
	highest := 0.0
	for _, p := range s.points {
		if p.Rate < rate && p.Rate > highest && p.Verdict == reports.Pass && !s.missed(p.Rate) {
			highest = p.Rate
		}
	}
	return highest
}

func (s *search) missed(rate float64) bool {
	return slices.ContainsFunc(s.points, func(p reports.CapacityPoint) bool { return p.Rate == rate && p.Verdict != reports.Pass })
}

func (s *search) why(beyond float64) string {
	for i := len(s.points) - 1; i >= 0; i-- {
		if p := s.points[i]; p.Rate == beyond && p.Verdict != reports.Pass {
			return fmt.Sprintf("the service does not keep the limits at %s: %s", reports.Rate(beyond), p.Reason)
		}
	}
	return "the service does not keep the limits beyond"
}

// try measures one rate. What is not decided is tried again for longer, and what is not valid once more, since a machine has its moments.
func (s *search) try(ctx context.Context, rate float64) (reports.CapacityPoint, error) {
	length := s.length(rate)
	for again := false; ; again = true {
		r, err := s.run(ctx, rate, length)
		if err != nil {
			return reports.CapacityPoint{}, err
		}
		if r.Run.Partial != "" {
			if err := ctx.Err(); err != nil {
				return reports.CapacityPoint{}, err
			}
			return reports.CapacityPoint{}, failure.Setupf("at %s the run ended early: %s", reports.Rate(rate), r.Run.Partial)
		}
		s.last = r
		point := s.pointOf(rate, r)
		s.points = append(s.points, point)
		s.tried(point)
		switch {
		case again, point.Verdict == reports.Pass, point.Verdict == reports.Fail:
			return point, nil
		case point.Verdict == reports.Inconclusive:
			length *= extended
		}
	}
}

// pointOf sums a run up. A run is invalid only where the generator is to blame: a service that is overwhelmed also makes hits wait for
// workers and clients, and that is the answer and no mishap.
func (s *search) pointOf(rate float64, r *reports.Load) reports.CapacityPoint {
	p := reports.CapacityPoint{Rate: rate, Reached: r.Total.Rate, Verdict: r.Verdict, Reason: r.Reason}
	shown := r.Total
	for _, l := range s.limits {
		if operation := r.Operations[l.Operation]; l.isTime() && operation != nil {
			shown = operation
			break
		}
	}
	p.P50, p.P99 = shown.Response.P50, shown.Response.P99
	if r.Total.Sent > 0 {
		p.Errors = float64(r.Total.Wrong) / float64(r.Total.Sent)
	}
	var failed []string
	for _, l := range r.Limits {
		if l.Verdict == reports.Fail {
			failed = append(failed, l.Expression+" (it was "+l.Value+")")
		}
	}
	switch {
	case r.Verdict == reports.Invalid && len(failed) > 0 && s.overwhelmed(r):
		p.Verdict, p.Reason = reports.Fail, "not kept: "+strings.Join(failed, ", ")
	case r.Verdict == reports.Fail && len(failed) > 0:
		p.Reason = "not kept: " + strings.Join(failed, ", ")
	case r.Verdict == reports.Pass:
		p.Reason = ""
	case r.Verdict == reports.Error:
		p.Verdict = reports.Fail
	}
	return p
}

// overwhelmed: the service itself took longer than a limit allows, or gave errors, while the generator had room.
func (s *search) overwhelmed(r *reports.Load) bool {
	if r.Generator.CPUShare > mostCPU {
		return false
	}
	for i, l := range s.limits {
		if i >= len(r.Limits) || r.Limits[i].Verdict != reports.Fail {
			continue
		}
		if !l.isTime() {
			return true
		}
		operation := r.Total
		if l.Operation != "" {
			operation = r.Operations[l.Operation]
		}
		if operation == nil {
			continue
		}
		p := operation.Service
		for _, at := range []struct {
			quantile float64
			value    int64
		}{{0.5, p.P50}, {0.9, p.P90}, {0.95, p.P95}, {0.99, p.P99}, {0.999, p.P999}, {1, p.Max}} {
			if at.quantile >= l.Quantile && (l.Quantile > 0 || at.quantile == 1) {
				if !l.keeps(float64(at.value)) {
					return true
				}
				break
			}
		}
	}
	return false
}

// stopped is the end of a search that could not go on.
func (s *search) stopped(ctx context.Context, kept float64, err error) (*reports.Load, error) {
	if s.last == nil {
		return nil, err
	}
	if ctx.Err() != nil {
		r := s.found(kept, true, "the search was interrupted")
		r.Run.Partial = "it was interrupted"
		return r, nil
	}
	return s.found(kept, true, "the search could not go on: "+err.Error()), nil
}

// found makes the report of the search.
func (s *search) found(rate float64, lowerBound bool, reason string) *reports.Load {
	r := s.best
	if rate == 0 || r == nil {
		r = s.last
	}
	r.Run.Kind = "capacity"
	points := slices.Clone(s.points)
	slices.SortStableFunc(points, func(a, b reports.CapacityPoint) int {
		switch {
		case a.Rate < b.Rate:
			return -1
		case a.Rate > b.Rate:
			return 1
		}
		return 0
	})
	r.Capacity = &reports.Capacity{Rate: rate, LowerBound: lowerBound, Reason: reason, Knee: knee(points), Points: points}
	switch {
	case rate == 0 && lowerBound:
		r.Verdict, r.Reason = reports.Invalid, reason
	case rate == 0:
		r.Verdict, r.Reason = reports.Fail, reason
	case lowerBound:
		r.Verdict, r.Reason = reports.Pass, fmt.Sprintf("at least %s: %s", reports.Rate(rate), reason)
	default:
		r.Verdict, r.Reason = reports.Pass, fmt.Sprintf("%s keeps the limits, confirmed twice; %s", reports.Rate(rate), reason)
	}
	return r
}

// knee is the rate where the response time turns upwards: the point of the curve of the 99th percentile, both axes scaled to 1, that
// lies furthest below the line from its first to its last point (V. Satopää and others, "Finding a Kneedle in a haystack", 2011). 0 where
// there are too few points or no turn.
func knee(points []reports.CapacityPoint) float64 {
	var rates, times []float64
	for _, p := range points {
		if p.Verdict == reports.Invalid || p.P99 == 0 {
			continue
		}
		if last := len(rates) - 1; last >= 0 && rates[last] == p.Rate {
			times[last] = max(times[last], float64(p.P99))
			continue
		}
		rates, times = append(rates, p.Rate), append(times, float64(p.P99))
	}
	last := len(rates) - 1
	if len(rates) < kneeNeeds {
		return 0
	}
	least, most := slices.Min(times), slices.Max(times)
	if most < kneeLeastGrowth*least {
		return 0
	}
	best, furthest := 0.0, 0.0
	for i := range rates {
		x, y := (rates[i]-rates[0])/(rates[last]-rates[0]), (times[i]-least)/(most-least)
		if x-y > furthest {
			best, furthest = rates[i], x-y
		}
	}
	return best
}
