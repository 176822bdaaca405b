package steps

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/reports"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// keptFindings bounds the findings of one requirement in the report; the rest is counted.
const keptFindings = 8

// dossier is the findings of a run about one requirement.
type dossier struct {
	findings  []reports.Finding
	dropped   int
	scenarios []string // that are tagged with it and ran
	skips     []talk.Finding
	held      int
	came      []string // which of several right answers came where it held
	checked   int
}

func (r *run) dossiers(entries []entry) map[string]*dossier {
	all := map[string]*dossier{}
	for _, requirement := range ags.Requirements {
		all[requirement.ID] = &dossier{}
	}
	for _, e := range entries {
		for _, id := range e.scenario.Requirements {
			all[id].scenarios = append(all[id].scenarios, e.scenario.ID)
		}
		if e.cut {
			continue
		}
		for _, f := range e.findings {
			t := all[f.Requirement]
			if t == nil {
				continue
			}
			switch {
			case f.Skipped:
				t.skips = append(t.skips, f)
			case f.Outcome == check.Held:
				t.held++
				t.checked++
				if f.Noted && f.Got != "" {
					t.came = append(t.came, r.Secrets.Text(f.Got))
				}
			default:
				t.checked++
				before := len(t.findings)
				t.findings = appendFinding(t.findings, r.report(f, e.record.ID))
				if len(t.findings) > before && len(t.findings) > keptFindings && !worseThanKept(t.findings) {
					t.findings = t.findings[:keptFindings]
					t.dropped++
				}
			}
		}
	}
	return all
}

// worseThanKept makes room for a last finding that is worse than one of those before.
func worseThanKept(list []reports.Finding) bool {
	last := len(list) - 1
	for i := last - 1; i >= 0; i-- {
		if list[i].Verdict.Rank() > list[last].Verdict.Rank() {
			list[i], list[last] = list[last], list[i]
			return false // the milder one is the last now and falls off
		}
	}
	return false
}

// reasonsFor says by its findings why a requirement has a verdict.
func reasonsFor(verdict reports.Verdict, findings []reports.Finding) (reasons []string) {
	switch verdict {
	case reports.Observed:
		for _, f := range findings {
			reasons = append(reasons, says(f))
		}
		if len(reasons) == 0 {
			reasons = append(reasons, "holds")
		}
	case reports.Pass, reports.Partly, reports.NotExercised, reports.Skipped:
	default:
		for _, f := range findings {
			if f.Verdict == verdict {
				return []string{says(f)}
			}
		}
	}
	return reasons
}

// judge weighs everything that was found about one requirement.
func (r *run) judge(requirement ags.Requirement, t *dossier) reports.Requirement {
	result := reports.Requirement{
		ID: requirement.ID, Level: string(requirement.Level), Gating: string(requirement.Gating()),
		Text:    requirement.Text,
		Sources: sourcesOf(requirement), Scenario: t.scenarios, Findings: t.findings, Checked: t.checked,
		Verdict: reports.NotExercised,
	}
	if result.Scenario == nil {
		result.Scenario = []string{}
	}
	verdict := reports.Pass
	for _, f := range t.findings {
		verdict = reports.Graver(verdict, f.Verdict)
	}
	switch {
	case t.checked > 0:
		result.Verdict = verdict
		if requirement.Gating() == ags.Never && verdict == reports.Pass {
			result.Verdict = reports.Observed
		}
		if result.Verdict == reports.Pass && len(t.skips) > 0 {
			result.Verdict = reports.Partly
		}
	case len(t.skips) > 0:
		result.Verdict = reports.Skipped
	default:
		result.Reason = "no scenario of this run touched it"
	}
	reasons, needs := reasonsFor(result.Verdict, t.findings), []string(nil)
	if result.Verdict == reports.Pass && len(t.came) > 0 {
		reasons = []string{"holds: " + strings.Join(script.Unique(t.came), " and ") + " came"}
	}
	skipped := map[string]bool{}
	for _, s := range t.skips {
		if s.Needs != "" {
			needs = append(needs, s.Needs)
		}
		if !skipped[s.Got] {
			skipped[s.Got] = true
			if result.Verdict == reports.Skipped {
				reasons = append(reasons, s.Got)
			} else {
				reasons = append(reasons, "in part not checked: "+s.Got)
			}
		}
	}
	if len(reasons) > 0 {
		result.Reason = strings.Join(script.Unique(reasons), "; ")
	}
	result.Needs = strings.Join(script.Unique(needs), "; ")
	if d, ok := r.known[requirement.ID]; ok {
		r.applyKnown(&result, d)
	} else if result.Verdict == reports.Known {
		r.applyKnownCause(&result)
	}
	return result
}

