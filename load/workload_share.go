package load

import (
	"cmp"
	"maps"
	"slices"

	"agstest/load/hit"
	"agstest/load/limit"
)

// aroundRefreshes are the operations of a life beside its refreshes: a discovery, a sign-on and a sign-out.
const aroundRefreshes = 3

// shares is which part of the hits of a workload each of its operations is; empty where a workload is of one operation. Mix is that of
// the workload mixed, refreshes those of a life, 0 meaning their default.
func shares(workload string, mix map[string]int, refreshes int) map[string]float64 {
	parts := map[string]int{}
	switch workload {
	case WorkloadMixed:
		parts = mix
	case WorkloadLifecycle:
		parts = map[string]int{hit.OpDiscover: 1, hit.OpSignOn: 1, hit.OpRefresh: cmp.Or(refreshes, defaultRefreshes), hit.OpSignOut: 1}
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

// rarest is the smallest share of an operation, 1 where a workload is of one.
func rarest(workload string, mix map[string]int, refreshes int) float64 {
	return slices.Min(append(slices.Collect(maps.Values(shares(workload, mix, refreshes))), 1))
}

// minHits is how many hits a run needs at least for a limit to be kept for sure.
func minHits(l limit.Limit, o *Options) float64 {
	if share := shares(o.Workload, o.Mix, o.Refreshes)[l.Operation]; share > 0 {
		return l.MinAnswers() / share
	}
	return l.MinAnswers()
}
