package matrix

import (
	"cmp"
	"slices"
)

// Shape is something of the form of answers that some environments have and others have not: a field, a claim, a
// header, a status.
type Shape struct {
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	Place     string `json:"place"`
	Kind      string `json:"kind"`
	// Times is how often each environment showed it; −1: it never gave such an answer, so nothing can be told.
	Times []int `json:"times"`
}

// shape keeps the observations in which environments differ. An environment that never answered an operation with a
// status shows nothing about the form of that answer.
func (m *Matrix) shape(columns []Column) {
	type answer struct {
		operation string
		status    int
	}
	type key struct {
		answer
		place, kind string
	}
	rows := map[key][]int{}
	answered := make([]map[answer]bool, len(columns))
	for i, column := range columns {
		answered[i] = map[answer]bool{}
		conformance := column.conformance()
		if conformance == nil {
			continue
		}
		for _, entry := range conformance.Shape {
			a := answer{entry.Operation, entry.Status}
			k := key{a, entry.Place, entry.Kind}
			answered[i][a] = true
			if rows[k] == nil {
				rows[k] = make([]int, len(columns))
			}
			rows[k][i] += max(1, entry.Times)
		}
	}
	for k, times := range rows {
		has, lacks := false, false
		for i := range times {
			switch {
			case times[i] > 0:
				has = true
			case answered[i][k.answer]:
				lacks = true
			default:
				times[i] = -1
			}
		}
		if has && lacks {
			m.Shape = append(m.Shape, Shape{k.operation, k.status, k.place, k.kind, times})
		}
	}
	slices.SortFunc(m.Shape, func(a, b Shape) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status),
			cmp.Compare(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind))
	})
}
