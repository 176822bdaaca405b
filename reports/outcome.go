package reports

// Outcome is what readers make of a verdict that know no more than red and green.
type Outcome string

// The outcomes.
const (
	OutcomePassed  Outcome = "passed"
	OutcomeFailed  Outcome = "failed"  // the service broke a rule
	OutcomeBroken  Outcome = "broken"  // it could not be told
	OutcomeSkipped Outcome = "skipped" // it does not count; the reason says why
)

// Red tells whether readers show it as something that is wrong.
func (o Outcome) Red() bool { return o == OutcomeFailed || o == OutcomeBroken }

// Outcome is that of a part of a run: a step, a scenario, a cause, a requirement or a limit.
func (v Verdict) Outcome() Outcome {
	switch v {
	case Pass, Partly, Warn, Observed, Improved:
		return OutcomePassed
	case Fail, Regressed:
		return OutcomeFailed
	case Skipped, Known, NotExercised, Inconclusive, NotComparable:
		return OutcomeSkipped
	}
	return OutcomeBroken // also what is not known here: never green by oversight
}

// Outcome is that of a verdict on the run as a whole. It is red exactly where the command ends with another exit code
// than 0: a run that was ended, or that judged nothing, is not green.
func (r Run) Outcome(v Verdict) Outcome {
	switch part := v.Outcome(); {
	case part == OutcomeFailed, v == Known && r.Partial == "":
		return part
	case r.Partial != "", part == OutcomeSkipped:
		return OutcomeBroken
	default:
		return part
	}
}

// Strict tells whether warnings were to fail.
func (r Run) Strict() bool { return r.Settings["strictness"] == "strict" }

// Within is the outcome of a part in the light of its run: where the run is not red, nothing in it is.
func (o Outcome) Within(run Outcome) Outcome {
	if o.Red() && !run.Red() {
		return OutcomeSkipped
	}
	return o
}

// FailWarnings makes a failure of the verdict on a load that only warns, as --strict asks for. Every file that is made
// of the load then tells the same.
func (l *Load) FailWarnings() {
	if l.Verdict == Warn {
		l.Verdict, l.Reason = Fail, l.Reason+"; warnings fail (--strict)"
	}
}
