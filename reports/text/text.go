// Package text writes runs and comparisons for a terminal (Terminal, Comparison) and as Markdown (Markdown,
// MarkdownOfComparison), which the summaries of pipelines show. It disarms a service's texts first: they can neither
// steer a terminal nor become Markdown.
package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// textShown is how many failing requirements, wrong answers and so on the summary on a terminal lists.
const textShown = 10

// textIDs is how many ids of requirements one line of the terminal names.
const textIDs = 20

// Terminal writes the summary that a person reads on a terminal; either run may be nil. With color, verdicts carry ANSI
// colours; the words are the same without.
func Terminal(w io.Writer, c *reports.Conformance, l *reports.Load, color bool) error {
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

// printable disarms a service's text, within one line: an answer must not steer the terminal or the build agent.
func printable(text string) string { return disarm.Line(text) }

func (t *textWriter) fact(label, format string, values ...any) {
	t.line("  %-12s %s", label, fmt.Sprintf(format, values...))
}

// verdict is the word, in capitals and in colour where wanted.
func (t *textWriter) verdict(v reports.Verdict) string {
	word := strings.ToUpper(printable(v.Word()))
	if !t.color {
		return word
	}
	code := "31"
	switch v {
	case reports.Pass, reports.Partly:
		code = "32"
	case reports.Warn, reports.NotExercised, reports.Inconclusive, reports.Known:
		code = "33"
	case reports.Skipped, reports.Observed:
		code = "36"
	}
	return "\x1b[1;" + code + "m" + word + "\x1b[0m"
}

func (t *textWriter) head(kind string, run reports.Run, verdict reports.Verdict, reason string) {
	t.line("%s: %s  %s", kind, t.verdict(verdict), printable(figures.OneLine(reason, 400)))
	target := printable(run.Target())
	if run.URL != "" && run.URL != run.Target() {
		target += ", " + printable(run.URL)
	}
	t.fact("service", "%s", target)
	if run.Mock != nil && len(run.Mock.Choices)+len(run.Mock.Faults) > 0 {
		t.fact("mock", "choices %s; faults %s", printable(cmp.Or(strings.Join(run.Mock.Choices, " "), "none")),
			printable(cmp.Or(strings.Join(run.Mock.Faults, " "), "none")))
	}
	if run.Partial != "" && run.Partial != reason {
		t.fact("partial", "%s", printable(figures.OneLine(run.Partial, 400)))
	}
}

func (t *textWriter) conformance(c *reports.Conformance) {
	t.head("Conformance", c.Run, c.Verdict, c.Reason)
	t.fact("requirements", "%s", reports.CountsInWords(reports.RequirementCounts(c.Requirements)))
	t.fact("scenarios", "%s, %s, in %s", reports.CountsInWords(reports.ScenarioCounts(c.Scenarios)),
		figures.Plural(int64(c.Counts.Exchanges), "exchange"), figures.Elapsed(c.Run.Took()))
	for _, note := range c.Notes {
		t.fact("note", "%s", printable(figures.OneLine(note, 400)))
	}
	t.causes(c)
	t.requirements("Failed", c.WithoutCause(reports.Fail))
	t.requirements("Could not tell", c.WithoutCause(reports.Error, reports.Invalid, reports.Inconclusive))
	t.requirements("Warnings", c.WithoutCause(reports.Warn))
	t.loneScenarios(c.Scenarios)
	for i, lack := range c.CoverageLacks() {
		if i == 0 {
			t.line("  %s", t.verdictLead(reports.NotEnough, "Not judged, though coverage asks for it"))
		}
		if i == textShown {
			t.line("    … more in the report")
			break
		}
		t.line("    %s: %s", printable(lack.About()), printable(figures.OneLine(lack.Advice(), 400)))
	}
	if missing := reports.OfVerdict(c.Requirements, reports.NotExercised); len(missing) > 0 {
		t.line("  %s not exercised by any scenario of this run: %s", t.verdictLead(reports.NotExercised,
			figures.Plural(int64(len(missing)), "requirement")), reports.IdList(missing))
	}
	if groups := reports.Lackings(c.Requirements); len(groups) > 0 {
		t.line("  Skipped, because the environment lacks")
		for _, group := range groups {
			t.line("    %s: %s", printable(figures.OneLine(group.Needs, 200)),
				printable(reports.FirstIDs(group.Requirements, textIDs)))
		}
	}
	for i, scenario := range reports.OwnSkipped(c.Scenarios) {
		if i == 0 {
			t.line("  Scenarios of your own that were skipped")
		}
		if i == textShown {
			t.line("    … more in the report")
			break
		}
		t.line("    %s: %s", printable(scenario.ID), printable(figures.OneLine(scenario.Name, 200)))
		t.line("          %s", printable(figures.OneLine(scenario.Why(), 300)))
	}
}

// causes lists the faults, each once, with its evidence.
func (t *textWriter) causes(c *reports.Conformance) {
	shown := c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive, reports.Warn)
	if len(shown) == 0 {
		return
	}
	t.line("  Causes: what is wrong, each once, and the requirements it breaks")
	for i, cause := range shown {
		if i == textShown {
			t.line("    … %s more in the report", figures.Count(int64(len(shown)-i)))
			return
		}
		t.line("    %s  %s  %s", t.verdict(cause.Verdict), printable(cause.ID),
			printable(figures.OneLine(cause.Sentence(), 300)))
		t.line("             %s", printable(figures.OneLine(c.Breaks(cause, 12), 300)))
		for _, sentence := range c.ExpiredKnown(cause) {
			t.line("             %s", printable(figures.OneLine(sentence, 300)))
		}
		if len(cause.Requirements) == 1 {
			if text := c.Text(cause.Requirements[0]); text != "" {
				t.line("             %s", printable(figures.OneLine(text, 200)))
			}
		}
		if _, x := c.Evidence(cause); x != nil {
			t.line("             %s", printable(figures.OneLine(x.Brief(), 300)))
		}
	}
}

