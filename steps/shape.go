package steps

import (
	"cmp"
	"slices"

	"agstest/internal/check"
	"agstest/reports"
)

// shapeOf gathers the form of all answers of a run, in a fixed order.
func shapeOf(entries []entry) []reports.ShapeEntry {
	times := map[check.Observation]int{}
	for _, e := range entries {
		for _, x := range e.exchanges {
			if x.Status == 0 || x.Call.Operation == "" {
				continue
			}
			for _, o := range check.Shape(x.Exchange) {
				times[o]++
			}
		}
	}
	var list []reports.ShapeEntry
	for o, n := range times {
		list = append(list, reports.ShapeEntry{Operation: o.Operation, Status: o.Status, Place: o.Place, Kind: o.Kind,
			Times: n})
	}
	slices.SortFunc(list, func(a, b reports.ShapeEntry) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status),
			cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