// applyKnown holds a verdict against the list of known departures.
func (r *run) applyKnown(result *reports.Requirement, d KnownDeparture) {
	result.Known = d.report()
	switch {
	case result.Verdict == reports.Known:
		result.Reason = "known: " + d.Reason + " (" + d.Owner + ", until " + d.Expires + "); " + result.Reason
	case result.Verdict == reports.Fail && d.expired(r.now):
		result.Reason = "the known departure (" + d.Owner + ") has expired on " + d.Expires + "; " + result.Reason
	case result.Verdict == reports.Pass, result.Verdict == reports.Partly, result.Verdict == reports.Observed:
		was := result.Verdict
		result.Verdict = reports.Fail
		result.Reason = fmt.Sprintf(
			"it is listed as a known departure (%s), but it does not fail any more (%s): take it off the list", d.Owner,
			was.Word())
	case d.expired(r.now):
		result.Verdict = reports.Fail
		result.Reason = "the known departure (" + d.Owner + ") has expired on " + d.Expires +
			" and nothing was found out about it: " + result.Reason
	}
}

// applyKnownCause says which known cause a requirement is known for.
func (r *run) applyKnownCause(result *reports.Requirement) {
	for _, f := range result.Findings {
		if d, ok := r.knownCause(f.Cause); ok {
			result.Known = d.report()
			result.Reason = "known cause " + f.Cause + ": " + d.Reason + " (" + d.Owner + ", until " + d.Expires + "); " +
				result.Reason
			return
		}
	}
}

func sourcesOf(requirement ags.Requirement) []reports.Source {
	var list []reports.Source
	for key := range strings.FieldsSeq(requirement.Sources) {
		for _, page := range ags.Pages {
			if page.Key == key {
				list = append(list, reports.Source{Key: key, Title: page.Title, Where: page.Where})
			}
		}
	}
	return list
}

// notJudged stands in the reason of a run behind how much of the contract it judged.
const notJudged = "the others were not judged: "

// conclude makes the report of a run.
func (r *run) conclude(partial string) *reports.Conformance {
	r.doubtLimiter()
	r.doubtFickle()
	r.doubtStrangers()
	entries := r.sorted()
	report := &reports.Conformance{
		Schema: reports.ConformanceSchema, Run: r.question, Scenarios: []reports.Scenario{},
		Requirements: []reports.Requirement{},
		Counts:       reports.Counts{Requirements: map[reports.Verdict]int{}, Scenarios: map[reports.Verdict]int{}},
	}
	report.Run.Partial = partial
	report.Profile.Name = cmp.Or(r.options.Profile, "full")
	exercised, besides := r.judgeAll(report, entries)
	for _, e := range entries {
		report.Scenarios = append(report.Scenarios, e.record)
		report.Counts.Scenarios[e.record.Verdict]++
		report.Counts.Exchanges += len(e.exchanges) + e.dropped
	}
	if report.Counts.Scenarios[reports.Skipped] == len(entries) {
		exercised = 0 // what was judged on the way is not what was asked for
	}
	if partial != "" {
		report.Scenarios = r.withMissing(report.Scenarios)
		report.Counts.Scenarios[reports.NotExercised] += len(report.Scenarios) - len(entries)
	}
	report.Counts.Exchanges += int(r.Besides.Load())
	report.Notes = append(r.Notes, r.noteWaits(entries, report.Counts.Exchanges)...)
	report.Notes = append(report.Notes, r.noteResent(report)...)
	report.Notes = append(report.Notes, noteCaches(entries)...)
	report.Notes = append(report.Notes, noteBarred(entries)...)
	report.Notes = append(report.Notes, noteMissing(entries)...)
	report.Notes = append(report.Notes, r.noteIdle()...)
	report.Notes = append(report.Notes, r.noteTokens()...)
	report.Notes = append(report.Notes, r.noteUncalled()...)
	report.Shape = shapeOf(entries)
	report.Causes = r.causes(entries)
	problems := r.unmatchedKnown(report)
	report.Notes = append(report.Notes, problems...)
	report.Verdict, report.Reason = overall(report, exercised, problems, len(r.selection.scenarios))
	if report.Coverage = r.cover(report, entries); report.Coverage != nil && !report.Coverage.Kept {
		r.notEnough(report, exercised)
		return report
	}
	if report.Verdict == reports.Pass && besides > 0 {
		report.Reason += fmt.Sprintf("; %d of these were not asked for, and judged on the way", besides)
	}
	p := report.Profile
	told := report.Coverage != nil && 2*p.Exercised >= p.Asked // somebody has said how much is enough
	if report.Verdict == reports.Pass && !r.selection.narrowed && p.Exercised < p.Asked && !told {
		report.Reason = fmt.Sprintf("on %d of %d requirements (%d %%), %s%s", p.Exercised, p.Asked,
			100*p.Exercised/p.Asked, notJudged, report.Reason)
	}
	return report
}

