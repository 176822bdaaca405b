package clients

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/reports"
)

// Storm is everyone coming back after an outage: Clients within a time, each at a random moment of it. Clients whose
// refresh token is still good refresh, the others sign on. A client that fails tries again like a real one, after a
// while that doubles each time (1 s to 30 s, half of it random) and is at least what Retry-After says. A refused
// refresh token makes its client sign on. The zero value is no storm.
type Storm struct {
	Clients int
	Within  time.Duration
	// Patience is when the run gives up on clients that are not signed in yet, from the start; 0 means ten times
	// Within, ten minutes at least.
	Patience time.Duration
}

func (s Storm) Check() error {
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

func (s Storm) GivesUpAfter() time.Duration {
	if s.Patience > 0 {
		return s.Patience
	}
	return max(10*time.Minute, 10*s.Within)
}

// Peak returns the rate of a storm in hits a second, without further tries.
func (s Storm) Peak() float64 { return float64(s.Clients) / s.Within.Seconds() }

// String describes the storm in words.
func (s Storm) String() string {
	return fmt.Sprintf("storm: %s clients come back within %s, each tries until it is signed in",
		figures.Count(int64(s.Clients)), s.Within)
}

const (
	firstBackOff = time.Second
	maxBackOff   = 30 * time.Second
)

// StormRun is the schedule and the workload of a storm. As a schedule it is not pure: a hit that fails makes another
// one later, so that At and Hits wait where the next hit is not known yet. The pacer alone asks them for hits that it
// has not sent.
type StormRun struct {
	*Crowd
	storm Storm

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond
	waiting  comingHeap      // clients that will send
	dues     []time.Duration // of hits that were handed out
	who      []uint32        // sends them
	flying   int             // hits that were handed out and have no answer
	tries    map[uint32]int  // failures of a client in a row
	random   *rand.Rand
	origin   time.Time // the start
	over     bool      // nothing more is handed out
	signedIn int
	lost     int
	away     int // of the lost ones, those that were asked to come again later than the storm is waited for
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

// NewStormRun makes the schedule and the workload of a storm of clients that are set up. Seed draws when each comes
// back.
func NewStormRun(c *Crowd, storm Storm, seed uint64) *StormRun {
	s := &StormRun{Crowd: c, storm: storm, tries: map[uint32]int{}, random: rand.New(rand.NewPCG(seed, 0x570))}
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

// Length returns how long clients come back; further tries come later.
func (s *StormRun) Length() time.Duration { return s.storm.Within }
func (s *StormRun) Peak() float64         { return s.storm.Peak() }
func (s *StormRun) String() string        { return s.storm.String() }

// Hits is how many hits are known. Where all known ones were handed out it waits for the answers that decide whether
// there are more.
func (s *StormRun) Hits() uint64 {
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

// handOutAhead is how long before it is due a hit is handed out. One that comes up later for an earlier moment is late
// by as much at most.
const handOutAhead = time.Millisecond

// At hands the next hit out, shortly before it is due; of hits that were handed out it tells when they were due.
func (s *StormRun) At(n uint64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < uint64(len(s.dues)) {
		return s.dues[n]
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
			defer failure.Guard()
			s.changed.Broadcast()
		})
		s.changed.Wait()
		wake.Stop()
	}
	if len(s.waiting) == 0 { // over, and the pacer will not send this one
		return s.storm.GivesUpAfter()
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
func (s *StormRun) Count(t time.Duration) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(sort.Search(len(s.dues), func(i int) bool { return s.dues[i] > t }))
}

// Start sets the clock of the storm.
func (s *StormRun) Start(began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.origin = began
}

// Interrupt ends the storm: nothing more is handed out.
func (s *StormRun) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.changed.Broadcast()
}

// Begin is part of Workload.
func (s *StormRun) Begin(seq uint64, request *hit.Request) bool {
	s.mu.Lock()
	n := s.who[seq]
	s.mu.Unlock()
	h := s.hits.Get().(*sender)
	h.client, h.step, h.starter = n, s.does.next(s.Crowd, n), true // what comes back is not used again
	h.held = s.clients[n].holds == holdsSession
	s.prepare(request, n, h.step)
	request.Operation, request.Client = s.index[h.step], h
	return true
}

// End is part of Workload.
func (s *StormRun) End(request *hit.Request, answer *hit.Answer) hit.Outcome {
	h := request.Client.(*sender)
	outcome, kept := s.judge(h, answer)
	cl := &s.clients[h.client]
	signedIn := kept && h.step != stepMint
	again := undecided(outcome, answer)
	if !kept {
		switch {
		case h.step == stepRefresh && !again:
			cl.holds = holdsNothing // signs on next
		case h.step == stepSignOn && again:
			s.giveBack(h) // the same session token again: nobody knows that it was used
		}
		cl.unsure = again && (cl.unsure || !untouched(outcome, answer))
	} else {
		cl.unsure = false
	}
	canGoOn := kept || s.canSend(h.client)
	wait := askedWait(answer)
	if s.IgnoreRetryAfter || outcome.Kind != hit.KindThrottled {
		wait = 0
	}
	s.answered(h.client, answer, signedIn, kept, canGoOn, wait)
	request.Client = nil
	s.hits.Put(h)
	return outcome
}

// canSend tells whether a client has anything to sign in with.
func (s *StormRun) canSend(n uint32) bool {
	return s.clients[n].holds != holdsNothing || s.hasSession(n) || s.supply.source == mintedAhead && s.mintsMore()
}

// answered plans the next step of a client.
func (s *StormRun) answered(n uint32, answer *hit.Answer, signedIn, kept, canGoOn bool, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	s.flying--
	elapsed := answer.Received.Sub(s.origin)
	away := wait > 0 && elapsed+wait > s.storm.GivesUpAfter()
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
		backOff := min(maxBackOff, firstBackOff<<min(s.tries[n]-1, 10))
		wait = max(wait, backOff/2+time.Duration(s.random.Int64N(int64(backOff/2))))
	}
	due := elapsed + wait
	if due > s.storm.GivesUpAfter() {
		s.lost++
		if away {
			s.away++
		}
		return
	}
	if !kept {
		s.retries++
	}
	heap.Push(&s.waiting, coming{due, n})
}

// Exhausted is part of Finite: a storm ends by itself.
func (s *StormRun) Exhausted(uint64) error { return nil }

// Report says how the storm went.
func (s *StormRun) Report() *reports.Storm {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &reports.Storm{Clients: s.storm.Clients, Recovered: int64(s.last), Retries: s.retries, Away: s.away}
	if s.signedIn < s.storm.Clients {
		r.Recovered = -1
	}
	return r
}
