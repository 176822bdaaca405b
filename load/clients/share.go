package clients

import (
	"cmp"
	"maps"
	"slices"

	"agstest/load/hit"
	"agstest/load/limit"
)

// aroundRefreshes are the operations of a life beside its refreshes: a discovery, a sign-on and a sign-out.
const aroundRefreshes = 3

// shares is which part of the hits of a workload each of its operations is; empty where a workload is of one operation.
func (t Traffic) shares() map[string]float64 {
	parts := map[string]int{}
	switch t.Workload {
	case WorkloadMixed:
		parts = t.Mix
	case WorkloadLifecycle:
		parts = map[string]int{hit.OpDiscover: 1, hit.OpSignOn: 1, hit.OpRefresh: cmp.Or(t.Refreshes, defaultRefreshes), hit.OpSignOut: 1}
	case WorkloadHeadEnd:
		parts = map[string]int{hit.OpMint: 1, hit.OpSignOn: 1}
	}
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
