package tally

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"agstest/load/hit"
	"agstest/reports"
)

// ledgerHits is the ledger's data about single hits.
type ledgerHits struct {
	seed   uint64
	length time.Duration

	slow   map[string]*slowHits // by operation
	kinds  map[wrongKey]*kindTotal
	others []reports.Wrong // of no hit: found before the clock started, or over several shards
}

// maxKinds bounds the kinds of wrong answers that a record may name; a run has a few for each operation.
const maxKinds = 500

// kindTotal is one kind of wrong answers over the whole run.
type kindTotal struct {
	reports.WrongKind
	examples examples
	known    map[place]*example // by shard and number alone
	old      []reports.Wrong    // of records that know no hits
}

// Draws tells a ledger how the run drew the wrong answers that it kept.
func (l *Ledger) Draws(p *reports.Plan) *Ledger {
	l.hits.seed, l.hits.length = p.Seed, time.Duration(p.Seconds*float64(time.Second))
	return l
}

func (l *Ledger) addHits(f *Frame) {
	for i := range f.Slow {
		h := &f.Slow[i]
		if !slices.Contains(l.operations, h.Operation) {
			continue
		}
		if l.hits.slow == nil {
			l.hits.slow = map[string]*slowHits{}
		}
		if l.hits.slow[h.Operation] == nil {
			l.hits.slow[h.Operation] = &slowHits{}
		}
		l.hits.slow[h.Operation].add(*h)
	}
	for i := range f.Operations {
		o := &f.Operations[i]
		for kind, n := range o.Kinds {
			if k := l.kind(o.Operation, kind); k != nil {
				k.Times += n
				if at := int64(f.Second); len(k.Seconds) > 0 && k.Seconds[len(k.Seconds)-1][0] == at {
					k.Seconds[len(k.Seconds)-1][1] += n
				} else {
					k.Seconds = append(k.Seconds, [2]int64{at, n})
				}
			}
		}
		for why, n := range o.Why {
			kind, status, _ := strings.Cut(why, "/")
			if k := l.kind(o.Operation, kind); k != nil {
				if k.Statuses == nil {
					k.Statuses = map[string]int64{}
				}
				k.Statuses[status] += n
			}
		}
	}
	for i := range f.Clients {
		c := &f.Clients[i]
		if k := l.kind(c.Operation, c.Kind); k != nil {
			k.Clients = max(0, k.Clients) + c.Clients
			k.ClientsMore = k.ClientsMore || c.More
			k.Most = mostClients(append(k.Most, c.Most...))
		}
	}
	for i := range f.Wrong {
		l.addWrong(&f.Wrong[i])
	}
}

// kind is the total of a kind of wrong answers; nil where a record names an operation that there is not, or more kinds
// than there can be.
func (l *Ledger) kind(operation int, kind string) *kindTotal {
	if operation < 0 || operation >= len(l.operations) {
		return nil
	}
	key := wrongKey{operation, kind}
	k := l.hits.kinds[key]
	if k == nil && len(l.hits.kinds) < maxKinds {
		if l.hits.kinds == nil {
			l.hits.kinds = map[wrongKey]*kindTotal{}
		}
		k = &kindTotal{WrongKind: reports.WrongKind{Operation: l.operations[operation], Kind: kind, Clients: -1}}
		l.hits.kinds[key] = k
	}
	return k
}

func (l *Ledger) addWrong(w *reports.Wrong) {
	operation := slices.Index(l.operations, w.Operation)
	if operation < 0 {
		if w.Hit == nil && len(l.hits.others) < maxKinds {
			l.hits.others = append(l.hits.others, *w)
		}
		return
	}
	k := l.kind(operation, w.Kind)
	switch {
	case k == nil:
	case w.Hit == nil:
		if len(k.old) < hit.MaxExamples {
			k.old = append(k.old, *w)
		}
	default:
		k.add(w, placeOf(w.Hit.Received(), w.Hit.Shard, w.Hit.Number, l.hits.seed, l.hits.length))
	}
}

// add keeps a wrong answer. One that is known already may come again with its exchange.
func (k *kindTotal) add(w *reports.Wrong, p place) {
	id := place{shard: p.shard, number: p.number}
	if same := k.known[id]; same != nil && same.held > 0 {
		if w.Exchange != nil {
			same.reported = w
		}
		return
	}
	if !k.examples.wants(&p) {
		return
	}
	e := &example{place: p, reported: w, lent: true} // not used again
	k.examples.add(e)
	if k.known == nil {
		k.known = map[place]*example{}
	}
	k.known[id] = e
	if len(k.known) > 10*keptDrawn {
		maps.DeleteFunc(k.known, func(_ place, e *example) bool { return e.held == 0 })
	}
}

// reportHits writes the hits that are kept into a report that has the figures of its operations.
func (l *Ledger) reportHits(r *reports.Load) {
	when := func(h *reports.Hit) {
		if h.SentAt.IsZero() && !r.Run.Start.IsZero() {
			h.SentAt = r.Run.Start.Add(time.Duration(h.Sent))
		}
	}
	r.Slowest = nil
	for _, operation := range l.operations {
		if s := l.hits.slow[operation]; s != nil {
			both := append(slices.Clone(slowestOf(s.right)), slowestOf(s.wrong)...)
			slices.SortFunc(both, func(a, b reports.Hit) int { return reports.CompareSlow(&a, &b) })
			for i := range both {
				when(&both[i])
			}
			r.Slowest = append(r.Slowest, both...)
		}
	}
	r.Trace = nil
	if l.traces.Sent > 0 {
		r.Trace = &reports.TraceContext{Sent: l.traces.Sent, Back: l.traces.Back, Same: l.traces.Same}
	}
	r.Wrong, r.WrongKinds = slices.Clone(l.hits.others), nil
	keys := slices.SortedFunc(maps.Keys(l.hits.kinds), func(a, b wrongKey) int {
		return cmp.Or(a.operation-b.operation, strings.Compare(a.kind, b.kind))
	})
	for _, key := range keys {
		k := l.hits.kinds[key]
		times := k.Times
		if k.Times > 0 {
			r.WrongKinds = append(r.WrongKinds, k.WrongKind)
		}
		for _, w := range k.old {
			w.Times = times
			r.Wrong = append(r.Wrong, w)
		}
		first, between, last := k.examples.chosen()
		for _, part := range []struct {
			place string
			of    []*example
		}{{reports.PlaceFirst, first}, {reports.PlaceBetween, between}, {reports.PlaceLast, last}} {
			for _, e := range part.of {
				w, h := *e.reported, *e.reported.Hit
				when(&h)
				w.Times, w.Place, w.Hit = times, part.place, &h
				r.Wrong = append(r.Wrong, w)
			}
		}
	}
	slices.SortStableFunc(r.Wrong, func(a, b reports.Wrong) int {
		return cmp.Or(slices.Index(l.operations, a.Operation)-slices.Index(l.operations, b.Operation),
			strings.Compare(a.Kind, b.Kind))
	})
}
