package load

import (
	"maps"
	"time"

	"agstest/reports"
)

// operationTotal is one operation over the whole run.
type operationTotal struct {
	asked, sent, right, wrong, interrupted, resent, bytes int64
	statuses, kinds                                       map[string]int64
	response, service, failed                             distribution
}

func (t *operationTotal) merge(from *operationTotal) {
	t.asked, t.sent, t.right, t.wrong = t.asked+from.asked, t.sent+from.sent, t.right+from.right, t.wrong+from.wrong
	t.interrupted, t.resent, t.bytes = t.interrupted+from.interrupted, t.resent+from.resent, t.bytes+from.bytes
	for status, n := range from.statuses {
		t.statuses[status] += n
	}
	for kind, n := range from.kinds {
		t.kinds[kind] += n
	}
	t.response.merge(&from.response)
	t.service.merge(&from.service)
	t.failed.merge(&from.failed)
}

func (t *operationTotal) report(sending time.Duration) *reports.Operation {
	o := &reports.Operation{
		Asked: t.asked, Sent: t.sent, Right: t.right, Wrong: t.wrong, Statuses: maps.Clone(t.statuses), Outcomes: maps.Clone(t.kinds),
		Response: t.response.percentiles(), Service: t.service.percentiles(), Failed: t.failed.percentiles(), Bytes: t.bytes,
		Interrupted: t.interrupted, Resent: t.resent, Curve: t.response.curve(),
	}
	if sending > 0 {
		o.Rate = float64(t.sent) / sending.Seconds()
	}
	return o
}
