package load

import (
	"slices"

	"agstest/reports"
)

// knee is the rate where the response time turns upwards: the point of the curve of the 99th percentile, both axes
// scaled to 1, that lies furthest below the line from its first to its last point (V. Satopää and others, "Finding a
// Kneedle in a haystack", 2011). 0 where there are too few points or no turn.
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
