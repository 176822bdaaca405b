package text

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/markdown"
)

// Markdown writes the summary for a job page or a merge request; either run may be nil, and both are a gate, whose
// verdict comes first. Failures come first, in at most markdown.Shown characters; it folds the rest.
func Markdown(w io.Writer, c *reports.Conformance, l *reports.Load) error {
	m := &summary{}
	both := reports.Parts{Conformance: c, Load: l}
	if c != nil && l != nil {
		m.title("Gate", both.Run(), both.Verdict())
	}
	if both.LoadFirst() {
		m.load(l)
	}
	if c != nil {
		m.conformance(c)
	}
	if l != nil && !both.LoadFirst() {
		m.load(l)
	}
	return m.Write(w)
}

// summary is the page of runs.
type summary struct {
	markdown.Page
	facts string // the circumstances that stand there already
}

func (m *summary) title(kind string, run reports.Run, verdict reports.Verdict) {
	m.Line("## ", kind+" of "+figures.OneLine(run.Target(), 80)+": "+markdown.Verdict(verdict), 160)
}

func (m *summary) head(kind string, run reports.Run, verdict reports.Verdict, reason string) {
	m.title(kind, run, verdict)
	m.Line("", cmp.Or(reason, "No reason was recorded."), 500)
	if run.Partial != "" && run.Partial != reason {
		m.Line("**Partial:** ", run.Partial, 250)
	}
	facts := []string{}
	for _, f := range reports.RunFacts(run) {
		if fact := f.Name + ": " + figures.OneLine(f.Value, 100); !strings.Contains(m.facts, fact) {
			facts = append(facts, fact)
		}
	}
	m.facts = strings.Join(facts, " · ")
	m.Line("", m.facts, 500)
}

// gravestFirst sorts rows by their verdicts, which are given in the same order.
func gravestFirst(rows [][]string, verdicts []reports.Verdict) [][]string {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	rank := func(i int) int {
		if r := verdicts[i].Rank(); r >= 0 {
			return r
		}
		return len(reports.Verdicts) // no limit was set
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(a), rank(b)) })
	sorted := make([][]string, len(rows))
	for i, from := range order {
		sorted[i] = rows[from]
	}
	return sorted
}

func (m *summary) conformance(c *reports.Conformance) {
	const page = "conformance.html"
	m.head("Conformance", c.Run, c.Verdict, c.Reason)
	m.Line("", "Requirements "+reports.CountsInWords(reports.RequirementCounts(c.Requirements))+". Scenarios "+
		reports.CountsInWords(reports.ScenarioCounts(c.Scenarios))+".", 400)
	var expired []string
	causes := markdown.Section{Head: []string{"Cause", "Verdict", "What is wrong", "Breaks", "Evidence"}, One: "cause",
		First: 5, Rest: page}
	for _, cause := range c.CausesOf(reports.Fail, reports.Error, reports.Invalid, reports.Inconclusive, reports.Warn,
		reports.Known) {
		evidence := cause.Scenario
		if _, x := c.Evidence(cause); x != nil {
			evidence = x.Brief()
		}
		causes.Rows = append(causes.Rows, []string{cause.ID, markdown.Verdict(cause.Verdict), cause.Sentence(),
			c.Breaks(cause, 20), evidence})
		expired = append(expired, c.ExpiredKnown(cause)...)
	}
	if len(expired) > 0 {
		m.Line("", figures.Some(expired, 3, ". ")+".", 600)
	}
	m.Add(causes)
	lacks := markdown.Section{Head: []string{"Not judged, though coverage asks for it", "Why", "What to write"},
		One: "requirement not judged", Many: "requirements not judged", First: 2, Rest: page}
	if lines := c.CoverageLacks(); len(lines) > 0 {
		for _, lack := range lines {
			lacks.Rows = append(lacks.Rows, []string{lack.About(), lack.Why, lack.Write})
		}
	}
	m.Add(lacks)
	lone := markdown.Section{Head: []string{"Scenario without a requirement", "Verdict", "Name", "Why"},
		One: "scenario without a requirement", Many: "scenarios without a requirement", First: 2, Rest: page}
	for _, scenario := range reports.LoneScenarios(c.Scenarios) {
		lone.Rows = append(lone.Rows, []string{scenario.ID, markdown.Verdict(scenario.Verdict), scenario.Name,
			scenario.Why()})
	}
	m.Add(lone)
	skipped := markdown.Section{Head: []string{"Scenario of your own", "Verdict", "Name", "Why"},
		One: "skipped scenario of your own", Many: "skipped scenarios of your own", First: 2, Rest: page}
	for _, scenario := range reports.OwnSkipped(c.Scenarios) {
		skipped.Rows = append(skipped.Rows, []string{scenario.ID, markdown.Verdict(scenario.Verdict), scenario.Name,
			scenario.Why()})
	}
	m.Add(skipped)
	attention := markdown.Section{Head: []string{"Requirement", "Verdict", "Sentence", "Why", "Level"},
		One: "requirement", First: 3, Rest: page}
	good := markdown.Section{Head: attention.Head, One: "requirement passed or observed",
		Many: "requirements passed or observed", Rest: page, Fold: true}
	for _, requirement := range reports.ByAttention(c.Requirements) {
		line := []string{requirement.ID, markdown.Verdict(requirement.Verdict), requirement.Text, requirement.Why(),
			requirement.Level}
		switch requirement.Verdict {
		case reports.Pass, reports.Partly, reports.Observed:
			good.Rows = append(good.Rows, line)
		default:
			attention.Rows = append(attention.Rows, line)
		}
	}
	m.Add(attention)
	m.Add(good)
}

