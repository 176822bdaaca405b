// Package tally counts the hits of a load, records the counts and judges them.
//
// A Tally counts the hits of the second in progress. Each finished second becomes a Frame: counts, and HdrHistograms of
// times in few bytes. A Recorder appends frames to the record on the disk, so that a run that is killed can be read up
// to its last second (ReadRecord). A Ledger sums frames up to a reports.Load. Live runs, runs that are read back and
// merged shards (Merge) all go through the Ledger, so that their figures agree. At the end it decides whether the
// figures are valid, then whether the limits were kept, and only then the verdict.
//
// Times are in nanoseconds. Memory grows with the seconds of a run and not with its hits.
package tally

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/load/hit"
	"agstest/reports"
)

// Tally counts what happens in the second in progress and the one after it, so that a hit that ends just past the
// boundary counts where it belongs while the finished second is being read. Its memory does not grow with the number of
// hits.
type Tally struct {
	began      time.Time
	operations []string
	closed     bool // closed loop: there is no intended time
	trace      bool
	packer     Packer // of the goroutine that takes seconds out
	keeping    Keeping
	newest     newestShown // of the goroutine that takes seconds out

	mu       sync.Mutex // guards the rest
	current  int        // the second in progress; all before are taken
	seconds  [2]*secondTally
	spare    *secondTally
	slow     []slowHitsOf // by operation
	wrong    map[wrongKey]*examples
	culprits map[wrongKey]*culprits
	last     time.Time // when the last hit was sent
}

// slowHitsOf are the slowest hits of one operation.
type slowHitsOf struct{ right, wrong slowest }

// wrongKey is the key under which wrong answers are kept.
type wrongKey struct {
	operation int
	kind      string
}

// secondTally is one second.
type secondTally struct {
	lag        Histogram
	operations []operationTally
	phases     phaseTally
	traces     traceCounts
}

// traceCounts counts the traceparent headers that were sent and the answers to them.
type traceCounts struct {
	Sent int64 `json:"sent,omitempty"`
	Back int64 `json:"back,omitempty"` // answers that named a trace
	Same int64 `json:"same,omitempty"` // answers that named the trace of their request
}

func (t *traceCounts) add(other traceCounts) {
	t.Sent, t.Back, t.Same = t.Sent+other.Sent, t.Back+other.Back, t.Same+other.Same
}

// operationTally is one operation in one second.
type operationTally struct {
	counts
	asked    map[int]int64 // by the second in which the hit was due
	statuses map[int]int64
	missed   map[int]int64 // statuses of wrong answers
	kinds    map[string]int64
	why      map[whyKey]int64
	response Histogram // of right answers
	service  Histogram // of right answers
	failed   Histogram // response times of wrong answers
}

// New counts a run that begins at the given instant.
func New(operations []string, closed, trace bool, began time.Time) *Tally {
	t := &Tally{
		operations: operations, closed: closed, trace: trace, began: began, slow: make([]slowHitsOf, len(operations)),
		wrong: map[wrongKey]*examples{}, culprits: map[wrongKey]*culprits{},
	}
	for _, s := range []**secondTally{&t.seconds[0], &t.seconds[1], &t.spare} {
		*s = newSecondTally(len(operations))
	}
	return t
}

// Keep sets how kept hits are named and shown. Call it before the first hit.
func (t *Tally) Keep(k Keeping) { t.keeping = k }

func newSecondTally(operations int) *secondTally {
	s := &secondTally{operations: make([]operationTally, operations)}
	for i := range s.operations {
		s.operations[i] = operationTally{
			asked: map[int]int64{}, statuses: map[int]int64{}, missed: map[int]int64{}, kinds: map[string]int64{},
			why: map[whyKey]int64{},
		}
	}
	return s
}

// second is the tally of a moment; t.mu is held.
func (t *Tally) second(moment time.Time) *secondTally {
	at := min(max(int(moment.Sub(t.began)/time.Second), t.current), t.current+1)
	return t.seconds[at%2]
}

// Send counts a hit that is about to be sent.
func (t *Tally) Send(operation int, due, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.second(sent)
	o := &s.operations[operation]
	o.Sent++
	if sent.After(t.last) {
		t.last = sent
	}
	o.asked[int(due.Sub(t.began)/time.Second)]++
	if !t.closed {
		s.lag.Add(sent.Sub(due))
	}
}

