package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"agstest/internal/disarm"
	"agstest/internal/figures"
)

// textShown is how many failing requirements, wrong answers and so on the summary on a terminal lists.
const textShown = 10

// Text writes the summary that a person reads on a terminal; either run may be nil. With color, verdicts carry ANSI colours; the words
// are the same without.
func Text(w io.Writer, c *Conformance, l *Load, color bool) error {
	t := &textWriter{w: bufio.NewWriter(w), color: color}
	if c != nil {
		t.conformance(c)
	}
	if l != nil {
		if c != nil {
			t.line("")
		}
		t.load(l)
	}
	if t.err == nil {
		t.err = t.w.Flush()
	}
	if t.err != nil {
		return fmt.Errorf("writing the summary: %w", t.err)
	}
	return nil
}

type textWriter struct {
	w     *bufio.Writer
	color bool
	err   error
}

func (t *textWriter) line(format string, values ...any) {
	if t.err != nil {
		return
	}
	text := fmt.Sprintf(format, values...)
	_, t.err = t.w.WriteString(strings.TrimRight(text, " ") + "\n")
}

// printable disarms what a service said, within one line: an answer must not steer the terminal or the build agent.
func printable(text string) string { return disarm.Line(text) }

func (t *textWriter) fact(label, format string, values ...any) {
	t.line("  %-12s %s", label, fmt.Sprintf(format, values...))
}

// verdict is the word, in capitals and in colour where wanted.
func (t *textWriter) verdict(v Verdict) string {
	word := strings.ToUpper(printable(v.Word()))
	if !t.color {
		return word
	}
	code := "31"
	switch v {
	case Pass, Partly:
		code = "32"
	case Warn, NotExercised, Inconclusive, Known:
		code = "33"
	case Skipped, Observed:
		code = "36"
	}
	return "\x1b[1;" + code + "m" + word + "\x1b[0m"
}

func (t *textWriter) head(kind string, run Run, verdict Verdict, reason string) {
	t.line("%s: %s  %s", kind, t.verdict(verdict), printable(figures.OneLine(reason, 400)))
	target := printable(run.target())
	if run.URL != "" && run.URL != run.target() {
		target += ", " + printable(run.URL)
	}
	t.fact("service", "%s", target)
	if run.Mock != nil && len(run.Mock.Choices)+len(run.Mock.Faults) > 0 {
		t.fact("mock", "choices %s; faults %s", printable(cmp.Or(strings.Join(run.Mock.Choices, " "), "none")), printable(cmp.Or(strings.Join(run.Mock.Faults, " "), "none")))
	}
	if run.Partial != "" {
		t.fact("partial", "%s", printable(figures.OneLine(run.Partial, 400)))
	}
}

func (t *textWriter) conformance(c *Conformance) {
	t.head("Conformance", c.Run, c.Verdict, c.Reason)
	t.fact("requirements", "%s", tally(requirementCounts(c.Requirements)))
	t.fact("scenarios", "%s, %s, in %s", tally(scenarioCounts(c.Scenarios)), figures.Plural(int64(c.Counts.Exchanges), "exchange"), figures.Elapsed(c.Run.took()))
	for _, note := range c.Notes {
		t.fact("note", "%s", printable(figures.OneLine(note, 400)))
	}
	t.causes(c)
	t.requirements("Failed", c.withoutCause(Fail))
	t.requirements("Could not tell", c.withoutCause(Error, Invalid, Inconclusive))
	t.requirements("Warnings", c.withoutCause(Warn))
	t.loneScenarios(c.Scenarios)
	if missing := ofVerdict(c.Requirements, NotExercised); len(missing) > 0 {
		t.line("  %s not exercised by any scenario of this run: %s", t.verdictLead(NotExercised, figures.Plural(int64(len(missing)), "requirement")), idList(missing))
	}
	if groups := lackings(c.Requirements); len(groups) > 0 {
		t.line("  Skipped, because the environment lacks")
		for _, group := range groups {
			t.line("    %s: %s", printable(figures.OneLine(group.Needs, 200)), printable(strings.Join(group.Requirements, " ")))
		}
	}
}

