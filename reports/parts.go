package reports

import (
	"cmp"
	"strings"
)

// The names of the files that hold the results of a run; all other files in a run's folder are rendered from them.
const (
	ConformanceFile = "conformance.json"
	LoadFile        = "load.json"
	ComparisonFile  = "comparison.json"
)

// Parts are the results of a run: of the contract, under load, or both as a gate.
type Parts struct {
	Folder      string // where they were read from
	Conformance *Conformance
	Load        *Load
}

// Run is the question that the run asked: of its load part where it has one, else of its conformance part.
func (p Parts) Run() Run {
	switch {
	case p.Load != nil && p.Conformance != nil:
		// A gate: it starts with its first part and ends with its last.
		run := p.Load.Run
		run.Kind = "gate"
		if first := p.Conformance.Run; !first.Start.IsZero() && first.Start.Before(run.Start) {
			run.Start = first.Start
		}
		run.Partial = cmp.Or(run.Partial, p.Conformance.Run.Partial)
		return run
	case p.Load != nil:
		return p.Load.Run
	case p.Conformance != nil:
		return p.Conformance.Run
	}
	return Run{}
}

// Reason is why the verdict is what it is: of a gate the reasons of both parts, that of the worse one first.
func (p Parts) Reason() string {
	switch {
	case p.Load == nil && p.Conformance == nil:
		return ""
	case p.Load == nil:
		return p.Conformance.Reason
	case p.Conformance == nil:
		return p.Load.Reason
	}
	conformance, load := "conformance: "+p.Conformance.Reason, "load: "+p.Load.Reason
	if p.LoadFirst() {
		conformance, load = load, conformance
	}
	return strings.TrimSuffix(conformance, ".") + "; " + load
}

// LoadFirst tells that the load of a gate is what is to be read first: it is worse than the conformance.
func (p Parts) LoadFirst() bool {
	return p.Load != nil && p.Conformance != nil && p.Load.Verdict.Rank() < p.Conformance.Verdict.Rank()
}

// Verdict is the worse one of its parts.
func (p Parts) Verdict() Verdict {
	var verdict Verdict
	if p.Conformance != nil {
		verdict = p.Conformance.Verdict
	}
	if p.Load != nil {
		verdict = Graver(verdict, p.Load.Verdict)
	}
	return verdict
}
