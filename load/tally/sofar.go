package tally

import (
	"time"

	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/reports"
)

// LimitsSoFar returns the state of limits, given as expressions, in the run up to now: the figure since the start, and
// whether it is within the bound. There is no interval, so the verdict at the end may be another one; a limit without a
// figure yet is inconclusive.
func (l *Ledger) LimitsSoFar(expressions []string) []reports.Limit {
	if len(expressions) == 0 {
		return nil
	}
	limits, err := limit.ParseAll(expressions)
	if err != nil {
		return nil // they were checked before the run began
	}
	known := map[string]limit.Stretch{}
	sofar := make([]reports.Limit, 0, len(limits))
	for _, one := range limits {
		stretch, ok := known[one.Operation]
		if !ok {
			stretch = l.sofar(one.Operation)
			known[one.Operation] = stretch
		}
		sofar = append(sofar, one.SoFar(stretch, time.Duration(l.health.Elapsed)))
	}
	return sofar
}

// sofar sums up what an operation did since the start, or all of them for the empty name.
func (l *Ledger) sofar(operation string) limit.Stretch {
	var s limit.Stretch
	var response, service Histogram
	for i, name := range l.operations {
		if operation != "" && name != operation {
			continue
		}
		t := &l.totals[i]
		s.Sent, s.Right, s.Wrong, s.Throttled = s.Sent+t.Sent, s.Right+t.Right, s.Wrong+t.Wrong,
			s.Throttled+t.kinds[hit.KindThrottled]
		if operation != "" {
			s.Response, s.ResponseSum = t.response.Times()
			s.Service, s.ServiceSum = t.service.Times()
			return s
		}
		response.Merge(&t.response)
		service.Merge(&t.service)
	}
	s.Response, s.ResponseSum = response.Times()
	s.Service, s.ServiceSum = service.Times()
	return s
}
