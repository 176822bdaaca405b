package load

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/engine"
	"agstest/load/limit"
	"agstest/load/tally"
	"agstest/reports"
)

// search is a capacity search with its way to try a rate.
type search struct {
	run       func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error)
	limits    []limit.Limit
	needs     float64 // hits for the limits to be decided
	from, to  float64 // to is 0 if there is none
	capped    string  // what set to
	point     time.Duration
	precision float64
	pause     time.Duration
	bounded   bool // from was given: nothing below it is tried
	starting  func(rate float64, length time.Duration)
	tried     func(reports.CapacityPoint)

	points []reports.CapacityPoint
	misses map[float64]int           // by rate, how often it did not keep the limits
	kept   map[float64]*reports.Load // by rate, the latest run that kept the limits
	last   *reports.Load
	bad    *reports.Load // the first with answers that were not right, whatever the limits say
	badAt  float64
}

func newSearch(o *Options, options CapacityOptions) (*search, error) {
	s := &search{
		limits: o.Limits, from: options.From.PerSecond(), to: options.To.PerSecond(), point: options.Point,
		precision: options.Precision,
		pause:     options.Pause, tried: options.Tried, kept: map[float64]*reports.Load{}, misses: map[float64]int{},
		capped: "the highest rate that was to be tried",
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
	s.bounded, s.starting = options.From.Hits > 0, options.Starting
	if s.tried == nil {
		s.tried = func(reports.CapacityPoint) {}
	}
	if most, err := environment.ParseRate(o.Environment.Load.MaxRate); err == nil && !o.OverrideMaxRate &&
		(s.to == 0 || most < s.to) {
		s.to, s.capped = most, "load.maxRate of "+o.Environment.Name
	}
	for _, l := range o.Limits {
		s.needs = max(s.needs, o.MinHits(l))
	}
	if s.from == 0 {
		s.from = max(10, math.Ceil(s.needs/longestStart.Seconds()))
		if s.to > 0 {
			s.from = min(s.from, s.to)
		}
	}
	switch {
	case s.point < limit.MinBlocks*time.Second:
		return nil, failure.Usagef("a point of %s is too short to judge a limit; give %d s or more", s.point,
			limit.MinBlocks)
	case !(s.precision >= minStep && s.precision <= 1): // no number either
		return nil, failure.Usagef("a precision of %g is not possible; give a share from %g to 1", s.precision, minStep)
	case s.to > 0 && s.from > s.to:
		return nil, failure.Usagef("the search would begin at %s and must not pass %s (%s)", figures.Rate(s.from),
			figures.Rate(s.to), s.capped)
	}
	return s, nil
}

// length is how long a rate is tried: a tenth more than the limits need.
func (s *search) length(rate float64) time.Duration {
	return max(s.point, time.Duration(math.Ceil(1.1*s.needs/rate))*time.Second)
}

// bounds are the results so far: the highest rate that kept the limits, how often that was confirmed, and the lowest
// that did not keep them.
type bounds struct {
	kept, beyond float64 // 0: none yet
	confirmed    int
}

func (s *search) search(ctx context.Context) (*reports.Load, error) {
	var b bounds
	for rate := s.from; len(s.points) < maxPoints; {
		point, err := s.try(ctx, rate)
		if err != nil {
			return s.stopped(ctx, b.kept, err)
		}
		if point.Verdict == reports.Invalid {
			return s.found(b.kept, true, "the generator could not keep up at "+figures.Rate(rate)+": "+
				point.Reason), nil
		}
		if !s.narrow(&b, &point) {
			continue
		}
		confirmed := b.confirmed >= confirmations
		switch {
		case b.kept == 0 && b.beyond <= s.floor():
			return s.nothingKept(b.beyond, &point), nil
		case b.kept > 0 && b.beyond == 0 && s.to > 0 && b.kept >= s.to && confirmed:
			return s.found(b.kept, true, s.capped+" is reached and kept"), nil
		}
		if rate = s.next(b); rate == b.kept && b.beyond > 0 && confirmed {
			return s.found(b.kept, false, s.why(b.beyond)), nil
		}
	}
	return s.unfinished(b.kept,
		fmt.Sprintf(
			"the search did not settle within %d points: the service does not answer alike from one minute to the next",
			maxPoints)), nil
}

// narrow moves the bounds by what came of a rate. It tells false where that decides nothing yet: the rate did not keep
// the limits, for the first time, and a service has its moments, too.
func (s *search) narrow(b *bounds, point *reports.CapacityPoint) bool {
	rate := point.Rate
	if point.Verdict == reports.Pass {
		b.confirmed++
		if rate != b.kept {
			b.kept, b.confirmed = rate, 0
		}
		s.kept[rate] = s.last
		return true
	}
	if s.misses[rate]++; point.Verdict == reports.Fail && s.misses[rate] < tooMany {
		if rate == b.kept {
			b.confirmed = 0
		}
		return false
	}
	s.misses[rate] = tooMany // one that was not decided had its second, longer try
	if b.beyond == 0 || rate < b.beyond {
		b.beyond = rate
	}
	if rate <= b.kept { // it was not confirmed
		b.kept, b.confirmed = s.below(rate), 0
	}
	return true
}

// nothingKept is the end of a search that found its lowest rate too high, or could not decide that one.
func (s *search) nothingKept(rate float64, point *reports.CapacityPoint) *reports.Load {
	if point.Verdict == reports.Inconclusive {
		return s.unfinished(0, fmt.Sprintf("it could not be decided whether %s keeps the limits: %s",
			figures.Rate(rate), point.Reason))
	}
	return s.found(0, false, fmt.Sprintf("not even %s keeps the limits: %s", figures.Rate(rate), point.Reason))
}

// next returns the rate to try next: the one that was kept, if it only needs confirmation.
func (s *search) next(b bounds) float64 {
	rate := b.kept
	switch {
	case b.kept == 0:
		rate = max(s.floor(), b.beyond/4)
	case b.beyond == 0:
		rate = 2 * b.kept
	case b.beyond/b.kept > 1+s.precision:
		rate = math.Sqrt(b.kept * b.beyond)
	}
	if rate = tidy(rate); s.to > 0 {
		rate = min(rate, s.to)
	}
	if rate <= b.kept || b.beyond > 0 && rate >= b.beyond && b.kept > 0 { // too near to each other to be told apart
		return b.kept
	}
	return rate
}

// floor is the lowest rate that is tried.
func (s *search) floor() float64 {
	if s.bounded {
		return s.from
	}
	return max(min(s.from, 1), s.from/16)
}

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

// below returns the highest rate under this one that was kept; 0 if there is none.
func (s *search) below(rate float64) float64 {
	highest := 0.0
	for _, p := range s.points {
		if p.Rate < rate && p.Rate > highest && p.Verdict == reports.Pass && s.misses[p.Rate] < tooMany {
			highest = p.Rate
		}
	}
	return highest
}

func (s *search) why(beyond float64) string {
	for i := len(s.points) - 1; i >= 0; i-- {
		if p := s.points[i]; p.Rate == beyond && p.Verdict != reports.Pass {
			if p.Verdict == reports.Inconclusive {
				return fmt.Sprintf("it could not be decided whether %s keeps them: %s", figures.Rate(beyond), p.Reason)
			}
			return fmt.Sprintf("the service does not keep the limits at %s: %s", figures.Rate(beyond), p.Reason)
		}
	}
	return "the service does not keep the limits beyond"
}

// stopped is the end of a search that could not go on.
func (s *search) stopped(ctx context.Context, kept float64, err error) (*reports.Load, error) {
	if s.last == nil {
		return nil, err
	}
	if ctx.Err() != nil {
		r := s.unfinished(kept, "the search was interrupted")
		r.Run.Partial = engine.Interrupted(ctx)
		return r, nil
	}
	return s.unfinished(kept, "the search could not go on: "+err.Error()), nil
}

// unfinished is the end of a search that did not find out what was asked: the rate found, if there is one, is no
// answer.
func (s *search) unfinished(kept float64, reason string) *reports.Load {
	r := s.found(kept, true, reason)
	if s.bad == nil {
		r.Verdict = reports.Inconclusive
		if kept == 0 {
			r.Reason = "no rate was found that keeps the limits: " + reason
		}
	}
	return r
}

// found makes the report of the search.
func (s *search) found(rate float64, lowerBound bool, reason string) *reports.Load {
	r := s.kept[rate]
	switch {
	case s.bad != nil:
		r = s.bad
	case rate == 0 || r == nil:
		r = s.last
	}
	r.Run.Kind = "capacity"
	points := slices.Clone(s.points)
	slices.SortStableFunc(points, func(a, b reports.CapacityPoint) int { return cmp.Compare(a.Rate, b.Rate) })
	r.Capacity = &reports.Capacity{Rate: rate, LowerBound: lowerBound, Reason: reason, Knee: knee(points),
		Points: points}
	switch {
	case s.bad != nil:
		r.Verdict, r.Reason = reports.Fail, fmt.Sprintf("at %s %s, which no rate excuses", figures.Rate(s.badAt),
			tally.Defects(r))
		if rate > 0 {
			r.Reason += fmt.Sprintf("; %s keeps the limits", figures.Rate(rate))
		}
	case rate == 0 && lowerBound:
		r.Verdict, r.Reason = reports.Invalid, reason
	case rate == 0:
		r.Verdict, r.Reason = reports.Fail, reason
		if s.overwhelmed(r) {
			blameService(r)
		}
	case lowerBound:
		r.Verdict, r.Reason = reports.Pass, fmt.Sprintf("at least %s: %s", figures.Rate(rate), reason)
	default:
		once := ""
		if s.misses[rate] > 0 {
			once = " after it had missed them once"
		}
		r.Verdict, r.Reason = reports.Pass, fmt.Sprintf("%s keeps the limits, confirmed twice%s; %s",
			figures.Rate(rate), once, reason)
	}
	return r
}

// blameService makes an invalid run valid: its hits had to wait because the service took too long, which is an answer
// for a search and no fault of the generator. The reasons become a remark.
func blameService(r *reports.Load) {
	if r.Valid || len(r.Invalid) == 0 {
		return
	}
	r.Notes = append(r.Notes, "the service was overwhelmed, so that hits had to wait: "+strings.Join(r.Invalid, "; "))
	r.Valid, r.Invalid = true, nil
}
