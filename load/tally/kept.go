package tally

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"agstest/load/hit"
	"agstest/reports"
)

// Keeping sets the names of the hits that are kept, and how their exchanges are shown. The zero value keeps hits
// without client and exchange.
type Keeping struct {
	Seed   uint64        // draws the wrong answers between the first and the last ones
	Length time.Duration // of the schedule
	Shard  string        // such as 2/8
	// Name names a virtual client by its number, from 1.
	Name func(who uint32) string
	// Show makes an exchange fit for a report: without secrets, and bounded.
	Show func(*Exchange) *reports.Exchange
}

// Exchange is the request and the answer behind a wrong answer. It holds secrets.
type Exchange struct {
	Operation         string
	Who               uint32
	Method, Path      string
	Header            []hit.HeaderField
	Body              []byte
	BodySize          int // of the whole body; more than len(Body): it was too long to be kept
	Status            int
	AnswerHeader      []hit.HeaderField
	AnswerBody        []byte
	AnswerSize        int
	Truncated, Resent bool
	Err               error
	Service           time.Duration
}

// Maxima of one kept exchange: bytes of each body, bytes and fields of the answer's header. A longer body is left out
// whole, because half a secret would not be recognised.
const (
	keptBody    = 16 << 10
	keptHeaders = 64
)

// keep copies an exchange into room that may be there from an earlier one.
func (x *Exchange) keep(operation string, request *hit.Request, answer *hit.Answer) {
	x.Operation, x.Who, x.Method, x.Path = operation, request.Who, request.Method, request.Path
	x.Header = append(x.Header[:0], request.Header...)
	if len(request.Authorization) > 0 {
		x.Header = append(x.Header, hit.HeaderField{Name: "Authorization", Value: string(request.Authorization)})
	}
	x.Body, x.BodySize = keptPart(x.Body, request.Body), len(request.Body)
	x.AnswerHeader = x.AnswerHeader[:0]
	if answer.Header != nil && answer.Err == nil {
		size := 0
		for name, value := range answer.Header.All() {
			if size += len(name) + len(value); len(x.AnswerHeader) == keptHeaders || size > keptBody {
				break
			}
			x.AnswerHeader = append(x.AnswerHeader, hit.HeaderField{Name: name, Value: value})
		}
	}
	x.AnswerBody, x.AnswerSize = keptPart(x.AnswerBody, answer.Body), len(answer.Body)
	x.Status, x.Truncated, x.Resent, x.Err = answer.Status, answer.Truncated, answer.Resent, answer.Err
	x.Service = answer.Received.Sub(answer.Sent)
}

func keptPart(room, body []byte) []byte {
	if len(body) > keptBody {
		return room[:0]
	}
	return append(room[:0], body...)
}

// keptHit is the data that is kept of one hit. It shares no memory with other hits.
type keptHit struct {
	number                                uint64
	who                                   uint32
	status                                int
	resent, fresh                         bool // fresh: no frame holds it yet
	kind                                  string
	due, sent, response, service          time.Duration // instants since the start
	correlationID, traceParent, traceBack string
	phases                                hit.Phases
}

// took returns the time by which a hit is ranked.
func (k *keptHit) took() time.Duration { return cmp.Or(k.response, k.service) }

func (k *keptHit) received() time.Duration { return k.sent + k.service }

// quicker tells which of two hits of one generator gives way first, as reports.CompareSlow does.
func (k *keptHit) quicker(other *keptHit) bool {
	a, b := k.took(), other.took()
	if a != b {
		return a < b
	}
	return cmp.Or(cmp.Compare(k.sent, other.sent), cmp.Compare(k.number, other.number)) > 0
}

// slowest are the slowest hits of an operation: a heap whose first is the quickest of them.
type slowest struct {
	hits  []keptHit
	floor time.Duration // the least time of a hit among them, once there are enough
}

// takes tells in two comparisons that a hit may be among the slowest; of most hits it says no.
func (s *slowest) takes(took time.Duration) bool {
	return took >= s.floor || len(s.hits) < reports.KeptSlow
}

func (s *slowest) add(k *keptHit) {
	if len(s.hits) < reports.KeptSlow {
		if s.hits == nil {
			s.hits = make([]keptHit, 0, reports.KeptSlow)
		}
		s.hits = append(s.hits, *k)
		for i := len(s.hits) - 1; i > 0 && s.hits[i].quicker(&s.hits[(i-1)/2]); i = (i - 1) / 2 {
			s.hits[i], s.hits[(i-1)/2] = s.hits[(i-1)/2], s.hits[i]
		}
	} else {
		if !s.hits[0].quicker(k) {
			return
		}
		s.hits[0] = *k
		for i := 0; ; {
			least := i
			for child := 2*i + 1; child <= 2*i+2 && child < len(s.hits); child++ {
				if s.hits[child].quicker(&s.hits[least]) {
					least = child
				}
			}
			if least == i {
				break
			}
			s.hits[i], s.hits[least] = s.hits[least], s.hits[i]
			i = least
		}
	}
	if len(s.hits) == reports.KeptSlow {
		s.floor = s.hits[0].took()
	}
}

// report returns a kept hit as it is recorded.
func (t *Tally) report(operation int, k *keptHit) reports.Hit {
	h := reports.Hit{
		Operation: t.operations[operation], Kind: k.kind, Number: k.number, Shard: t.keeping.Shard, Due: int64(
			k.due), Sent: int64(k.sent),
		Response: int64(k.response), Service: int64(k.service), Status: k.status, Resent: k.resent,
		CorrelationID: k.correlationID, TraceParent: k.traceParent, TraceBack: k.traceBack,
	}
	if k.who > 0 && t.keeping.Name != nil {
		h.Client = t.keeping.Name(k.who)
	}
	if p := k.phases; p != (hit.Phases{}) && t.trace {
		h.Phases = &reports.HitPhases{DNS: int64(p.DNS), Connect: int64(p.Connect), TLS: int64(p.TLS),
			Wait: int64(p.Wait), Read: int64(p.Read), NewConnection: p.NewConnection}
	}
	return h
}

// slowHits are the slowest of one operation that a ledger was told of. There may be more of them than are reported.
type slowHits struct{ right, wrong []reports.Hit }

func (s *slowHits) add(h reports.Hit) {
	list := &s.right
	if h.Kind != "" {
		list = &s.wrong
	}
	if *list = append(*list, h); len(*list) >= 4*reports.KeptSlow {
		*list = slowestOf(*list)
	}
}

func slowestOf(hits []reports.Hit) []reports.Hit {
	slices.SortFunc(hits, func(a, b reports.Hit) int { return reports.CompareSlow(&a, &b) })
	return hits[:min(len(hits), reports.KeptSlow)]
}

// whyKey is the key of operationFrame.Why.
type whyKey struct {
	kind   string
	status int
}

// sameTrace tells whether the service answered with the trace of the request.
func sameTrace(sent, back string) bool {
	id := (&reports.Hit{TraceParent: sent}).TraceID()
	return id != "" && bytes.Contains([]byte(back), []byte(id))
}
