package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// fullCharts is how many operations get charts of response time of their own in full resolution; those that failed come first.
	fullCharts = 3
	// fullPoints and smallPoints are the most points of a line: beyond, a point stands for several seconds.
	fullPoints  = 300
	smallPoints = 120
	// shownWrong is how many kinds of wrong answers are shown with an example.
	shownWrong = 30
)

// LoadHTML writes the page of a load run.
func LoadHTML(w io.Writer, l *Load, s Style) error {
	p := loadPage(l, s.Baseline)
	p.Style = s
	return p.write(w, "load")
}

// loadDetails is what the template "load" shows.
type loadDetails struct {
	Limits     *table
	Operations table
	Statuses   *table
	Service    *table
	Phases     *table
	Charts     []drawing
	Small      []drawing
	Wrong      []wrongShown
	WrongMore  string
	Capacity   *capacityShown
	Storm      string
	Generator  []fact
	Shards     *table
	Closed     bool
}

type wrongShown struct {
	Wrong
	Times int64
}

type capacityShown struct {
	Sentence string
	Chart    drawing
	Points   table
}

func loadPage(l, baseline *Load) page {
	p := page{
		Kind: "Load", Title: "Load on " + l.Run.target(), Verdict: l.Verdict, Reason: orElse(l.Reason, "No reason was recorded."),
		Facts: runFacts(l.Run), Trust: l.trust(), First: l.first(), FirstNone: "Nothing needs attention: every limit is kept and every answer was right.",
		About: append(runAbout(l.Run), l.planFacts()...),
	}
	p.Facts = append(p.Facts, fact{Name: "Asked for", Value: orElse(l.Plan.Schedule, l.Plan.Workload)})
	if baseline != nil {
		p.Facts = append(p.Facts, fact{Name: "Baseline", Value: moment(baseline.Run.Start)})
	}
	p.Tiles = l.tiles()
	d := l.details(baseline)
	p.Details = d
	if d.Limits != nil {
		p.Links = append(p.Links, sectionLink{"l-limits", "Limits"})
	}
	p.Links = append(p.Links, sectionLink{"l-operations", "Operations"}, sectionLink{"l-charts", "Charts"})
	if len(d.Wrong) > 0 {
		p.Links = append(p.Links, sectionLink{"l-wrong", "Wrong answers"})
	}
	if d.Capacity != nil {
		p.Links = append(p.Links, sectionLink{"l-capacity", "Capacity"})
	}
	if d.Shards != nil {
		p.Links = append(p.Links, sectionLink{"l-shards", "Shards"})
	}
	p.Links = append(p.Links, sectionLink{"l-more", "More figures"}, sectionLink{"about", "About this run"})
	return p
}

// whole is the figures of all operations together; where a run has no total but one operation, those of that one.
func (l *Load) whole() *Operation {
	if l.Total != nil {
		return l.Total
	}
	if names := l.operationNames(); len(names) == 1 {
		return l.Operations[names[0]]
	}
	return &Operation{}
}

func (l *Load) tiles() []tile {
	whole := l.whole()
	reached := whole.Rate
	asked := 0.0
	if l.Plan.Seconds > 0 {
		asked = float64(l.Plan.Hits) / l.Plan.Seconds
	}
	tiles := []tile{
		{"Throughput", Rate(reached), tileNote(Rate(asked), "asked ")},
		{"Right answers", Percent(whole.Right, whole.Sent), Count(whole.Right) + " of " + Count(whole.Sent)},
		{"Wrong answers", Count(whole.Wrong), Percent(whole.Wrong, whole.Sent)},
	}
	figures := whole.Response
	note := "response time"
	if l.Plan.Closed {
		figures, note = whole.Service, "service time"
	}
	for _, percentile := range figures.list() {
		if !slices.Contains([]string{"p50", "p95", "p99"}, percentile.Key) {
			continue
		}
		value := "–"
		if figures.Count > 0 {
			value = Milliseconds(percentile.Nanoseconds)
		}
		tiles = append(tiles, tile{percentile.Word, value, note})
	}
	return tiles
}

