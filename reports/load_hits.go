package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"agstest/internal/figures"
)

// How many requests of a load are kept.
const (
	// KeptSlow is how many of the slowest hits of an operation are kept, of those with a right answer and of the others.
	KeptSlow = 50
	// KeptWrong is how many wrong answers of each kind are kept at each place: first, last, and between.
	KeptWrong = 20
	// KeptClients is how many clients with the most wrong answers of a kind are named.
	KeptClients = 20
)

// Hit is one request of a load. All times are nanoseconds; instants count from the start of the run.
type Hit struct {
	Operation string `json:"operation"`
	// why its answer was wrong, as in Operation.Outcomes; empty: it was right
	Kind   string `json:"kind,omitempty"`
	Number uint64 `json:"number"`           // in the order of the sends of its generator, from 0
	Shard  string `json:"shard,omitempty"`  // such as 2/8
	Client string `json:"client,omitempty"` // ids of others masked unless they were asked for
	// when the schedule asked for it; in a closed loop when a worker was free
	Due  int64 `json:"due"`
	Sent int64 `json:"sent"`
	// SentAt is Sent by the clock of the generator.
	SentAt   time.Time `json:"sentAt,omitzero"`
	Response int64     `json:"response,omitempty"` // from Due to the last byte; not in a closed loop
	Service  int64     `json:"service"`            // from Sent to the last byte, or until it was given up
	Status   int       `json:"status"`             // 0: no answer
	Resent   bool      `json:"resent,omitempty"`   // as of Exchange
	// CorrelationID is the x-correlation-id that was sent, TraceParent the traceparent, and TraceBack the trace that
	// the service named.
	CorrelationID string     `json:"correlationId,omitempty"`
	TraceParent   string     `json:"traceparent,omitempty"`
	TraceBack     string     `json:"traceBack,omitempty"`
	Phases        *HitPhases `json:"phases,omitempty"` // where they were traced
}

// HitPhases is how long the parts of one exchange took, in nanoseconds; only what happened is above 0.
type HitPhases struct {
	DNS           int64 `json:"dns,omitempty"`
	Connect       int64 `json:"connect,omitempty"`
	TLS           int64 `json:"tls,omitempty"`
	Wait          int64 `json:"wait,omitempty"`
	Read          int64 `json:"read,omitempty"`
	NewConnection bool  `json:"newConnection,omitempty"`
}

// Took is the time that a hit is ranked by: its response time, and in a closed loop its service time.
func (h *Hit) Took() int64 { return cmp.Or(h.Response, h.Service) }

// Received is when the last byte of the answer came, or when it was given up, from the start of the run.
func (h *Hit) Received() int64 { return h.Sent + h.Service }

// TraceID returns the id of the trace that a hit belongs to, of 32 hexadecimal digits (W3C Trace Context section
// 3.2.2.3); empty: it has no trace.
func (h *Hit) TraceID() string { return traceID(h.TraceParent) }

func traceID(parent string) string {
	if len(parent) < 35 {
		return ""
	}
	return parent[3:35]
}

// CompareSlow orders hits by how slow they were, the slowest first. No two hits of a run are equal.
func CompareSlow(a, b *Hit) int {
	return cmp.Or(cmp.Compare(b.Took(), a.Took()), cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Shard, b.Shard),
		cmp.Compare(a.Number, b.Number))
}

// Answer describes the answer: the status, why it was wrong, or that none came.
func (h *Hit) Answer() string {
	answer := "no answer"
	if h.Status != 0 {
		answer = strconv.Itoa(h.Status)
	}
	if h.Kind != "" {
		answer += ", wrong: " + h.Kind
	}
	return answer
}

// Sentence says in one line when a hit was sent, by whom, and how it is found in the logs and traces of the service.
func (h *Hit) Sentence() string {
	words := figures.Milliseconds(h.Took()) + " at " + figures.Seconds(h.Sent) + " s"
	if !h.SentAt.IsZero() {
		words += " (" + h.SentAt.UTC().Format("15:04:05.000Z") + ")"
	}
	for _, more := range [][2]string{{"", h.Client}, {"", h.Answer()}, {"shard ", h.Shard},
		{"x-correlation-id ", h.CorrelationID}, {"trace ", h.TraceID()}} {
		if more[1] != "" {
			words += ", " + more[0] + more[1]
		}
	}
	return words
}

// The places of a kept wrong answer among those of its kind.
const (
	PlaceFirst   = "first"
	PlaceBetween = "between"
	PlaceLast    = "last"
)