// judgeAll judges every requirement that was asked for, and those that were judged on the way. It counts the
// requirements that were exercised, and those in the report that were not asked for.
func (r *run) judgeAll(report *reports.Conformance, entries []entry) (exercised, besides int) {
	all := r.dossiers(entries)
	for _, requirement := range ags.Requirements {
		t := all[requirement.ID]
		asked := r.selection.asked[requirement.ID]
		if _, only := exempt[requirement.ID]; t.checked == 0 && (only || !asked) {
			continue
		}
		result := r.judge(requirement, t)
		tellTries(&result, entries)
		report.Requirements = append(report.Requirements, result)
		report.Counts.Requirements[result.Verdict]++
		evaluated := result.Checked > 0
		if evaluated {
			exercised++
		}
		if !asked {
			besides++
		}
		if _, isExempt := exempt[requirement.ID]; asked && !isExempt && inProfile(report.Profile.Name, requirement.ID) {
			report.Profile.Asked++
			if evaluated {
				report.Profile.Exercised++
			}
		}
	}
	return exercised, besides
}

// noteIdle names the situations that do nothing.
func (r *run) noteIdle() []string {
	if len(r.Idle) == 0 {
		return nil
	}
	slices.Sort(r.Idle)
	return []string{"the service answers what it answers to made-up values, so these situations of the environment file " +
		"may do nothing: " + strings.Join(r.Idle, ", ")}
}

// noteTokens names the session tokens of the environment file that were refused at their first use and let nobody in.
func (r *run) noteTokens() (notes []string) {
	for _, situation := range slices.Sorted(maps.Keys(r.AtFirst)) {
		if r.TimesWorked(r.Environment.Situations[situation].SessionToken) == 0 {
			notes = append(notes,
				fmt.Sprintf("the sessionToken of situations.%s was refused at its first use (%d) and let nobody in during this "+
					"run: it may have expired or be used up; "+
					"give a fresh one, or operator, so that fresh ones are minted", situation, r.AtFirst[situation]))
		}
	}
	return notes
}

// unmatchedKnown finds entries of the list of known departures that this run could not hold against anything.
func (r *run) unmatchedKnown(report *reports.Conformance) []string {
	var problems []string
	found := map[string]reports.Verdict{}
	for _, q := range report.Requirements {
		found[q.ID] = q.Verdict
	}
	causes := map[string]bool{}
	for _, c := range report.Causes {
		causes[c.ID] = true
	}
	for _, d := range r.options.Known {
		verdict, ok := found[d.ID]
		switch {
		case isCause(d.ID):
			if !causes[d.ID] && !r.options.LoadFollows && !r.selection.narrowed && inProfile(r.options.Profile, "") &&
				report.Run.Partial == "" {
				problems = append(problems, noSuchCause(d))
			}
		case !isRequirement(d.ID):
			problems = append(problems,
				fmt.Sprintf("the known departure %s matches no requirement of the catalogue: correct or remove it",
					d.ID))
		case !r.selection.asked[d.ID]:
		case !ok, verdict == reports.Skipped, verdict == reports.NotExercised:
			problems = append(problems, fmt.Sprintf("the known departure %s matches nothing: this run did not check it",
				d.ID))
		}
	}
	return problems
}

// noSuchCause says that a known cause is no more.
func noSuchCause(d KnownDeparture) string {
	return fmt.Sprintf("%s is listed as a known cause (%s), but nothing has it any more: take it off the list", d.ID,
		d.Owner)
}