// trust says what speaks for and against believing the figures.
func (l *Load) trust() []statement {
	found := runTrust(l.Run)
	g := l.Generator
	if !l.Valid {
		found = append(found, statement{Invalid, "The figures are not valid: " + orElse(strings.Join(l.Invalid, "; "), "the generator did not keep its schedule") + ". Read nothing into the response times."})
	}
	whole := l.whole()
	if whole.Sent == 0 {
		found = append(found, statement{Error, "Nothing was sent: nothing was measured."})
	}
	switch {
	case l.Valid && len(l.ShardRuns) > 0 && l.Run.Partial != "":
		found = append(found, statement{Warn, fmt.Sprintf("What was sent was sent on time, and that is %s of %s.", Count(whole.Sent), plural(max(whole.Asked, l.Plan.Hits), "hit", "hits"))})
	case l.Valid:
		found = append(found, statement{Pass, fmt.Sprintf("The generator kept its schedule: %s of %s sent.", Count(whole.Sent), plural(max(whole.Asked, l.Plan.Hits), "hit", "hits"))})
	}
	if g.Lag.Count > 0 {
		found = append(found, statement{mildly(l.Valid), fmt.Sprintf("Send lag: p99 %s, at most %s behind the schedule.", Milliseconds(g.Lag.P99), Milliseconds(g.Lag.Max))})
	}
	if g.Dropped+g.AtCap+g.Starved > 0 {
		found = append(found, statement{Warn, fmt.Sprintf("Held up by the generator: %s never sent, %s waited for a worker, %s waited for a client.", Count(g.Dropped), Count(g.AtCap), Count(g.Starved))})
	}
	if g.CPUShare > 0.8 {
		found = append(found, statement{Warn, fmt.Sprintf("The generator used %.0f %% of the processors it may use.", g.CPUShare*100)})
	}
	if g.Throttled > 0 {
		found = append(found, statement{Warn, fmt.Sprintf("The CPU limit of its container held the generator back %s, for %s in all.", plural(g.ThrottledTimes, "time", "times"), Milliseconds(g.Throttled))})
	}
	if g.ClockStep != 0 {
		found = append(found, statement{Warn, "The clock of the generator was set during the run, by " + Milliseconds(g.ClockStep) + "."})
	}
	if l.Plan.Closed {
		found = append(found, statement{Warn, "Closed loop: each client waits for its answer before it asks again, so what a user would have waited is not known. The times are service times."})
	} else {
		found = append(found, statement{Pass, "Open model: response time counts from when a request was due, so a stall of the service is not hidden."})
	}
	for _, note := range l.Notes {
		found = append(found, statement{Observed, note})
	}
	return found
}

func mildly(well bool) Verdict {
	if well {
		return Pass
	}
	return Warn
}

// first lists what a reader should look at first.
func (l *Load) first() []first {
	var found []first
	if !l.Valid {
		found = append(found, first{Verdict: Invalid, Link: "l-lag", Label: "The generator", Text: "was too slow.", More: strings.Join(l.Invalid, "; ")})
	}
	for _, limit := range l.Limits {
		if slices.Contains([]Verdict{Fail, Error, Inconclusive, Invalid}, limit.Verdict) {
			found = append(found, first{Verdict: limit.Verdict, Link: "l-limits", Label: limit.Expression, Text: "came to " + orElse(limit.Value, "no figure") + ".", More: limit.Reason})
		}
	}
	found = append(found, l.missing()...)
	kinds := l.kindsOfWrong()
	for i, wrong := range kinds {
		if i == 5 {
			found = append(found, first{Verdict: Warn, Link: "l-wrong", Label: Plural(int64(len(kinds)-i), "more kind"), Text: "of wrong answers."})
			break
		}
		verdict := Warn
		if l.Verdict == Fail && len(ofLimits(l.Limits, Fail)) == 0 || wrong.Kind == "identity" {
			verdict = Fail
		}
		found = append(found, first{Verdict: verdict, Link: "l-wrong", Label: wrong.Operation + " " + wrong.Kind, Text: plural(wrong.Times, "time", "times") + ".", More: oneLine(wrong.Message, 300)})
	}
	for _, name := range l.operationNames() {
		if o := l.Operations[name]; o.Sent > 0 && o.Right == 0 {
			found = append(found, first{Verdict: Fail, Link: "l-operations", Label: name, Text: "had no right answer at all."})
		}
	}
	if len(l.Limits) == 0 && l.Verdict == Pass {
		found = append(found, first{Verdict: Observed, Label: "No limit was set:", Text: "response times were measured and not judged."})
	}
	return found
}