// causes lists what is wrong, each once, with its evidence.
func (t *textWriter) causes(c *Conformance) {
	shown := c.causesOf(Fail, Error, Invalid, Inconclusive, Warn)
	if len(shown) == 0 {
		return
	}
	t.line("  Causes: what is wrong, each once, and the requirements it breaks")
	for i, cause := range shown {
		if i == textShown {
			t.line("    … %s more in the report", figures.Count(int64(len(shown)-i)))
			return
		}
		t.line("    %s  %s  %s", t.verdict(cause.Verdict), printable(cause.ID), printable(figures.OneLine(cause.sentence(), 300)))
		t.line("             %s", printable(figures.OneLine(cause.breaks(12), 300)))
		if len(cause.Requirements) == 1 {
			if text := c.text(cause.Requirements[0]); text != "" {
				t.line("             %s", printable(figures.OneLine(text, 200)))
			}
		}
		if _, x := c.evidence(cause); x != nil {
			t.line("             %s", printable(figures.OneLine(x.brief(), 300)))
		}
	}
}

// verdictLead colours a lead text like the verdict.
func (t *textWriter) verdictLead(v Verdict, text string) string {
	if !t.color {
		return text
	}
	lead := t.verdict(v)
	return lead[:strings.Index(lead, "m")+1] + text + "\x1b[0m"
}

func (t *textWriter) requirements(title string, requirements []Requirement) {
	if len(requirements) == 0 {
		return
	}
	t.line("  %s", t.verdictLead(requirements[0].Verdict, title))
	for i, requirement := range requirements {
		if i == textShown {
			t.line("    … %s more in the report", figures.Count(int64(len(requirements)-i)))
			break
		}
		t.line("    %-8s %s", printable(requirement.ID), printable(figures.OneLine(requirement.Text, 200)))
		reason := requirement.Reason
		if reason == "" && len(requirement.Findings) > 0 {
			finding := requirement.Findings[0]
			finding.Requirement = ""
			reason = findingSentence(finding)
		}
		if reason != "" {
			t.line("             %s", printable(figures.OneLine(reason, 300)))
		}
	}
}

func (t *textWriter) loneScenarios(scenarios []Scenario) {
	for i, scenario := range loneScenarios(scenarios) {
		if i == 0 {
			t.line("  Scenarios without a requirement")
		}
		if i == textShown {
			t.line("    … more in the report")
			return
		}
		t.line("    %s  %s: %s", t.verdict(scenario.Verdict), printable(scenario.ID), printable(figures.OneLine(scenario.Name, 200)))
		t.line("          %s", printable(figures.OneLine(scenario.why(), 300)))
	}
}

func idList(requirements []Requirement) string {
	var ids []string
	for i, requirement := range requirements {
		if i == 40 {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, printable(requirement.ID))
	}
	return strings.Join(ids, " ")
}

func requirementCounts(requirements []Requirement) map[Verdict]int {
	counts := map[Verdict]int{}
	for _, requirement := range requirements {
		counts[requirement.Verdict]++
	}
	return counts
}

func scenarioCounts(scenarios []Scenario) map[Verdict]int {
	counts := map[Verdict]int{}
	for _, scenario := range scenarios {
		counts[scenario.Verdict]++
	}
	return counts
}

// tally says counts in words, such as "92: 88 pass, 2 fail, 2 skipped".
func tally(counts map[Verdict]int) string {
	var parts []string
	all := 0
	for _, verdict := range []Verdict{Pass, Partly, Fail, Error, Invalid, Inconclusive, Warn, NotExercised, Known, Skipped, Observed} {
		if n := counts[verdict]; n > 0 {
			parts = append(parts, figures.Count(int64(n))+" "+verdict.Word())
		}
	}
	for _, n := range counts {
		all += n
	}
	if len(parts) == 0 {
		return "none"
	}
	return figures.Count(int64(all)) + ": " + strings.Join(parts, ", ")
}

