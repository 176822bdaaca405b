package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	shownChanges = 60  // requirements with both evidences
	shownDrift   = 300 // rows
	staleAA      = 30 * 24 * time.Hour
)

// CompareHTML writes the page of a comparison.
func CompareHTML(w io.Writer, c *Comparison, s Style) error {
	p := comparePage(c)
	p.Style = s
	return p.write(w, "compare")
}

// compareDetails is what the template "compare" shows.
type compareDetails struct {
	OldName, NewName string
	Caution          string
	NotComparable    []string
	Conformance      *conformanceChanges
	Interleaved      *interleavedShown
	History          *historyShown
	Load             *loadShown
	Advice, Notes    []string
}

type conformanceChanges struct {
	Reason      string
	Table       *table
	More        string
	Changes     []changeShown
	ChangesMore string
	DriftWords  string
	Drift       *table
}

type changeShown struct {
	RequirementChange
	Links []sourceLink
}

type interleavedShown struct {
	Effects []drawnEffects
	Metrics table
	Charts  []drawing
	Plan    []fact
}

type historyShown struct {
	Metrics table
	Charts  []drawing
	Left    []string
	Runs    table
}

type loadShown struct {
	Table    table
	Charts   []drawing
	Statuses *table
}

// sides are what the two things compared are called.
func (c *Comparison) sides() (old, new string) {
	switch {
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return "One side", "Other side"
	case c.Method == SideBySide:
		return "Old build", "New build"
	case c.Method == WithHistory:
		return "Earlier runs", "This run"
	}
	return "First run", "Second run"
}

func comparePage(c *Comparison) page {
	oldName, newName := c.sides()
	p := page{Kind: "Comparison", Title: c.title(), Verdict: c.Verdict, Reason: orElse(c.Reason, "No reason was recorded."),
		Trust: c.trust(), First: c.first(), Tiles: c.tiles(), About: c.about(),
		FirstNone: "Nothing needs attention: nothing that was judged got worse."}
	for _, side := range []struct {
		name string
		run  *Run
	}{{oldName, c.Old}, {newName, c.New}} {
		if side.run == nil {
			continue
		}
		value := side.run.target()
		if side.run.Environment != "" && side.run.URL != "" {
			value = side.run.Environment + ", " + side.run.URL
		}
		p.Facts = append(p.Facts, fact{Name: side.name, Value: value}, fact{Name: side.name + " started", Value: moment(side.run.Start)})
	}
	d := compareDetails{OldName: oldName, NewName: newName, NotComparable: c.NotComparable, Advice: c.Advice, Notes: c.Notes}
	link := func(id, words string) { p.Links = append(p.Links, sectionLink{id, words}) }
	if c.Method == TwoRuns && c.Load != nil {
		d.Caution = TwoRunsCaution
		link("x-caution", "Why load is not judged")
	}
	if len(c.NotComparable) > 0 {
		link("x-not", "Why not comparable")
	}
	if c.Conformance != nil {
		d.Conformance = c.Conformance.shown()
		link("x-conformance", "Conformance")
		link("x-drift", "Form of answers")
	}
	if c.Interleaved != nil {
		d.Interleaved = c.Interleaved.shown()
		link("x-metrics", "What was measured")
		link("x-pairs", "Pair by pair")
	}
	if c.History != nil {
		d.History = c.History.shown()
		link("x-history", "Against earlier runs")
	}
	if c.Load != nil && len(c.Load.Operations) > 0 {
		d.Load = c.Load.shown(oldName, newName)
		link("x-load", "Load, side by side")
	}
	if len(c.Advice) > 0 {
		link("x-advice", "What to do next")
	}
	link("about", "About this comparison")
	p.Details = d
	return p
}