// verdictLead colours a lead text like the verdict.
func (t *textWriter) verdictLead(v reports.Verdict, text string) string {
	if !t.color {
		return text
	}
	lead := t.verdict(v)
	return lead[:strings.Index(lead, "m")+1] + text + "\x1b[0m"
}

func (t *textWriter) requirements(title string, requirements []reports.Requirement) {
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
			reason = reports.FindingSentence(finding)
		}
		if reason != "" {
			t.line("             %s", printable(figures.OneLine(reason, 300)))
		}
	}
}

func (t *textWriter) loneScenarios(scenarios []reports.Scenario) {
	for i, scenario := range reports.LoneScenarios(scenarios) {
		if i == 0 {
			t.line("  Scenarios without a requirement")
		}
		if i == textShown {
			t.line("    … more in the report")
			return
		}
		t.line("    %s  %s: %s", t.verdict(scenario.Verdict), printable(scenario.ID),
			printable(figures.OneLine(scenario.Name, 200)))
		t.line("          %s", printable(figures.OneLine(scenario.Why(), 300)))
	}
}

// figures is the table of operations: counts and response times, in a closed loop service times.
func (t *textWriter) figures(l *reports.Load, names []string) {
	var table strings.Builder
	columns := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(columns,
		"  \toperation\tasked\tsent\tright\twrong\tp50 ms\tp90 ms\tp95 ms\tp99 ms\tp99.9 ms\tmax ms\t")
	row := func(name string, o *reports.Operation) {
		fmt.Fprintf(columns, "  \t%s\t%s\t%s\t%s\t%s", printable(name), figures.Count(o.Asked), figures.Count(o.Sent),
			figures.Percent(o.Right, o.Sent), figures.Count(o.Wrong))
		times := o.Response
		if l.Plan.Closed {
			times = o.Service
		}
		for _, p := range times.List() {
			shown := "–"
			if times.Count > 0 {
				shown = figures.Number(p.Nanoseconds)
			}
			fmt.Fprintf(columns, "\t%s", shown)
		}
		fmt.Fprintln(columns, "\t")
	}
	for _, name := range names {
		row(name, l.Operations[name])
	}
	if l.Total != nil && len(names) != 1 {
		row("total", l.Total)
	}
	columns.Flush()
	for line := range strings.SplitSeq(strings.TrimRight(table.String(), "\n"), "\n") {
		t.line("%s", line)
	}
}

