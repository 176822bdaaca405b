package steps

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/reports"
	"agstest/steps/talk"
)

// The names of a load's operations in its report.
const (
	loadSignOn      = "signon"
	loadSignOnFirst = "signon-first"
	loadRefresh     = "refresh"
)

// JudgeUnderLoad adds to the report of a conformance run what the load of its gate showed: the requirements that only a
// load can show, and findings where an answer under load breaks a requirement. A requirement that the load could not
// show gets the reason. Options are those of the conformance run.
func JudgeUnderLoad(c *reports.Conformance, l *reports.Load, o Options) {
	r := &run{options: o, known: map[string]KnownDeparture{}, now: c.Run.Start}
	for _, d := range o.Known {
		r.known[d.ID] = d
	}
	shownUnderLoad(c, l)
	failed := r.brokenUnderLoad(c, l)
	order := orderOfCatalogue()
	slices.SortStableFunc(c.Requirements, func(a, b reports.Requirement) int { return order[a.ID] - order[b.ID] })
	c.Counts.Requirements = map[reports.Verdict]int{}
	for _, q := range c.Requirements {
		c.Counts.Requirements[q.Verdict]++
	}
	var problems []string
	if whole := o.Tags == "" && len(o.Only) == 0 && inProfile(o.Profile, "") && c.Run.Partial == "" &&
		l.Run.Partial == "" && !l.ClockWasSet(); whole {
		problems = causesThatAreGone(c, o.Known)
	}
	c.Notes = append(c.Notes, problems...)
	switch verdict, reason := overall(c, len(c.Requirements), problems, len(c.Scenarios)); {
	case len(problems) > 0 && !failed && verdict == reports.Fail && c.Verdict != reports.Fail:
		c.Verdict, c.Reason = verdict, reason
	case verdict == reports.Fail && failed:
		c.Verdict, c.Reason = verdict, reason
	case verdict == reports.Pass && c.Verdict == reports.Pass:
		scope, _, scoped := strings.Cut(c.Reason, notJudged)
		if scoped {
			scope += notJudged
		} else {
			scope = ""
		}
		c.Reason = scope + reason
	}
}

// shownUnderLoad adds the requirements that only a load can show, with the evidence of the load for each.
func shownUnderLoad(c *reports.Conformance, l *reports.Load) {
	for _, requirement := range ags.Requirements {
		look, ok := underLoad[requirement.ID]
		if !ok {
			continue
		}
		row := reports.Requirement{
			ID: requirement.ID, Level: string(requirement.Level), Gating: string(
				requirement.Gating()), Text: requirement.Text, Sources: sourcesOf(requirement),
			Scenario: []string{}, Verdict: reports.NotExercised,
		}
		seen, lacks := "", "the load sent nothing"
		if l.Total != nil && l.Total.Sent > 0 {
			seen, lacks = look(l)
		}
		if row.Reason = "its load cannot tell: " + lacks; seen != "" {
			row.Verdict, row.Reason, row.Checked = reports.Observed, "under load: "+seen, 1
			row.Findings = []reports.Finding{{Requirement: row.ID, Verdict: reports.Observed, Got: row.Reason,
				Exchange: -1, Times: 1}}
		}
		c.Requirements = slices.DeleteFunc(c.Requirements, func(q reports.Requirement) bool { return q.ID == row.ID })
		c.Requirements = append(c.Requirements, row)
	}
}

// causesThatAreGone says of known causes that show nowhere any more.
func causesThatAreGone(c *reports.Conformance, known []KnownDeparture) (problems []string) {
	for _, d := range known {
		has := slices.ContainsFunc(c.Causes, func(cause reports.Cause) bool { return cause.ID == d.ID })
		if isCause(d.ID) && !has {
			problems = append(problems, noSuchCause(d))
		}
	}
	return problems
}

// brokenUnderLoad adds the findings about wrong answers of the load, and tells whether a requirement failed by one.
// Times in tokens that were read by a clock that was wrong break none.
func (r *run) brokenUnderLoad(c *reports.Conformance, l *reports.Load) (failed bool) {
	for _, wrong := range l.KindsOfWrong() {
		if wrong.Kind == "token" && l.ClockWasSet() {
			continue
		}
		if requirement, ok := ags.RequirementByID(wrong.Requirement); ok {
			failed = r.missedUnderLoad(c, requirement, wrong) == reports.Fail || failed
		}
	}
	return failed
}