func ofLimits(limits []Limit, wanted Verdict) []Limit {
	var found []Limit
	for _, limit := range limits {
		if limit.Verdict == wanted {
			found = append(found, limit)
		}
	}
	return found
}

func (l *Load) details(baseline *Load) loadDetails {
	d := loadDetails{Closed: l.Plan.Closed}
	d.Limits = l.limitsTable()
	lines := l.timelines()
	d.Operations = l.operationsTable(lines)
	d.Statuses = l.statusesTable()
	d.Service = l.serviceTable()
	d.Phases = l.phasesTable()
	d.Charts, d.Small = l.charts(lines, baseline)
	for i, wrong := range l.Wrong {
		if i == shownWrong {
			d.WrongMore = Plural(int64(len(l.Wrong)-i), "more example") + " in load.json."
			break
		}
		d.Wrong = append(d.Wrong, wrongShown{Wrong: wrong, Times: wrong.Times})
	}
	if l.Capacity != nil {
		d.Capacity = l.Capacity.shown()
	}
	if l.Storm != nil {
		d.Storm = stormSentence(l.Storm)
	}
	d.Generator = l.generatorFacts()
	d.Shards = l.shardsTable()
	return d
}

func (l *Load) limitsTable() *table {
	if len(l.Limits) == 0 {
		return nil
	}
	t := table{Caption: "Limits that were set, and what came", Columns: []column{{Head: "Limit"}, {Head: "Verdict"}, {Head: "Came to", Number: true}, {Head: "Interval"}, {Head: "Why"}}}
	limits := slices.Clone(l.Limits)
	slices.SortStableFunc(limits, func(a, b Limit) int { return a.Verdict.rank() - b.Verdict.rank() })
	for _, limit := range limits {
		t.Rows = append(t.Rows, row{Class: limit.Verdict.Class(), Cells: []cell{{Text: limit.Expression, Code: true, Head: true}, {Verdict: limit.Verdict}, {Text: limit.Value, Number: true}, {Text: limit.Interval}, {Text: limit.Reason}}})
	}
	return &t
}

// verdictOf is the verdict on an operation, as far as anything was judged: its limits, and whether it had a right answer at all.
func (l *Load) verdictOf(name string, o *Operation) (Verdict, string) {
	switch {
	case o.Sent == 0:
		return NotExercised, "nothing was sent"
	case o.Right == 0:
		return Fail, "no right answer"
	case !l.Valid:
		return Invalid, ""
	}
	if limits := l.limitsOf(name); len(limits) > 0 {
		return worst(limits), ""
	}
	return "", "no limit set"
}

func (l *Load) operationsTable(lines map[string]timeline) table {
	kind := "Response time in ms: from when a request was due to the last byte of a right answer"
	if l.Plan.Closed {
		kind = "Service time in ms: from when a request was sent to the last byte of a right answer"
	}
	t := table{Caption: kind, Columns: []column{{Head: "Operation"}, {Head: "Verdict"}, {Head: "Sent", Number: true}, {Head: "Right", Number: true}, {Head: "Wrong", Number: true}, {Head: "Rate", Number: true}}}
	for _, percentile := range (Percentiles{}).list() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	t.Columns = append(t.Columns, column{Head: "p99 over time"})
	add := func(name string, o *Operation, verdict Verdict, note string, small *spark) {
		cells := []cell{{Text: name, Head: true}, {Verdict: verdict, Note: note},
			{Text: Count(o.Sent), Note: askedNote(o), Number: true}, {Text: Percent(o.Right, o.Sent), Number: true}, {Text: Count(o.Wrong), Number: true}, {Text: Rate(o.Rate), Number: true}}
		figures := o.Response
		if l.Plan.Closed {
			figures = o.Service
		}
		for _, percentile := range figures.list() {
			text := "–"
			if figures.Count > 0 {
				text = millisecondsNumber(percentile.Nanoseconds)
			}
			cells = append(cells, cell{Text: text, Number: true})
		}
		cells = append(cells, cell{Spark: small})
		class := ""
		if verdict != "" {
			class = verdict.Class()
		}
		t.Rows = append(t.Rows, row{Class: class, Cells: cells})
	}
	names := l.operationNames()
	for _, name := range names {
		o := l.Operations[name]
		verdict, note := l.verdictOf(name, o)
		add(name, o, verdict, note, lines[name].spark(name))
	}
	if l.Total != nil && len(names) != 1 {
		verdict, note := l.verdictOf("", l.Total)
		add("all together", l.Total, verdict, note, nil)
	}
	return t
}