func (c *Comparison) title() string {
	name := func(r *Run) string {
		if r == nil {
			return "earlier runs"
		}
		return orElse(r.Environment, r.target())
	}
	switch {
	case c.Method == WithHistory:
		return "Run on " + name(c.New) + " against earlier runs"
	case c.Method == SideBySide && c.Interleaved != nil && c.Interleaved.Plan.AA:
		return name(c.Old) + " against itself"
	case c.Method == SideBySide && name(c.Old) == name(c.New):
		return "Old and new build on " + name(c.Old)
	case name(c.Old) == name(c.New):
		return "Two runs on " + name(c.Old)
	}
	return name(c.New) + " against " + name(c.Old)
}

// trust says what speaks for and against believing the verdict.
func (c *Comparison) trust() []statement {
	var found []statement
	add := func(verdict Verdict, text string) { found = append(found, statement{verdict, text}) }
	if c.Run.Partial != "" {
		add(Invalid, "The comparison ended early and is partial: "+c.Run.Partial)
	}
	if len(c.NotComparable) == 0 {
		add(Pass, "Both sides were asked the same question.")
	}
	for _, reason := range c.NotComparable {
		add(NotComparable, reason)
	}
	for _, side := range []struct {
		name string
		run  *Run
	}{{"first", c.Old}, {"second", c.New}} {
		if side.run != nil && side.run.Mock != nil {
			add(Observed, "The service of the "+side.name+" run is the built-in mock, not a live one.")
		}
	}
	switch c.Method {
	case TwoRuns:
		if c.Load != nil {
			add(Inconclusive, TwoRunsCaution)
		}
	case WithHistory:
		if h := c.History; h != nil {
			if h.Advisory {
				add(Inconclusive, fmt.Sprintf("%s of the same question: advisory, since a verdict needs %d.", Plural(int64(len(h.Runs)), "earlier run"), fewestEarlier))
			} else {
				add(Pass, fmt.Sprintf("%s of the same question were used.", Plural(int64(len(h.Runs)), "earlier run")))
			}
			switch {
			case h.Confirm != nil:
				add(Pass, "A second run had to agree before anything counted as regressed.")
			default:
				add(Observed, "No confirming run was given, so nothing can count as regressed.")
			}
		}
	case SideBySide:
		if job := c.Interleaved; job != nil {
			found = append(found, job.trust(c.Run.Start)...)
		}
	}
	return found
}

func (i *Interleaved) trust(now time.Time) []statement {
	var found []statement
	add := func(verdict Verdict, text string) { found = append(found, statement{verdict, text}) }
	switch i.Plan.Placement {
	case SamePlacement:
		add(Pass, "Both builds ran at the same place, so the user says.")
	case Swapped:
		add(Pass, "The builds changed places at half-time.")
	default:
		add(Inconclusive, "Where the builds ran was not controlled, so no verdict can be better than inconclusive.")
	}
	measured := 0
	for _, round := range i.Rounds {
		measured += len(round.Pairs)
	}
	whole := measured == i.Plan.Pairs*len(i.Rounds) && measured > 0
	verdict := Pass
	if !whole {
		verdict = Inconclusive
	}
	add(verdict, fmt.Sprintf("%s of blocks of %s by turns, in random order (seed %d), the first %s of each block not counted.",
		Plural(int64(measured), "pair"), i.Plan.Block, i.Plan.Seed, i.Plan.Settle))
	switch {
	case len(i.Rounds) > 1:
		add(Pass, "What the first round flagged had to show again in a second one.")
	case !i.Plan.Confirm:
		add(Observed, "No confirming round was asked for.")
	}
	if i.Plan.AA {
		return found
	}
	aa := i.LastAA
	switch {
	case aa == nil:
		add(Observed, "It is not known whether this place tells equal builds apart: no comparison of a build with itself was given. Run one with: agstest ab --aa")
	case aa.Verdict != Pass:
		add(Warn, fmt.Sprintf("When a build was last compared with itself here (%s), it did not pass: %s", moment(aa.When), aa.Reason))
	default:
		verdict, age := Pass, ""
		if !now.IsZero() {
			age = ", " + ageWords(now.Sub(aa.When)) + " before"
			if now.Sub(aa.When) > staleAA {
				verdict = Warn
			}
		}
		add(verdict, fmt.Sprintf("When a build was last compared with itself here (%s%s), it was not told apart; the largest change it showed was %s.",
			moment(aa.When), age, strings.TrimPrefix(Change(aa.Largest), "+")))
	}
	return found
}