// missedUnderLoad adds a finding about wrong answers of the load, with a cause of its own, and gives its verdict.
func (r *run) missedUnderLoad(c *reports.Conformance, requirement ags.Requirement,
	wrong reports.Wrong) reports.Verdict {
	expected := map[string]string{
		"identity": "an answer that belongs to the client that asked", "duplicate": "something that nobody else got",
		"shape": "the body that the call gives", "token": "tokens that keep the rules",
	}[wrong.Kind]
	if expected == "" {
		return reports.Observed
	}
	times := int(max(wrong.Times, 1))
	f := talk.Finding{Requirement: requirement.ID, Outcome: check.Broken, Expected: expected, Exchange: -1,
		Got: fmt.Sprintf("under load %s did not, such as: %s", figures.PluralOf(int64(times), "answer", "answers"),
			wrong.Message)}
	f.Cause = causeOf(wrong.Operation+" under load", f.Outcome, expected, wrong.Kind)
	verdict := r.weigh(f)
	at := slices.IndexFunc(c.Requirements, func(q reports.Requirement) bool { return q.ID == requirement.ID })
	if at < 0 {
		at = len(c.Requirements)
		c.Requirements = append(c.Requirements, r.judge(requirement, &dossier{}))
	}
	q := &c.Requirements[at]
	q.Checked++
	q.Findings = append(q.Findings, reports.Finding{Requirement: q.ID, Verdict: verdict, Expected: f.Expected,
		Got: f.Got, Exchange: -1, Times: times, Cause: f.Cause})
	if verdict.Rank() <= q.Verdict.Rank() || q.Verdict == reports.NotExercised || q.Verdict == reports.Skipped {
		q.Verdict, q.Reason, q.Needs = verdict, says(q.Findings[len(q.Findings)-1]), ""
	}
	if verdict.Rank() > reports.Warn.Rank() {
		return verdict
	}
	cause := reports.Cause{ID: f.Cause, Verdict: verdict, Operation: wrong.Operation, Expected: f.Expected, Got: f.Got,
		Requirements: []string{q.ID}, Scenarios: []string{}, Times: times, Exchange: -1}
	if d, ok := r.known[f.Cause]; ok {
		cause.Known = d.report()
	}
	c.Causes = append(c.Causes, cause)
	slices.SortStableFunc(c.Causes, func(a, b reports.Cause) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	return verdict
}

// underLoad looks in a load for evidence of a requirement that no scenario covers: what was seen, or what the load
// lacks to show it.
var underLoad = map[string]func(*reports.Load) (seen, lacks string){
	"ERR-12": func(l *reports.Load) (string, string) {
		var came []string
		for _, status := range []string{"420", "429", "503", "509", "529"} {
			if n := l.Total.Statuses[status]; n > 0 {
				came = append(came, fmt.Sprintf("%s came %s", status, figures.PluralOf(n, "time", "times")))
			}
		}
		if len(came) == 0 {
			return fmt.Sprintf("none of %s was 429 or 503", figures.PluralOf(l.Total.Sent, "answer", "answers")), ""
		}
		text := strings.Join(came,
			", ") + fmt.Sprintf("; %s of these say so to callers that may come again (429, or 503 with Retry-After)",
			figures.Count(l.Total.Outcomes["throttled"]))
		for _, w := range l.KindsOfWrong() {
			if w.Kind == "throttled" {
				return text + ", such as: " + w.Message, ""
			}
		}
		return text, ""
	},
	"LOAD-01": func(l *reports.Load) (string, string) {
		nth, first := sent(l, loadSignOn), sent(l, loadSignOnFirst)
		switch {
		case first > 0:
			return fmt.Sprintf("%s were first-time sign-ons, as was asked: each right one made a device",
				figures.Count(first)), ""
		case nth == 0:
			return "", "no sign-on was in it; take the workload signon, or signon into the mix"
		case right(l, loadSignOn) == 0:
			return "", "no sign-on was right"
		}
		return fmt.Sprintf(
			"%s named the clientId of their clients, and %s were answered with that device, so none was made",
			figures.PluralOf(nth, "sign-on", "sign-ons"),
			figures.Count(right(l, loadSignOn))), ""
	},
	"LOAD-02": func(l *reports.Load) (string, string) {
		n := sent(l, loadSignOn) + sent(l, loadSignOnFirst)
		switch {
		case n == 0:
			return "", "no sign-on was in it; take the workload signon, or signon into the mix"
		case l.Judging == nil:
			return "", "its report does not say where the session tokens came from"
		case l.Judging.Shared:
			return fmt.Sprintf("%s used session tokens more than once, as --reuse-sessions asks",
				figures.PluralOf(n, "sign-on", "sign-ons")), ""
		}
		return fmt.Sprintf("each of %s had a session token of its own", figures.PluralOf(n, "sign-on", "sign-ons")), ""
	},
	"LOAD-03": func(l *reports.Load) (string, string) {
		n, clients := right(l, loadRefresh), int64(l.Plan.Clients)
		switch {
		case sent(l, loadRefresh) == 0:
			return "", "no refresh was in it; take the workload refresh, or refresh into the mix"
		case n == 0:
			return "", "no refresh was right"
		case n <= clients:
			return "", fmt.Sprintf(
				"%s of %s are too few for a second one of any to be sure; let it last longer, or take fewer --clients",
				figures.PluralOf(n, "right refresh", "right refreshes"), figures.PluralOf(clients, "client", "clients"))
		}
		text := fmt.Sprintf("%s of %s: at least %s carried the token that a refresh had given",
			figures.PluralOf(n, "right refresh", "right refreshes"), figures.PluralOf(clients, "client", "clients"),
			figures.Count(n-clients))
		if l.Judging != nil && l.Judging.Broken > 0 {
			text += fmt.Sprintf("; %s broke", figures.PluralOf(l.Judging.Broken, "chain", "chains"))
		}
		return text, ""
	},
	"LOAD-04": func(l *reports.Load) (string, string) {
		var names, texts []string
		for name, o := range l.Operations {
			if o.Sent > 0 {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			o := l.Operations[name]
			times := o.Response
			if times.Count == 0 {
				times = o.Service
			}
			text := fmt.Sprintf("%s %s, %s wrong", name, figures.Rate(o.Rate),
				figures.Share(float64(o.Wrong)/float64(o.Sent)))
			if times.Count > 0 {
				text += fmt.Sprintf(", p50 %s, p99 %s", figures.Milliseconds(times.P50),
					figures.Milliseconds(times.P99))
			}
			texts = append(texts, text)
		}
		return strings.Join(texts, "; "), ""
	},
	"LOAD-05": func(l *reports.Load) (string, string) {
		text := fmt.Sprintf("%s of %s had the wanted status and a right body of the right client",
			figures.Count(l.Total.Right), figures.PluralOf(l.Total.Right+l.Total.Wrong, "answer", "answers"))
		var kinds []string
		for kind, n := range l.Total.Outcomes {
			kinds = append(kinds, fmt.Sprintf("%s %s", kind, figures.Count(n)))
		}
		if slices.Sort(kinds); len(kinds) > 0 {
			text += "; wrong: " + strings.Join(kinds, ", ")
		}
		return text, ""
	},
	"LOAD-06": func(l *reports.Load) (string, string) {
		switch {
		case l.Judging == nil:
			return "", "its report does not say how many answers were judged by all rules"
		case l.Judging.AllRules == 0:
			return "", "no answer came that holds tokens"
		case l.ClockWasSet():
			return "", "the clock of the generator was set while it ran, so that the times in tokens say nothing"
		}
		broke := int64(0)
		for _, o := range l.Operations {
			broke += o.Outcomes["token"]
		}
		return fmt.Sprintf(
			"all rules of tokens were checked on %s (the first of each call, then one of %d), of which %s broke one",
			figures.PluralOf(l.Judging.AllRules, "answer", "answers"), l.Judging.Every, figures.Count(broke)), ""
	},
	"LOAD-07": func(l *reports.Load) (string, string) {
		p := l.Plan.Population
		if p == nil {
			return "", "its rate was given and does not follow from clients and lifetimes; say --population and " +
				"--access-lifetime"
		}
		o := l.Operations[loadRefresh]
		if o == nil || o.Sent == 0 {
			return "", "it was too short for a refresh; let it last longer"
		}
		wanted := float64(p.Clients) * p.Peak / p.AccessLifetime
		text := fmt.Sprintf("%s with access tokens of %s s refresh %s times a second",
			figures.PluralOf(int64(p.Clients), "client", "clients"), fourDigits(p.AccessLifetime), fourDigits(wanted))
		if p.Peak != 1 {
			text += fmt.Sprintf(" at %s times the steady rate", fourDigits(p.Peak))
		}
		chance := 4 * math.Sqrt(wanted*l.Plan.Seconds) // arrivals are a Poisson process
		due := float64(o.Asked)
		text += fmt.Sprintf("; %s were due in %s s", figures.Count(o.Asked), fourDigits(l.Plan.Seconds))
		if math.Abs(due-wanted*l.Plan.Seconds) > chance+1 {
			text += ", which is further away than chance explains"
		}
		return text, ""
	},
}

// fourDigits shows a number in four digits.
func fourDigits(x float64) string { return fmt.Sprintf("%.4g", x) }

func sent(l *reports.Load, operation string) int64 {
	if o := l.Operations[operation]; o != nil {
		return o.Sent
	}
	return 0
}

func right(l *reports.Load, operation string) int64 {
	if o := l.Operations[operation]; o != nil {
		return o.Right
	}
	return 0
}