// overall is the verdict of the run, with its reason.
func overall(report *reports.Conformance, exercised int, problems []string, total int) (reports.Verdict, string) {
	counts := report.Counts.Requirements
	var failed, dark []string
	for _, q := range report.Requirements {
		switch q.Verdict {
		case reports.Fail:
			failed = append(failed, q.ID)
		case reports.Error:
			dark = append(dark, q.ID)
		}
	}
	var failedScenarios, darkScenarios int
	for _, s := range report.Scenarios {
		if len(s.Requirements) == 0 && s.Verdict == reports.Fail {
			failedScenarios++
		}
		if s.Verdict == reports.Error && len(s.Requirements) == 0 {
			darkScenarios++
		}
	}
	ran := len(report.Scenarios) - report.Counts.Scenarios[reports.NotExercised]
	switch {
	case len(failed) > 0:
		return reports.Fail, figures.Plural(len(failed), "requirement") + " failed: " + some(failed)
	case failedScenarios > 0:
		return reports.Fail, figures.Plural(failedScenarios, "scenario") + " without a requirement failed"
	case len(problems) > 0:
		return reports.Fail, problems[0]
	case report.Run.Partial != "":
		return reports.Error, fmt.Sprintf("the run was ended after %d of %d scenarios: %s", ran, total,
			report.Run.Partial)
	case len(dark) > 0:
		return reports.Error, "it could not be told whether " + figures.Plural(len(dark),
			"requirement") + figures.Verb(len(dark), " holds", " hold") + ": " + some(dark)
	case darkScenarios > 0:
		return reports.Error, figures.Plural(darkScenarios, "scenario") + " without a requirement could not be judged"
	case exercised == 0:
		return reports.Error, "nothing was exercised: every scenario was skipped"
	}
	reason := figures.Plural(counts[reports.Pass], "requirement") + figures.Verb(counts[reports.Pass], " holds", " hold")
	for _, more := range []struct {
		verdict   reports.Verdict
		one, many string
	}{
		{reports.Partly, "holds in part", "hold in part"},
		{reports.Warn, "warns", "warn"},
		{reports.Known, "is a known departure", "are known departures"},
		{reports.Observed, "was observed", "were observed"},
		{reports.Skipped, "was skipped", "were skipped"},
		{reports.NotExercised, "was not exercised", "were not exercised"},
	} {
		if n := counts[more.verdict]; n > 0 {
			reason += fmt.Sprintf(", %d %s", n, figures.Verb(n, more.one, more.many))
		}
	}
	return reports.Pass, reason
}

// some names a few of many.
func some(ids []string) string { return figures.Some(ids, 10, ", ") }

// noteResent counts and reports the requests that were sent once more.
func (r *run) noteResent(report *reports.Conformance) (notes []string) {
	resent, repeated := r.Client.SentAgain()
	for _, sent := range []struct {
		by    map[string]int
		total *int
		how   string
	}{
		{resent, &report.Counts.Resent, "%s resent (%s): the service, or a gateway, had closed the kept connection and provably never had the whole request; each was sent once more on a fresh connection"},
		{repeated, &report.Counts.Repeated, "%s repeated (%s): the service, or a gateway, closed the kept connection without an answer; a GET may be sent once more on a fresh connection, whether the first arrived or not"},
	} {
		var parts []string
		for operation, n := range sent.by {
			*sent.total += n
			parts = append(parts, fmt.Sprintf("%d of %s", n, cmp.Or(operation, "other calls")))
		}
		if len(parts) > 0 {
			slices.Sort(parts)
			notes = append(notes, fmt.Sprintf(sent.how, figures.Plural(*sent.total, "request"),
				strings.Join(parts, ", ")))
		}
	}
	return notes
}

// noteWaits reports answers 429, 503 and their like that were waited out, and of how many requests got one that tells
// of no limit.
func (r *run) noteWaits(entries []entry, sent int) []string {
	times, operations, unlimited := map[int]int{}, map[int]map[string]bool{}, 0
	note := func(x *talk.Exchange) {
		for _, a := range x.Attempts {
			if !wire.TooMany(a.Status) && !a.InWords {
				continue // an outage, which has a note of its own
			}
			times[a.Status]++
			if !a.Limited {
				unlimited++
			}
			if operations[a.Status] == nil {
				operations[a.Status] = map[string]bool{}
			}
			operations[a.Status][x.Call.Operation] = true
		}
	}
	for _, e := range entries {
		for _, x := range slices.Concat(e.exchanges, e.others) {
			note(x)
		}
	}
	for _, x := range r.Waited {
		note(x)
	}
	var notes []string
	var statuses []int
	for status := range times {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		var names []string
		for name := range operations[status] {
			if name != "" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		notes = append(notes, fmt.Sprintf("%s %d came and %s waited out (%s)", figures.Plural(times[status], "answer"),
			status, map[bool]string{true: "was", false: "were"}[times[status] == 1], strings.Join(names, ", ")))
	}
	if unlimited > 0 {
		notes = append(notes,
			fmt.Sprintf("503 came as the first answer to 1 in %d requests, and nothing in it tells of a limit on the rate; "+
				"sent again, they were answered (ERR-08)", max(1, sent/unlimited)))
	}
	for _, note := range []string{r.OutageNote(), r.LimiterNote(), r.NodeNote(), r.Client.AddressNote()} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	if spacing := r.Client.Spacing(); spacing > 0 {
		notes = append(notes,
			fmt.Sprintf("so many answers said that there were too many requests that these were sent %s apart; load.maxRate "+
				"in the environment file slows a run down from its start", spacing))
	}
	return notes
}