// ageWords says how old something is, roughly.
func ageWords(age time.Duration) string {
	switch {
	case age < 2*time.Hour:
		return Plural(max(int64(age/time.Minute), 0), "minute")
	case age < 48*time.Hour:
		return Plural(int64(age/time.Hour), "hour")
	}
	return Plural(int64(age/(24*time.Hour)), "day")
}

func (c *Comparison) tiles() []tile {
	var tiles []tile
	if part := c.Conformance; part != nil {
		tiles = append(tiles, tile{"Requirements that broke", Count(int64(part.Count(Broke))), ""},
			tile{"Changed in all", Count(int64(len(part.Changes))), "of " + Count(int64(len(part.Changes)+part.Unchanged))},
			tile{"Drift of form", Count(int64(len(part.Drift))), verb(len(part.Drift), "place", "places")})
	}
	if job := c.Interleaved; job != nil {
		for k := range job.Metrics {
			if m := &job.Metrics[k]; m.Metric == "p50" && m.Pairs > 0 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.name(), m.changeWords(m.Change), m.intervalWords()})
			}
		}
	}
	if h := c.History; h != nil {
		for _, m := range h.Metrics {
			if m.Gates && m.Earlier > 1 && len(tiles) < 4 {
				tiles = append(tiles, tile{m.Operation + " " + m.Metric, Milliseconds(m.Value), Change(m.Change) + " from typical"})
			}
		}
	}
	if c.Method == TwoRuns && c.Load != nil {
		for _, o := range c.Load.Operations {
			for _, point := range o.Shift {
				if point.Quantile == 0.5 && len(tiles) < 6 {
					tiles = append(tiles, tile{o.Operation + " p50", Change(point.Change()), "shown, not judged"})
				}
			}
		}
	}
	return tiles
}

// first lists what a reader should look at first.
func (c *Comparison) first() []first {
	const shown = 6
	var found []first
	if part := c.Conformance; part != nil {
		n := 0
		for _, change := range part.Changes {
			if !slices.Contains([]Direction{Broke, NewlySeen, Lost}, change.Direction) {
				continue
			}
			if n++; n > shown {
				found = append(found, first{Verdict: Warn, Link: "x-conformance", Label: "More", Text: "requirements changed."})
				break
			}
			verdict := change.New.Verdict
			if change.Direction == Broke {
				verdict = Regressed
			}
			found = append(found, first{Verdict: verdict, Link: anchor("x", change.ID), Label: change.ID, Text: change.Text, More: directionWords[change.Direction] + ". " + change.New.summary()})
		}
		if len(part.Drift) > 0 {
			found = append(found, first{Verdict: Observed, Link: "x-drift", Label: Plural(int64(len(part.Drift)), "difference"), Text: "in the form of answers."})
		}
	}
	if job := c.Interleaved; job != nil {
		for _, wanted := range []Verdict{Regressed, Inconclusive} {
			for k := range job.Metrics {
				m := &job.Metrics[k]
				if m.Verdict == wanted && len(found) < 2*shown {
					found = append(found, first{Verdict: wanted, Link: "x-metrics", Label: m.name(), Text: m.changeWords(m.Change) + ".", More: m.Reason})
				}
			}
		}
	}
	if h := c.History; h != nil {
		for _, m := range h.Metrics {
			if m.Gates && (m.Verdict == Regressed || m.Verdict == Inconclusive) {
				found = append(found, first{Verdict: m.Verdict, Link: "x-history", Label: m.Operation + " " + m.Metric, Text: Milliseconds(m.Value) + ", " + Change(m.Change) + " from typical.", More: m.Reason})
			}
		}
		for _, e := range h.Errors {
			if e.Verdict == Regressed || e.Verdict == Inconclusive && !h.Advisory {
				found = append(found, first{Verdict: e.Verdict, Link: "x-history", Label: e.Operation + " errors", Text: Points(e.Share-e.Highest) + " over the highest of earlier runs.", More: e.Reason})
			}
		}
	}
	return found
}

