package tally

import (
	"fmt"
	"math"
	"slices"

	"agstest/internal/figures"
	"agstest/reports"
)

// The parts of a run whose medians are compared, and from which rise on they are told: twice the first one, and more
// than a user would overlook.
const (
	riseParts  = 5
	riseFactor = 2
	riseLeast  = 20e6 // nanoseconds
)

// riseNote says that an operation became slower from each fifth of a run to the next, as where a service leaks memory
// or falls behind: its limits may be kept still, and a longer run would not keep them. Empty: none did. A run whose
// rate is to change, or that has no schedule, tells nothing of that.
func riseNote(r *reports.Load) string {
	if r.Plan.Closed || r.Storm != nil || r.Run.Partial != "" || !r.Valid || !steady(r) {
		return ""
	}
	for _, name := range r.OperationNames() {
		if first, last, rose := rise(r.Seconds, name); rose {
			return fmt.Sprintf("%s became slower all through the run: at the median %s in its first fifth, and %s in its "+
				"last; a longer run tells where that ends",
				name, figures.Milliseconds(first), figures.Milliseconds(last))
		}
	}
	return ""
}

// steady tells that no second was asked for more than half as much again as the middle of all, but the first ones and
// the last, which are not whole.
func steady(r *reports.Load) bool {
	asked := map[int]int64{}
	last := 0
	for i := range r.Seconds {
		asked[r.Seconds[i].At] += r.Seconds[i].Asked
		if r.Seconds[i].Asked > 0 {
			last = max(last, r.Seconds[i].At)
		}
	}
	if last == 0 {
		return false
	}
	mean := float64(r.Total.Asked) / float64(last+1)
	for at := 1; at < last; at++ {
		if math.Abs(float64(asked[at])-mean) > mean/2 {
			return false
		}
	}
	return true
}

// rise returns the medians of an operation in the first and in the last part of a run, and whether they rose from each
// part to the next. The median of a part is the middle one of those of its seconds.
func rise(seconds []reports.Second, operation string) (first, last int64, rose bool) {
	var medians []int64
	for i := range seconds {
		if s := &seconds[i]; s.Operation == operation && s.Right > 0 && s.Asked > 0 {
			medians = append(medians, s.P50)
		}
	}
	size := len(medians) / riseParts
	if size == 0 {
		return 0, 0, false
	}
	before := int64(-1)
	for part := range riseParts {
		to := (part + 1) * size
		if part == riseParts-1 {
			to = len(medians)
		}
		of := slices.Sorted(slices.Values(medians[part*size : to]))
		median := of[len(of)/2]
		if median <= before {
			return 0, 0, false
		}
		if part == 0 {
			first = median
		}
		before, last = median, median
	}
	return first, last, last >= riseFactor*first && last-first >= riseLeast
}
