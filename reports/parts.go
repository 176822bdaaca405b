package reports

import "cmp"

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

// Verdict is the worse one of its partp.
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
