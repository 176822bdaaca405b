package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// Drift is one difference in the form of the answers of two runs.
type Drift struct {
	Operation string    `json:"operation"`
	Status    int       `json:"status,omitempty"` // 0: of the operation as a whole
	What      DriftKind `json:"what"`
	// Place is the place in the answer: a JSON path, a claim, a header; empty if a whole operation or status differs.
	Place string `json:"place,omitempty"`
	// Old and New are the kinds observed there, "" where it was not observed at all.
	Old      string `json:"old"`
	New      string `json:"new"`
	OldTimes int    `json:"oldTimes"`
	NewTimes int    `json:"newTimes"`
}

// DriftKind is the kind of a difference.
type DriftKind string

// The kinds of drift, the widest first.
const (
	driftOperation DriftKind = "operation"
	driftStatus    DriftKind = "status"
	driftHeader    DriftKind = "header"
	driftClaim     DriftKind = "claim"
	driftField     DriftKind = "field"
)

// compareShape lists what was observed in the form of answers in one run and not in the other: operations, statuses,
// headers, claims, fields and their JSON kinds. Of an operation or a status that only one run saw, the parts are not
// listed again.
func compareShape(old, new []reports.ShapeEntry) []Drift {
	was, is := indexShape(old), indexShape(new)
	var found []Drift
	for _, operation := range unionOf(was.operations, is.operations) {
		a, b := was.operations[operation], is.operations[operation]
		if a == 0 || b == 0 {
			found = append(found, Drift{Operation: operation, What: driftOperation, Old: seen(a), New: seen(b),
				OldTimes: a, NewTimes: b})
		}
	}
	for _, status := range unionFunc(was.statuses, is.statuses, compareStatus) {
		a, b := was.statuses[status], is.statuses[status]
		if (a == 0 || b == 0) && was.operations[status.operation] > 0 && is.operations[status.operation] > 0 {
			found = append(found, Drift{Operation: status.operation, Status: status.status, What: driftStatus,
				Old: seen(a), New: seen(b), OldTimes: a, NewTimes: b})
		}
	}
	for _, place := range unionFunc(was.places, is.places, comparePlace) {
		if was.statuses[place.shapeStatus] == 0 || is.statuses[place.shapeStatus] == 0 {
			continue
		}
		a, b := was.places[place], is.places[place]
		if a.kinds() != b.kinds() {
			found = append(found, Drift{
				Operation: place.operation, Status: place.status, What: driftKind(place.place), Place: place.place,
				Old: a.kinds(), New: b.kinds(), OldTimes: a.times(), NewTimes: b.times(),
			})
		}
	}
	slices.SortStableFunc(found, func(a, b Drift) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status))
	})
	return found
}

type shapeStatus struct {
	operation string
	status    int
}

type shapePlace struct {
	shapeStatus
	place string
}

// shapeKinds is how often each kind was observed at one place.
type shapeKinds map[string]int

func (k shapeKinds) kinds() string { return strings.Join(slices.Sorted(maps.Keys(k)), " or ") }

func (k shapeKinds) times() int {
	total := 0
	for _, times := range k {
		total += times
	}
	return total
}

type shapeIndex struct {
	operations map[string]int
	statuses   map[shapeStatus]int
	places     map[shapePlace]shapeKinds
}

func indexShape(entries []reports.ShapeEntry) shapeIndex {
	index := shapeIndex{map[string]int{}, map[shapeStatus]int{}, map[shapePlace]shapeKinds{}}
	for _, entry := range entries {
		status := shapeStatus{entry.Operation, entry.Status}
		times := max(entry.Times, 1)
		// A status was answered at least as often as the place of it that was observed most.
		index.statuses[status] = max(index.statuses[status], times)
		if entry.Place == "" {
			continue
		}
		place := shapePlace{status, entry.Place}
		if index.places[place] == nil {
			index.places[place] = shapeKinds{}
		}
		index.places[place][entry.Kind] += times
	}
	for status, times := range index.statuses {
		index.operations[status.operation] += times
	}
	return index
}

func driftKind(place string) DriftKind {
	switch {
	case strings.HasPrefix(place, "claim "):
		return driftClaim
	case strings.HasPrefix(place, "header "):
		return driftHeader
	}
	return driftField
}

func seen(times int) string {
	if times > 0 {
		return "observed"
	}
	return ""
}

func compareStatus(a, b shapeStatus) int {
	return cmp.Or(strings.Compare(a.operation, b.operation), cmp.Compare(a.status, b.status))
}

func comparePlace(a, b shapePlace) int {
	return cmp.Or(compareStatus(a.shapeStatus, b.shapeStatus), strings.Compare(a.place, b.place))
}

func unionOf[V any](a, b map[string]V) []string { return unionFunc(a, b, strings.Compare) }

// unionFunc lists the keys of both maps once, in order.
func unionFunc[K comparable, V any](a, b map[K]V, order func(K, K) int) []K {
	keys := make([]K, 0, len(a)+len(b))
	for key := range a {
		keys = append(keys, key)
	}
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, order)
	return keys
}

// Sentence says the difference in words.
func (d Drift) Sentence() string {
	subject := d.Operation
	if d.Status != 0 {
		subject += " " + fmt.Sprint(d.Status)
	}
	switch d.What {
	case driftOperation:
		subject = "answers of " + subject
	case driftStatus:
		subject = fmt.Sprintf("status %d of %s", d.Status, d.Operation)
	default:
		subject += ", " + d.Place
	}
	switch {
	case d.Old == "":
		return fmt.Sprintf("%s: only in the second run (%s, %s)", subject, d.New, TimesWord(d.NewTimes))
	case d.New == "":
		return fmt.Sprintf("%s: only in the first run (%s, %s)", subject, d.Old, TimesWord(d.OldTimes))
	}
	return fmt.Sprintf("%s: %s in the first run (%s), %s in the second (%s)", subject, d.Old, TimesWord(d.OldTimes),
		d.New, TimesWord(d.NewTimes))
}

func TimesWord(n int) string {
	if n == 1 {
		return "once"
	}
	return figures.Count(int64(n)) + " times"
}
