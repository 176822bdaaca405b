package steps

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/environment"
	"agstest/internal/figures"
	"agstest/reports"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// cover compares a run with the coverage asked for; nil if none was. A run that was narrowed (tags, requirements, a
// profile) is compared with what it asked for: the share counts its requirements only, and situations that none of its
// scenarios needs do not count.
func (r *run) cover(report *reports.Conformance, entries []entry) *reports.Coverage {
	asked := cmp.Or(r.options.Coverage, r.Environment.Coverage)
	if asked == environment.NoCoverage {
		return nil
	}
	wanted, err := asked.Wanted()
	if err != nil || wanted.Percent == 0 && len(wanted.Situations) == 0 {
		return nil // a wrong one was refused before the run
	}
	c := &reports.Coverage{Asked: string(asked)}
	var silent []reports.Requirement
	for _, q := range report.Requirements {
		if q.Level != string(ags.Documented) || !r.selection.asked[q.ID] {
			continue
		}
		if q.Verdict == reports.Skipped && q.Needs == "" && strings.HasPrefix(q.Reason, script.AbsentLead) {
			continue // nobody asks for a situation that does not exist
		}
		c.Documented++
		if isJudged(q) {
			c.Judged++
		} else {
			silent = append(silent, q)
		}
	}
	if wanted.Percent > 0 && float64(c.Judged)*100 < wanted.Percent*float64(c.Documented) {
		c.Lacks = lackingFromShare(silent)
	}
	shareKept := len(c.Lacks) == 0
	for _, name := range wanted.Situations {
		if lack, ok := r.unjudged(name, entries); ok {
			c.Lacks = append(c.Lacks, lack)
		}
	}
	c.Kept = shareKept && len(c.Lacks) == 0
	return c
}

// isJudged: its rule was evaluated, and it could be told what came of it.
func isJudged(q reports.Requirement) bool {
	return q.Checked > 0 && !slices.Contains([]reports.Verdict{reports.Error, reports.Skipped, reports.NotExercised},
		q.Verdict)
}

// lackingFromShare groups the requirements that were not judged by what they lack, the most helpful first.
func lackingFromShare(silent []reports.Requirement) []reports.CoverageLack {
	var lacks []reports.CoverageLack
	for _, q := range silent {
		why := q.Reason
		if q.Verdict == reports.Skipped && q.Needs != "" {
			why = "the environment lacks what it takes"
		}
		i := slices.IndexFunc(lacks, func(l reports.CoverageLack) bool { return l.Why == why && l.Write == q.Needs })
		if i < 0 {
			i = len(lacks)
			lacks = append(lacks, reports.CoverageLack{Why: why, Write: q.Needs})
		}
		lacks[i].Requirements = append(lacks[i].Requirements, q.ID)
	}
	slices.SortStableFunc(lacks,
		func(a, b reports.CoverageLack) int { return len(b.Requirements) - len(a.Requirements) })
	return lacks
}

// unjudged returns why a situation was not judged, and false if it was: by at least one scenario that stands on it and
// could tell, of a situation that does something.
func (r *run) unjudged(name string, entries []entry) (reports.CoverageLack, bool) {
	lack := reports.CoverageLack{Situation: name}
	used := false
	for _, e := range entries {
		if !slices.Contains(e.situations, name) {
			continue
		}
		used = true
		if !slices.Contains(r.Idle, name) && e.tells(r) {
			return lack, false
		}
		if lack.Why == "" {
			lack.Why = e.record.Reason
		}
		for _, id := range e.scenario.Requirements {
			if !slices.Contains(lack.Requirements, id) {
				lack.Requirements = append(lack.Requirements, id)
			}
		}
	}
	ability := abilityOf(r.Environment, name)
	switch {
	case !used && r.isNarrowed():
		return lack, false
	case slices.Contains(r.Idle, name):
		lack.Why = "the service answers what it answers to made-up values, so it does nothing"
		lack.Write = "values that the service knows, in the form of " + ability.Example
	case !ability.Offered && r.Control == nil:
		lack.Why, lack.Write = "the environment file does not give it whole", ability.Example
	case !used && r.options.Calm != "":
		lack.Why, lack.Write = "the environment is protected, and what it takes is more than a calm client sends",
			r.options.Calm
	case !used:
		lack.Why = "no scenario of this run stood on it"
	case lack.Why == "":
		lack.Why = "no scenario that stands on it could tell"
	}
	return lack, true
}

// tells: the scenario came to an end that says something about its requirements.
func (e entry) tells(r *run) bool {
	if e.cut || slices.Contains([]reports.Verdict{reports.Error, reports.Skipped, reports.NotExercised},
		e.record.Verdict) {
		return false
	}
	return slices.ContainsFunc(e.findings, func(f talk.Finding) bool {
		return !f.Skipped && f.Outcome != check.Unknown && slices.Contains(e.scenario.Requirements, f.Requirement)
	})
}

func abilityOf(e *environment.Environment, name string) environment.Ability {
	for _, a := range e.Abilities() {
		if a.Name == name {
			return a
		}
	}
	return environment.Ability{Name: name, Example: "situations." + name}
}

// isNarrowed: the run asks for a part of the contract.
func (r *run) isNarrowed() bool {
	return r.selection.narrowed || r.options.Profile != "" && r.options.Profile != "full"
}

// notEnough sets verdict and reason of a run that judged less than it had to. A failure stays, since it is certain, and
// so do a run that was ended and one that could judge nothing at all.
func (r *run) notEnough(report *reports.Conformance, exercised int) {
	said := short(report.Coverage)
	switch {
	case report.Verdict == reports.Pass:
		report.Verdict, report.Reason = reports.NotEnough, said+"; of what was judged, "+report.Reason
	case report.Verdict == reports.Error && report.Run.Partial == "" && exercised > 0:
		report.Verdict, report.Reason = reports.NotEnough, said+"; "+report.Reason
	default:
		report.Reason += "; and not enough was checked: " + said
	}
}

// short is the sentence of a run that judged less than it had to.
func short(c *reports.Coverage) string {
	said := fmt.Sprintf("%d of %s judged", c.Judged, figures.Plural(c.Documented, "documented requirement"))
	if c.Documented > 0 {
		said += fmt.Sprintf(" (%s %%)", strconv.FormatFloat(float64(1000*c.Judged/c.Documented)/10, 'f', -1, 64))
	}
	said += ", and coverage asks for " + c.Asked
	var names []string
	for _, l := range c.Lacks {
		if l.Situation != "" {
			names = append(names, l.Situation)
		}
	}
	if len(names) > 0 {
		said += "; not judged: " + some(names)
	}
	for _, l := range c.Lacks {
		if l.Write == "" {
			continue
		}
		said += "; write: " + l.Write
		if n := len(l.Requirements); n > 0 {
			said += " (for " + figures.Plural(n, "requirement") + ")"
		}
		break
	}
	return said
}
