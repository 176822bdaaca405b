package load

import (
	"sync"
	"time"

	"agstest/load/hit"
	"agstest/reports"
)

// tally counts what happens in the second in progress and the one after it, so that a hit that ends just past the boundary counts where
// it belongs while the finished second is being read. Its memory does not grow with the number of hits.
type tally struct {
	began      time.Time
	operations []string
	closed     bool // closed loop: there is no intended time
	trace      bool

	mu      sync.Mutex // guards the rest
	current int        // the second in progress; all before are taken
	seconds [2]*secondTally
	spare   *secondTally
	wrong   map[wrongKey]int
	news    []reports.Wrong // examples that no frame holds yet
	last    time.Time       // when the last hit was sent
}

// wrongKey is what examples of wrong answers are kept by.
type wrongKey struct {
	operation int
	kind      string
}

// secondTally is one second.
type secondTally struct {
	lag        distribution
	operations []operationTally
	phases     phaseTally
}

// operationTally is one operation in one second.
type operationTally struct {
	counts
	asked    map[int]int64 // by the second in which the hit was due
	statuses map[int]int64
	missed   map[int]int64 // statuses of wrong answers
	kinds    map[string]int64
	response distribution // of right answers
	service  distribution // of right answers
	failed   distribution // response times of wrong answers
}

func newTally(operations []string, closed, trace bool) *tally {
	t := &tally{operations: operations, closed: closed, trace: trace, wrong: map[wrongKey]int{}}
	for _, s := range []**secondTally{&t.seconds[0], &t.seconds[1], &t.spare} {
		*s = newSecondTally(len(operations))
	}
	return t
}

func newSecondTally(operations int) *secondTally {
	s := &secondTally{operations: make([]operationTally, operations)}
	for i := range s.operations {
		s.operations[i] = operationTally{asked: map[int]int64{}, statuses: map[int]int64{}, missed: map[int]int64{}, kinds: map[string]int64{}}
	}
	return s
}

// second is the tally of a moment; t.mu is held.
func (t *tally) second(moment time.Time) *secondTally {
	at := min(max(int(moment.Sub(t.began)/time.Second), t.current), t.current+1)
	return t.seconds[at%2]
}

// send counts a hit that is about to be sent.
func (t *tally) send(operation int, due, sent time.Time) {
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
		s.lag.add(sent.Sub(due))
	}
}

// end counts the answer of a hit that was sent.
func (t *tally) end(operation int, due time.Time, answer *hit.Answer, outcome *hit.Outcome, phases *hit.Phases) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.second(answer.Received)
	o := &s.operations[operation]
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
	service := answer.Received.Sub(answer.Sent)
	response := answer.Received.Sub(due)
	if t.closed {
		response = service
	}
	if outcome.Kind != "" {
		o.Wrong++
		o.missed[answer.Status]++
		o.kinds[outcome.Kind]++
		o.failed.add(response)
		key := wrongKey{operation, outcome.Kind}
		if t.wrong[key] < hit.MaxExamples {
			t.wrong[key]++
			t.news = append(t.news, reports.Wrong{Operation: t.operations[operation], Kind: outcome.Kind, Times: 1, Message: outcome.Message})
		}
		return
	}
	o.Right++
	o.service.add(service)
	if !t.closed {
		o.response.add(response)
	}
}

// sending is how long it took to send what was sent so far.
func (t *tally) sending() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.last.Sub(t.began))
}

// next takes the second in progress out and starts the one after it. The caller gives the tally back with reuse.
func (t *tally) next() (second int, taken *secondTally, news []reports.Wrong) {
	t.mu.Lock()
	defer t.mu.Unlock()
	second, taken, news = t.current, t.seconds[t.current%2], t.news
	t.seconds[t.current%2], t.spare, t.news = t.spare, nil, nil
	if t.seconds[t.current%2] == nil {
		t.seconds[t.current%2] = newSecondTally(len(t.operations))
	}
	t.current++
	return second, taken, news
}

func (t *tally) reuse(s *secondTally) {
	s.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spare = s
}

func (s *secondTally) reset() {
	s.lag.reset()
	s.phases.reset()
	for i := range s.operations {
		o := &s.operations[i]
		o.response.reset()
		o.service.reset()
		o.failed.reset()
		clear(o.asked)
		clear(o.statuses)
		clear(o.missed)
		clear(o.kinds)
		*o = operationTally{asked: o.asked, statuses: o.statuses, missed: o.missed, kinds: o.kinds, response: o.response, service: o.service, failed: o.failed}
	}
}