func (e Evidence) summary() string {
	if e.Reason != "" {
		return oneLine(e.Reason, 300)
	}
	for _, finding := range e.Findings {
		finding.Requirement = ""
		return oneLine(findingSentence(finding), 300)
	}
	return ""
}

var directionWords = map[Direction]string{
	Broke: "Broke", NewlySeen: "Fails, and the first run could not tell", Lost: "Not judged any more", Worse: "A miss that does not fail the run",
	Differs: "The same verdict for another reason", Mended: "Mended", Gained: "Judged now, not before", Better: "A miss is gone",
}

func (c *Comparison) about() []fact {
	facts := runAbout(c.Run)
	for _, side := range []struct {
		name string
		run  *Run
	}{{"First", c.Old}, {"Second", c.New}} {
		if side.run != nil && c.Method != SideBySide {
			facts = append(facts, fact{Name: side.name + " run", Value: side.run.ID, Code: true}, fact{Name: side.name + " run's tool", Value: strings.TrimSpace("agstest " + side.run.Tool.Version)})
		}
	}
	return facts
}

func (c *ConformanceComparison) shown() *conformanceChanges {
	d := &conformanceChanges{Reason: c.Reason}
	if len(c.Changes) > 0 {
		t := table{ID: "changes", Search: true, Caption: "Requirements that changed, those that matter first; " + Count(int64(c.Unchanged)) + " did not",
			Columns: []column{{Head: "Id"}, {Head: "Now"}, {Head: "Before"}, {Head: "What it means"}, {Head: "Requirement"}}}
		for i, change := range c.Changes {
			id := cell{Text: change.ID, Head: true}
			if i < shownChanges {
				id.Link = anchor("x", change.ID)
				d.Changes = append(d.Changes, changeShown{change, sourceLinks(change.Sources)})
			}
			t.Rows = append(t.Rows, row{Class: change.New.Verdict.Class(), Cells: []cell{id, {Verdict: change.New.Verdict}, {Verdict: change.Old.Verdict},
				{Text: directionWords[change.Direction]}, {Text: change.Text, Note: change.New.summary()}}})
		}
		if len(c.Changes) > shownChanges {
			d.ChangesMore = "Both evidences of the other " + Count(int64(len(c.Changes)-shownChanges)) + " are in comparison.json."
		}
		d.Table = &t
	} else {
		d.More = "None of " + Plural(int64(c.Unchanged), "requirement") + " changed."
	}
	switch {
	case !c.DriftKnown:
		d.DriftWords = "At least one of the runs did not record the form of its answers, so nothing can be said of it."
	case len(c.Drift) == 0:
		d.DriftWords = "Every field, claim, kind, header and status that one run observed the other observed as well."
	default:
		d.DriftWords = "What one run observed and the other did not. Both forms may conform; a client that relies on one of them may not cope with the other."
		t := table{ID: "drift", Search: true, Caption: "Differences in the form of answers", Columns: []column{{Head: "Operation"}, {Head: "What"}, {Head: "Where"}, {Head: "First run"}, {Head: "Second run"}}}
		for i, drift := range c.Drift {
			if i == shownDrift {
				t.More = Count(int64(len(c.Drift)-i)) + " more are in comparison.json."
				break
			}
			operation := drift.Operation
			if drift.Status != 0 {
				operation += " " + fmt.Sprint(drift.Status)
			}
			side := func(kinds string, times int) cell {
				if kinds == "" {
					return cell{Text: "–"}
				}
				return cell{Text: kinds, Note: timesWord(times)}
			}
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: operation, Head: true}, {Text: string(drift.What)}, {Text: drift.Place, Code: drift.Place != ""}, side(drift.Old, drift.OldTimes), side(drift.New, drift.NewTimes)}})
		}
		d.Drift = &t
	}
	return d
}