// WrongKind is one kind of wrong answers of an operation over the whole run.
type WrongKind struct {
	Operation string           `json:"operation"`
	Kind      string           `json:"kind"` // as in Operation.Outcomes
	Times     int64            `json:"times"`
	Statuses  map[string]int64 `json:"statuses,omitempty"` // as in Operation.Statuses
	// Seconds are the seconds with any: the second since the start, and how many.
	Seconds [][2]int64 `json:"seconds,omitempty"`
	// Clients are how many virtual clients got one; −1: it is not known, since the run broke off. With ClientsMore they
	// are those whose wrong answers were counted, and there were more.
	Clients     int  `json:"clients"`
	ClientsMore bool `json:"clientsMore,omitempty"`
	// Most are the clients that got most of them, in that order.
	Most []ClientTimes `json:"most,omitempty"`
	// Verdict is the effect of the answers on the run: fail; warn, if Limit or the storm allows them; inconclusive, if
	// Limit was not decided; invalid, if the run is. Empty: the run is of a version that did not say.
	Verdict Verdict `json:"verdict,omitempty"`
	// Limit is the expression of the limit that decided the verdict; empty: none was set for them, or none can excuse
	// them.
	Limit string `json:"limit,omitempty"`
}

// ClientTimes is how often something came to a client.
type ClientTimes struct {
	Client string `json:"client"`
	Times  int64  `json:"times"`
}

// Judged gives the reason for the verdict in a sentence; empty: the run is of a version that did not say.
func (k *WrongKind) Judged() string {
	switch {
	case k.Verdict == "":
		return ""
	case k.Verdict == Invalid:
		return "The figures of the run are not valid, and so these were not judged."
	case k.Limit == "" && k.Verdict == Fail:
		return "No limit allows them."
	case k.Limit == "" && k.Verdict == Warn:
		return "They are part of a storm."
	case k.Limit == "":
		return "A part of the run is missing, and so these were not judged."
	case k.Verdict == Fail:
		return "The limit " + k.Limit + " was not kept."
	case k.Verdict == Warn:
		return "The limit " + k.Limit + " allows them, and was kept."
	}
	return "Whether the limit " + k.Limit + " was kept is not decided."
}

// SomeExamplesOf are the first of the kept wrong answers of a kind, one of the middle and the last.
func (l *Load) SomeExamplesOf(operation, kind string) []Wrong {
	all := l.ExamplesOf(operation, kind)
	if len(all) <= 3 {
		return all
	}
	return []Wrong{all[0], all[len(all)/2], all[len(all)-1]}
}

// JudgedWrong is how wrong answers of a kind were judged, as WrongKind says; where it does not, as far as can be told.
func (l *Load) JudgedWrong(operation, kind string) (Verdict, string) {
	for i := range l.WrongKinds {
		if k := &l.WrongKinds[i]; k.Operation == operation && k.Kind == kind && k.Verdict != "" {
			return k.Verdict, k.Limit
		}
	}
	limitFailed := slices.ContainsFunc(l.Limits, func(limit Limit) bool { return limit.Verdict == Fail })
	if _, sent := l.Operations[operation]; !sent || kind == "identity" || l.Verdict == Fail && !limitFailed {
		return Fail, "" // answers of no operation came before the clock started, or to several shards
	}
	return Warn, ""
}

// TraceContext counts the answers to the header traceparent (W3C Trace Context) of each request.
type TraceContext struct {
	Sent int64 `json:"sent"` // requests with it
	Back int64 `json:"back"` // answers with a traceresponse or traceparent
	Same int64 `json:"same"` // of them, those of the trace that was sent
}

// Says tells in a sentence whether the service took part in the traces.
func (t *TraceContext) Says() string {
	switch {
	case t.Back == 0:
		return "each request had a traceparent; no answer said anything of its trace"
	case t.Same == t.Back && t.Back >= t.Sent:
		return "each request had a traceparent, and each answer named its trace"
	}
	return fmt.Sprintf("each request had a traceparent; %s answers named a trace, %s of them the one of their request",
		figures.Count(t.Back), figures.Count(t.Same))
}

// SlowestOf are the slowest kept hits of an operation, the slowest first, those with right answers or the others.
func (l *Load) SlowestOf(operation string, right bool) []Hit {
	var found []Hit
	for _, h := range l.Slowest {
		if h.Operation == operation && (h.Kind == "") == right {
			found = append(found, h)
		}
	}
	return found
}

// ExamplesOf are the kept wrong answers of a kind, in the order in which they came.
func (l *Load) ExamplesOf(operation, kind string) []Wrong {
	var found []Wrong
	for _, w := range l.Wrong {
		if w.Operation == operation && w.Kind == kind {
			found = append(found, w)
		}
	}
	slices.SortStableFunc(found, func(a, b Wrong) int {
		if a.Hit == nil || b.Hit == nil {
			return 0
		}
		return cmp.Compare(a.Hit.Received(), b.Hit.Received())
	})
	return found
}
