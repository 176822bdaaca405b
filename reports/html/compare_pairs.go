package html

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
)

type interleavedShown struct {
	Against string // which side is held against which
	Effects []drawnEffects
	Metrics table
	Charts  []drawing
	Plan    []reports.Fact
	Hits    []hitsShown
}

// hitsShown are the single requests of one side.
type hitsShown struct {
	ID, Side  string
	Wrong     []wrongShown
	WrongMore string
	Slowest   []table
}

// hitsOfSide shows what was kept of a side, with ids that the other side does not have.
func hitsOfSide(id, side string, kept *compare.KeptHits) (hitsShown, bool) {
	if kept == nil {
		return hitsShown{}, false
	}
	l := &reports.Load{Operations: map[string]*reports.Operation{}, Slowest: kept.Slowest, Wrong: kept.Wrong}
	for i := range kept.Slowest {
		l.Operations[kept.Slowest[i].Operation] = &reports.Operation{}
	}
	d := hitsShown{ID: id, Side: side}
	d.Wrong, d.WrongMore = wrongsOf(l)
	d.Slowest = slowestTables(l)
	other := strings.NewReplacer("load.json", reports.ComparisonFile)
	d.WrongMore = other.Replace(d.WrongMore)
	for i := range d.Wrong {
		w := &d.Wrong[i]
		w.ID = id + "-" + w.ID
		if w.Examples != nil {
			w.Examples.ID, w.Examples.More = id+"-"+w.Examples.ID, other.Replace(w.Examples.More)
		}
	}
	for i := range d.Slowest {
		t := &d.Slowest[i]
		t.ID, t.Caption, t.More = id+"-"+t.ID, t.Caption+", "+side, other.Replace(t.More)
	}
	return d, true
}

func pairsOf(i *compare.Interleaved, oldName, newName string) *interleavedShown {
	d := &interleavedShown{Against: strings.ToLower(newName) + " against " + strings.ToLower(oldName)}
	times := effects{ID: "x-effects-times", Title: "Change of response times, with 95 % intervals",
		Words: figures.Change, Worse: strings.ToLower(newName) + " slower", Better: "faster"}
	shares := effects{ID: "x-effects-errors", Title: "Change of the share of wrong answers, with 95 % intervals",
		Words: figures.Points, Worse: strings.ToLower(newName) + " more", Better: "fewer"}
	d.Metrics = table{Caption: "Each figure of each operation. Those of both sides are medians over blocks, the " +
		"change is the Hodges–Lehmann estimate over pairs, p is adjusted for all figures by Holm's method",
		Columns: []column{{Head: "Figure"}, {Head: "Verdict"}, {Head: "Change", Number: true},
			{Head: "95 % interval", Number: true}, {Head: oldName, Number: true}, {Head: newName, Number: true},
			{Head: "p, worse", Number: true}, {Head: "Could have seen", Number: true}, {Head: "Why"}}}
	rows := slices.Clone(i.Metrics)
	weight := func(v reports.Verdict) int {
		if v == reports.Skipped {
			return len(reports.Verdicts)
		}
		return v.Rank()
	}
	slices.SortStableFunc(rows,
		func(a, b compare.MetricComparison) int { return weight(a.Verdict) - weight(b.Verdict) })
	for k := range rows {
		m := &rows[k]
		cells := []cell{{Text: m.Name(), Head: true}, {Verdict: m.Verdict}}
		if m.Pairs == 0 {
			cells = append(cells, cell{Text: "–", Number: true}, cell{Text: "–", Number: true},
				cell{Text: "–", Number: true}, cell{Text: "–", Number: true})
		} else {
			cells = append(cells, cell{Text: m.ChangeWords(m.Change), Number: true},
				cell{Text: m.IntervalWords(), Number: true},
				cell{Text: m.ValueWords(m.Old), Number: true}, cell{Text: m.ValueWords(m.New), Number: true})
			words := m.ChangeWords(m.Change) + " (" + m.IntervalWords() + ")"
			e := effect{Name: m.Name(), Words: words, Verdict: m.Verdict, Value: m.Change, Low: m.Low, High: m.High,
				Tolerated: m.Tolerated}
			if m.Metric == "errors" {
				shares.Rows = append(shares.Rows, e)
			} else {
				times.Rows = append(times.Rows, e)
			}
		}
		p, smallest := "–", "–"
		if len(m.Rounds) > 0 {
			var parts []string
			for _, round := range m.Rounds {
				parts = append(parts, figures.Probability(round.SlowerAdjusted))
			}
			p, smallest = strings.Join(parts, ", then "), m.BoundWords(m.Smallest)
		}
		cells = append(cells, cell{Text: p, Number: true}, cell{Text: smallest, Number: true}, cell{Text: m.Reason})
		d.Metrics.Rows = append(d.Metrics.Rows, row{Class: m.Verdict.Class(), Cells: cells})
	}
	for _, e := range []*effects{&times, &shares} {
		if len(e.Rows) == 0 {
			continue
		}
		var words []string
		for _, r := range e.Rows {
			words = append(words, r.Name+" "+r.Words+", "+r.Verdict.Word())
		}
		e.Description = strings.Join(words, "; ") + ". A dashed tick marks the tolerated change."
		d.Effects = append(d.Effects, e.draw())
	}
	for n, operation := range i.Operations() {
		d.Charts = append(d.Charts, pairChart(i, n, operation))
	}
	d.Plan = interleavedFacts(i)
	for _, side := range []struct {
		id, name string
		kept     *compare.KeptHits
	}{{"x-new-hits", newName, i.NewHits}, {"x-old-hits", oldName, i.OldHits}} {
		if hits, any := hitsOfSide(side.id, strings.ToLower(side.name), side.kept); any {
			d.Hits = append(d.Hits, hits)
		}
	}
	return d
}