func (i *Interleaved) shown() *interleavedShown {
	d := &interleavedShown{}
	times := effects{ID: "x-effects-times", Title: "Change of response times, with 95 % intervals", Words: Change, Worse: "new build slower", Better: "faster"}
	shares := effects{ID: "x-effects-errors", Title: "Change of the share of wrong answers, with 95 % intervals", Words: Points, Worse: "new build more", Better: "fewer"}
	d.Metrics = table{Caption: "Each figure of each operation. Old and new are medians over blocks, the change is the Hodges–Lehmann estimate over pairs, p is adjusted for all figures by Holm's method",
		Columns: []column{{Head: "Figure"}, {Head: "Verdict"}, {Head: "Change", Number: true}, {Head: "95 % interval", Number: true}, {Head: "Old", Number: true}, {Head: "New", Number: true},
			{Head: "p, worse", Number: true}, {Head: "Could have seen", Number: true}, {Head: "Why"}}}
	rows := slices.Clone(i.Metrics)
	weight := func(v Verdict) int {
		if v == Skipped {
			return len(verdicts)
		}
		return attention(v)
	}
	slices.SortStableFunc(rows, func(a, b MetricComparison) int { return weight(a.Verdict) - weight(b.Verdict) })
	for k := range rows {
		m := &rows[k]
		cells := []cell{{Text: m.name(), Head: true}, {Verdict: m.Verdict}}
		if m.Pairs == 0 {
			cells = append(cells, cell{Text: "–", Number: true}, cell{Text: "–", Number: true}, cell{Text: "–", Number: true}, cell{Text: "–", Number: true})
		} else {
			cells = append(cells, cell{Text: m.changeWords(m.Change), Number: true}, cell{Text: m.intervalWords(), Number: true},
				cell{Text: m.valueWords(m.Old), Number: true}, cell{Text: m.valueWords(m.New), Number: true})
			words := m.changeWords(m.Change) + " (" + m.intervalWords() + ")"
			e := effect{Name: m.name(), Words: words, Verdict: m.Verdict, Value: m.Change, Low: m.Low, High: m.High, Tolerated: m.Tolerated}
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
				parts = append(parts, probability(round.SlowerAdjusted))
			}
			p, smallest = strings.Join(parts, ", then "), m.boundWords(m.Smallest)
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
	for n, operation := range i.operations() {
		d.Charts = append(d.Charts, i.pairChart(n, operation))
	}
	d.Plan = i.planFacts()
	return d
}

// pairChart draws the ratio within each pair, so that a reader sees what the test rests on.
func (i *Interleaved) pairChart(n int, operation string) drawing {
	c := chart{ID: fmt.Sprintf("x-pair-%d", n), Title: operation + ": change within each pair", Height: 220,
		X: axis{Label: "pair", Format: func(v float64) string { return Count(int64(v)) }}, Y: axis{Format: Change}}
	for _, metric := range []string{"p50", "p95"} {
		l := line{Name: metric, Look: metric, Dots: true}
		pair := 0
		for _, round := range i.Rounds {
			for _, p := range round.Pairs {
				pair++
				a, b := p.Old[operation].quantile(metric), p.New[operation].quantile(metric)
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
	if i.Plan.Placement == Swapped {
		c.Marks = append(c.Marks, mark{At: float64(i.Plan.Pairs/2) + 0.5, Words: "places changed"})
	}
	if len(i.Rounds) > 1 {
		c.Marks = append(c.Marks, mark{At: float64(len(i.Rounds[0].Pairs)) + 0.5, Words: "confirming round"})
	}
	var words []string
	for _, m := range i.Metrics {
		if m.Operation == operation && (m.Metric == "p50" || m.Metric == "p95") && m.Pairs > 0 {
			words = append(words, fmt.Sprintf("%s %s over %s", m.Metric, Change(m.Change), Plural(int64(m.Pairs), "pair")))
		}
	}
	c.Description = "Change of response time of " + operation + " within each pair of blocks. Estimates: " + strings.Join(words, ", ") + "."
	return c.draw()
}

func (i *Interleaved) planFacts() []fact {
	rules := i.Plan.Rules
	bounds := func(b Bounds) string {
		return strings.TrimPrefix(Change(b.P50), "+") + " of p50, " + strings.TrimPrefix(Change(b.P95), "+") + " of p95, " + strings.TrimPrefix(Change(b.P99), "+") + " of p99, " + strings.TrimPrefix(Points(b.Errors), "+") + " of errors"
	}
	facts := []fact{
		{Name: "Workload", Value: i.Plan.Workload}, {Name: "Rate in a block", Value: Rate(i.Plan.Rate)}, {Name: "Clients of each side", Value: Count(int64(i.Plan.Clients))},
		{Name: "Pairs of a round", Value: Count(int64(i.Plan.Pairs))}, {Name: "Block", Value: fmt.Sprintf("%s, the first %s not counted", i.Plan.Block, i.Plan.Settle)},
		{Name: "Placement", Value: string(i.Plan.Placement)}, {Name: "Seed", Value: fmt.Sprint(i.Plan.Seed)},
		{Name: "Test", Value: "Wilcoxon signed-rank on the log ratios of pairs, one-sided, Holm over all figures at " + probability(rules.Level)},
		{Name: "Floor: the least change that is flagged", Value: bounds(rules.Floor)}, {Name: "Tolerated: what a pass rules out", Value: bounds(rules.Tolerated)},
	}
	if i.Plan.Confirm {
		facts = append(facts, fact{Name: "Confirmation", Value: "a regression must show in a second round"})
	}
	return facts
}

// valueWords shows a figure itself: a time, or a share of all answers.
func (m *MetricComparison) valueWords(value float64) string {
	if m.Metric == "errors" {
		return shareWords(value)
	}
	return Milliseconds(int64(math.Round(value)))
}

func shareWords(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return Percent(int64(math.Round(share*1e9)), 1e9)
}

// probability shows a p value.
func probability(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < 0.001:
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

func (h *HistoryComparison) shown() *historyShown {
	d := &historyShown{Left: h.Left}
	d.Metrics = table{Caption: "Each figure against what earlier runs let expect: an unchanged service stays between the limits in 90 of 100 runs",
		Columns: []column{{Head: "Figure"}, {Head: "Verdict"}, {Head: "This run", Number: true}, {Head: "Confirming run", Number: true}, {Head: "Typical", Number: true}, {Head: "Expected", Number: true}, {Head: "Change", Number: true}, {Head: "p, slower", Number: true}, {Head: "Why"}}}
	for _, m := range h.Metrics {
		confirm, expected, typical, change, p := "–", "–", "–", "–", "–"
		if m.Confirm > 0 {
			confirm = Milliseconds(m.Confirm)
		}
		if m.Earlier > 1 && m.Value > 0 {
			typical, change, p = Milliseconds(m.Typical), Change(m.Change), probability(m.SlowerAdjusted)
			expected = Milliseconds(m.Low) + " to " + Milliseconds(m.High)
		}
		d.Metrics.Rows = append(d.Metrics.Rows, row{Class: m.Verdict.Class(), Cells: []cell{{Text: m.Operation + " " + m.Metric, Head: true}, {Verdict: m.Verdict},
			{Text: Milliseconds(m.Value), Number: true}, {Text: confirm, Number: true}, {Text: typical, Number: true}, {Text: expected, Number: true}, {Text: change, Number: true}, {Text: p, Number: true}, {Text: m.Reason}}})
	}
	for _, e := range h.Errors {
		confirm := "–"
		if h.Confirm != nil {
			confirm = shareWords(e.Confirm)
		}
		d.Metrics.Rows = append(d.Metrics.Rows, row{Class: e.Verdict.Class(), Cells: []cell{{Text: e.Operation + " errors", Head: true}, {Verdict: e.Verdict},
			{Text: shareWords(e.Share), Number: true}, {Text: confirm, Number: true}, {Text: "–", Number: true}, {Text: "up to " + shareWords(e.Highest), Number: true}, {Text: Points(e.Share - e.Highest), Number: true}, {Text: "–", Number: true}, {Text: e.Reason}}})
	}
	var operations []string
	for _, m := range h.Metrics {
		if !slices.Contains(operations, m.Operation) {
			operations = append(operations, m.Operation)
		}
	}
	for n, operation := range operations {
		d.Charts = append(d.Charts, h.chart(n, operation))
	}
	d.Runs = table{Caption: "The earlier runs", Columns: []column{{Head: "Run"}, {Head: "Verdict"}, {Head: "Started"}}}
	for _, run := range h.Runs {
		d.Runs.Rows = append(d.Runs.Rows, row{Cells: []cell{{Text: run.Run.ID, Head: true}, {Verdict: run.Verdict}, {Text: moment(run.Run.Start)}}})
	}
	return d
}

func (h *HistoryComparison) chart(n int, operation string) drawing {
	c := chart{ID: fmt.Sprintf("x-history-%d", n), Title: operation + ": response time over the earlier runs, and this one", Height: 260,
		X: axis{Label: "run", Format: func(v float64) string { return Count(int64(v)) }}, Y: axis{Label: "ms"}}
	this := float64(len(h.Runs) + 1)
	var words []string
	for _, m := range h.Metrics {
		if m.Operation != operation || m.Value <= 0 {
			continue
		}
		l := line{Name: m.Metric, Look: m.Metric, Dots: true}
		for i, run := range h.Runs {
			l.X = append(l.X, float64(i+1))
			value := math.NaN()
			if at := run.Response[operation].of(m.Metric); at > 0 {
				value = float64(at) / 1e6
			}
			l.Y = append(l.Y, value)
		}
		l.X, l.Y = append(l.X, this), append(l.Y, float64(m.Value)/1e6)
		if m.Gates && m.Earlier > 1 {
			for range l.X {
				l.Low, l.High = append(l.Low, float64(m.Low)/1e6), append(l.High, float64(m.High)/1e6)
			}
			words = append(words, fmt.Sprintf("%s is %s, expected %s to %s", m.Metric, Milliseconds(m.Value), Milliseconds(m.Low), Milliseconds(m.High)))
		}
		c.Lines = append(c.Lines, l)
	}
	c.Marks = []mark{{At: this, Words: "this run"}}
	c.Description = strings.Join(words, "; ") + ". Shaded: what an unchanged service stays within in 90 of 100 runs."
	return c.draw()
}

func (c *LoadComparison) shown(oldName, newName string) *loadShown {
	d := &loadShown{}
	d.Table = table{Caption: "Counts and response times of right answers. Shown, not judged", Columns: []column{{Head: "Operation"}, {Head: "Figure"}, {Head: oldName, Number: true}, {Head: newName, Number: true}, {Head: "Change", Number: true}}}
	statuses := table{Caption: "Statuses whose share of answers differs", Columns: []column{{Head: "Operation"}, {Head: "Status"}, {Head: oldName, Number: true}, {Head: newName, Number: true}}}
	for n, o := range c.Operations {
		add := func(figure, old, new, change string) {
			d.Table.Rows = append(d.Table.Rows, row{Cells: []cell{{Text: o.Operation, Head: true}, {Text: figure}, {Text: old, Number: true}, {Text: new, Number: true}, {Text: change, Number: true}}})
		}
		if o.Old == nil || o.New == nil {
			words := func(s *LoadSide) string {
				if s == nil {
					return "none"
				}
				return Count(s.Sent)
			}
			add("sent", words(o.Old), words(o.New), "–")
			continue
		}
		add("sent", Count(o.Old.Sent), Count(o.New.Sent), "")
		add("rate", Rate(o.Old.Rate), Rate(o.New.Rate), "")
		add("wrong", Percent(o.Old.Wrong, o.Old.Sent), Percent(o.New.Wrong, o.New.Sent), Points(o.New.Errors()-o.Old.Errors()))
		for _, point := range o.Shift {
			if point.Quantile == 0.5 || point.Quantile >= 0.9 {
				add(quantileWord(point.Quantile), Milliseconds(point.Old), Milliseconds(point.New), Change(point.Change()))
			}
		}
		if o.Old.Response.Count > 0 && o.New.Response.Count > 0 {
			add("max", Milliseconds(o.Old.Response.Max), Milliseconds(o.New.Response.Max), Change(ShiftPoint{Old: o.Old.Response.Max, New: o.New.Response.Max}.Change()))
		}
		if len(o.Shift) > 0 {
			d.Charts = append(d.Charts, o.shiftChart(n), o.curveChart(n, oldName, newName))
		}
		for _, status := range o.Statuses {
			statuses.Rows = append(statuses.Rows, row{Cells: []cell{{Text: o.Operation, Head: true}, {Text: status.Status, Code: true},
				{Text: Percent(status.Old, o.Old.Sent), Note: Count(status.Old), Number: true}, {Text: Percent(status.New, o.New.Sent), Note: Count(status.New), Number: true}}})
		}
	}
	if len(statuses.Rows) > 0 {
		d.Statuses = &statuses
	}
	return d
}

// quantileAxis places the quantiles of a shift side by side.
func (o OperationComparison) quantileAxis() (axis, []float64) {
	var at []float64
	for i := range o.Shift {
		at = append(at, float64(i+1))
	}
	return axis{Ticks: at, Format: func(v float64) string {
		if i := int(math.Round(v)) - 1; i >= 0 && i < len(o.Shift) {
			return quantileWord(o.Shift[i].Quantile)
		}
		return ""
	}}, at
}

func (o OperationComparison) shiftChart(n int) drawing {
	x, at := o.quantileAxis()
	l := line{Name: "change", Look: "s1", Dots: true, X: at}
	var words []string
	for _, point := range o.Shift {
		l.Y = append(l.Y, point.Change())
		words = append(words, quantileWord(point.Quantile)+" "+Change(point.Change()))
	}
	return chart{ID: fmt.Sprintf("x-shift-%d", n), Title: o.Operation + ": shift of response time at each quantile", Height: 220, X: x, Y: axis{Format: Change},
		Lines: []line{l}, Levels: []level{{At: 0, Words: "no change", Look: "base"}}, Description: strings.Join(words, ", ") + "."}.draw()
}

func (o OperationComparison) curveChart(n int, oldName, newName string) drawing {
	x, at := o.quantileAxis()
	old, new := line{Name: oldName, Look: "baseline", Dots: true, X: at}, line{Name: newName, Look: "s1", Dots: true, X: at}
	var words []string
	for _, point := range o.Shift {
		old.Y, new.Y = append(old.Y, float64(point.Old)/1e6), append(new.Y, float64(point.New)/1e6)
		words = append(words, fmt.Sprintf("%s %s, then %s", quantileWord(point.Quantile), Milliseconds(point.Old), Milliseconds(point.New)))
	}
	return chart{ID: fmt.Sprintf("x-curve-%d", n), Title: o.Operation + ": response time at each quantile", Height: 220, X: x, Y: axis{Label: "ms", Log: true},
		Lines: []line{old, new}, Description: strings.Join(words, "; ") + "."}.draw()
}
