package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"agstest/internal/failure"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/load/transport"
)

// attack lets Vegeta send the hits of a schedule. Vegeta starts each hit on a worker and numbers hits in the order of
// their start. RoundTrip decides the rest: the request of a hit, when it was due, and what its answer means.
type attack struct {
	schedule  schedule.Schedule // nil: closed loop
	length    time.Duration
	workload  Workload
	transport transport.Carrier
	workers   int // most concurrent requests
	timeout   time.Duration
	raw       *rawStream
	tally     *tally.Tally
	newest    *newest // nil: nobody looks on

	began    time.Time
	pacer    atomic.Pointer[schedulePacer]
	hits     sync.Pool // of *hitState
	inFlight atomic.Int64
	most     atomic.Int64
	starved  atomic.Int64
	behind   atomic.Int64
	waiting  atomic.Int64
	freed    chan struct{} // told when a client may be free
	aborted  context.Context
	abort    context.CancelFunc
	out      atomic.Pointer[error] // why the workload is at its end
	stop     context.CancelFunc    // ends the sending
	stopped  atomic.Int64          // when an interrupt was noticed, since the start; 0: not yet
}

// hitState is the memory of one hit, reused for the next one.
type hitState struct {
	rawSeq  uint64
	request hit.Request
	answer  hit.Answer
	phases  hit.Phases
}

// firstWorkers is the number of workers at the beginning; Vegeta starts more when none is free.
const firstWorkers = 64

// run sends everything and returns when the last answer is in. When ctx ends it sends no more, gives the exchanges
// under way the grace to end by themselves, and then cuts them off.
func (a *attack) run(ctx context.Context, grace time.Duration) {
	a.freed = make(chan struct{}, 1)
	a.hits.New = func() any { return new(hitState) }
	a.aborted, a.abort = context.WithCancel(context.Background())
	defer a.abort()
	ctx, a.stop = context.WithCancel(ctx)
	defer a.stop()
	over := make(chan struct{})
	var cutter sync.WaitGroup
	defer cutter.Wait()
	defer close(over)
	cutter.Go(func() {
		defer failure.Guard()
		select {
		case <-over:
			return
		case <-ctx.Done():
			a.interrupted()
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-over:
		case <-timer.C:
			a.abort()
			a.transport.Abort()
		}
	})

	var pace vegeta.Pacer = &closedPacer{ctx: ctx, end: a.began.Add(a.length)}
	if a.schedule != nil {
		timer := newPreciseTimer()
		defer timer.close()
		scheduled := &schedulePacer{schedule: a.schedule, timer: timer, ctx: ctx, began: a.began,
			interrupted: a.interrupted}
		a.pacer.Store(scheduled)
		pace = scheduled
	}
	first := a.workers
	if a.schedule != nil {
		first = min(first, firstWorkers)
	}
	// The transport is our own, so that no option of Vegeta that reaches for net/http's may follow Client. Its time-out
	// is off: with a foreign RoundTripper it would start a goroutine for each request; the transport keeps the
	// deadline.
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: a,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}),
		vegeta.Workers(uint64(first)), vegeta.MaxWorkers(uint64(a.workers)),
	)
	target := func(t *vegeta.Target) error {
		defer failure.Guard()
		t.Method, t.URL = http.MethodPost, hitURL
		return nil
	}
	for result := range attacker.Attack(target, pace, 0, "") {
		if time.Since(result.Timestamp.Add(result.Latency)) > tally.BehindAfter {
			a.behind.Add(1)
		}
		if a.raw != nil {
			a.raw.write(result)
		}
	}
	if a.raw != nil {
		a.raw.flush()
	}
}

// hitURL stands for the address of a hit, which RoundTrip knows better. It names no host: net/http makes a copy of an
// address with one.
const hitURL = "hit:"

// interrupted keeps the instant up to which the schedule asked for hits. The first call sets it.
func (a *attack) interrupted() {
	a.stopped.CompareAndSwap(0, max(1, int64(time.Since(a.began))))
}

// RoundTrip is one hit. It never returns an error, which net/http would wrap: a response with status 0 tells Vegeta the
// same.
func (a *attack) RoundTrip(in *http.Request) (*http.Response, error) {
	defer failure.Guard()
	seq, err := strconv.ParseUint(in.Header["X-Vegeta-Seq"][0], 10, 64)
	if err != nil {
		return nil, err
	}
	h := a.hits.Get().(*hitState)
	defer a.hits.Put(h)
	var due time.Time // in a closed loop: when its client was looked for
	if a.schedule != nil {
		due = a.began.Add(a.schedule.At(seq))
	}
	ready := a.workload.Begin(seq, &h.request)
	if !ready {
		if a.schedule == nil {
			due = time.Now()
		}
		ready = a.await(seq, &h.request)
	}
	if !ready {
		h.request = hit.Request{}
		return a.response(h, "not sent", 0), nil
	}
	for n := a.inFlight.Add(1); ; {
		if most := a.most.Load(); n <= most || a.most.CompareAndSwap(most, n) {
			break
		}
	}
	h.answer, h.phases = hit.Answer{}, hit.Phases{}
	if a.raw != nil {
		h.rawSeq, h.answer.Sent = a.raw.next(h.request.Operation)
	} else {
		h.answer.Sent = time.Now()
	}
	if due.IsZero() { // there was a client at once
		due = h.answer.Sent
	}
	a.tally.Send(h.request.Operation, due, h.answer.Sent)
	done := a.transport.Exchange(&h.request, &h.answer, h.answer.Sent.Add(a.timeout), &h.phases)
	if h.answer.Received.IsZero() {
		h.answer.Received = time.Now()
	}
	a.inFlight.Add(-1)
	outcome := a.workload.End(&h.request, &h.answer)
	if h.answer.Err != nil && outcome.Kind == "" {
		outcome = hit.Outcome{Kind: transport.WhyNone(h.answer.Err), Message: "no whole answer came"}
	}
	if h.request.TraceParent != "" {
		h.answer.TraceBack = traceBack(h.answer.Header)
	}
	a.tally.End(seq, due, &h.request, &h.answer, &outcome, &h.phases)
	response := a.response(h, outcome.Kind, len(h.answer.Body))
	done()
	a.newest.note(h.request.Operation, &outcome)
	h.answer = hit.Answer{}
	if a.waiting.Load() > 0 {
		select {
		case a.freed <- struct{}{}:
		default:
		}
	}
	return response, nil
}

