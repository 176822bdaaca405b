package load

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/reports"
)

// Storm is everyone coming back after an outage: so many clients within a time, each at a random moment of it. Those whose refresh token
// is still good refresh, the others sign on; who fails tries again like a real client, after a while that doubles each time (1 s to 30 s,
// half of it random) and is at least what Retry-After says. A refresh token that is refused makes its client sign on. The zero value is
// none.
type Storm struct {
	Clients int
	Within  time.Duration
	// Patience is when the run gives up on those who are not signed in yet, from the start; 0 means ten times Within, ten minutes at least.
	Patience time.Duration
}

// What the shares of a storm are where no mix is given: most clients held a session when the service went away.
var stormMix = map[string]int{opSignOn: 1, opRefresh: 9}

const (
	firstBackOff = time.Second
	mostBackOff  = 30 * time.Second
)

func (s Storm) check() error {
	switch {
	case s.Clients < 1:
		return failure.Usagef("a storm of %d clients is none; give --storm a number of clients", s.Clients)
	case s.Within <= 0:
		return failure.Usagef("a storm needs to know how fast everyone comes back; give --within, such as 60s")
	case s.Patience < 0 || s.Patience > 0 && s.Patience < s.Within:
		return failure.Usagef("a storm that is given up after %s cannot come within %s", s.Patience, s.Within)
	}
	return nil
}

func (s Storm) patience() time.Duration {
	if s.Patience > 0 {
		return s.Patience
	}
	return max(10*time.Minute, 10*s.Within)
}

// runStorm is Run for a storm.
func runStorm(ctx context.Context, o Options) (*reports.Load, error) {
	storm := *o.Storm
	if err := storm.check(); err != nil {
		return nil, err
	}
	switch {
	case o.Rate != Rate{} || o.Max || o.Profile != nil || o.Population != nil || o.Duration != 0:
		return nil, failure.Usagef("a storm says what is sent when; leave --rate, --duration, --profile and --population out, or --storm")
	case o.Workload != "" && o.Workload != WorkloadMixed:
		return nil, failure.Usagef("a storm is a mix of sign-ons and refreshes; leave --workload %s out", o.Workload)
	case o.Clients != 0:
		return nil, failure.Usagef("a storm says how many clients there are; leave --clients out")
	}
	if o.Shard.Of > 1 {
		storm.Clients = (storm.Clients + o.Shard.Of - o.Shard.Index) / o.Shard.Of
	}
	o.Workload = WorkloadMixed
	if o.Mix == nil {
		o.Mix = stormMix
	}
	if o.Mix[opDiscover] > 0 {
		return nil, failure.Usagef("a storm is a mix of signon and refresh")
	}
	peak := float64(storm.Clients) / storm.Within.Seconds()
	if err := guard(o.Environment, o.Workload, peak, false, uint64(storm.Clients), o.Consent); err != nil {
		return nil, err
	}
	traffic := Traffic{Workload: o.Workload, Mix: o.Mix, Clients: storm.Clients, ReuseSessions: o.ReuseSessions, IgnoreRetryAfter: o.IgnoreRetryAfter, JudgeEvery: o.JudgeEvery}
	if o.Mix[opSignOn] == 0 || o.Mix[opRefresh] == 0 {
		traffic.Clients = 0 // all of them are of one kind
	}
	c, err := newCrowd(o.Environment, traffic, uint64(storm.Clients), peak, o.Seed, o.Shard)
	if err != nil {
		return nil, err
	}
	if have := c.planned.starters + c.planned.chains; have < storm.Clients {
		return nil, failure.Usagef("a storm of %s clients needs as many, and load.clients of %s offers %s",
			reports.Count(int64(storm.Clients)), o.Environment.Name, reports.Count(int64(have)))
	}
	if err := CheckLimits(o.Limits, "of the storm", c.names, false, true); err != nil {
		return nil, err
	}
	target, err := o.Environment.Target()
	if err != nil {
		return nil, err
	}
	target.Timeout = o.Timeout
	via, err := wire.NewClient(target)
	if err != nil {
		return nil, err
	}
	defer via.Close()
	wrong, err := c.setUp(ctx, via, setUpRate(o.Environment, peak, false, o.Consent))
	if err != nil {
		return nil, err
	}
	s := newStormRun(c, storm, o.Seed+uint64(o.Shard.Index))
	defer context.AfterFunc(ctx, s.interrupt)()
	p := &plan{whole: s, schedule: s, length: s.Length(), words: s.String(), workers: o.Workers}
	if p.workers == 0 {
		p.workers = defaultWorkers()
	}
	e := &engine{plan: p, options: &o, workload: s, target: target, wrong: wrong, notes: c.notes, storm: s.report, clients: storm.Clients}
	return e.run(ctx)
}

