package reports

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
)

// Verdicts are all of them, the gravest first. This is the one order: reports sort by it, and of several verdicts that
// meet in a step, a scenario, a requirement, a run, a comparison or a plan the first in it counts (Worse). A rule that
// broke stays broken also where the load figures cannot be compared; a known departure is graver than a warning, since
// it broke a rule that gates.
var Verdicts = []Verdict{
	Fail, Regressed, Error, NotEnough, Invalid, NotComparable, Inconclusive, Known, Warn, Skipped, NotExercised, Partly,
	Observed, Improved,
	Pass,
}

// Graver returns the graver of two verdicts; "" stands for none.
func Graver(a, b Verdict) Verdict {
	if a == "" || b != "" && b.Rank() < a.Rank() {
		return b
	}
	return a
}

// verdictWords are how a verdict is said to people.
var verdictWords = map[Verdict]string{
	Pass: "pass", Partly: "holds in part", Fail: "fail", Warn: "warning", Observed: "observed", Skipped: "skipped",
	Error: "could not tell",
	Known: "known", NotExercised: "not exercised", NotEnough: "not enough checked", Inconclusive: "inconclusive",
	Invalid:   "not valid",
	Regressed: "regressed", Improved: "improved", NotComparable: "not comparable",
}

// Word returns the verdict in words for people. It shows a verdict of a later version as it is written.
func (v Verdict) Word() string {
	if word, ok := verdictWords[v]; ok {
		return word
	}
	if v == "" {
		return "no verdict"
	}
	return string(v)
}

// Rank sorts verdicts, those that need attention first. Unknown ones come before all that is known: they may matter.
func (v Verdict) Rank() int { return slices.Index(Verdicts, v) }

// StyleName is the verdict as a CSS class and as the name of its mark.
func (v Verdict) StyleName() string {
	if v.Rank() < 0 {
		return string(Inconclusive)
	}
	return string(v)
}

// Blocks tells whether a run of this verdict must not go on: everything that is not plainly good.
func (v Verdict) Blocks() bool {
	switch v {
	case Pass, Partly, Warn, Observed, Known, Skipped, Improved:
		return false
	}
	return true
}

// ByAttention returns the requirements with those that need attention first, in catalogue order within one verdict.
func ByAttention(requirements []Requirement) []Requirement {
	sorted := slices.Clone(requirements)
	slices.SortStableFunc(sorted, func(a, b Requirement) int { return cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()) })
	return sorted
}

