package tally

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	"agstest/reports"
)

// examples keeps wrong answers of one kind: the first and the last ones, and between those one of each twentieth of the
// run and some of all. A hash of the seed and the number of the hit alone decides which ones are drawn. So two examples
// of the same hits are the same, and the examples of all shards together are among the examples of the shards.
type examples struct {
	first, last []*example          // by the instant of their answer
	parts       [keptParts]*example // the first drawn of each part of the run
	drawn       []*example          // the first drawn of all
	spare       *example            // free to be used again
}

const (
	keptParts = reports.KeptWrong
	// keptDrawn is enough for those between after the first and the last ones are taken out.
	keptDrawn = 3 * reports.KeptWrong
)

// example is one wrong answer. The tally keeps the data for a report, the ledger what was reported.
type example struct {
	keptHit
	place
	message, requirement string
	exchange             Exchange
	held                 int  // in how many lists it is
	lent                 bool // a frame is being made of it
	reported             *reports.Wrong
}

// place is the position of a wrong answer among those of its kind.
type place struct {
	received int64
	shard    string
	number   uint64
	draw     uint64
	part     int
}

func placeOf(received int64, shard string, number, seed uint64, length time.Duration) place {
	p := place{received: received, shard: shard, number: number}
	name := fnv.New64a()
	_, _ = name.Write([]byte(shard)) // never fails
	p.draw = scatter(seed ^ scatter(number^name.Sum64()))
	if length > 0 {
		p.part = int(min(max(float64(received)/float64(length)*keptParts, 0), keptParts-1))
	}
	return p
}

// scatter is the finalizer of SplitMix64: each bit of the result depends on all of x, and no two x have the same.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *place) came(other *place) int {
	return cmp.Or(cmp.Compare(p.received, other.received), cmp.Compare(p.shard, other.shard),
		cmp.Compare(p.number, other.number))
}

func (p *place) drawnBefore(other *place) bool {
	return cmp.Or(cmp.Compare(p.draw, other.draw), cmp.Compare(p.shard, other.shard),
		cmp.Compare(p.number, other.number)) < 0
}

// wants tells whether any of the lists would take a wrong answer.
func (s *examples) wants(p *place) bool {
	return len(s.first) < reports.KeptWrong || s.last[0].came(p) < 0 || s.first[len(s.first)-1].came(p) > 0 ||
		len(s.drawn) < keptDrawn || p.drawnBefore(&s.drawn[len(s.drawn)-1].place) ||
		s.parts[p.part] == nil || p.drawnBefore(&s.parts[p.part].place)
}

// room returns an example to fill: one that was released, if there is one.
func (s *examples) room() *example {
	if e := s.spare; e != nil {
		s.spare = nil
		*e = example{exchange: e.exchange}
		return e
	}
	return new(example)
}

func (s *examples) add(e *example) {
	if n := len(s.first); n < reports.KeptWrong || s.first[n-1].came(&e.place) > 0 {
		s.first = s.insert(s.first, e, func(o *example) int { return o.came(&e.place) })
		if len(s.first) > reports.KeptWrong {
			s.letGo(s.first[reports.KeptWrong])
			s.first = s.first[:reports.KeptWrong]
		}
	}
	if len(s.last) < reports.KeptWrong || s.last[0].came(&e.place) < 0 {
		s.last = s.insert(s.last, e, func(o *example) int { return o.came(&e.place) })
		if len(s.last) > reports.KeptWrong {
			s.letGo(s.last[0])
			s.last = append(s.last[:0], s.last[1:]...)
		}
	}
	if n := len(s.drawn); n < keptDrawn || e.drawnBefore(&s.drawn[n-1].place) {
		s.drawn = s.insert(s.drawn, e, func(o *example) int {
			if o.drawnBefore(&e.place) {
				return -1
			}
			return 1
		})
		if len(s.drawn) > keptDrawn {
			s.letGo(s.drawn[keptDrawn])
			s.drawn = s.drawn[:keptDrawn]
		}
	}
	if at := &s.parts[e.part]; *at == nil || e.drawnBefore(&(*at).place) {
		if *at != nil {
			s.letGo(*at)
		}
		*at = e
		e.held++
	}
}

func (s *examples) insert(list []*example, e *example, compare func(*example) int) []*example {
	at := len(list)
	for at > 0 && compare(list[at-1]) > 0 {
		at--
	}
	e.held++
	return slices.Insert(list, at, e)
}

func (s *examples) letGo(e *example) {
	if e.held--; e.held == 0 && !e.lent {
		s.spare = e
	}
}

// all returns the examples of all lists, each once, in the order of their answers.
func (s *examples) all() []*example {
	found := slices.Concat(s.first, s.last, s.drawn)
	for _, e := range s.parts {
		if e != nil {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *example) int { return a.came(&b.place) })
	return slices.Compact(found)
}

// chosen are the first, the last, and up to as many between: one of each part of the run that has any, and then those
// drawn first.
func (s *examples) chosen() (first, between, last []*example) {
	taken := map[*example]bool{}
	take := func(from []*example, most int) (some []*example) {
		for _, e := range from {
			if e != nil && !taken[e] && len(some) < most {
				taken[e] = true
				some = append(some, e)
			}
		}
		return some
	}
	first = take(s.first, reports.KeptWrong)
	last = take(s.last, reports.KeptWrong)
	between = take(s.parts[:], reports.KeptWrong)
	between = append(between, take(s.drawn, reports.KeptWrong-len(between))...)
	slices.SortFunc(between, func(a, b *example) int { return a.came(&b.place) })
	return first, between, last
}

// culprits counts the wrong answers of one kind by the client that got them.
type culprits struct {
	times  map[uint32]int64
	beyond int64 // of further clients than are counted
}

// maxCulprits are how many clients are counted for a kind at most. The counts of those are exact.
const maxCulprits = 10_000

func (c *culprits) add(who uint32) {
	if _, known := c.times[who]; !known && len(c.times) == maxCulprits {
		c.beyond++
		return
	}
	c.times[who]++
}

// clientsFrame is how often a kind of wrong answers came to which clients, over the whole run of one generator.
type clientsFrame struct {
	Operation int                   `json:"operation"`
	Kind      string                `json:"kind"`
	Clients   int                   `json:"clients"`
	More      bool                  `json:"more,omitempty"`
	Most      []reports.ClientTimes `json:"most,omitempty"`
}

// mostClients returns the clients with the most, of clients that are all different.
func mostClients(clients []reports.ClientTimes) []reports.ClientTimes {
	slices.SortFunc(clients, func(a, b reports.ClientTimes) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Client, b.Client))
	})
	return clients[:min(len(clients), reports.KeptClients)]
}
