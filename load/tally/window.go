package tally

import (
	"slices"

	"agstest/load/limit"
)

// window is a part of a run, of one second at first, in little memory: what limits are judged on.
type window struct {
	from, to   int // seconds, from inclusive to exclusive
	operations []windowOperation
}

type windowOperation struct {
	counts
	throttled         int64
	response, service Packed
}

// maxWindowBytes bounds the packed distributions that are kept for limits; beyond it two neighbouring windows become
// one.
const maxWindowBytes = 8 << 20

// keep holds a window for the limits.
func (l *Ledger) keep(w window) error {
	n := len(l.seconds)
	if n > 0 && l.seconds[n-1].to-l.seconds[n-1].from < l.stride {
		return l.join(&l.seconds[n-1], &w)
	}
	l.seconds = append(l.seconds, w)
	l.weight += w.bytes()
	for l.weight > maxWindowBytes && len(l.seconds) > 64 {
		l.stride *= 2
		var halved []window
		l.weight = 0
		for i := 0; i < len(l.seconds); i += 2 {
			w := l.seconds[i]
			if i+1 < len(l.seconds) {
				if err := l.join(&w, &l.seconds[i+1]); err != nil {
					return err
				}
			}
			halved = append(halved, w)
			l.weight += w.bytes()
		}
		l.seconds = halved
	}
	return nil
}

func (w *window) bytes() int {
	sum := 0
	for i := range w.operations {
		sum += len(w.operations[i].response) + len(w.operations[i].service)
	}
	return sum
}

func (l *Ledger) join(into, from *window) error {
	before := into.bytes()
	into.to = from.to
	into.operations = slices.Clone(into.operations)
	for i := range into.operations {
		a, b := &into.operations[i], &from.operations[i]
		a.counts.add(b.counts)
		a.throttled += b.throttled
		var err error
		if a.response, err = addUp(a.response, b.response); err != nil {
			return err
		}
		if a.service, err = addUp(a.service, b.service); err != nil {
			return err
		}
	}
	l.weight += into.bytes() - before
	return nil
}

// stretch sums up the seconds from inclusive to exclusive of one operation, or of all for the empty name. Its times are
// those of the tables: none is above the largest of the whole run.
func (l *Ledger) stretch(operation string, from, to int) limit.Stretch {
	var s limit.Stretch
	var response, service Packed
	var longest, longestService int64
	for i := range l.operations {
		if operation == "" || l.operations[i] == operation {
			longest = max(longest, l.totals[i].response.max)
			longestService = max(longestService, l.totals[i].service.max)
		}
	}
	for _, w := range l.seconds {
		if middle := (w.from + w.to - 1) / 2; middle < from || middle >= to {
			continue
		}
		for i := range w.operations {
			if operation != "" && l.operations[i] != operation {
				continue
			}
			o := &w.operations[i]
			s.Sent, s.Right, s.Wrong, s.Throttled = s.Sent+o.Sent, s.Right+o.Right, s.Wrong+o.Wrong,
				s.Throttled+o.throttled
			// They were read before, when they were added.
			response, _ = addUp(response, o.response)
			service, _ = addUp(service, o.service)
		}
	}
	s.Response, s.Service = asShown(response.Values(), longest), asShown(service.Values(), longestService)
	s.ResponseSum, s.ServiceSum = response.sum(), service.sum()
	return s
}
