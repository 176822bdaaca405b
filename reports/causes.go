package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
)

// Sentence describes a cause in one line.
func (c Cause) Sentence() string {
	said := FindingSentence(Finding{Verdict: c.Verdict, Expected: c.Expected, Got: c.Got})
	if c.Operation != "" {
		said = c.Operation + ": " + said
	}
	return c.Tries.said(c.Verdict, said)
}

// Breaks says how many requirements a cause breaks and what came of them, and names at most the given number by id.
func (c *Conformance) Breaks(of Cause, most int) string {
	return c.Broken(of) + ": " + FirstIDs(of.Requirements, most)
}

// Broken says how many requirements a cause breaks, and what came of them.
func (c *Conformance) Broken(of Cause) string {
	verdicts := make([]Verdict, len(of.Requirements))
	for i, id := range of.Requirements {
		verdicts[i] = of.Verdict
		for _, requirement := range c.Requirements {
			if requirement.ID == id {
				verdicts[i] = requirement.Verdict
			}
		}
	}
	return BrokenInWords(verdicts)
}

// FirstIDs returns at most the given number of ids in one line, and how many follow.
func FirstIDs(ids []string, most int) string {
	return figures.Some(ids, most, " ")
}

// ExpiredKnown are sentences about the known departures that would have excused a cause, and whose date is past.
func (c *Conformance) ExpiredKnown(of Cause) []string {
	today := c.Run.Start.UTC().Format(time.DateOnly)
	var said []string
	add := func(id string, known *KnownDeparture) {
		if known != nil && known.Expires < today && of.Verdict == Fail {
			said = append(said,
				fmt.Sprintf("%s is a known departure (%s) that has expired on %s: mend it, or give it another date", id,
					known.Owner, known.Expires))
		}
	}
	add(of.ID, of.Known)
	for _, requirement := range c.Requirements {
		if slices.Contains(of.Requirements, requirement.ID) && of.Known == nil {
			add(requirement.ID, requirement.Known)
		}
	}
	return said
}

// Evidence finds the exchange that shows a cause, and the scenario it belongs to; either may be nil.
func (c *Conformance) Evidence(of Cause) (*Scenario, *Exchange) {
	for i := range c.Scenarios {
		s := &c.Scenarios[i]
		if s.ID != of.Scenario {
			continue
		}
		if of.Exchange >= 0 && of.Exchange < len(s.Transcript) {
			return s, &s.Transcript[of.Exchange]
		}
		return s, nil
	}
	return nil, nil
}

// CausesOf are the causes of these verdicts, those that need attention first.
func (c *Conformance) CausesOf(wanted ...Verdict) []Cause {
	var found []Cause
	for _, cause := range c.Causes {
		if slices.Contains(wanted, cause.Verdict) {
			found = append(found, cause)
		}
	}
	slices.SortStableFunc(found, func(a, b Cause) int { return cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()) })
	return found
}

// WithoutCause selects the requirements of a verdict that no cause stands for, so that they need an entry of their own:
// a known departure that does not depart any more.
func (c *Conformance) WithoutCause(wanted ...Verdict) []Requirement {
	caused := map[string]bool{}
	for _, cause := range c.Causes {
		if cause.Verdict == Known {
			continue
		}
		for _, id := range cause.Requirements {
			caused[id] = true
		}
	}
	var found []Requirement
	for _, requirement := range OfVerdict(c.Requirements, wanted...) {
		if !caused[requirement.ID] {
			found = append(found, requirement)
		}
	}
	return found
}

// Correlation returns the correlation id of a request or, if it had none, that of its answer.
func (x Exchange) Correlation() string {
	for _, header := range [][][2]string{x.RequestHeader, x.ResponseHeader} {
		for _, line := range header {
			if strings.EqualFold(line[0], "x-correlation-id") {
				return line[1]
			}
		}
	}
	return ""
}

// Brief describes an exchange in one line: the request, the answer, and the id by which a log of the service knows it.
func (x Exchange) Brief() string {
	text := x.Method + " " + x.URL + ", answered "
	if x.Status != 0 {
		text += fmt.Sprint(x.Status)
	} else {
		text = x.Method + " " + x.URL + ", " + cmp.Or(x.Error, "no answer")
	}
	if id := x.Correlation(); id != "" {
		text += ", x-correlation-id " + id
	}
	if x.Tampered != "" {
		text += "; sent on purpose: " + x.Tampered
	}
	if x.Resent || x.Repeated {
		text += "; sent once more, on a fresh connection"
	}
	return text
}

// Text returns the text of a requirement; empty if it is not in the report.
func (c *Conformance) Text(id string) string {
	for _, requirement := range c.Requirements {
		if requirement.ID == id {
			return requirement.Text
		}
	}
	return ""
}
