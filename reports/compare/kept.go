package compare

import (
	"cmp"
	"slices"
	"time"

	"agstest/reports"
)

// KeptHits are single requests of one side of a comparison by turns, as a load keeps them. They come from all hits that
// were sent, including the warm-up and those that were not counted. Instants are those of reports.Hit, from the start
// of the side's first leg.
type KeptHits struct {
	Slowest []reports.Hit   `json:"slowest,omitempty"` // as in a load
	Wrong   []reports.Wrong `json:"wrong,omitempty"`   // as in a load
}

// JoinHits puts the single requests of all legs of a side together; nil if there are none.
func JoinHits(legs []*reports.Load) *KeptHits {
	all := &reports.Load{}
	for _, leg := range legs {
		later := int64(0)
		if len(legs) > 0 && !leg.Run.Start.IsZero() {
			later = int64(leg.Run.Start.Sub(legs[0].Run.Start) / time.Nanosecond)
		}
		for _, h := range leg.Slowest {
			h.Due, h.Sent = h.Due+later, h.Sent+later
			all.Slowest = append(all.Slowest, h)
		}
		for _, w := range leg.Wrong {
			if w.Hit != nil {
				h := *w.Hit
				h.Due, h.Sent = h.Due+later, h.Sent+later
				w.Hit = &h
			}
			all.Wrong = append(all.Wrong, w)
		}
	}
	if len(all.Slowest)+len(all.Wrong) == 0 {
		return nil
	}
	return &KeptHits{slowestOfAll(all.Slowest), wrongOfAll(all, legs)}
}

// slowestOfAll returns as many of each operation, right and wrong, as one load keeps.
func slowestOfAll(hits []reports.Hit) []reports.Hit {
	slices.SortStableFunc(hits, func(a, b reports.Hit) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), reports.CompareSlow(&a, &b))
	})
	type of struct {
		operation string
		right     bool
	}
	seen := map[of]int{}
	return slices.DeleteFunc(hits, func(h reports.Hit) bool {
		key := of{h.Operation, h.Kind == ""}
		seen[key]++
		return seen[key] > reports.KeptSlow
	})
}

// wrongOfAll are the first, the last and some between of each kind, as many as one load keeps.
func wrongOfAll(all *reports.Load, legs []*reports.Load) []reports.Wrong {
	var found []reports.Wrong
	for _, kind := range all.KindsOfWrong() {
		times := int64(0)
		for _, leg := range legs {
			for _, of := range leg.KindsOfWrong() {
				if of.Operation == kind.Operation && of.Kind == kind.Kind {
					times += of.Times
				}
			}
		}
		kept := all.ExamplesOf(kind.Operation, kind.Kind)
		first, last := min(len(kept), reports.KeptWrong), max(reports.KeptWrong, len(kept)-reports.KeptWrong)
		for i, w := range kept {
			switch {
			case i < first:
				w.Place = reports.PlaceFirst
			case i >= last:
				w.Place = reports.PlaceLast
			case drawnAt(i-first, last-first):
				w.Place = reports.PlaceBetween
			default:
				continue
			}
			w.Times = times
			found = append(found, w)
		}
	}
	return found
}

// drawnAt tells whether index i is among those that are taken at equal distances from the given number.
func drawnAt(i, of int) bool {
	return i*reports.KeptWrong/of != (i-1)*reports.KeptWrong/of || i == 0 || of <= reports.KeptWrong
}