// await waits until a client is free for a hit, and prepares its request. It gives up, and the hit is not sent, when
// the workload has no client left, when the wait takes longer than an exchange may, or when the run is cut off.
func (a *attack) await(seq uint64, request *hit.Request) bool {
	a.starved.Add(1)
	a.waiting.Add(1)
	defer a.waiting.Add(-1)
	patience := time.NewTimer(a.timeout)
	defer patience.Stop()
	// A client may also become free by the clock alone, when it was asked to come again later.
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		if finite, ok := a.workload.(Finite); ok {
			if err := finite.Exhausted(seq); err != nil {
				a.out.CompareAndSwap(nil, &err)
				a.stop()
				return false
			}
		}
		select {
		case <-a.freed:
		case <-again.C:
		case <-patience.C:
			return false
		case <-a.aborted.Done():
			return false
		}
		if a.workload.Begin(seq, request) {
			return true
		}
	}
}

// plainResponses are Vegeta's view of hits by their status, if it needs no more. Nobody changes them.
var plainResponses = func() (all [600]http.Response) {
	for status := range all {
		all[status] = http.Response{StatusCode: status, Body: http.NoBody}
	}
	return all
}()

// response is the answer of a hit as Vegeta sees it.
func (a *attack) response(h *hitState, kind string, size int) *http.Response {
	if status := h.answer.Status; a.raw == nil && status > 0 && status < len(plainResponses) {
		return &plainResponses[status]
	}
	r := &http.Response{StatusCode: h.answer.Status, Body: http.NoBody}
	if h.answer.Status == 0 {
		r.Status = kind
	}
	if a.raw != nil {
		seq, sent, took, attack := h.rawSeq, h.answer.Sent, h.answer.Received.Sub(h.answer.Sent), "not sent"
		if sent.IsZero() {
			seq, sent = a.raw.next(len(a.raw.attacks))
			took = 0
		} else {
			attack = a.raw.attacks[h.request.Operation]
		}
		r.Header = http.Header{"": {
			h.request.Method, h.request.Path, kind, strconv.Itoa(size), strconv.Itoa(len(h.request.Body)), attack,
			strconv.FormatUint(seq, 10), strconv.FormatInt(a.began.Add(sent.Sub(a.began)).UnixNano(),
				10), strconv.FormatInt(int64(took), 10),
		}}
	}
	return r
}

// rawStream writes Vegeta's own results: the time of the actual send, the service time, and the operation as the name
// of the attack. A wrong answer has its kind as the error. Vegeta takes every status from 200 to 399 for success, so a
// wrong answer with such a status has code 0, as those without an answer do, and its status stands in the error. Bodies
// and headers, which hold tokens, are left out, and so are queries.
//
// Results are numbered within their operation in the order of their sends: vegeta plot wants numbers without gaps and
// times that never go back in each attack.
type rawStream struct {
	base    string
	attacks []string // names of the operations
	mutex   sync.Mutex
	counts  []uint64 // guarded by mutex; by operation, and of those that were not sent
	out     *bufio.Writer
	encoder vegeta.Encoder
	err     error
}

func newRawStream(w io.Writer, base string, operations []string) *rawStream {
	out := bufio.NewWriterSize(w, 1<<16)
	return &rawStream{base: base, attacks: operations, counts: make([]uint64, len(operations)+1), out: out,
		encoder: vegeta.NewEncoder(out)}
}

// next numbers a hit of an operation that is sent now, and gives the time.
func (s *rawStream) next(operation int) (uint64, time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.counts[operation]++
	return s.counts[operation] - 1, time.Now()
}

func (s *rawStream) flush() {
	if s.err == nil {
		s.err = s.out.Flush()
	}
}

func (s *rawStream) write(r *vegeta.Result) {
	if facts := r.Headers[""]; len(facts) == 9 {
		r.Method, r.URL = facts[0], s.base+withoutQuery(facts[1])
		r.Error = facts[2]
		if r.Error != "" && r.Code >= 200 && r.Code < 400 {
			r.Code, r.Error = 0, fmt.Sprintf("%s (status %d)", r.Error, r.Code)
		}
		r.BytesIn, _ = strconv.ParseUint(facts[3], 10, 64)
		r.BytesOut, _ = strconv.ParseUint(facts[4], 10, 64)
		r.Attack = facts[5]
		r.Seq, _ = strconv.ParseUint(facts[6], 10, 64)
		sent, _ := strconv.ParseInt(facts[7], 10, 64)
		took, _ := strconv.ParseInt(facts[8], 10, 64)
		r.Timestamp, r.Latency = time.Unix(0, sent), time.Duration(took)
	}
	r.Headers, r.Body = nil, nil
	if s.err == nil {
		s.err = s.encoder.Encode(r)
	}
}

func withoutQuery(path string) string {
	for i := range len(path) {
		if path[i] == '?' {
			return path[:i]
		}
	}
	return path
}
