package steps

import (
	"agstest/ags"
	"agstest/internal/check"
	"agstest/reports"
	"agstest/steps/talk"
)

// weigh turns a rule's finding into a verdict. This is the only place where levels, soft parts, the strictness of the
// run and known departures matter.
func (r *run) weigh(f talk.Finding) reports.Verdict {
	if f.Skipped {
		return reports.Skipped
	}
	requirement, _ := ags.RequirementByID(f.Requirement)
	if f.Outcome == check.Held {
		return reports.Pass
	}
	if f.Outcome == check.Observed || requirement.Gating() == ags.Never {
		return reports.Observed
	}
	_, known := r.knownCause(f.Cause)
	if f.Outcome == check.Unknown {
		if known {
			return reports.Known
		}
		return reports.Error
	}
	warns := f.Outcome == check.Soft || requirement.Gating() == ags.Warns
	switch r.options.Strictness {
	case Strict:
		warns = warns && requirement.Ground == ags.Open // a probe never fails
	case Lenient:
		warns = warns || requirement.Level != ags.Documented && requirement.Ground != ags.Security
	}
	if warns {
		return reports.Warn
	}
	if d, ok := r.known[f.Requirement]; known || ok && !d.expired(r.now) {
		return reports.Known
	}
	return reports.Fail
}

// stepVerdict is the verdict of a step that said something of the scenario's requirements. A scenario without any
// judges for itself.
func (r *run) stepVerdict(p *play, about string, outcome check.Outcome, expected, got string) reports.Verdict {
	s := p.scenario
	said := []talk.Finding{{Outcome: outcome, Expected: expected, Got: got, Exchange: len(p.world.Exchanges) - 1}}
	blame(said, p.world.Exchanges)
	f := said[0]
	if about != "" {
		f.Requirement = about
		return r.weigh(f)
	}
	if len(s.Requirements) == 0 {
		switch outcome {
		case check.Broken:
			return reports.Fail
		case check.Soft:
			if r.options.Strictness == Strict {
				return reports.Fail
			}
			return reports.Warn
		case check.Unknown:
			return reports.Error
		}
		return reports.Observed
	}
	verdict := reports.Pass
	for _, id := range s.Requirements {
		f.Requirement = id
		verdict = reports.Graver(verdict, r.weigh(f))
	}
	return verdict
}

func isRequirement(id string) bool {
	_, ok := ags.RequirementByID(id)
	return ok
}
