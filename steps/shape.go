package steps

import (
	"agstest/internal/check"
	"agstest/reports"
)

// shapeOf gathers the form of all answers of a run, in a fixed order.
func shapeOf(entries []entry) []reports.ShapeEntry {
	var shapes check.Shapes
	for _, e := range entries {
		for _, x := range e.exchanges {
			if x.Call.Operation != "" {
				shapes.Add(x.Exchange)
			}
		}
	}
	var list []reports.ShapeEntry
	for _, o := range shapes.All() {
		list = append(list, reports.ShapeEntry{Operation: o.Operation, Status: o.Status, Place: o.Place, Kind: o.Kind,
			Times: o.Times})
	}
	return list
}