// stormRun is the schedule and the workload of a storm. As a schedule it is not pure: a hit that fails makes another one later, so that
// At and Hits wait where the next hit is not known yet. The pacer alone asks them for hits that it has not sent.
type stormRun struct {
	*crowd
	storm Storm

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond
	waiting  comingHeap      // clients that will send
	dues     []time.Duration // of hits that were handed out
	who      []uint32        // sends them
	flying   int             // hits that were handed out and have no answer
	tries    map[uint32]int  // failures of a client in a row
	random   *rand.Rand
	origin   time.Time // when the first hit was handed out, which is the start
	over     bool      // nothing more is handed out
	signedIn int
	lost     int
	retries  int64
	last     time.Duration // when the last one was signed in
}

// coming is a client and when it sends next.
type coming struct {
	due    time.Duration
	client uint32
}

type comingHeap []coming

func (h comingHeap) Len() int           { return len(h) }
func (h comingHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h comingHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *comingHeap) Push(x any)        { *h = append(*h, x.(coming)) }
func (h *comingHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func newStormRun(c *crowd, storm Storm, seed uint64) *stormRun {
	s := &stormRun{crowd: c, storm: storm, tries: map[uint32]int{}, random: rand.New(rand.NewPCG(seed, 0x570))}
	s.changed = sync.NewCond(&s.mu)
	for n := range uint32(storm.Clients) {
		due := time.Duration(s.random.Int64N(int64(storm.Within)))
		if !s.canSend(n) { // the answer to its sign-on in the set-up was not its own
			s.lost++
			continue
		}
		s.waiting = append(s.waiting, coming{due, n})
	}
	heap.Init(&s.waiting)
	return s
}

// Length is how long clients come back; those who try again come later.
func (s *stormRun) Length() time.Duration { return s.storm.Within }
func (s *stormRun) Peak() float64         { return float64(s.storm.Clients) / s.storm.Within.Seconds() }
func (s *stormRun) String() string {
	return fmt.Sprintf("storm: %s clients come back within %s, each tries until it is signed in", reports.Count(int64(s.storm.Clients)), s.storm.Within)
}

// Hits is how many hits are known. Where all known ones were handed out it waits for the answers that decide whether there are more.
func (s *stormRun) Hits() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over && len(s.waiting) == 0 && s.flying > 0 {
		s.changed.Wait()
	}
	if s.over {
		return uint64(len(s.dues))
	}
	return uint64(len(s.dues) + len(s.waiting))
}

// handOutAhead is how long before it is due a hit is handed out. One that comes up later for an earlier moment is late by as much at most.
const handOutAhead = time.Millisecond

