package tally

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/reports"
)

// unforgiven counts the wrong answers that nothing in a run excuses, by operation and kind. A limit excuses only the
// answers it was decided for: a limit on errors those of its operation (of all operations if it names none, but for an
// operation of which nothing was right, or less than the half and less than it allows), a limit on throttled answers
// those of its operation that ask to come again later. In a storm, answers that ask to come again later are expected.
// Whether a limit is kept is judged elsewhere: a limit that is broken or not decided reports that itself.
func unforgiven(r *reports.Load) map[string]map[string]int64 {
	operations := r.Operations
	if len(operations) == 0 && r.Total != nil {
		operations = map[string]*reports.Operation{"": r.Total}
	}
	left := map[string]map[string]int64{}
	for name, o := range operations {
		for kind, n := range o.Outcomes {
			if n > 0 && !forgiven(r, name, kind) {
				if left[name] == nil {
					left[name] = map[string]int64{}
				}
				left[name][kind] += n
			}
		}
	}
	return left
}

// forgiven tells whether a limit of the run was decided for wrong answers of a kind to an operation, or the storm is.
func forgiven(r *reports.Load, operation, kind string) bool {
	return r.Storm != nil && kind == hit.KindThrottled || decider(r, operation, kind) != nil
}

// decider returns the limit that decided about wrong answers of a kind to an operation, the gravest of several; nil if
// there is none. A limit that names no operation and is not broken did not decide about one of which nothing was right,
// nor about one of which most was wrong and more than it allows of all.
func decider(r *reports.Load, operation, kind string) *reports.Limit {
	var found *reports.Limit
	o := r.Operations[operation]
	nothingRight := o != nil && r.NothingRight(o)
	mostlyWrong := o != nil && mostlyWrong(r, o)
	for i := range r.Limits {
		l, err := limit.Parse(r.Limits[i].Expression)
		if err != nil || l.Operation != "" && l.Operation != operation || !l.Allows(kind) {
			continue
		}
		if l.Operation == "" && r.Limits[i].Verdict != reports.Fail &&
			(nothingRight || mostlyWrong && !l.Keeps(shareOf(l, o))) {
			continue
		}
		if found == nil || r.Limits[i].Verdict.Rank() < found.Verdict.Rank() {
			found = &r.Limits[i]
		}
	}
	return found
}

// mostlyWrong tells that more than the half of the answers to an operation were wrong, of so many that this is no
// chance (twice the standard deviation of a fair coin). If the run ended early, right ones may have come later.
func mostlyWrong(r *reports.Load, o *reports.Operation) bool {
	return r.Run.Partial == "" && float64(o.Wrong-o.Right) > 2*math.Sqrt(float64(o.Wrong+o.Right))
}

// shareOf is the share of the answers to an operation that a limit counts.
func shareOf(l limit.Limit, o *reports.Operation) float64 {
	counted := int64(0)
	for kind, n := range o.Outcomes {
		if l.Allows(kind) {
			counted += n
		}
	}
	return float64(counted) / float64(max(o.Sent, 1))
}

// judgeKinds sets what each kind of wrong answer did to the run. The verdict of the run must be known.
func judgeKinds(r *reports.Load) {
	for i := range r.WrongKinds {
		k := &r.WrongKinds[i]
		limit := decider(r, k.Operation, k.Kind)
		switch {
		case r.Verdict == reports.Fail && slices.Contains(correctness, k.Kind):
			k.Verdict = reports.Fail
		case r.Verdict == reports.Invalid:
			k.Verdict = r.Verdict
		case wholeIsMissing(r) && forgiven(r, k.Operation, k.Kind): // its limits are neither kept nor broken
			k.Verdict = reports.Inconclusive
		case limit != nil && limit.Verdict != reports.Pass:
			k.Verdict, k.Limit = limit.Verdict, limit.Expression
		case limit != nil:
			k.Verdict, k.Limit = reports.Warn, limit.Expression
		case forgiven(r, k.Operation, k.Kind):
			k.Verdict = reports.Warn
		default:
			k.Verdict = reports.Fail
		}
	}
}

// unforgivenInWords says which wrong answers no limit allows, and how one would be written; empty: all are allowed.
func unforgivenInWords(r *reports.Load) string {
	left := unforgiven(r)
	if len(left) == 0 {
		return ""
	}
	total, judged, ofAll := int64(0), false, false
	for i := range r.Limits {
		if l, err := limit.Parse(r.Limits[i].Expression); err == nil && l.OfShare() {
			judged, ofAll = true, ofAll || l.Operation == ""
		}
	}
	var parts, none, most []string
	all := map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		sum := int64(0)
		for kind, n := range left[name] {
			total, sum = total+n, sum+n
			all[kind] += n
		}
		if name != "" {
			o := r.Operations[name]
			parts = append(parts, fmt.Sprintf("%s %s of %s", name, figures.Count(sum), figures.Count(o.Right+o.Wrong)))
			switch {
			case ofAll && r.NothingRight(o):
				none = append(none, name)
			case ofAll && mostlyWrong(r, o):
				most = append(most, name)
			}
		}
	}
	words := fmt.Sprintf("%s of %s answers %s wrong (%s)", figures.Count(total),
		figures.Count(r.Total.Right+r.Total.Wrong), figures.Verb(total, "was", "were"), kindsInWords(all))
	switch {
	case !judged && r.Storm != nil:
		return words + "; of a storm only answers that ask to come again later are allowed, and no limit allows others, " +
			"such as errors<0.1%"
	case !judged:
		return words + " and no limit allows any, such as errors<0.1%"
	case len(none) > 0:
		return fmt.Sprintf("%s and no limit allows them: %s; not one answer to %s was right, which a limit that names no "+
			"operation does not allow",
			words, list(parts), list(none))
	case len(most) > 0:
		return fmt.Sprintf("%s and no limit allows them: %s; most answers to %s were wrong, which a limit that names no "+
			"operation does not allow",
			words, list(parts), list(most))
	}
	return fmt.Sprintf("%s and no limit speaks of them: %s; a limit on errors allows those of its own operation alone",
		words, list(parts))
}