// whatToDo is the advice to a load that is not valid.
func whatToDo(l *reports.Load) string {
	if g := l.Generator; l.Total != nil && g.Starved > g.AtCap && g.Starved*100 > l.Total.Asked {
		return "give more --clients (count in the environment file), or ask for a lower rate: clients send no faster than " +
			"the service answers them"
	}
	if len(l.Invalid) == 1 && strings.Contains(l.Invalid[0], "--start-at") {
		return "give each shard the same moment with --start-at"
	}
	return "run again on a machine that does less besides, on a bigger one, or with a lower rate"
}

// knownOf joins the parts of a plan that are known: of a load that was never sent, often the workload alone.
func knownOf(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), separator)
}

func (t *textWriter) load(l *reports.Load) {
	t.head("Load", l.Run, l.Verdict, l.Reason)
	t.fact("plan", "%s", printable(knownOf(", ", l.Plan.Workload, l.Plan.Schedule, l.Plan.ClientsKnown())))
	if len(l.ShardRuns) > 0 {
		t.fact("shards", "%s", l.ShardsCount())
	}
	if !l.Valid {
		t.line("  %s", t.verdictLead(reports.Invalid, "The figures are not valid: they do not speak of the service"))
		for _, reason := range l.Invalid {
			t.line("    %s", printable(figures.OneLine(reason, 300)))
		}
		if l.Total == nil || l.Total.Sent > 0 {
			t.line("    What to do: %s", whatToDo(l))
		}
	}
	for _, note := range l.Notes {
		t.fact("note", "%s", printable(figures.OneLine(note, 400)))
	}
	names := l.OperationNames()
	t.figures(l, names)
	if l.Plan.Closed {
		t.line("  Closed loop: these are service times; what a waiting user sees is not known.")
	}
	if resent := l.Resent(); resent != "" {
		t.line("  %s", printable(resent))
	}
	for _, name := range names {
		if slow := l.SlowestOf(name, true); len(slow) > 0 {
			t.line("  slowest %s  %s", printable(name), printable(figures.OneLine(slow[0].Sentence(), 300)))
		}
	}
	if l.Trace != nil {
		t.fact("trace", "%s", l.Trace.Says())
	}
	for _, limit := range l.Limits {
		t.line("  limit %s  %s", t.verdict(limit.Verdict), printable(figures.OneLine(limit.Sentence(), 300)))
	}
	for i, wrong := range l.KindsOfWrong() {
		if i == textShown {
			t.line("  … more kinds of wrong answers in the report")
			break
		}
		t.line("  wrong %s %s, %s: %s", printable(wrong.Operation), printable(wrong.Kind),
			figures.Plural(wrong.Times, "time"), printable(figures.OneLine(wrong.Message, 300)))
		if wrong.Hit != nil {
			t.line("    such as %s", printable(figures.OneLine(wrong.Hit.Sentence(), 300)))
		}
	}
	if l.Capacity != nil {
		found := figures.Rate(l.Capacity.Rate)
		switch {
		case l.Capacity.Rate == 0:
			found = "none found"
		case l.Capacity.LowerBound:
			found = "at least " + found
		}
		t.fact("capacity", "%s: %s", found, printable(figures.OneLine(l.Capacity.Reason, 300)))
	}
	if l.Storm != nil {
		t.fact("storm", "%s", reports.StormSentence(l.Storm))
	}
}
