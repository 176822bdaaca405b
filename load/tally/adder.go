package tally

import (
	"errors"
	"maps"
	"slices"
)

// adder adds up the seconds of shards, and reuses its room.
type adder struct {
	room sheet
}

// operationParts is one operation in the same second of several shards.
type operationParts struct {
	sum                       operationFrame
	response, service, failed []Packed
}

// addFrames adds up the same second of several shards. It leaves out the counts since the start.
func (a *adder) addFrames(second int, parts []*Frame) (*Frame, error) {
	sum := &Frame{Second: second}
	operations := map[int]*operationParts{}
	var lag []Packed
	var phases [][]Packed
	for _, f := range parts {
		lag = append(lag, f.Lag)
		sum.Connections += f.Connections
		sum.Exchanges += f.Exchanges
		sum.Traces.add(f.Traces)
		sum.Slow = append(sum.Slow, f.Slow...)
		sum.Wrong = append(sum.Wrong, f.Wrong...)
		sum.Clients = append(sum.Clients, f.Clients...)
		for i := range f.Phases {
			if i == len(phases) {
				phases = append(phases, nil)
			}
			phases[i] = append(phases[i], f.Phases[i])
		}
		for i := range f.Operations {
			from := &f.Operations[i]
			o := operations[from.Operation]
			if o == nil {
				o = &operationParts{sum: operationFrame{Operation: from.Operation, Asked: map[int]int64{},
					Statuses: map[string]int64{}, Missed: map[string]int64{}, Kinds: map[string]int64{},
					Why: map[string]int64{}}}
				operations[from.Operation] = o
			}
			o.add(from)
		}
	}
	var errs []error
	take := func(parts []Packed) Packed {
		all, err := sumOf(parts, &a.room)
		errs = append(errs, err)
		return all
	}
	sum.Lag = take(lag)
	for _, parts := range phases {
		sum.Phases = append(sum.Phases, take(parts))
	}
	for _, operation := range slices.Sorted(maps.Keys(operations)) {
		o := operations[operation]
		o.sum.Response, o.sum.Service, o.sum.Failed = take(o.response), take(o.service), take(o.failed)
		sum.Operations = append(sum.Operations, o.sum)
	}
	return sum, errors.Join(errs...)
}

func (o *operationParts) add(from *operationFrame) {
	o.sum.counts.add(from.counts)
	addTo(o.sum.Asked, from.Asked)
	addTo(o.sum.Statuses, from.Statuses)
	addTo(o.sum.Missed, from.Missed)
	addTo(o.sum.Kinds, from.Kinds)
	addTo(o.sum.Why, from.Why)
	o.response, o.service, o.failed = append(o.response, from.Response), append(o.service,
		from.Service), append(o.failed, from.Failed)
}