func askedNote(o *Operation) string {
	if o.Asked == o.Sent {
		return ""
	}
	return "of " + Count(o.Asked)
}

// statusesTable counts the answers of each operation by status.
func (l *Load) statusesTable() *table {
	t := table{Caption: "Answers by status, and why answers were wrong", Columns: []column{{Head: "Operation"}, {Head: "Answers"}, {Head: "Wrong because"}}}
	for _, name := range l.operationNames() {
		o := l.Operations[name]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: name, Head: true}, {Text: tallied(o.Statuses)}, {Text: tallied(o.Outcomes)}}})
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

func tallied(counts map[string]int64) string {
	var parts []string
	for _, key := range sortedKeys(counts) {
		if counts[key] != 0 {
			parts = append(parts, key+": "+Count(counts[key]))
		}
	}
	return orElse(strings.Join(parts, " · "), "–")
}

// serviceTable sets response time against service time: the gap between them is what a generator or a queue adds.
func (l *Load) serviceTable() *table {
	t := table{Caption: "Response time (from when a request was due) beside service time (from when it was sent), right answers, in ms",
		Columns: []column{{Head: "Operation"}, {Head: "Time"}, {Head: "Samples", Number: true}, {Head: "min", Number: true}, {Head: "mean", Number: true}}}
	for _, percentile := range (Percentiles{}).list() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	add := func(name, kind string, p Percentiles) {
		if p.Count == 0 {
			return
		}
		t.Rows = append(t.Rows, row{Cells: append([]cell{{Text: name, Head: true}, {Text: kind}}, percentileCells(p)...)})
	}
	both := func(name string, o *Operation) {
		if !l.Plan.Closed {
			add(name, "response", o.Response)
		}
		add(name, "service", o.Service)
	}
	names := l.operationNames()
	for _, name := range names {
		both(name, l.Operations[name])
	}
	if l.Total != nil && len(names) != 1 {
		both("all together", l.Total)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

func percentileCells(p Percentiles) []cell {
	cells := []cell{{Text: Count(p.Count), Number: true}, {Text: millisecondsNumber(p.Min), Number: true}, {Text: millisecondsNumber(p.Mean), Number: true}}
	for _, percentile := range p.list() {
		cells = append(cells, cell{Text: millisecondsNumber(percentile.Nanoseconds), Number: true})
	}
	return cells
}

// phasesTable shows where the time of an exchange went, when it was traced.
func (l *Load) phasesTable() *table {
	t := table{Caption: "Phases of an exchange, in ms", Columns: []column{{Head: "Operation"}, {Head: "Phase"}, {Head: "Samples", Number: true}, {Head: "min", Number: true}, {Head: "mean", Number: true}}}
	for _, percentile := range (Percentiles{}).list() {
		t.Columns = append(t.Columns, column{Head: percentile.Word, Number: true})
	}
	for _, name := range l.operationNames() {
		phases := l.Operations[name].Phases
		if phases == nil {
			continue
		}
		for _, phase := range []struct {
			name string
			Percentiles
		}{{"DNS", phases.DNS}, {"connect", phases.Connect}, {"TLS", phases.TLS}, {"wait for the first byte", phases.Wait}, {"read", phases.Read}} {
			if phase.Count > 0 {
				t.Rows = append(t.Rows, row{Cells: append([]cell{{Text: name, Head: true}, {Text: phase.name}}, percentileCells(phase.Percentiles)...)})
			}
		}
		t.More = strings.TrimSpace(t.More + " " + fmt.Sprintf("%s: %s, %.0f %% of requests on a connection already open.", name, Plural(phases.NewConnections, "new connection"), phases.ReuseRatio*100))
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return &t
}

func (l *Load) generatorFacts() []fact {
	g := l.Generator
	facts := []fact{
		{Name: "Most requests in flight", Value: Count(g.MaxInFlight)},
		{Name: "Never sent", Value: Count(g.Dropped)},
		{Name: "Waited for a worker", Value: Count(g.AtCap)},
		{Name: "Waited for a client", Value: Count(g.Starved)},
		{Name: "Processor time", Value: fmt.Sprintf("%.1f s, %.0f %% of what it may use", g.CPUSeconds, g.CPUShare*100)},
	}
	if g.StartLate > 0 {
		facts = append(facts, fact{Name: "Started after the agreed instant", Value: Milliseconds(g.StartLate)})
	}
	if g.Throttled > 0 {
		facts = append(facts, fact{Name: "Held back by a CPU limit", Value: fmt.Sprintf("%s, %s", plural(g.ThrottledTimes, "time", "times"), Milliseconds(g.Throttled))})
	}
	if g.GCPause.Count > 0 {
		facts = append(facts, fact{Name: "Pauses of the garbage collector", Value: fmt.Sprintf("%s, at most %s", Count(g.GCPause.Count), Milliseconds(g.GCPause.Max))})
	}
	if g.Lag.Count > 0 {
		facts = append(facts, fact{Name: "Send lag", Value: fmt.Sprintf("p50 %s, p99 %s, max %s", Milliseconds(g.Lag.P50), Milliseconds(g.Lag.P99), Milliseconds(g.Lag.Max))})
	}
	return facts
}

func (l *Load) planFacts() []fact {
	var facts []fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{Name: name, Value: value})
		}
	}
	add("Workload", l.Plan.Workload)
	add("Mix", mixWords(l.Plan.Mix))
	add("Schedule", l.Plan.Schedule)
	add("Clients", Count(int64(l.Plan.Clients)))
	if l.Plan.Workers > 0 {
		add("Concurrent requests at most", Count(int64(l.Plan.Workers)))
	}
	add("HTTP client", l.Plan.Transport)
	add("Seed", fmt.Sprintf("%d", l.Plan.Seed))
	add("Shard", l.Shard)
	add("Shards", strings.Join(l.Shards, ", "))
	return facts
}

