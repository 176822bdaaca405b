package compare

import (
	"cmp"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// Sides returns the names of the two things compared.
func (c *Comparison) Sides() (old, new string) {
	switch {
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return "One side", "Other side"
	case c.Method == SideBySide:
		return "Old build", "New build"
	case c.Method == WithHistory:
		return "Earlier runs", "This run"
	}
	return "First run", "Second run"
}

// NewInside is the name of the new side as it stands inside a sentence: "the second run".
func (c *Comparison) NewInside() string {
	if c.Method == WithHistory {
		return "this run"
	}
	_, name := c.Sides()
	return "the " + strings.ToLower(name)
}

func (c *Comparison) Title() string {
	name := func(r *reports.Run) string {
		if r == nil {
			return "earlier runs"
		}
		return cmp.Or(r.Environment, r.Target())
	}
	switch {
	case c.Method == WithHistory:
		return "Run on " + name(c.New) + " against earlier runs"
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return name(c.Old) + " against itself"
	case c.Method == SideBySide && name(c.Old) == name(c.New):
		return "Old and new build on " + name(c.Old)
	case name(c.Old) == name(c.New):
		return "Two runs on " + name(c.Old)
	}
	return name(c.New) + " against " + name(c.Old)
}

var DirectionWords = map[Direction]string{
	Broke: "Broke", NewlySeen: "Fails, and the first run could not tell", Lost: "Not judged any more",
	Worse:   "A miss that does not fail the run",
	Differs: "The same, for another reason", Mended: "Mended", Gained: "Judged now, not before",
	Better: "A miss is gone, or weighs less",
}

func (e Evidence) Summary() string {
	if e.Reason != "" {
		return figures.OneLine(e.Reason, 300)
	}
	for _, finding := range e.Findings {
		finding.Requirement = ""
		return figures.OneLine(reports.FindingSentence(finding), 300)
	}
	return ""
}
