package tally

import (
	"math"
	"slices"
	"time"

	"agstest/load/limit"
	"agstest/reports"
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

// lastStretch is the stretch from a second to the end of the run, with the answers that came after the end of the
// schedule, which are the late ones. Seconds are the whole ones of the schedule.
func (l *Ledger) lastStretch(r *reports.Load, operation string, from, seconds int) limit.Stretch {
	s, whole, sending := l.stretch(operation, from, math.MaxInt), time.Duration(seconds)*time.Second, l.sending(r)
	s.Longer, s.LongerAnswers = sending-whole, l.answering(operation, sending)-whole
	return s
}

// stragglers is the share of right answers that may come later than the others without making the time longer in which
// they came: one lost answer in a hundred is no slow service.
const stragglers = 0.01

// answering is for how long the right answers of an operation came, or of all for the empty name: for as long as its
// hits were sent, if the service kept up with them. A service that answers fewer than it is sent is still answering
// when nothing more is sent. What every answer takes is left out. In the second in which the last of them came they are
// taken for as close as usual.
func (l *Ledger) answering(operation string, sending time.Duration) time.Duration {
	right := func(row []reports.Second) (sum int64) {
		for i := range row {
			if operation == "" || row[i].Operation == operation {
				sum += row[i].Right
			}
		}
		return sum
	}
	all, fastest := int64(0), int64(math.MaxInt64)
	for _, row := range l.rows {
		all += right(row)
	}
	for i, name := range l.operations {
		if t := &l.totals[i]; t.service.count > 0 && (operation == "" || operation == name) {
			fastest = min(fastest, t.service.min)
		}
	}
	if all == 0 || sending <= 0 {
		return sending
	}
	missing := int64(math.Ceil(float64(all) * (1 - stragglers)))
	for second, row := range l.rows {
		if n := right(row); n < missing {
			missing -= n
			continue
		}
		part := min(1, float64(missing)*sending.Seconds()/float64(all))
		end := time.Duration(second)*time.Second + time.Duration(part*float64(time.Second))
		return max(sending, min(end, time.Duration(l.health.Elapsed))-time.Duration(fastest))
	}
	return sending
}