// End counts the answer of a hit that was sent. It keeps the hit if it is one of the slowest or its answer is wrong.
// Number is the number of the hit in the order of the sends.
func (t *Tally) End(number uint64, due time.Time, request *hit.Request, answer *hit.Answer, outcome *hit.Outcome,
	phases *hit.Phases) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.second(answer.Received)
	o := &s.operations[request.Operation]
	if hit.IsAborted(answer.Err) {
		o.Interrupted++
		return
	}
	if answer.Resent {
		o.Resent++
	}
	o.Bytes += int64(len(answer.Body))
	o.statuses[answer.Status]++
	if t.trace {
		s.phases.add(phases)
	} else if phases.NewConnection {
		s.phases.connections++
	}
	if request.TraceParent != "" {
		s.traces.count(request.TraceParent, answer.TraceBack)
	}
	service := answer.Received.Sub(answer.Sent)
	response := answer.Received.Sub(due)
	took := response
	if t.closed {
		response, took = 0, service
	}
	slow := &t.slow[request.Operation]
	if outcome.Kind == "" {
		o.Right++
		o.service.Add(service)
		if !t.closed {
			o.response.Add(response)
		}
		if slow.right.takes(took) {
			slow.right.add(&keptHit{
				number: number, who: request.Who, status: answer.Status, resent: answer.Resent, fresh: true,
				due: due.Sub(t.began), sent: answer.Sent.Sub(t.began), response: response, service: service,
				correlationID: request.CorrelationID, traceParent: request.TraceParent, traceBack: answer.TraceBack,
				phases: *phases,
			})
		}
		return
	}
	o.Wrong++
	o.missed[answer.Status]++
	o.kinds[outcome.Kind]++
	o.why[whyKey{outcome.Kind, answer.Status}]++
	o.failed.Add(took)
	k := keptHit{
		number: number, who: request.Who, status: answer.Status, resent: answer.Resent, fresh: true, kind: outcome.Kind,
		due: due.Sub(t.began), sent: answer.Sent.Sub(t.began), response: response, service: service,
		correlationID: request.CorrelationID, traceParent: request.TraceParent, traceBack: answer.TraceBack, phases: *phases,
	}
	if slow.wrong.takes(took) {
		slow.wrong.add(&k)
	}
	t.keepWrong(&k, request, answer, outcome)
}

// keepWrong keeps a wrong answer as an example of its kind, and counts whose it was; t.mu is held.
func (t *Tally) keepWrong(k *keptHit, request *hit.Request, answer *hit.Answer, outcome *hit.Outcome) {
	key := wrongKey{request.Operation, outcome.Kind}
	if request.Who > 0 {
		c := t.culprits[key]
		if c == nil {
			c = &culprits{times: map[uint32]int64{}}
			t.culprits[key] = c
		}
		c.add(request.Who)
	}
	found := t.wrong[key]
	if found == nil {
		found = &examples{}
		t.wrong[key] = found
	}
	p := placeOf(int64(k.received()), t.keeping.Shard, k.number, t.keeping.Seed, t.keeping.Length)
	if !found.wants(&p) {
		return
	}
	e := found.room()
	e.keptHit, e.place, e.message, e.requirement = *k, p, outcome.Message, outcome.Requirement
	e.exchange.keep(t.operations[key.operation], request, answer)
	found.add(e)
}

func (t *traceCounts) count(sent, back string) {
	t.Sent++
	if back != "" {
		t.Back++
		if sameTrace(sent, back) {
			t.Same++
		}
	}
}

// Present is the second in progress.
func (t *Tally) Present() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// SentSince is how many of the hits without an answer were sent since the last second was taken out.
func (t *Tally) SentSince() (sum int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.seconds {
		for i := range s.operations {
			o := &s.operations[i]
			sum += o.Sent - o.Right - o.Wrong - o.Interrupted
		}
	}
	return sum
}

// Sending is how long it took to send what was sent so far.
func (t *Tally) Sending() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.last.Sub(t.began))
}

// Take takes the second in progress out, packed, and starts the one after it. Of the hits that are kept it holds those
// that are new; the exchanges of the first wrong answers of each kind alone, since others may make way. One goroutine
// takes.
func (t *Tally) Take() *Frame {
	second, taken, slow, news := t.next()
	f := frameOf(second, taken, &t.packer)
	for _, s := range slow {
		f.Slow = append(f.Slow, t.report(s.operation, &s.keptHit))
	}
	f.Wrong = t.show(news)
	t.reuse(taken)
	return f
}