func (t *textWriter) load(l *Load) {
	t.head("Load", l.Run, l.Verdict, l.Reason)
	t.fact("plan", "%s, %s, %s", printable(l.Plan.Workload), printable(l.Plan.Schedule), figures.Plural(int64(l.Plan.Clients), "client"))
	if len(l.ShardRuns) > 0 {
		t.fact("shards", "%s", l.shardsCount())
	}
	if !l.Valid {
		t.line("  %s", t.verdictLead(Invalid, "The figures are not valid: they do not speak of the service"))
		for _, reason := range l.Invalid {
			t.line("    %s", printable(figures.OneLine(reason, 300)))
		}
		if l.Total == nil || l.Total.Sent > 0 {
			t.line("    What to do: run again on a machine that does less besides, on a bigger one, or with a lower rate")
		}
	}
	for _, note := range l.Notes {
		t.fact("note", "%s", printable(figures.OneLine(note, 400)))
	}
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(columns, "  \toperation\tasked\tsent\tright\twrong\tp50 ms\tp90 ms\tp95 ms\tp99 ms\tp99.9 ms\tmax ms\t")
	row := func(name string, o *Operation) {
		fmt.Fprintf(columns, "  \t%s\t%s\t%s\t%s\t%s", printable(name), figures.Count(o.Asked), figures.Count(o.Sent), figures.Percent(o.Right, o.Sent), figures.Count(o.Wrong))
		times := o.Response
		if l.Plan.Closed {
			times = o.Service
		}
		for _, p := range times.list() {
			shown := "–"
			if times.Count > 0 {
				shown = figures.Number(p.Nanoseconds)
			}
			fmt.Fprintf(columns, "\t%s", shown)
		}
		fmt.Fprintln(columns, "\t")
	}
	names := l.operationNames()
	for _, name := range names {
		row(name, l.Operations[name])
	}
	if l.Total != nil && len(names) != 1 {
		row("total", l.Total)
	}
	columns.Flush()
	for _, line := range strings.Split(strings.TrimRight(table.String(), "\n"), "\n") {
		t.line("%s", line)
	}
	if l.Plan.Closed {
		t.line("  Closed loop: these are service times; what a waiting user sees is not known.")
	}
	if resent := l.resent(); resent != "" {
		t.line("  %s", printable(resent))
	}
	for _, limit := range l.Limits {
		t.line("  limit %s  %s", t.verdict(limit.Verdict), printable(figures.OneLine(limitSentence(limit), 300)))
	}
	for i, wrong := range l.kindsOfWrong() {
		if i == textShown {
			t.line("  … more kinds of wrong answers in the report")
			break
		}
		t.line("  wrong %s %s, %s: %s", printable(wrong.Operation), printable(wrong.Kind), figures.Plural(wrong.Times, "time"), printable(figures.OneLine(wrong.Message, 300)))
	}
	if l.Capacity != nil {
		bound := ""
		if l.Capacity.LowerBound {
			bound = "at least "
		}
		t.fact("capacity", "%s%s: %s", bound, figures.Rate(l.Capacity.Rate), printable(figures.OneLine(l.Capacity.Reason, 300)))
	}
	if l.Storm != nil {
		t.fact("storm", "%s", stormSentence(l.Storm))
	}
}

func stormSentence(s *Storm) string {
	if s.Recovered < 0 {
		return fmt.Sprintf("not all of %s were signed in again; %s", figures.Plural(int64(s.Clients), "client"), figures.PluralOf(s.Retries, "retry", "retries"))
	}
	return fmt.Sprintf("%s signed in again within %s, with %s", figures.Plural(int64(s.Clients), "client"), figures.Elapsed(time.Duration(s.Recovered)), figures.PluralOf(s.Retries, "retry", "retries"))
}
