package tally

import (
	"maps"
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
		Interrupted: t.Interrupted, Resent: t.Resent, Curve: t.response.Curve(),
	}
	if sending > 0 {
		o.Rate = float64(t.Sent) / sending.Seconds()
	}
	return o
}
