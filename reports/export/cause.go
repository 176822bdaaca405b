package export

import (
	"cmp"
	"slices"
	"strings"

	"agstest/reports"
)

// cause is one thing that is wrong, with all that it breaks.
type cause struct {
	said         string // what was expected, and what came
	verdict      reports.Verdict
	requirements []string
	scenarios    []string
	times        int
}

// causesOf groups the findings that are not calm by what was expected and what came, those found most often first.
func causesOf(c *reports.Conformance) []cause {
	if c == nil {
		return nil
	}
	at := map[string]int{}
	var causes []cause
	for _, s := range c.Scenarios {
		for _, f := range s.Findings {
			if !f.Verdict.Blocks() && f.Verdict != reports.Warn && f.Verdict != reports.Known || f.Verdict == reports.NotExercised {
				continue
			}
			said := strings.Join(strings.Fields(strings.Trim("expected "+f.Expected+", got "+f.Got, " ,")), " ")
			i, known := at[said]
			if !known {
				i = len(causes)
				at[said] = i
				causes = append(causes, cause{said: said, verdict: f.Verdict})
			}
			k := &causes[i]
			k.times += max(f.Times, 1)
			if !slices.Contains(k.requirements, f.Requirement) {
				k.requirements = append(k.requirements, f.Requirement)
			}
			if !slices.Contains(k.scenarios, s.ID) {
				k.scenarios = append(k.scenarios, s.ID)
			}
		}
	}
	slices.SortStableFunc(causes, func(a, b cause) int { return cmp.Compare(b.times, a.times) })
	return causes
}
