package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/reports"
)

// requirements makes the rows: every requirement that a run of any environment lists, in the order of the first run
// that has it.
func (m *Matrix) requirements(columns []Column) {
	index := map[string]int{}
	for _, column := range columns {
		conformance := column.conformance()
		if conformance == nil {
			continue
		}
		for _, r := range conformance.Requirements {
			if _, known := index[r.ID]; !known {
				index[r.ID] = len(m.Requirements)
				m.Requirements = append(m.Requirements, Requirement{ID: r.ID, Level: r.Level, Text: r.Text,
					Cells: make([]Cell, len(columns))})
			}
		}
	}
	for i, column := range columns {
		conformance, link, against := column.evidence()
		if conformance == nil {
			continue
		}
		earlier := map[string]reports.Requirement{}
		if against != nil {
			for _, r := range against.Requirements {
				earlier[r.ID] = r
			}
		}
		for _, r := range conformance.Requirements {
			cell := Cell{Verdict: r.Verdict, Reason: why(r)}
			if link != "" {
				cell.Link = link + "#r-" + r.ID
			}
			if r.Tries.Sometimes() {
				cell.Sometimes = r.Tries.Words(r.Verdict)
			}
			if against != nil {
				was := earlier[r.ID]
				cell.Was = was.Verdict
				cell.Change = changed(was.Itself(), r.Itself())
				if conformance.Mended(against, &was, &r) {
					cell.Change = mended
				}
			}
			m.Requirements[index[r.ID]].Cells[i] = cell
		}
	}
	for i := range m.Requirements {
		m.Requirements[i].Differs = differs(m.Requirements[i].Cells)
	}
}

// evidence returns the conformance run of an environment, its page, and the earlier run; nil if there is none.
func (c Column) evidence() (run *reports.Conformance, page string, against *reports.Conformance) {
	for _, part := range c.Parts {
		if part.Run == nil || part.Run.Conformance == nil {
			continue
		}
		link := ""
		if part.Folder != "" {
			link = part.Folder + "/conformance.html"
		}
		if part.Against == nil {
			return part.Run.Conformance, link, nil
		}
		return part.Run.Conformance, link, part.Against.Conformance
	}
	return nil, "", nil
}

// changesInWords says what changed since the earlier runs, and what fails now and then; empty: nothing.
func (m *Matrix) changesInWords() []string {
	changes, sometimes := map[Change]int{}, 0
	for _, r := range m.Requirements {
		for _, cell := range r.Cells {
			changes[cell.Change]++
			if cell.Sometimes != "" {
				sometimes++
			}
		}
	}
	var said []string
	for _, change := range []Change{newFailure, mended, newlyCovered, noLongerCovered} {
		if n := changes[change]; n > 0 {
			words := fmt.Sprint(n, " ", changeTexts[change])
			if change == newFailure && n > 1 {
				words += "s"
			}
			said = append(said, words)
		}
	}
	if sometimes > 0 {
		said = append(said,
			fmt.Sprint(sometimes, map[bool]string{true: " fails sometimes", false: " fail sometimes"}[sometimes == 1]))
	}
	return said
}

// since is the same in a sentence; empty: there is nothing to say.
func (m *Matrix) since() string {
	said := strings.Join(m.changesInWords(), ", ")
	if said == "" {
		return ""
	}
	if m.Against != "" {
		return "Since " + m.Against + ": " + said + "."
	}
	return said + "."
}

// why returns the text of a cell beyond its verdict.
func why(r reports.Requirement) string {
	switch {
	case len(r.Findings) > 0 && r.Findings[0].Expected != "":
		return "expected " + r.Findings[0].Expected + ", got " + r.Findings[0].Got
	case r.Reason != "":
		return r.Reason
	}
	return r.Needs
}

// changed compares what two runs found in one requirement in one environment; what was mended is told elsewhere.
func changed(was, is reports.Verdict) Change {
	switch {
	case is == reports.Fail && was != reports.Fail && was != "":
		return newFailure
	case !judged(was) && judged(is):
		return newlyCovered
	case judged(was) && !judged(is):
		return noLongerCovered
	}
	return ""
}

// differs tells that the environments that looked at a requirement did not find the same. One that did not look differs
// from those that did only where one of them missed it.
func differs(cells []Cell) bool {
	var found reports.Verdict
	for _, cell := range cells {
		if !judged(cell.Verdict) {
			continue
		}
		if found != "" && cell.Verdict != found {
			return true
		}
		found = cell.Verdict
	}
	return false
}

// Broken says how many requirements a cause breaks, and what came of them where it was found, the worst of each.
func (m *Matrix) Broken(cause Cause) string {
	verdicts := make([]reports.Verdict, len(cause.Requirements))
	for i, id := range cause.Requirements {
		for _, requirement := range m.Requirements {
			if requirement.ID != id {
				continue
			}
			for column, cell := range requirement.Cells {
				if slices.Contains(cause.Environments, m.Environments[column].Name) {
					verdicts[i] = reports.Graver(verdicts[i], cell.Verdict)
				}
			}
		}
	}
	return reports.BrokenInWords(verdicts)
}

// causes gathers what was missed. A cause of two environments is one, and it breaks here what it breaks in their own
// reports. Where a run names no cause, findings with the same expectation and the same answer are one.
func (m *Matrix) causes(columns []Column) {
	type key struct {
		verdict           reports.Verdict
		id, expected, got string
	}
	index := map[key]int{}
	add := func(environment, link string, k key, found Cause) {
		i, known := index[k]
		if !known {
			i = len(m.Causes)
			index[k] = i
			if link != "" {
				found.Link = link + "#r-" + found.Requirements[0]
			}
			m.Causes = append(m.Causes, found)
		}
		cause := &m.Causes[i]
		for _, id := range found.Requirements {
			if !slices.Contains(cause.Requirements, id) {
				cause.Requirements = append(cause.Requirements, id)
			}
		}
		if !slices.Contains(cause.Environments, environment) {
			cause.Environments = append(cause.Environments, environment)
		}
	}
	for _, column := range columns {
		conformance, link, _ := column.evidence()
		if conformance == nil {
			continue
		}
		caused := map[string]bool{}
		for _, c := range conformance.CausesOf(reports.Fail, reports.Error) {
			if len(c.Requirements) == 0 {
				continue
			}
			for _, id := range c.Requirements {
				caused[id] = true
			}
			add(column.Name, link, key{verdict: c.Verdict, id: c.ID},
				Cause{ID: c.ID, Verdict: c.Verdict, Operation: c.Operation, Expected: c.Expected, Got: c.Got,
					Requirements: slices.Clone(c.Requirements)})
		}
		for _, r := range reports.OfVerdict(conformance.Requirements, reports.Fail, reports.Error) {
			if caused[r.ID] {
				continue
			}
			k := key{verdict: r.Verdict, got: r.Reason}
			if len(r.Findings) > 0 {
				k.expected, k.got = r.Findings[0].Expected, r.Findings[0].Got
			}
			add(column.Name, link, k, Cause{Verdict: k.verdict, Expected: k.expected, Got: k.got,
				Requirements: []string{r.ID}})
		}
	}
	slices.SortStableFunc(m.Causes, func(a, b Cause) int {
		return cmp.Or(a.Verdict.Rank()-b.Verdict.Rank(), len(b.Environments)-len(a.Environments),
			len(b.Requirements)-len(a.Requirements))
	})
}
