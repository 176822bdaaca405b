package steps

import (
	"agstest/ags"
	"agstest/internal/check"
	"agstest/reports"
)

// catalogue finds a requirement by its id.
var catalogue = func() map[string]ags.Requirement {
	m := map[string]ags.Requirement{}
	for _, r := range ags.Requirements {
		m[r.ID] = r
	}
	return m
}()

// weigh turns what a rule said into a verdict. This is the only place where levels, soft parts, the strictness of the run and known
// departures matter.
func (r *run) weigh(f finding) reports.Verdict {
	if f.skipped {
		return reports.Skipped
	}
	requirement := catalogue[f.requirement]
	if f.outcome == check.Held {
		return reports.Pass
	}
	if f.outcome == check.Observed || requirement.Gating() == ags.Never {
		return reports.Observed
	}
	_, known := r.knownCause(f.cause)
	if f.outcome == check.Unknown {
		if known {
			return reports.Known
		}
		return reports.Error
	}
	warns := f.outcome == check.Soft || requirement.Gating() == ags.Warns
	switch r.options.Strictness {
	case Strict:
		warns = warns && requirement.Ground == ags.Open // a probe never fails
	case Lenient:
		warns = warns || requirement.Level != ags.Documented && requirement.Ground != ags.Security
	}
	if warns {
		return reports.Warn
	}
	if d, ok := r.known[f.requirement]; known || ok && !d.expired(r.now) {
		return reports.Known
	}
	return reports.Fail
}

// stepVerdict is the verdict of a step that said something of the scenario's requirements. A scenario without any judges for itself.
func (r *run) stepVerdict(p *play, about string, outcome check.Outcome, expected, got string) reports.Verdict {
	s := p.scenario
	said := []finding{{outcome: outcome, expected: expected, got: got, exchange: len(p.world.exchanges) - 1}}
	blame(said, p.world.exchanges)
	f := said[0]
	if about != "" {
		f.requirement = about
		return r.weigh(f)
	}
	if len(s.requirements) == 0 {
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
	for _, id := range s.requirements {
		f.requirement = id
		verdict = reports.Graver(verdict, r.weigh(f))
	}
	return verdict
}
