// Package tally counts what a load measured, keeps it and says what it is worth.
//
// A Tally counts the hits of the second in progress. Each finished second becomes a Frame: counts, and HdrHistograms of
// times in few bytes. A Recorder appends frames to the record on the disk, so that a run that is killed can be read up
// to its last second (ReadRecord). A Ledger sums frames up to a reports.Load. A live run, one that is read back and the
// merged shards of one (Merge) all go through it, so that their figures agree. In the end it says whether the figures
// are valid, then whether the limits were kept, and only then what the verdict is.
//
// Times are in nanoseconds. Memory grows with the seconds of a run and not with its hits.
package tally

import (
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
	lag        Histogram
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
	response Histogram // of right answers
	service  Histogram // of right answers
	failed   Histogram // response times of wrong answers
}

// New counts a run that begins at the given instant.
func New(operations []string, closed, trace bool, began time.Time) *Tally {
	t := &Tally{operations: operations, closed: closed, trace: trace, began: began, wrong: map[wrongKey]int{}}
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

// End counts the answer of a hit that was sent.
func (t *Tally) End(operation int, due time.Time, answer *hit.Answer, outcome *hit.Outcome, phases *hit.Phases) {
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
		o.failed.Add(response)
		key := wrongKey{operation, outcome.Kind}
		if t.wrong[key] < hit.MaxExamples {
			t.wrong[key]++
			t.news = append(t.news, reports.Wrong{Operation: t.operations[operation], Kind: outcome.Kind, Times: 1, Message: outcome.Message, Requirement: outcome.Requirement})
		}
		return
	}
	o.Right++
	o.service.Add(service)
	if !t.closed {
		o.response.Add(response)
	}
}

// Present is the second in progress.
func (t *Tally) Present() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// Sending is how long it took to send what was sent so far.
func (t *Tally) Sending() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.last.Sub(t.began))
}

// Take takes the second in progress out, packed, and starts the one after it. One goroutine takes.
func (t *Tally) Take() *Frame {
	second, taken, news := t.next()
	f := frameOf(second, taken, &t.packer)
	f.Wrong = news
	t.reuse(taken)
	return f
}

// next takes the second in progress out and starts the one after it. The caller gives the tally back with reuse.
func (t *Tally) next() (second int, taken *secondTally, news []reports.Wrong) {
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

func (t *Tally) reuse(s *secondTally) {
	s.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spare = s
}

func (s *secondTally) reset() {
	s.lag.Reset()
	s.phases.reset()
	for i := range s.operations {
		o := &s.operations[i]
		o.response.Reset()
		o.service.Reset()
		o.failed.Reset()
		clear(o.asked)
		clear(o.statuses)
		clear(o.missed)
		clear(o.kinds)
		*o = operationTally{asked: o.asked, statuses: o.statuses, missed: o.missed, kinds: o.kinds, response: o.response, service: o.service, failed: o.failed}
	}
}