func (m *summary) load(l *reports.Load) {
	const page = "load.html"
	kind := "Load"
	if l.Run.Kind == "capacity" {
		kind = "Capacity"
	}
	m.head(kind, l.Run, l.Verdict, l.Reason)
	m.Line("", knownOf(" · ", l.Plan.Schedule, l.Plan.Workload, l.Plan.ClientsKnown()), 250)
	if !l.Valid {
		m.Line("**The figures are not valid:** ", strings.Join(l.Invalid, "; "), 300)
	}
	if resent := l.Resent(); resent != "" {
		m.Line("", resent, 250)
	}
	limits := markdown.Section{Head: []string{"Limit", "Verdict", "Came to", "Interval", "Why"}, One: "limit", First: 4,
		Rest: page}
	var verdicts []reports.Verdict
	for _, limit := range l.Limits {
		limits.Rows = append(limits.Rows, []string{limit.Expression, markdown.Verdict(limit.Verdict), limit.Value,
			limit.Interval, limit.Reason})
		verdicts = append(verdicts, limit.Verdict)
	}
	limits.Rows = gravestFirst(limits.Rows, verdicts)
	m.Add(limits)
	m.Add(wrongKinds(l))
	m.Add(operations(l))
	m.Add(wrongExamples(l))
	m.Add(slowest(l))
	if l.Trace != nil {
		m.Line("", l.Trace.Says()+".", 250)
	}
	if len(l.ShardRuns) > 0 {
		shards := markdown.Section{Head: []string{"Shard", "Node", "State", "Missing", "Planned", "Sent", "Lag p99",
			"Start late", "Held back", "Why"}, One: "shard", First: 1, Rest: page}
		for i := range l.ShardRuns {
			s := &l.ShardRuns[i]
			shards.Rows = append(shards.Rows, []string{s.Shard, cmp.Or(s.Node, "–"), s.State, s.MissingFrom(),
				figures.Count(s.Planned), figures.Count(s.Sent),
				figures.Milliseconds(s.Lag99), figures.Milliseconds(s.StartLate), figures.Milliseconds(s.Throttled),
				s.Reason})
		}
		m.Add(shards)
	}
}

// wrongKinds are the kinds of wrong answers, those that fail the run first.
func wrongKinds(l *reports.Load) markdown.Section {
	s := markdown.Section{Head: []string{"Wrong answers of", "Kind", "Verdict", "Times", "Example",
		"Its x-correlation-id"}, One: "kind of wrong answers", Many: "kinds of wrong answers", First: 3,
		Rest: "load.html"}
	for _, kind := range l.KindsOfWrong() {
		id := "–"
		if kind.Hit != nil {
			id = cmp.Or(kind.Hit.CorrelationID, id)
		}
		verdict, _ := l.JudgedWrong(kind.Operation, kind.Kind)
		s.Rows = append(s.Rows, []string{kind.Operation, kind.Kind, markdown.Verdict(verdict),
			figures.Count(kind.Times), kind.Message, id})
	}
	return s
}

// wrongExamples name the first wrong answer of each kind, one of the middle and the last.
func wrongExamples(l *reports.Load) markdown.Section {
	s := markdown.Section{Head: []string{"Wrong answer of", "Kind", "Which", "Answer", "Took", "Sent at", "Client",
		"x-correlation-id", "Trace"}, One: "single wrong answer", Rest: "load.html", Fold: true}
	for _, kind := range l.KindsOfWrong() {
		for _, one := range l.SomeExamplesOf(kind.Operation, kind.Kind) {
			if h := one.Hit; h != nil {
				s.Rows = append(s.Rows, []string{kind.Operation, kind.Kind, cmp.Or(one.Place, "–"), h.Answer(),
					figures.Milliseconds(h.Took()), figures.Seconds(h.Sent) + " s", cmp.Or(h.Client, "–"),
					cmp.Or(h.CorrelationID, "–"), cmp.Or(h.TraceID(), "–")})
			}
		}
	}
	return s
}

// slowest names the slowest right answers of each operation.
func slowest(l *reports.Load) markdown.Section {
	const each = 2
	s := markdown.Section{Head: []string{"Slowest right answers of", "Took", "Sent at", "Client", "x-correlation-id",
		"Trace"}, One: "slow answer", Rest: "load.html"}
	for _, name := range l.OperationNames() {
		for i, slow := range l.SlowestOf(name, true) {
			if i == each {
				break
			}
			s.Rows = append(s.Rows, []string{name, figures.Milliseconds(slow.Took()), figures.Seconds(slow.Sent) + " s",
				cmp.Or(slow.Client, "–"), cmp.Or(slow.CorrelationID, "–"), cmp.Or(slow.TraceID(), "–")})
		}
	}
	return s
}

// operations are the figures of each operation and of all together, those that failed first.
func operations(l *reports.Load) markdown.Section {
	s := markdown.Section{Head: []string{"Operation", "Verdict", "Asked", "Sent", "Right", "Wrong"}, One: "operation",
		First: 4, Rest: "load.html"}
	for _, percentile := range (reports.Percentiles{}).List() {
		s.Head = append(s.Head, percentile.Word)
	}
	var verdicts []reports.Verdict
	add := func(name string, o *reports.Operation, verdict reports.Verdict, note string) {
		if verdict != "" {
			note = markdown.Verdict(verdict)
		}
		cells := []string{name, note, figures.Count(o.Asked), figures.Count(o.Sent), figures.Percent(o.Right, o.Sent),
			figures.Count(o.Wrong)}
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
		s.Rows, verdicts = append(s.Rows, cells), append(verdicts, verdict)
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
	s.Rows = gravestFirst(s.Rows, verdicts)
	return s
}
