package clients

import (
	"container/heap"
	"sync"
	"time"
)

// queue holds clients that wait for their next hit, first in, first out, so that tokens age evenly. A client that was
// told to come again later waits until then, and one that keeps its turn until that comes. A client is in at most one
// queue or in one hit, never in two. It is safe for concurrent use.
type queue struct {
	mu      sync.Mutex // guards what follows
	ring    []uint32   // a power of two long
	head    int
	ready   int
	cooling coolingHeap
	turns   uint64 // clients that were taken
	keeping []keeping
	first   []uint32 // those that go on before all others
}

// push makes a client ready.
func (q *queue) push(client uint32) {
	q.mu.Lock()
	q.put(client)
	q.mu.Unlock()
}

// pushFirst makes a client ready before all others.
func (q *queue) pushFirst(client uint32) {
	q.mu.Lock()
	q.first = append(q.first, client)
	q.mu.Unlock()
}

// pushAt makes a client ready from a moment on.
func (q *queue) pushAt(client uint32, moment time.Time) {
	q.mu.Lock()
	heap.Push(&q.cooling, cooling{moment, client})
	q.mu.Unlock()
}

// pushInTurn makes a client ready when its turn comes: so many have been taken. Where nobody else is ready it need not
// wait longer than to a moment.
func (q *queue) pushInTurn(client uint32, turn uint64, moment time.Time) {
	q.mu.Lock()
	q.keeping = append(q.keeping, keeping{turn, moment, client})
	q.mu.Unlock()
}

// pop takes the client whose turn it is, or else the one that has been ready longest. Turn is how many were taken
// before it.
func (q *queue) pop() (client uint32, turn uint64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if client, ok = q.next(); ok {
		turn = q.turns
		q.turns++
	}
	return client, turn, ok
}

func (q *queue) next() (uint32, bool) {
	if len(q.first) > 0 {
		client := q.first[0]
		q.first = q.first[1:]
		return client, true
	}
	if len(q.cooling) > 0 {
		now := time.Now()
		for len(q.cooling) > 0 && !q.cooling[0].until.After(now) {
			q.put(heap.Pop(&q.cooling).(cooling).client)
		}
	}
	if len(q.keeping) > 0 {
		first := q.keeping[0]
		if first.turn <= q.turns || q.ready == 0 && !first.moment.After(time.Now()) {
			q.keeping = q.keeping[1:]
			return first.client, true
		}
	}
	if q.ready == 0 {
		return 0, false
	}
	client := q.ring[q.head]
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.ready--
	return client, true
}

func (q *queue) put(client uint32) {
	if q.ready == len(q.ring) {
		ring := make([]uint32, max(16, 2*len(q.ring)))
		for i := range q.ready {
			ring[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.ready)&(len(q.ring)-1)] = client
	q.ready++
}

// away counts the clients that must not be used yet.
func (q *queue) away() (n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for _, c := range q.cooling {
		if c.until.After(now) {
			n++
		}
	}
	return n
}

// keeping is a client that keeps its turn.
type keeping struct {
	turn   uint64
	moment time.Time
	client uint32
}

// cooling is a client that must not be used until a moment.
type cooling struct {
	until  time.Time
	client uint32
}

// coolingHeap has the earliest moment first.
type coolingHeap []cooling

func (h coolingHeap) Len() int           { return len(h) }
func (h coolingHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h coolingHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *coolingHeap) Push(x any)        { *h = append(*h, x.(cooling)) }
func (h *coolingHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
