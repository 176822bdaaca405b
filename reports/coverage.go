package reports

import (
	"strings"

	"agstest/internal/figures"
)

// CoverageLacks returns what coverage asks for and was not judged; none if coverage is kept or nothing was asked for.
func (c *Conformance) CoverageLacks() []CoverageLack {
	if c.Coverage == nil || c.Coverage.Kept {
		return nil
	}
	return c.Coverage.Lacks
}

// About names what was not judged in a few words.
func (l CoverageLack) About() string {
	if l.Situation != "" {
		return "situations." + l.Situation
	}
	return figures.Plural(int64(len(l.Requirements)), "requirement")
}

// Advice says why a requirement was not judged and what to write.
func (l CoverageLack) Advice() string {
	said := l.Why
	if l.Write != "" {
		said += "; write: " + l.Write
	}
	if len(l.Requirements) > 0 {
		said += " (" + strings.Join(l.Requirements, " ") + ")"
	}
	return said
}
