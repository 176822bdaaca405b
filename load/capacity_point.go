package load

import (
	"context"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/tally"
	"agstest/reports"
)

// try measures one rate. It tries an undecided point again for longer, and an invalid one once more, since a machine
// has its moments.
func (s *search) try(ctx context.Context, rate float64) (reports.CapacityPoint, error) {
	length := s.length(rate)
	for again := false; ; again = true {
		if s.starting != nil {
			s.starting(rate, length)
		}
		r, err := s.run(ctx, rate, length)
		if err != nil {
			return reports.CapacityPoint{}, err
		}
		if r.Run.Partial != "" {
			if err := ctx.Err(); err != nil {
				if s.last == nil { // what there is of the first point
					s.last = r
				}
				return reports.CapacityPoint{}, err
			}
			return reports.CapacityPoint{}, failure.Setupf("at %s the run ended early: %s", figures.Rate(rate),
				r.Run.Partial)
		}
		s.last = r
		if s.bad == nil && tally.Defects(r) != "" {
			s.bad, s.badAt = r, rate
		}
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

// pointOf sums a run up. A run is invalid only where the generator is to blame: a service that is overwhelmed also
// makes hits wait for workers and clients, and that is the answer and no mishap.
func (s *search) pointOf(rate float64, r *reports.Load) reports.CapacityPoint {
	p := reports.CapacityPoint{Rate: rate, Reached: r.Total.Rate, Verdict: r.Verdict, Reason: r.Reason}
	shown := r.Total
	for _, l := range s.limits {
		if operation := r.Operations[l.Operation]; l.IsTime() && operation != nil {
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
		if !strings.HasPrefix(r.Reason, "not kept") { // what is graver: answers that were not right
			p.Reason = r.Reason + "; " + p.Reason
		}
	case r.Verdict == reports.Pass, r.Verdict == reports.Warn:
		// calls of the set-up that were made again say nothing of the rate
		p.Verdict, p.Reason = reports.Pass, ""
	case r.Verdict == reports.Error:
		p.Verdict = reports.Fail
	}
	return p
}

// overwhelmed: the service itself took longer than a limit allows, or gave errors, while the generator had room.
func (s *search) overwhelmed(r *reports.Load) bool {
	if r.Generator.CPUShare > tally.MaxCPU {
		return false
	}
	for i, l := range s.limits {
		if i >= len(r.Limits) || r.Limits[i].Verdict != reports.Fail {
			continue
		}
		if !l.IsTime() {
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
				if !l.Keeps(float64(at.value)) {
					return true
				}
				break
			}
		}
	}
	return false
}
