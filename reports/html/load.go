package html

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// Load writes the page of a load run.
func Load(w io.Writer, l *reports.Load, s Style) error {
	p := loadPage(l, s.Baseline)
	p.Style = s
	return p.write(w, "load")
}

// loadDetails is the data of the template "load".
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
	Slowest    []table
	Capacity   *capacityShown
	Storm      string
	Generator  []reports.Fact
	Shards     *table
	Closed     bool
	Traced     bool
}

func loadPage(l, baseline *reports.Load) page {
	kind, title, asked := "Load", "Load on ", "Asked for"
	if l.Run.Kind == "capacity" { // whose figures are those of one rate of several
		kind, title, asked = "Capacity", "Search for the capacity of ", "Figures of"
	}
	p := page{
		Kind: kind, Title: title + l.Run.Target(), Verdict: l.Verdict,
		Reason: cmp.Or(l.Reason, "No reason was recorded."),
		Facts:  reports.RunFacts(l.Run), Trust: loadTrust(l), First: loadFirst(
			l), FirstNone: "Nothing needs attention: every limit is kept and every answer was right.",
		About: append(runAbout(l.Run), planFacts(l)...),
	}
	p.Facts = append(p.Facts, reports.Fact{Name: asked, Value: cmp.Or(l.Plan.Schedule, l.Plan.Workload)})
	if baseline != nil {
		p.Facts = append(p.Facts, reports.Fact{Name: "Baseline", Value: figures.Moment(baseline.Run.Start)})
	}
	p.Tiles = loadTiles(l)
	d := loadDetailsOf(l, baseline)
	p.Details = d
	if d.Limits != nil {
		p.Links = append(p.Links, sectionLink{"l-limits", "Limits"})
	}
	p.Links = append(p.Links, sectionLink{"l-operations", "Operations"}, sectionLink{"l-charts", "Charts"})
	if len(d.Wrong) > 0 {
		p.Links = append(p.Links, sectionLink{"l-wrong", "Wrong answers"})
	}
	if len(d.Slowest) > 0 {
		p.Links = append(p.Links, sectionLink{"l-slow", "Slowest hits"})
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

func loadTiles(l *reports.Load) []tile {
	whole := l.Whole()
	reached := whole.Rate
	asked := 0.0
	if l.Plan.Seconds > 0 {
		asked = float64(l.Plan.Hits) / l.Plan.Seconds
	}
	tiles := []tile{
		{"Sent", figures.Rate(reached), tileNote(figures.Rate(asked), "asked ")},
		{"Right answers", figures.Percent(whole.Right, whole.Sent), figures.Count(whole.Right) + " of " + figures.Count(whole.Sent)},
		{"Wrong answers", figures.Count(whole.Wrong), figures.Percent(whole.Wrong, whole.Sent)},
	}
	times := whole.Response
	note := "response time"
	if l.Plan.Closed {
		times, note = whole.Service, "service time"
	}
	for _, percentile := range times.List() {
		if !slices.Contains([]string{"p50", "p95", "p99"}, percentile.Key) {
			continue
		}
		value := "–"
		if times.Count > 0 {
			value = figures.Milliseconds(percentile.Nanoseconds)
		}
		tiles = append(tiles, tile{percentile.Word, value, note})
	}
	return tiles
}

// loadTrust returns the reasons for and against believing the figures.
func loadTrust(l *reports.Load) []statement {
	found := runTrust(l.Run)
	g := l.Generator
	if !l.Valid {
		found = append(found, statement{reports.Invalid, "The figures are not valid: " + cmp.Or(strings.Join(l.Invalid,
			"; "), "the generator did not keep its schedule") + ". Read nothing into the response times."})
	}
	whole := l.Whole()
	if whole.Sent == 0 {
		found = append(found, statement{reports.Error, "Nothing was sent: nothing was measured."})
	}
	switch {
	case l.Valid && l.Run.Partial != "":
		found = append(found,
			statement{reports.Warn, fmt.Sprintf("What was sent was sent on time, and that is %s of %s.",
				figures.Count(whole.Sent), figures.PluralOf(max(whole.Asked, l.Plan.Hits), "hit", "hits"))})
	case l.Valid:
		found = append(found, statement{reports.Pass, fmt.Sprintf("The generator kept its schedule: %s of %s sent.",
			figures.Count(whole.Sent), figures.PluralOf(max(whole.Asked, l.Plan.Hits), "hit", "hits"))})
	}
	if g.Lag.Count > 0 {
		found = append(found,
			statement{mildly(l.Valid), fmt.Sprintf("Send lag: p99 %s, at most %s behind the schedule.",
				figures.Milliseconds(g.Lag.P99), figures.Milliseconds(g.Lag.Max))})
	}
	if g.Dropped+g.AtCap+g.Starved > 0 {
		found = append(found,
			statement{reports.Warn,
				fmt.Sprintf("Held up by the generator: %s never sent, %s waited for a worker, %s waited for a client.",
					figures.Count(g.Dropped), figures.Count(g.AtCap), figures.Count(g.Starved))})
	}
	if resent := l.Resent(); resent != "" {
		found = append(found, statement{reports.Warn, resent})
	}
	if g.CPUShare > 0.8 {
		found = append(found, statement{reports.Warn,
			fmt.Sprintf("The generator used %.0f %% of the processors it may use.", g.CPUShare*100)})
	}
	if g.Throttled > 0 {
		found = append(found,
			statement{reports.Warn,
				fmt.Sprintf("The CPU limit of its container held the generator back %s, for %s in all.",
					figures.PluralOf(g.ThrottledTimes, "time", "times"), figures.Milliseconds(g.Throttled))})
	}
	if g.ClockStep != 0 {
		found = append(found, statement{reports.Warn, "The clock of the generator was set during the run, by " +
			figures.Milliseconds(g.ClockStep) + "."})
	}
	if l.Plan.Closed {
		found = append(found,
			statement{reports.Warn,
				"Closed loop: each client waits for its answer before it asks again, so what a user would have waited is not " +
					"known. The times are service times."})
	} else {
		found = append(found, statement{reports.Pass,
			"Open model: response time counts from when a request was due, so a stall of the service is not hidden."})
	}
	if l.Trace != nil {
		found = append(found, statement{reports.Observed, l.Trace.Says()})
	}
	for _, note := range l.Notes {
		found = append(found, statement{reports.Observed, note})
	}
	return found
}

func mildly(well bool) reports.Verdict {
	if well {
		return reports.Pass
	}
	return reports.Warn
}

// cameTo is what a sentence says of the value of a limit.
func cameTo(value string) string {
	if value == "" || value == "–" {
		return "no figure"
	}
	return value
}

// loadFirst lists the points that a reader should look at first.
func loadFirst(l *reports.Load) []first {
	var found []first
	if !l.Valid {
		label, text := "The figures", "are not valid."
		if l.Total == nil || l.Total.Sent == 0 {
			label, text = "The load", "has no figures."
		}
		found = append(found, first{Verdict: reports.Invalid, Link: "l-lag", Label: label, Text: text,
			More: strings.Join(l.Invalid, "; ")})
	}
	for _, limit := range l.Limits {
		if slices.Contains([]reports.Verdict{reports.Fail, reports.Error, reports.Inconclusive, reports.Invalid},
			limit.Verdict) {
			found = append(found, first{Verdict: limit.Verdict, Link: "l-limits", Label: limit.Expression,
				Text: "came to " + cameTo(limit.Value) + ".", More: limit.Reason})
		}
	}
	found = append(found, missingShards(l)...)
	kinds := l.KindsOfWrong()
	for i, wrong := range kinds {
		if i == 5 {
			found = append(found, first{Verdict: reports.Warn, Link: "l-wrong",
				Label: figures.Plural(int64(len(kinds)-i), "more kind"), Text: "of wrong answers."})
			break
		}
		verdict, _ := l.JudgedWrong(wrong.Operation, wrong.Kind)
		found = append(found, first{Verdict: verdict, Link: wrongID(wrong.Operation, wrong.Kind),
			Label: wrong.Operation + " " + wrong.Kind, Text: figures.PluralOf(wrong.Times, "time", "times") + ".",
			More: figures.OneLine(wrong.Message, 300)})
	}
	for _, name := range l.OperationNames() {
		if o := l.Operations[name]; o.Sent > 0 && o.Right == 0 {
			verdict, _ := l.VerdictOf(name, o)
			found = append(found, first{Verdict: verdict, Link: "l-operations", Label: name,
				Text: "had no right answer at all."})
		}
	}
	if len(l.Limits) == 0 && l.Verdict == reports.Pass {
		found = append(found, first{Verdict: reports.Observed, Label: "No limit was set:",
			Text: "response times were measured and not judged."})
	}
	rest := found
	if !l.Valid {
		rest = found[1:] // what makes the figures invalid comes before what they say
	}
	slices.SortStableFunc(rest, func(a, b first) int { return a.Verdict.Rank() - b.Verdict.Rank() })
	return found
}

func loadDetailsOf(l *reports.Load, baseline *reports.Load) loadDetails {
	d := loadDetails{Closed: l.Plan.Closed, Traced: l.Trace != nil}
	d.Limits = limitsTable(l)
	lines := timelines(l)
	d.Operations = operationsTable(l, lines)
	d.Statuses = statusesTable(l)
	d.Service = serviceTable(l)
	d.Phases = phasesTable(l)
	d.Charts, d.Small = loadCharts(l, lines, baseline)
	d.Wrong, d.WrongMore = wrongsOf(l)
	d.Slowest = slowestTables(l)
	if l.Capacity != nil {
		d.Capacity = capacityOf(l.Capacity)
	}
	if l.Storm != nil {
		d.Storm = reports.StormSentence(l.Storm)
	}
	d.Generator = generatorFacts(l)
	d.Shards = shardsTable(l)
	return d
}

func generatorFacts(l *reports.Load) []reports.Fact {
	g := l.Generator
	facts := []reports.Fact{
		{Name: "Most requests in flight", Value: figures.Count(g.MaxInFlight)},
		{Name: "Never sent", Value: figures.Count(g.Dropped)},
		{Name: "Waited for a worker", Value: figures.Count(g.AtCap)},
		{Name: "Waited for a client", Value: figures.Count(g.Starved)},
		{Name: "Processor time", Value: fmt.Sprintf("%.1f s, %.0f %% of what it may use", g.CPUSeconds, g.CPUShare*100)},
	}
	if g.StoodStill > 0 {
		facts = append(facts, reports.Fact{Name: "Stood still without a client",
			Value: figures.Milliseconds(g.StoodStill)})
	}
	if g.StartLate > 0 {
		facts = append(facts, reports.Fact{Name: "Started after the agreed instant",
			Value: figures.Milliseconds(g.StartLate)})
	}
	if g.Throttled > 0 {
		facts = append(facts, reports.Fact{Name: "Held back by a CPU limit", Value: fmt.Sprintf("%s, %s",
			figures.PluralOf(g.ThrottledTimes, "time", "times"), figures.Milliseconds(g.Throttled))})
	}
	if g.GCPause.Count > 0 {
		facts = append(facts, reports.Fact{Name: "Pauses of the garbage collector", Value: fmt.Sprintf("%s, at most %s",
			figures.Count(g.GCPause.Count), figures.Milliseconds(g.GCPause.Max))})
	}
	if g.Lag.Count > 0 {
		facts = append(facts, reports.Fact{Name: "Send lag", Value: fmt.Sprintf("p50 %s, p99 %s, max %s",
			figures.Milliseconds(g.Lag.P50), figures.Milliseconds(g.Lag.P99), figures.Milliseconds(g.Lag.Max))})
	}
	return facts
}

func planFacts(l *reports.Load) []reports.Fact {
	var facts []reports.Fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, reports.Fact{Name: name, Value: value})
		}
	}
	add("Workload", l.Plan.Workload)
	add("Mix", mixWords(l.Plan.Mix))
	add("Schedule", l.Plan.Schedule)
	if l.Plan.Clients > 0 { // 0: the load ended before they were counted
		add("Clients", figures.Count(int64(l.Plan.Clients)))
	}
	if l.Plan.Workers > 0 {
		add("Concurrent requests at most", figures.Count(int64(l.Plan.Workers)))
	}
	add("HTTP client", l.Plan.Transport)
	add("Seed", fmt.Sprintf("%d", l.Plan.Seed))
	add("Shard", l.Shard)
	add("Shards", strings.Join(l.Shards, ", "))
	return facts
}

func mixWords(mix map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(mix)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, mix[name]))
	}
	return strings.Join(parts, " : ")
}