// At hands the next hit out, shortly before it is due; of hits that were handed out it tells when they were due.
func (s *stormRun) At(n uint64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < uint64(len(s.dues)) {
		return s.dues[n]
	}
	if s.origin.IsZero() {
		s.origin = time.Now()
	}
	for !s.over {
		if len(s.waiting) == 0 {
			s.changed.Wait()
			continue
		}
		early := time.Until(s.origin.Add(s.waiting[0].due)) - handOutAhead
		if early <= 0 {
			break
		}
		wake := time.AfterFunc(early, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
		s.changed.Wait()
		wake.Stop()
	}
	if len(s.waiting) == 0 { // over, and the pacer will not send this one
		return s.storm.patience()
	}
	next := heap.Pop(&s.waiting).(coming)
	if last := len(s.dues) - 1; last >= 0 && next.due <= s.dues[last] {
		next.due = s.dues[last] + 1
	}
	s.dues, s.who = append(s.dues, next.due), append(s.who, next.client)
	s.flying++
	return next.due
}

// Count is how many hits were due by t, of those that are known.
func (s *stormRun) Count(t time.Duration) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(sort.Search(len(s.dues), func(i int) bool { return s.dues[i] > t }))
}

// interrupt ends the storm: nothing more is handed out.
func (s *stormRun) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.changed.Broadcast()
}

// Begin is part of Workload.
func (s *stormRun) Begin(seq uint64, request *Request) bool {
	s.mu.Lock()
	n := s.who[seq]
	s.mu.Unlock()
	h := s.hits.Get().(*hit)
	h.client, h.step, h.starter = n, s.next(n), true // what comes back is not used again
	h.held = s.clients[n].holds == holdsSession
	s.prepare(request, n, h.step, seq)
	request.Operation, request.Client = s.index[h.step], h
	return true
}

// End is part of Workload.
func (s *stormRun) End(request *Request, answer *Answer) Outcome {
	h := request.Client.(*hit)
	outcome, kept := s.judge(h, answer)
	cl := &s.clients[h.client]
	signedIn := kept && h.step != stepMint
	refused := outcome.Kind == kindStatus && answer.Status < 500 || outcome.Kind == kindIdentity
	if !kept {
		switch {
		case h.step == stepRefresh && refused:
			cl.holds = holdsNothing // signs on next
		case h.step == stepSignOn && !refused:
			s.giveBack(h) // the same session token again: nobody knows that it was used
		}
	}
	canGoOn := kept || s.canSend(h.client)
	wait := retryAfter(answer.RetryAfter, answer.Received)
	if s.IgnoreRetryAfter || outcome.Kind != kindThrottled {
		wait = 0
	}
	s.answered(h.client, answer, signedIn, kept, canGoOn, wait)
	request.Client = nil
	s.hits.Put(h)
	return outcome
}

// canSend tells whether a client has anything to sign in with.
func (s *stormRun) canSend(n uint32) bool {
	return s.clients[n].holds != holdsNothing || s.hasSession(n) || s.supply.source == mintedAhead
}

// answered plans what a client does next.
func (s *stormRun) answered(n uint32, answer *Answer, signedIn, kept, canGoOn bool, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	s.flying--
	elapsed := answer.Received.Sub(s.origin)
	switch {
	case signedIn:
		s.signedIn++
		s.last = max(s.last, elapsed)
		delete(s.tries, n)
		return
	case !canGoOn:
		s.lost++
		return
	case kept: // a session token was minted: on with it
	default:
		s.tries[n]++
		backOff := min(mostBackOff, firstBackOff<<min(s.tries[n]-1, 10))
		wait = max(wait, backOff/2+time.Duration(s.random.Int64N(int64(backOff/2))))
	}
	due := elapsed + wait
	if due > s.storm.patience() {
		s.lost++
		return
	}
	if !kept {
		s.retries++
	}
	heap.Push(&s.waiting, coming{due, n})
}

// Exhausted is part of Finite: a storm ends by itself.
func (s *stormRun) Exhausted() error { return nil }

// report says how the storm went.
func (s *stormRun) report() *reports.Storm {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &reports.Storm{Clients: s.storm.Clients, Recovered: int64(s.last), Retries: s.retries}
	if s.signedIn < s.storm.Clients {
		r.Recovered = -1
	}
	return r
}
