package reports

import (
	"maps"
	"slices"
	"strconv"

	"agstest/internal/figures"
)

// figure is one number of an operation, as every format shows it.
type figure struct {
	Name  string // such as "response.p99"
	Shown string // such as "342.1 ms"
	// Value is the shown number for machines: seconds for times, a plain count else.
	Value string
}

// namedPercentile is one of the percentiles that every format shows.
type namedPercentile struct {
	Key, Word   string
	Quantile    string // as OpenMetrics writes it; empty for figures without one
	Nanoseconds int64
}

// List gives the percentiles in the order in which they are shown.
func (p Percentiles) List() []namedPercentile {
	return []namedPercentile{
		{"p50", "p50", "0.5", p.P50}, {"p90", "p90", "0.9", p.P90}, {"p95", "p95", "0.95", p.P95},
		{"p99", "p99", "0.99", p.P99}, {"p999", "p99.9", "0.999", p.P999}, {"max", "max", "1", p.Max},
	}
}

// Figures lists what every format shows of an operation. Times without a sample are left out: no sample is not 0 ms.
func (o *Operation) Figures() []figure {
	count := func(name string, n int64) figure { return figure{name, figures.Count(n), strconv.FormatInt(n, 10)} }
	found := []figure{count("asked", o.Asked), count("sent", o.Sent), count("right", o.Right), count("wrong", o.Wrong)}
	for _, group := range []struct {
		name string
		Percentiles
	}{{"response", o.Response}, {"service", o.Service}} {
		if group.Count == 0 {
			continue
		}
		for _, p := range group.List() {
			found = append(found, figure{group.name + "." + p.Key, figures.Milliseconds(p.Nanoseconds),
				figures.Seconds(p.Nanoseconds)})
		}
	}
	for _, status := range slices.Sorted(maps.Keys(o.Statuses)) {
		found = append(found, count("status."+status, o.Statuses[status]))
	}
	return found
}
