package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// markdownTotal is the size in bytes under which a summary stays: GitHub drops the whole summary of a step over 1 MiB.
const markdownTotal = 900_000

// Markdown writes the summary for a job page or a merge request; either run may be nil, and both are a gate, whose verdict comes first. It stays under 900,000 bytes by leaving out
// rows, never bytes, and says how many it left out.
func Markdown(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	m := &markdownWriter{left: markdownTotal - 4096}
	if c != nil && l != nil {
		both := reports.Stored{Conformance: c, Load: l}
		m.line("## Gate of " + markdownText(both.Run().Target()) + ": " + markdownVerdict(both.Verdict()))
		m.line("")
	}
	if c != nil {
		m.conformance(c)
	}
	if l != nil {
		m.load(l)
	}
	out := bufio.NewWriter(w)
	_, err := out.WriteString(m.text.String())
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the Markdown summary: %w", err)
	}
	return nil
}

type markdownWriter struct {
	text strings.Builder
	left int
}

// line adds a line that must not be left out; all of them together are small.
func (m *markdownWriter) line(text string) {
	m.text.WriteString(text + "\n")
	m.left -= len(text) + 1
}

// rows adds a table with as many rows as fit; the cells are Markdown already.
func (m *markdownWriter) rows(head []string, rows [][]string, rest string) {
	m.line("| " + strings.Join(head, " | ") + " |")
	m.line("|" + strings.Repeat(" --- |", len(head)))
	for i, cells := range rows {
		line := "| " + strings.Join(cells, " | ") + " |"
		if len(line) > m.left {
			m.line("")
			m.line(figures.Count(int64(len(rows)-i)) + " more rows are in " + rest + ".")
			break
		}
		m.line(line)
	}
	m.line("")
}

// markdownMarks stand before the word of a verdict.
var markdownMarks = map[reports.Verdict]string{reports.Pass: "✅", reports.Partly: "🌗", reports.Improved: "✅", reports.Fail: "❌", reports.Regressed: "❌", reports.Warn: "⚠️", reports.NotExercised: "⚠️", reports.NotEnough: "❓", reports.Inconclusive: "⚠️", reports.Error: "❓", reports.Invalid: "❓", reports.NotComparable: "❓", reports.Skipped: "⏭️", reports.Known: "📌", reports.Observed: "👁️"}

func markdownVerdict(v reports.Verdict) string {
	return strings.TrimSpace(markdownMarks[v] + " " + markdownText(v.Word()))
}

// markdownText takes the meaning from every character that Markdown or HTML would read as more than itself.
func markdownText(text string) string {
	return markdownEscapes.Replace(figures.OneLine(disarm.XMLCharacters(text), 2000))
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "!", `\!`, "~", `\~`, "@", "@\u200b")

// markdownCells is markdownText of each, for the cells of a row.
func markdownCells(texts ...string) []string {
	cells := make([]string, len(texts))
	for i, text := range texts {
		cells[i] = markdownText(text)
	}
	return cells
}

func (m *markdownWriter) head(kind string, run reports.Run, verdict reports.Verdict, reason string) {
	m.line("## " + kind + " of " + markdownText(run.Target()) + ": " + markdownVerdict(verdict))
	m.line("")
	m.line(markdownText(cmp.Or(reason, "No reason was recorded.")))
	m.line("")
	if run.Partial != "" {
		m.line("**Partial:** " + markdownText(run.Partial))
		m.line("")
	}
	facts := []string{}
	for _, f := range reports.RunFacts(run) {
		facts = append(facts, f.Name+": "+markdownText(f.Value))
	}
	m.line(strings.Join(facts, " · "))
	m.line("")
}

