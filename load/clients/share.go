package clients

import (
	"maps"
	"slices"

	"agstest/load/limit"
)

// shares is which part of the hits of a workload each of its operations is; empty where a workload is of one operation.
func (t Traffic) shares() map[string]float64 {
	w := workloadOf(t.Workload)
	if w == nil || w.shares == nil {
		return nil
	}
	parts := w.shares(t)
	sum := 0
	for _, part := range parts {
		sum += part
	}
	all := map[string]float64{}
	for operation, part := range parts {
		if part > 0 {
			all[operation] = float64(part) / float64(sum)
		}
	}
	return all
}

// Rarest is the smallest share of an operation of all hits, 1 where a workload is of one.
func (t Traffic) Rarest() float64 {
	return slices.Min(append(slices.Collect(maps.Values(t.shares())), 1))
}

// MinHits is how many hits a run needs at least for a limit to be kept for sure.
func (t Traffic) MinHits(l limit.Limit) float64 {
	if share := t.shares()[l.Operation]; share > 0 {
		return l.MinAnswers() / share
	}
	return l.MinAnswers()
}
