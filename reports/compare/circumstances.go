package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// circumstances says what differs between two runs besides their questions: in which order they were made, of which
// service they speak, and by which limits they were judged. That may be what the user is after, and may be a mistake.
func circumstances(old, new reports.Parts) (notes []string) {
	a, b := old.Run(), new.Run()
	if !b.Start.IsZero() && a.Start.After(b.Start) {
		notes = append(notes, "The first run began after the second one. If the older one is to come first, name them the "+
			"other way round: what is told as worse here is better then.")
	}
	var differ []string
	for _, of := range [][3]string{{"environment", a.Environment, b.Environment}, {"host", a.Host(), b.Host()},
		{"tenant", a.Tenant, b.Tenant}, {"service", a.Service, b.Service}, {"built-in mock", mockOf(a), mockOf(b)}} {
		if of[1] != of[2] && of[1] != "" && of[2] != "" {
			differ = append(differ, fmt.Sprintf("%s: %s and %s", of[0], of[1], of[2]))
		}
	}
	if len(differ) > 0 {
		notes = append(notes, "The two runs are not of the same service, so that what differs may be no change of it: "+
			strings.Join(differ, "; ")+".")
	}
	if old.Load != nil && new.Load != nil {
		if was, is := limitsOf(old.Load), limitsOf(new.Load); !slices.Equal(was, is) {
			notes = append(notes, fmt.Sprintf("The two load runs had other limits, so that their verdicts say different "+
				"things: %s and %s.", cmp.Or(strings.Join(was, ", "), "none"), cmp.Or(strings.Join(is, ", "), "none")))
		}
	}
	if old.Load != nil && new.Load != nil && old.Load.Capacity != nil && new.Load.Capacity != nil {
		notes = append(notes, fmt.Sprintf("The searches for the capacity ended at %s in the first run and %s in the second.",
			rateOf(old.Load.Capacity), rateOf(new.Load.Capacity)))
	}
	return notes
}

func rateOf(c *reports.Capacity) string {
	text := figures.Rate(c.Rate)
	if c.LowerBound {
		return "at least " + text
	}
	return text
}

// mockOf says how the built-in mock was set up, if the service was one.
func mockOf(r reports.Run) string {
	if r.Mock == nil {
		return "none"
	}
	names := append(slices.Clone(r.Mock.Choices), r.Mock.Faults...)
	slices.Sort(names)
	return cmp.Or(strings.Join(names, ", "), "as it comes")
}

func limitsOf(l *reports.Load) (expressions []string) {
	for _, limit := range l.Limits {
		expressions = append(expressions, limit.Expression)
	}
	slices.Sort(expressions)
	return expressions
}
