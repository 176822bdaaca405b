package tally

import (
	"maps"
	"slices"
	"time"

	"agstest/reports"
)

// operationTotal is one operation over the whole run.
type operationTotal struct {
	counts
	asked                     int64
	statuses, kinds           map[string]int64
	response, service, failed Histogram
}

func (t *operationTotal) merge(from *operationTotal) {
	t.counts.add(from.counts)
	t.asked += from.asked
	addTo(t.statuses, from.statuses)
	addTo(t.kinds, from.kinds)
	t.response.Merge(&from.response)
	t.service.Merge(&from.service)
	t.failed.Merge(&from.failed)
}

func (t *operationTotal) report(sending time.Duration) *reports.Operation {
	o := &reports.Operation{
		Asked: t.asked, Sent: t.Sent, Right: t.Right, Wrong: t.Wrong, Statuses: maps.Clone(t.statuses),
		Outcomes: maps.Clone(t.kinds),
		Response: t.response.Percentiles(), Service: t.service.Percentiles(), Failed: t.failed.Percentiles(),
		Bytes:       t.Bytes,
		Interrupted: t.Interrupted, Resent: t.Resent, Curve: t.response.Curve(), Buckets: t.buckets(),
	}
	if sending > 0 {
		o.Rate = float64(t.Sent) / sending.Seconds()
	}
	return o
}

// buckets counts the times of right answers by reports.BucketBounds; nil if there is none.
func (t *operationTotal) buckets() []int64 {
	times := &t.response
	if times.count == 0 {
		times = &t.service // closed loop
	}
	if times.count == 0 {
		return nil
	}
	counts := make([]int64, len(reports.BucketBounds)+1)
	for _, v := range times.values() {
		at, _ := slices.BinarySearch(reports.BucketBounds, v.Value)
		counts[at] += v.Count
	}
	return counts
}