// OfVerdict selects requirements.
func OfVerdict(requirements []Requirement, wanted ...Verdict) []Requirement {
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

// Lackings groups the skipped requirements by what they need, the most helpful first.
func Lackings(requirements []Requirement) []lacking {
	var groups []lacking
	at := map[string]int{}
	for _, requirement := range OfVerdict(requirements, Skipped) {
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
	slices.SortStableFunc(groups, func(a, b lacking) int { return cmp.Compare(len(b.Requirements), len(a.Requirements)) })
	return groups
}

// OperationNames lists the operations of a load run: the known ones in the order of a client's life, then others by
// name.
func (l *Load) OperationNames() []string {
	life := []string{"discover", "mint", "signon", "refresh", "signout"}
	names := slices.Sorted(maps.Keys(l.Operations))
	place := func(name string) int {
		if i := slices.Index(life, name); i >= 0 {
			return i
		}
		return len(life)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	return names
}

// LimitsOf are the limits that speak of one operation ("refresh.p99<300ms"); of the name "" those that speak of the
// whole run.
func (l *Load) LimitsOf(operation string) []Limit {
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

// Worst returns the verdict of several limits; "" if there are none.
func Worst(limits []Limit) Verdict {
	var found Verdict
	for _, limit := range limits {
		found = Graver(found, limit.Verdict)
	}
	return found
}

// Took is how long the run was, never negative.
func (r Run) Took() time.Duration { return max(r.End.Sub(r.Start), 0) }

// Target names what was asked in a few words: the environment, and that it is our own mock where it is.
func (r Run) Target() string {
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

func RequirementCounts(requirements []Requirement) map[Verdict]int {
	counts := map[Verdict]int{}
	for _, requirement := range requirements {
		counts[requirement.Verdict]++
	}
	return counts
}

func ScenarioCounts(scenarios []Scenario) map[Verdict]int {
	counts := map[Verdict]int{}
	for _, scenario := range scenarios {
		counts[scenario.Verdict]++
	}
	return counts
}

// CountsInWords returns counts in words, such as "92: 88 pass, 2 fail, 2 skipped".
func CountsInWords(counts map[Verdict]int) string {
	parts, all := countsByVerdict(counts), 0
	for _, n := range counts {
		all += n
	}
	if len(parts) == 0 {
		return "none"
	}
	return figures.Count(int64(all)) + ": " + strings.Join(parts, ", ")
}

// BrokenInWords returns how many requirements a cause breaks, by the verdict of each, and what came of them where that
// is not one thing: "9 requirements", or "9 requirements (5 fail, 4 warning)".
func BrokenInWords(verdicts []Verdict) string {
	counts := map[Verdict]int{}
	for _, verdict := range verdicts {
		counts[verdict]++
	}
	said := figures.Plural(len(verdicts), "requirement")
	if len(counts) > 1 {
		said += " (" + strings.Join(countsByVerdict(counts), ", ") + ")"
	}
	return said
}

// countsByVerdict returns each count with its verdict, such as "88 pass".
func countsByVerdict(counts map[Verdict]int) (parts []string) {
	order := []Verdict{Pass, Partly} // what holds comes first here: it is most, or should be
	order = append(order, slices.DeleteFunc(slices.Clone(Verdicts), func(v Verdict) bool {
		return v == Pass ||
			v == Partly
	})...)
	for _, verdict := range order {
		if n := counts[verdict]; n > 0 {
			parts = append(parts, figures.Count(int64(n))+" "+verdict.Word())
		}
	}
	return parts
}

// Whole returns the figures of all operations together; if a run has no total but one operation, the figures of that
// one.
func (l *Load) Whole() *Operation {
	if l.Total != nil {
		return l.Total
	}
	if names := l.OperationNames(); len(names) == 1 {
		return l.Operations[names[0]]
	}
	return &Operation{}
}

// moreThanChance is how many wrong answers without a right one are no chance.
const moreThanChance = 3

// NothingRight tells that not one answer to an operation was right, of so many that this is no chance, or of all that a
// run had. If the run ended early, or a shard of it is missing, a right one may have come later, or elsewhere.
func (l *Load) NothingRight(o *Operation) bool {
	return o.Right == 0 && o.Wrong > 0 && l.Run.Partial == "" && (o.Wrong >= moreThanChance || l.Whole().Right == 0)
}

// VerdictOf is the verdict on an operation, of the name "" on all together, as far as anything was judged: its limits,
// its wrong answers, and whether it had a right answer at all.
func (l *Load) VerdictOf(name string, o *Operation) (Verdict, string) {
	var wrong Verdict
	for i := range l.WrongKinds {
		k := &l.WrongKinds[i]
		// the limit that allows an answer judges it
		if of := name == "" || k.Operation == name; of && k.Verdict != Warn {
			wrong = Graver(wrong, k.Verdict)
		}
	}
	switch {
	case o.Sent == 0:
		return NotExercised, "nothing was sent"
	case l.NothingRight(o):
		return Fail, "no right answer"
	case wrong == Fail:
		return Fail, ""
	case !l.Valid:
		return Invalid, ""
	}
	verdict := Graver(Worst(l.LimitsOf(name)), wrong)
	switch {
	case o.Right == 0 && l.Run.Partial == "":
		return Graver(verdict, Warn), "no right answer"
	case o.Right == 0:
		return Graver(verdict, Inconclusive), "no right answer"
	case verdict != "":
		return verdict, ""
	}
	return "", "no limit set"
}