// pairChart draws the ratio within each pair, the basis of the test.
func pairChart(i *compare.Interleaved, n int, operation string) drawing {
	c := chart{ID: fmt.Sprintf("x-pair-%d", n), Title: operation + ": change within each pair", Height: 220,
		X: axis{Label: "pair", Whole: true}, Y: axis{Format: figures.Change}}
	for _, metric := range []string{"p50", "p95"} {
		l := line{Name: metric, Look: metric, Dots: true}
		pair := 0
		for _, round := range i.Rounds {
			for _, p := range round.Pairs {
				pair++
				a, b := p.Old[operation].Quantile(metric), p.New[operation].Quantile(metric)
				l.X = append(l.X, float64(pair))
				if a > 0 && b > 0 {
					l.Y = append(l.Y, float64(b)/float64(a)-1)
				} else {
					l.Y = append(l.Y, math.NaN())
				}
			}
		}
		c.Lines = append(c.Lines, l)
	}
	c.Levels = []level{{At: 0, Words: "no change", Look: "base"}}
	if i.Plan.Placement == compare.Swapped {
		c.Marks = append(c.Marks, mark{At: float64(i.Plan.Pairs/2) + 0.5, Words: "places changed"})
	}
	if len(i.Rounds) > 1 {
		c.Marks = append(c.Marks, mark{At: float64(len(i.Rounds[0].Pairs)) + 0.5, Words: "confirming round"})
	}
	var words []string
	for _, m := range i.Metrics {
		if m.Operation == operation && (m.Metric == "p50" || m.Metric == "p95") && m.Pairs > 0 {
			words = append(words, fmt.Sprintf("%s %s over %s", m.Metric, figures.Change(m.Change),
				figures.Plural(int64(m.Pairs), "pair")))
		}
	}
	c.Description = "Change of response time of " + operation + " within each pair of blocks. Estimates: " +
		strings.Join(words, ", ") + "."
	return c.draw()
}

func interleavedFacts(i *compare.Interleaved) []reports.Fact {
	rules := i.Plan.Rules
	bounds := func(b compare.Bounds) string {
		return strings.TrimPrefix(figures.Change(b.P50), "+") + " of p50, " + strings.TrimPrefix(figures.Change(b.P95),
			"+") + " of p95, " + strings.TrimPrefix(figures.Change(b.P99), "+") + " of p99, " +
			strings.TrimPrefix(figures.Points(b.Errors), "+") + " of errors"
	}
	facts := []reports.Fact{
		{Name: "Workload", Value: i.Plan.Workload}, {Name: "Rate in a block", Value: figures.Rate(i.Plan.Rate)},
		{Name: "Clients of each side", Value: figures.Count(int64(i.Plan.Clients))},
		{Name: "Pairs of a round", Value: figures.Count(int64(i.Plan.Pairs))},
		{Name: "Block", Value: fmt.Sprintf("%s, the first %s not counted", i.Plan.Block, i.Plan.Settle)},
		{Name: "Placement", Value: string(i.Plan.Placement)}, {Name: "Seed", Value: fmt.Sprint(i.Plan.Seed)},
		{Name: "Test", Value: "Wilcoxon signed-rank on the log ratios of pairs, one-sided, Holm over all figures at " + figures.Probability(rules.Level)},
		{Name: "Floor: the least change that is flagged", Value: bounds(rules.Floor)},
		{Name: "Tolerated: what a pass rules out", Value: bounds(rules.Tolerated)},
	}
	if i.Plan.Confirm {
		facts = append(facts, reports.Fact{Name: "Confirmation", Value: "a regression must show in a second round"})
	}
	return facts
}
