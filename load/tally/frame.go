package tally

import (
	"strconv"

	"agstest/reports"
)

// Frame is one finished second as it is recorded and summed up. A live run, one that is read back and a merged one all
// consist of frames.
type Frame struct {
	Second      int              `json:"second"`
	Due         int64            `json:"due"` // hits that the schedule asked for by the end of this second
	Lag         Packed           `json:"lag,omitempty"`
	Connections int64            `json:"connections,omitempty"` // opened
	Exchanges   int64            `json:"exchanges,omitempty"`   // traced
	Phases      []Packed         `json:"phases,omitempty"`      // dns, connect, tls, wait, read
	Operations  []operationFrame `json:"operations,omitempty"`  // those with something in this second
	Traces      traceCounts      `json:"traces,omitzero"`
	Slow        []reports.Hit    `json:"slow,omitempty"`    // new ones among the slowest of their operations
	Wrong       []reports.Wrong  `json:"wrong,omitempty"`   // new examples; in the last frame all, with their exchanges
	Clients     []clientsFrame   `json:"clients,omitempty"` // in the last frame: the clients that got wrong answers
	Health      Health           `json:"health"`
	// End is set in the last frame of a run that came to its end.
	End *Ending `json:"end,omitempty"`
}

// operationFrame is one operation in one second. Asked is by the second in which a hit was due, which may lie before
// this one.
type operationFrame struct {
	Operation int           `json:"operation"`
	Asked     map[int]int64 `json:"asked,omitempty"`
	counts
	Statuses map[string]int64 `json:"statuses,omitempty"`
	Missed   map[string]int64 `json:"missed,omitempty"` // statuses of wrong answers
	Kinds    map[string]int64 `json:"kinds,omitempty"`
	Why      map[string]int64 `json:"why,omitempty"` // wrong answers by kind and status, such as status/503
	Response Packed           `json:"response,omitempty"`
	Service  Packed           `json:"service,omitempty"`
	Failed   Packed           `json:"failed,omitempty"`
}

// Health is the state of the generator at the end of a second, summed up since the start.
type Health struct {
	Elapsed     int64 `json:"elapsed"` // nanoseconds since the start, up to the interrupt if there was one
	Sending     int64 `json:"sending"` // from the start to the last hit that was sent
	MaxInFlight int64 `json:"maxInFlight,omitempty"`
	AtCap       int64 `json:"atCap,omitempty"`
	Starved     int64 `json:"starved,omitempty"`
	StoodStill  int64 `json:"stoodStill,omitempty"` // nanoseconds for which no worker of a closed loop had a client
	Behind      int64 `json:"behind,omitempty"`     // results that waited for the consumer
	CPU         int64 `json:"cpu,omitempty"`        // nanoseconds
	CPUs        int   `json:"cpus"`
	ClockStep   int64 `json:"clockStep,omitempty"`
	StartLate   int64 `json:"startLate,omitempty"` // nanoseconds after the agreed instant
	// Throttled is the time without CPU by the limit of the own container, and how often that was.
	Throttled      int64  `json:"throttled,omitempty"`
	ThrottledTimes int64  `json:"throttledTimes,omitempty"`
	GC             Packed `json:"gc,omitempty"` // pauses of this second
}

// Ending is the part of a record that is known only when the run is over.
type Ending struct {
	Partial string           `json:"partial,omitempty"`
	Notes   []string         `json:"notes,omitempty"`
	Storm   *reports.Storm   `json:"storm,omitempty"`
	Invalid []string         `json:"invalid,omitempty"` // reasons beyond those that follow from the figures
	SetUp   *reports.SetUp   `json:"setUp,omitempty"`
	Judging *reports.Judging `json:"judging,omitempty"`

	held []string // reasons of shards whose hits left late, or waited for a client or a worker, and which are else valid
}

// statusName is the key of a status in reports.
func statusName(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}

// frameOf packs a second.
func frameOf(second int, s *secondTally, p *Packer) *Frame {
	f := &Frame{Second: second, Lag: p.Pack(&s.lag), Connections: s.phases.connections, Exchanges: s.phases.exchanges,
		Traces: s.traces}
	if s.phases.exchanges > 0 {
		for _, d := range s.phases.all() {
			f.Phases = append(f.Phases, p.Pack(d))
		}
	}
	for i := range s.operations {
		o := &s.operations[i]
		if o.Sent+o.Right+o.Wrong+o.Interrupted == 0 {
			continue
		}
		of := operationFrame{
			Operation: i, Asked: map[int]int64{}, counts: o.counts,
			Statuses: map[string]int64{}, Missed: map[string]int64{}, Kinds: map[string]int64{},
			Response: p.Pack(&o.response), Service: p.Pack(&o.service), Failed: p.Pack(&o.failed),
		}
		addTo(of.Asked, o.asked)
		for status, n := range o.statuses {
			of.Statuses[statusName(status)] = n
		}
		for status, n := range o.missed {
			of.Missed[statusName(status)] = n
		}
		addTo(of.Kinds, o.kinds)
		for why, n := range o.why {
			if of.Why == nil {
				of.Why = map[string]int64{}
			}
			of.Why[why.kind+"/"+statusName(why.status)] = n
		}
		f.Operations = append(f.Operations, of)
	}
	return f
}