func (m *markdownWriter) conformance(c *reports.Conformance) {
	m.head("Conformance", c.Run, c.Verdict, c.Reason)
	m.line("Requirements " + reports.Tally(reports.RequirementCounts(c.Requirements)) + ".")
	m.line("Scenarios " + reports.Tally(reports.ScenarioCounts(c.Scenarios)) + ".")
	m.line("")
	var causes [][]string
	for _, cause := range c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive, reports.Warn, reports.Known) {
		evidence := cause.Scenario
		if _, x := c.Evidence(cause); x != nil {
			evidence = x.Brief()
		}
		line := markdownCells(cause.ID, "", cause.Sentence(), cause.Breaks(20), evidence)
		line[1] = markdownVerdict(cause.Verdict)
		causes = append(causes, line)
	}
	if len(causes) > 0 {
		m.rows([]string{"Cause", "Verdict", "What is wrong", "Breaks", "Evidence"}, causes, "conformance.html")
	}
	var unjudged [][]string
	for _, lack := range c.CoverageLacks() {
		unjudged = append(unjudged, markdownCells(lack.About(), lack.Why, lack.Write))
	}
	if len(unjudged) > 0 {
		m.rows([]string{"Not judged, though coverage asks for it", "Why", "What to write"}, unjudged, "conformance.html")
	}
	var attention, rest [][]string
	for _, requirement := range reports.ByAttention(c.Requirements) {
		line := markdownCells(requirement.ID, "", requirement.Text, requirement.Why(), requirement.Level)
		line[1] = markdownVerdict(requirement.Verdict)
		switch requirement.Verdict {
		case reports.Pass, reports.Partly, reports.Observed:
			rest = append(rest, line)
		default:
			attention = append(attention, line)
		}
	}
	if len(attention) > 0 {
		m.rows([]string{"Requirement", "Verdict", "Sentence", "Why", "Level"}, attention, "conformance.html")
	}
	var lone [][]string
	for _, scenario := range reports.LoneScenarios(c.Scenarios) {
		line := markdownCells(scenario.ID, "", scenario.Name, scenario.Why())
		line[1] = markdownVerdict(scenario.Verdict)
		lone = append(lone, line)
	}
	if len(lone) > 0 {
		m.rows([]string{"Scenario without a requirement", "Verdict", "Name", "Why"}, lone, "conformance.html")
	}
	if len(rest) > 0 && m.left > 2000 {
		m.line("<details><summary>" + figures.Plural(int64(len(rest)), "requirement") + " passed or observed</summary>")
		m.line("")
		m.rows([]string{"Requirement", "Verdict", "Sentence", "Why", "Level"}, rest, "conformance.html")
		m.line("</details>")
		m.line("")
	}
}

func (m *markdownWriter) load(l *reports.Load) {
	m.head("Load", l.Run, l.Verdict, l.Reason)
	m.line(markdownText(l.Plan.Schedule) + " · " + markdownText(l.Plan.Workload) + " · " + figures.Plural(int64(l.Plan.Clients), "client"))
	m.line("")
	if !l.Valid {
		m.line("**The figures are not valid:** " + markdownText(strings.Join(l.Invalid, "; ")))
		m.line("")
	}
	if len(l.Limits) > 0 {
		var rows [][]string
		for _, limit := range l.Limits {
			cells := markdownCells(limit.Expression, "", limit.Value, limit.Interval, limit.Reason)
			cells[1] = markdownVerdict(limit.Verdict)
			rows = append(rows, cells)
		}
		m.rows([]string{"Limit", "Verdict", "Came to", "Interval", "Why"}, rows, "load.html")
	}
	head := []string{"Operation", "Verdict", "Asked", "Sent", "Right", "Wrong"}
	for _, percentile := range (reports.Percentiles{}).List() {
		head = append(head, percentile.Word)
	}
	var rows [][]string
	add := func(name string, o *reports.Operation, verdict reports.Verdict, note string) {
		cells := markdownCells(name, note, figures.Count(o.Asked), figures.Count(o.Sent), figures.Percent(o.Right, o.Sent), figures.Count(o.Wrong))
		if verdict != "" {
			cells[1] = markdownVerdict(verdict)
		}
		times := o.Response
		if l.Plan.Closed {
			times = o.Service
		}
		for _, percentile := range times.List() {
			text := "–"
			if times.Count > 0 {
				text = figures.Milliseconds(percentile.Nanoseconds)
			}
			cells = append(cells, text)
		}
		rows = append(rows, cells)
	}
	names := l.OperationNames()
	for _, name := range names {
		verdict, note := l.VerdictOf(name, l.Operations[name])
		add(name, l.Operations[name], verdict, note)
	}
	if l.Total != nil && len(names) != 1 {
		verdict, note := l.VerdictOf("", l.Total)
		add("all together", l.Total, verdict, note)
	}
	m.rows(head, rows, "load.html")
	if resent := l.Resent(); resent != "" {
		m.line("")
		m.line(markdownText(resent))
		m.line("")
	}
	if len(l.ShardRuns) > 0 {
		rows = nil
		for i := range l.ShardRuns {
			s := &l.ShardRuns[i]
			rows = append(rows, markdownCells(s.Shard, cmp.Or(s.Node, "–"), s.State, s.MissingFrom(), figures.Count(s.Planned), figures.Count(s.Sent), figures.Milliseconds(s.Lag99), figures.Milliseconds(s.StartLate), figures.Milliseconds(s.Throttled), s.Reason))
		}
		m.rows([]string{"Shard", "Node", "State", "Missing", "Planned", "Sent", "Lag p99", "Start late", "Held back", "Why"}, rows, "load.html")
	}
	if len(l.Wrong) > 0 {
		rows = nil
		for _, wrong := range l.KindsOfWrong() {
			rows = append(rows, markdownCells(wrong.Operation, wrong.Kind, figures.Count(wrong.Times), wrong.Message))
		}
		m.rows([]string{"Wrong answers of", "Kind", "Times", "Example"}, rows, "load.html")
	}
}