// Complete makes the frame of a second the last one of a run: it holds all wrong answers that are kept, with their
// exchanges, and whose they were.
func (t *Tally) Complete(f *Frame) {
	t.mu.Lock()
	var all []newExample
	for key, found := range t.wrong {
		for _, e := range found.all() {
			e.lent = true
			all = append(all, newExample{key, e, true})
		}
	}
	for key, c := range t.culprits {
		clients := make([]reports.ClientTimes, 0, len(c.times))
		for who, times := range c.times {
			if t.keeping.Name != nil {
				clients = append(clients, reports.ClientTimes{Client: t.keeping.Name(who), Times: times})
			}
		}
		f.Clients = append(f.Clients, clientsFrame{Operation: key.operation, Kind: key.kind, Clients: len(c.times),
			More: c.beyond > 0, Most: mostClients(clients)})
	}
	t.mu.Unlock()
	sortExamples(all)
	slices.SortFunc(f.Clients,
		func(a, b clientsFrame) int { return cmp.Or(a.Operation-b.Operation, strings.Compare(a.Kind, b.Kind)) })
	f.Wrong = t.show(all)
}

// newSlow is a hit that became one of the slowest of its operation.
type newSlow struct {
	operation int
	keptHit
}

// newExample is a wrong answer that is kept, and whether its exchange is shown.
type newExample struct {
	key   wrongKey
	of    *example
	whole bool
}

func sortExamples(all []newExample) {
	slices.SortFunc(all, func(a, b newExample) int {
		return cmp.Or(a.key.operation-b.key.operation, strings.Compare(a.key.kind, b.key.kind), a.of.came(&b.of.place))
	})
}

// maxShown bounds the exchanges of one frame, in bytes of their texts.
const maxShown = 24 << 20

// show turns wrong answers into their recorded form, and gives their examples back to the tally.
func (t *Tally) show(news []newExample) []reports.Wrong {
	var shown []reports.Wrong
	size := 0
	for _, n := range news {
		h := t.report(n.key.operation, &n.of.keptHit)
		w := reports.Wrong{Operation: h.Operation, Kind: h.Kind, Times: 1, Message: n.of.message,
			Requirement: n.of.requirement, Hit: &h}
		if n.whole && t.keeping.Show != nil && size < maxShown {
			if w.Exchange = t.keeping.Show(&n.of.exchange); w.Exchange != nil {
				size += len(w.Exchange.RequestBody) + len(w.Exchange.ResponseBody) + len(w.Exchange.Curl) + 2000
			}
		}
		shown = append(shown, w)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range news {
		n.of.lent = false
	}
	return shown
}

// next takes the second in progress out and starts the one after it, with the hits kept since the last call. The caller
// gives the tally back with reuse, and the examples with show.
func (t *Tally) next() (second int, taken *secondTally, slow []newSlow, news []newExample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	second, taken = t.current, t.seconds[t.current%2]
	t.seconds[t.current%2], t.spare = t.spare, nil
	if t.seconds[t.current%2] == nil {
		t.seconds[t.current%2] = newSecondTally(len(t.operations))
	}
	t.current++
	for i := range t.slow {
		for _, list := range [][]keptHit{t.slow[i].right.hits, t.slow[i].wrong.hits} {
			for j := range list {
				if list[j].fresh {
					list[j].fresh = false
					slow = append(slow, newSlow{i, list[j]})
				}
			}
		}
	}
	for key, found := range t.wrong {
		for _, e := range found.all() {
			if e.fresh {
				e.fresh, e.lent = false, true
				news = append(news, newExample{key, e, slices.Contains(found.first, e)})
			}
		}
	}
	sortExamples(news)
	return second, taken, slow, news
}

func (t *Tally) reuse(s *secondTally) {
	s.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spare = s
}

func (s *secondTally) reset() {
	s.lag.Reset()
	s.phases.reset()
	s.traces = traceCounts{}
	for i := range s.operations {
		o := &s.operations[i]
		o.response.Reset()
		o.service.Reset()
		o.failed.Reset()
		clear(o.asked)
		clear(o.statuses)
		clear(o.missed)
		clear(o.kinds)
		clear(o.why)
		*o = operationTally{asked: o.asked, statuses: o.statuses, missed: o.missed, kinds: o.kinds, why: o.why,
			response: o.response, service: o.service, failed: o.failed}
	}
}