func mixWords(mix map[string]int) string {
	var parts []string
	for _, name := range sortedKeys(mix) {
		parts = append(parts, fmt.Sprintf("%s %d", name, mix[name]))
	}
	return strings.Join(parts, " : ")
}

// shown is the capacity search as a sentence, a chart and a table.
func (c *Capacity) shown() *capacityShown {
	sentence := "The service keeps the limits up to " + Rate(c.Rate) + "."
	if c.LowerBound {
		sentence = "The service keeps the limits at " + Rate(c.Rate) + " at least: our own generator was the end, not the service."
	}
	if c.Knee > 0 {
		sentence += " Response times begin to grow at about " + Rate(c.Knee) + "."
	}
	if c.Reason != "" {
		sentence += " " + c.Reason
	}
	points := slices.Clone(c.Points)
	slices.SortStableFunc(points, func(a, b CapacityPoint) int {
		switch {
		case a.Rate < b.Rate:
			return -1
		case a.Rate > b.Rate:
			return 1
		}
		return 0
	})
	t := table{Caption: "Tried rates", Columns: []column{{Head: "Rate", Number: true}, {Head: "Verdict"}, {Head: "Reached", Number: true}, {Head: "p50 ms", Number: true}, {Head: "p99 ms", Number: true}, {Head: "Wrong", Number: true}, {Head: "Why"}}}
	p50 := line{Name: "p50", Look: "p50", Dots: true}
	p99 := line{Name: "p99", Look: "p99", Dots: true}
	for _, point := range points {
		t.Rows = append(t.Rows, row{Class: point.Verdict.Class(), Cells: []cell{{Text: Rate(point.Rate), Head: true, Number: true}, {Verdict: point.Verdict}, {Text: Rate(point.Reached), Number: true},
			{Text: millisecondsNumber(point.P50), Number: true}, {Text: millisecondsNumber(point.P99), Number: true}, {Text: fmt.Sprintf("%.2f %%", point.Errors*100), Number: true}, {Text: point.Reason}}})
		p50.X, p50.Y = append(p50.X, point.Rate), append(p50.Y, float64(point.P50)/1e6)
		p99.X, p99.Y = append(p99.X, point.Rate), append(p99.Y, float64(point.P99)/1e6)
	}
	picture := chart{ID: "l-capacity-chart", Title: "Response time by rate", Description: sentence, X: axis{Label: "rate", Format: axisRate}, Y: axis{Label: "ms", Format: axisMilliseconds, Log: wide(p50.Y, p99.Y)}, Lines: []line{p50, p99}}
	if c.Rate > 0 {
		picture.Marks = []mark{{At: c.Rate, Words: "capacity " + Rate(c.Rate)}}
	}
	return &capacityShown{Sentence: sentence, Chart: picture.draw(), Points: t}
}
