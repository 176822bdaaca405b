package reports

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// verdicts are all of them, those that need attention first.
var verdicts = []Verdict{Fail, Regressed, Error, Invalid, NotComparable, Inconclusive, Warn, NotExercised, Known, Skipped, Partly, Observed, Improved, Pass}

// verdictWords are how a verdict is said to people.
var verdictWords = map[Verdict]string{
	Pass: "pass", Partly: "holds in part", Fail: "fail", Warn: "warning", Observed: "observed", Skipped: "skipped", Error: "could not tell",
	Known: "known", NotExercised: "not exercised", Inconclusive: "inconclusive", Invalid: "not valid",
	Regressed: "regressed", Improved: "improved", NotComparable: "not comparable",
}

// Word is how the verdict is said to people. A verdict of a later version is shown as it is written.
func (v Verdict) Word() string {
	if word, ok := verdictWords[v]; ok {
		return word
	}
	if v == "" {
		return "no verdict"
	}
	return string(v)
}

// rank sorts verdicts, those that need attention first. Unknown ones come before all that is known: they may matter.
func (v Verdict) rank() int { return slices.Index(verdicts, v) }

// class is the verdict as a CSS class and as the name of its mark.
func (v Verdict) class() string {
	if v.rank() < 0 {
		return string(Inconclusive)
	}
	return string(v)
}

// blocks tells whether a run of this verdict must not go on: everything that is not plainly good.
func (v Verdict) blocks() bool {
	switch v {
	case Pass, Partly, Warn, Observed, Known, Skipped, Improved:
		return false
	}
	return true
}

// byAttention returns the requirements with those that need attention first, in catalogue order within one verdict.
func byAttention(requirements []Requirement) []Requirement {
	sorted := slices.Clone(requirements)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Verdict.rank() < sorted[j].Verdict.rank() })
	return sorted
}

// ofVerdict selects requirements.
func ofVerdict(requirements []Requirement, wanted ...Verdict) []Requirement {
	var found []Requirement
	for _, requirement := range requirements {
		if slices.Contains(wanted, requirement.Verdict) {
			found = append(found, requirement)
		}
	}
	return found
}

// lacking is one thing that the environment file would need, and the requirements that could then be checked.
type lacking struct {
	Needs        string
	Requirements []string
}

// lackings groups the skipped requirements by what they need, that which would allow most first.
func lackings(requirements []Requirement) []lacking {
	var groups []lacking
	at := map[string]int{}
	for _, requirement := range ofVerdict(requirements, Skipped) {
		needs := requirement.Needs
		if needs == "" {
			needs = requirement.Reason
		}
		if needs == "" {
			needs = "no reason was recorded"
		}
		i, seen := at[needs]
		if !seen {
			i = len(groups)
			at[needs] = i
			groups = append(groups, lacking{Needs: needs})
		}
		groups[i].Requirements = append(groups[i].Requirements, requirement.ID)
	}
	sort.SliceStable(groups, func(i, j int) bool { return len(groups[i].Requirements) > len(groups[j].Requirements) })
	return groups
}

// operationNames lists the operations of a load run: the known ones in the order of a client's life, then others by name.
func (l *Load) operationNames() []string {
	life := []string{"discover", "mint", "signon", "refresh", "signout"}
	names := make([]string, 0, len(l.Operations))
	for name := range l.Operations {
		names = append(names, name)
	}
	place := func(name string) int {
		if i := slices.Index(life, name); i >= 0 {
			return i
		}
		return len(life)
	}
	sort.Slice(names, func(i, j int) bool {
		if a, b := place(names[i]), place(names[j]); a != b {
			return a < b
		}
		return names[i] < names[j]
	})
	return names
}

// limitsOf are the limits that speak of one operation ("refresh.p99<300ms"); of the name "" those that speak of the whole run.
func (l *Load) limitsOf(operation string) []Limit {
	var found []Limit
	for _, limit := range l.Limits {
		if l.limitSubject(limit) == operation {
			found = append(found, limit)
		}
	}
	return found
}

// limitSubject is the operation that a limit names, or "".
func (l *Load) limitSubject(limit Limit) string {
	subject, _, dotted := strings.Cut(strings.TrimSpace(limit.Expression), ".")
	if _, ok := l.Operations[subject]; dotted && ok {
		return subject
	}
	return ""
}

// worst is the verdict of several limits; none is "".
func worst(limits []Limit) Verdict {
	var found Verdict
	for i, limit := range limits {
		if i == 0 || limit.Verdict.rank() < found.rank() {
			found = limit.Verdict
		}
	}
	return found
}

// took is how long the run was, never negative.
func (r Run) took() time.Duration { return max(r.End.Sub(r.Start), 0) }

// target names what was asked in a few words: the environment, and that it is our own mock where it is.
func (r Run) target() string {
	name := r.Environment
	if name == "" {
		name = r.URL
	}
	if r.Mock != nil {
		if name == "" || name == "mock" {
			return "the built-in mock"
		}
		return name + " (the built-in mock)"
	}
	if name == "" {
		return "an unnamed environment"
	}
	return name
}
