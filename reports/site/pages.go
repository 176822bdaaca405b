package site

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
)

// How much a page shows at most. The pages of months and the runs' own reports have the rest.
const (
	maxChanges    = 12
	maxOnOnePage  = 150 // runs
	maxInSearch   = 5000
	maxSpans      = 60
	maxReleases   = 40
	monthsAtFirst = 3
	trendRuns     = 200 // of one question
	maxDifferent  = 40
	maxConformant = 400 // runs in the chart of conformance
)

// runCell is a link to a run.
type runCell struct{ Link, When, Kind, Release string }

func (b *builder) cell(d *digest, up string) *runCell {
	if d == nil {
		return nil
	}
	return &runCell{up + b.runPath(d), minute(d.Start), d.Kind, d.Release}
}

func (b *builder) runPath(d *digest) string { return "runs/" + b.history.slugs[d] + ".html" }

var ruleID = regexp.MustCompile(`^[A-Z]{1,8}-[0-9]{1,4}$`)

func requirementPath(id string) string {
	if ruleID.MatchString(id) { // as the catalogue writes them
		return "requirements/" + strings.ToLower(id) + ".html"
	}
	return "requirements/x-" + fileName("x "+id) + ".html"
}

// runRow is a line of a table of runs.
type runRow struct {
	ID, Link, When, Pins, Environment, Kind, Release, Partial, Found, ReleaseBefore string
	Verdict                                                                         reports.Verdict
	NotValid, Before                                                                bool
}

type runTable struct {
	Caption string
	Runs    []runRow
	More    string
}

// rows lists runs, the newest first. With days, the first row of each day gets the day as its id.
func (b *builder) rows(runs []*digest, up string, days bool) []runRow {
	var rows []runRow
	last := ""
	for _, d := range slices.Backward(runs) {
		row := runRow{Link: up + b.runPath(d), When: minute(d.Start), Pins: strings.Join(b.history.pins[d.Folder],
			", "), Environment: d.Environment, Kind: d.Kind, Release: d.Release,
			Partial: d.Partial, Verdict: d.Verdict, Found: found(
				d), Before: b.history.before[d] != nil, NotValid: d.Load != nil && d.Load.NotValid &&
				d.Verdict != reports.Invalid}
		if r := b.history.release[d]; r != nil {
			row.ReleaseBefore = r.Release
		}
		if today := "d-" + day(d.Start); days && today != last {
			row.ID, last = today, today
		}
		rows = append(rows, row)
	}
	return rows
}

// found describes the result of a run in a few words.
func found(d *digest) string {
	var said []string
	if d.Conformance != nil {
		n := d.Conformance.counts()
		said = append(said, fmt.Sprintf("%d held, %d failed, %d not judged", n.Held, n.Failed, n.NotJudged))
	}
	if d.Load != nil {
		var times []string
		for _, name := range operations(d.Load) {
			of := d.Load.Operations[name]
			times = append(times, fmt.Sprintf("%s p99 %s, %s wrong", name, milliseconds(of.P99),
				figures.Percent(of.Wrong, of.Right+of.Wrong)))
		}
		said = append(said, strings.Join(times[:min(len(times), 3)], "; "))
	}
	if len(said) == 0 {
		return figures.OneLine(d.Reason, 120)
	}
	return strings.Join(said, "; ")
}

func operations(l *loadDigest) []string {
	all := map[string]*reports.Operation{}
	for name := range l.Operations {
		all[name] = nil
	}
	return (&reports.Load{Operations: all}).OperationNames()
}

func milliseconds(ns int64) string {
	if ns <= 0 {
		return "–"
	}
	return figures.Milliseconds(ns)
}

// environmentRow is a line of the first page.
type environmentRow struct {
	Name, Link, Runs, Release string
	Verdict                   reports.Verdict
	Conformance, Load         *verdictCell
	Broken                    *verdictCell // the newest run, where it did not come to its end
	Counts                    counts
	Total                     int
	Segments                  []segment
}

type verdictCell struct {
	Verdict    reports.Verdict
	Link, When string
}

type segment struct{ Class, X, Width, Fill string }

func segments(n counts) (int, []segment) {
	total := n.Held + n.Failed + n.Warned + n.NotJudged
	var drawn []segment
	at := 0.0
	for _, part := range []struct {
		verdict reports.Verdict
		count   int
		fill    string
	}{{reports.Pass, n.Held, "#0b7a55"}, {reports.Fail, n.Failed, "#b3261e"}, {reports.Warn, n.Warned,
		"#8a5a00"}, {reports.Skipped, n.NotJudged, "#5a6372"}} {
		if part.count == 0 {
			continue
		}
		width := 1000 * float64(part.count) / float64(total)
		drawn = append(drawn, segment{part.verdict.Class(), number(at), number(max(width-2, 2)), part.fill})
		at += width
	}
	return total, drawn
}

func number(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// change is one thing that the newest runs found otherwise.
type change struct {
	Verdict           reports.Verdict
	Link, Label, Text string
}

func (b *builder) index() error {
	type view struct {
		Frame        frame
		Verdict      reports.Verdict
		Reason       string
		Environments []environmentRow
		Changes      []change
		Compared     bool // some run has one before it
		Months       []month
		OlderMonths  int
		Plans        []page
		Damaged      []string
	}
	h := b.history
	v := view{Frame: b.frame(b.options.Name, "index.html", ""), Verdict: reports.NotExercised,
		Reason: "There is no run yet.", Damaged: h.damaged[:min(len(h.damaged), 20)], Plans: b.plans}
	if n := len(h.runs); n > 0 {
		v.Frame.Facts = []reports.Fact{{Name: "Runs", Value: figures.Count(int64(n))},
			{Name: "Environments", Value: figures.Count(int64(len(h.environments)))},
			{Name: "Newest run", Value: minute(h.runs[n-1].Start) + " UTC"}}
	}
	said := map[reports.Verdict][]string{}
	var broken []string
	for _, e := range h.environments {
		row := environmentRow{Name: e.Name, Link: "environments/" + e.Slug + ".html",
			Runs: figures.Plural(int64(len(e.Runs)), "run"), Verdict: e.Verdict}
		if d := e.Conformance; d != nil {
			row.Conformance, row.Counts, row.Release = &verdictCell{d.Conformance.Verdict, b.runPath(d),
				minute(d.Start)}, d.Conformance.counts(), d.Release
			row.Total, row.Segments = segments(row.Counts)
		}
		if d := e.Load; d != nil {
			row.Load, row.Release = &verdictCell{d.Load.Verdict, b.runPath(d), minute(d.Start)}, cmp.Or(row.Release,
				d.Release)
		}
		if d := e.Broken; d != nil {
			row.Broken = &verdictCell{d.Verdict, b.runPath(d), minute(d.Start)}
			if e.Conformance != nil || e.Load != nil { // else its verdict is that of the environment
				broken = append(broken, e.Name)
			}
		}
		if e.Verdict != "" {
			said[e.Verdict] = append(said[e.Verdict], e.Name)
		}
		v.Environments = append(v.Environments, row)
	}
	slices.SortStableFunc(v.Environments, func(x, y environmentRow) int { return rank(x.Verdict) - rank(y.Verdict) })
	var parts []string
	for _, verdict := range reports.Verdicts {
		if names := said[verdict]; len(names) > 0 {
			if len(parts) == 0 {
				v.Verdict = verdict
			}
			parts = append(parts, verdict.Word()+" in "+enumerated(names))
		}
	}
	if len(parts) > 0 {
		v.Reason = "By the newest run of each kind: " + strings.Join(parts, "; ") + "."
	}
	if len(broken) > 0 {
		v.Reason += " A newer run did not come to its end in " + enumerated(broken) + "."
	}
	v.Changes, v.Compared = b.changes(), len(h.before) > 0
	months := b.months(h.runs, "")
	v.Months = months[:min(len(months), monthsAtFirst)]
	if len(months) > monthsAtFirst {
		v.OlderMonths = len(months)
	}
	return b.render("index.html", "index", "", v)
}

func rank(v reports.Verdict) int {
	if v == "" {
		return 1000
	}
	return v.Rank()
}

func enumerated(names []string) string { return figures.Some(names, 6, ", ") }

// changes returns how the results of the newest runs differ from those before them: requirements first, then load.
func (b *builder) changes() []change {
	var failing, mended, moved []change
	for _, e := range b.history.environments {
		if d := e.Conformance; d != nil {
			if before := b.history.before[d]; before != nil && before.Conformance != nil {
				var worse, better []string
				now, was := d.Conformance.verdicts(), before.Conformance.verdicts()
				for _, rule := range b.history.rules {
					switch is, old := now[rule.ID], was[rule.ID]; {
					case is == reports.Fail && !broken(old) && old != "":
						worse = append(worse, rule.ID)
					case broken(old) && held(is):
						better = append(better, rule.ID)
					}
				}
				if len(worse) > 0 {
					failing = append(failing, change{reports.Fail, b.runPath(d) + "#before",
						e.Name + ": " + figures.Plural(int64(len(worse)), "new failure"), enumerated(worse)})
				}
				if len(better) > 0 {
					mended = append(mended, change{reports.Improved, b.runPath(d) + "#before", e.Name + ": " +
						figures.Plural(int64(len(better)), "requirement") + " mended", enumerated(better)})
				}
			}
		}
		for _, t := range b.trends[e] {
			for _, o := range t.Operations {
				for _, s := range o.Spikes {
					if s.Run == len(t.Runs)-1 {
						moved = append(moved, change{reports.Observed, "environments/" + e.Slug + ".html#trend",
							e.Name + ": " + o.Operation + " " + s.Metric, html.SpikeWords(s) + ", in the newest run"})
					}
				}
				for _, c := range o.Changes {
					if c.Run >= len(t.Runs)-10 {
						moved = append(moved, change{reports.Observed, "environments/" + e.Slug + ".html#trend",
							e.Name + ": " + o.Operation + " " + c.Metric, html.ChangeWords(c) + " since " +
								minute(t.Runs[c.Run].Start)})
					}
				}
			}
		}
	}
	all := slices.Concat(failing, mended, moved)
	return all[:min(len(all), maxChanges)]
}

// chartGroup is the charts of one question.
type chartGroup struct {
	Heading string
	Notes   []note
	Drawn   []template.HTML
}

type note struct{ Class, Text string }

func (b *builder) environment(e *environment) error {
	type failing struct {
		ID, Link, Text string
		Since          *runCell
		Runs           int
	}
	type view struct {
		Frame   frame
		Verdict reports.Verdict
		Reason  string
		Failing []failing
		Charts  []chartGroup
		Runs    runTable
	}
	path := "environments/" + e.Slug + ".html"
	v := view{Frame: b.frame(e.Name, path, "../"), Verdict: cmp.Or(e.Verdict, reports.NotExercised)}
	newest := e.Runs[len(e.Runs)-1]
	v.Frame.Facts = []reports.Fact{{Name: "Service under test", Value: newest.URL, Code: true},
		{Name: "Release", Value: newest.Release}, {Name: "Runs", Value: figures.Count(int64(len(e.Runs)))},
		{Name: "First run", Value: minute(e.Runs[0].Start)}, {Name: "Newest run", Value: minute(newest.Start)}}
	v.Frame.Facts = slices.DeleteFunc(v.Frame.Facts, func(f reports.Fact) bool { return f.Value == "" })
	var said []string
	if d := e.Conformance; d != nil {
		n := d.Conformance.counts()
		said = append(said, fmt.Sprintf("Conformance of %s: %s (%d held, %d failed, %d not judged)", minute(d.Start),
			d.Conformance.Verdict.Word(), n.Held, n.Failed, n.NotJudged))
	}
	if d := e.Load; d != nil {
		said = append(said, fmt.Sprintf("Load of %s: %s", minute(d.Start), d.Load.Verdict.Word()))
	}
	v.Reason = cmp.Or(strings.Join(said, ". ")+".", ".")
	if len(said) == 0 {
		v.Reason = "No whole run with conformance or load."
	}
	if d := e.Broken; d != nil {
		v.Reason += fmt.Sprintf(" The newest run, of %s, did not come to its end: %s", minute(d.Start),
			figures.OneLine(d.Partial, 200))
		v.Reason = strings.TrimSuffix(v.Reason, ".") + "."
	}
	for _, s := range b.history.stories {
		for _, t := range s.Tracks {
			if t.Environment == e && t.Spans[0].Verdict == reports.Fail {
				v.Failing = append(v.Failing, failing{s.Rule.ID, "../" + requirementPath(s.Rule.ID), s.Rule.Text,
					b.cell(t.Spans[0].First, "../"), t.Spans[0].Runs})
			}
		}
	}
	group, err := conformanceChart(e)
	if err != nil {
		return err
	}
	if group != nil {
		v.Charts = append(v.Charts, *group)
	}
	for n, t := range b.trends[e] {
		group := chartGroup{Heading: "Load: " + t.Asked}
		if valid := t.Valid(); valid < compare.FewestForChanges {
			group.Notes = append(group.Notes,
				note{"calm", fmt.Sprintf("%s valid: changes of level are looked for from %d on.",
					figures.PluralOf(int64(valid), "run is", "runs are"), compare.FewestForChanges)})
		}
		for k, o := range t.Operations {
			for _, s := range o.Spikes[max(0, len(o.Spikes)-3):] {
				group.Notes = append(group.Notes, note{"", o.Operation + " " + s.Metric + " in the run of " +
					minute(t.Runs[s.Run].Start) + ": " + html.SpikeWords(s) + "."})
			}
			for _, series := range html.TrendSeries(t, o, fmt.Sprintf("l-%d-%d", n+1, k+1)) {
				drawn, err := series.Render()
				if err != nil {
					return err
				}
				group.Drawn = append(group.Drawn, drawn)
			}
		}
		v.Charts = append(v.Charts, group)
	}
	shown := e.Runs[max(0, len(e.Runs)-maxOnOnePage):]
	v.Runs = runTable{Caption: "The runs of " + e.Name + ", the newest first", Runs: b.rows(shown, "../", false)}
	if len(shown) < len(e.Runs) {
		v.Runs.More = fmt.Sprintf("%s older ones stand on the pages of their months.",
			figures.Count(int64(len(e.Runs)-len(shown))))
	}
	return b.render(path, "environment", "", v)
}

// conformanceChart draws how many requirements held, failed and were not judged, run by run.
func conformanceChart(e *environment) (*chartGroup, error) {
	s := html.Series{ID: "c-1", Title: "Requirements from run to run", Unit: "requirements"}
	var runs []*digest
	for _, d := range e.Runs {
		if d.Conformance != nil && d.Partial == "" {
			runs = append(runs, d)
		}
	}
	if len(runs) == 0 {
		return nil, nil
	}
	runs = runs[max(0, len(runs)-maxConformant):]
	lines := []html.SeriesLine{{Name: "held", Look: "s3"}, {Name: "failed", Look: "wrong"},
		{Name: "not judged", Look: "s8"}, {Name: "warned, known", Look: "s5"}}
	warned := false
	for _, d := range runs {
		n := d.Conformance.counts()
		s.Times = append(s.Times, d.Start)
		warned = warned || n.Warned > 0
		for i, count := range []int{n.Held, n.Failed, n.NotJudged, n.Warned} {
			lines[i].Values = append(lines[i].Values, float64(count))
		}
	}
	s.Lines = lines[:3]
	if warned {
		s.Lines = lines
	}
	release := ""
	for i, d := range runs {
		if d.Release != "" && d.Release != release && len(runs) <= 60 {
			s.Marks = append(s.Marks, html.SeriesMark{At: i, Words: d.Release})
		}
		release = cmp.Or(d.Release, release)
	}
	if len(s.Marks) > 8 { // the words would lie on each other
		s.Marks = nil
	}
	n := runs[len(runs)-1].Conformance.counts()
	s.Description = fmt.Sprintf("In the newest run %d held, %d failed and %d were not judged.", n.Held, n.Failed,
		n.NotJudged)
	s.Readout = func(i int) string {
		n := runs[i].Conformance.counts()
		return strings.TrimSpace(fmt.Sprintf("%s · %s · %d held, %d failed, %d not judged, %d warned %s",
			minute(runs[i].Start), runs[i].Conformance.Verdict.Word(), n.Held, n.Failed, n.NotJudged, n.Warned,
			runs[i].Release))
	}
	drawn, err := s.Render()
	return &chartGroup{Heading: "Conformance", Drawn: []template.HTML{drawn}}, err
}

// month is a page of a calendar.
type month struct {
	Name  string
	Weeks [][7]dayCell
}

// dayCell is a day; Day 0: it is of another month.
type dayCell struct {
	Day, Runs   int
	Verdict     reports.Verdict
	Link, Title string
}

// months are those that have runs, the newest first.
func (b *builder) months(runs []*digest, up string) []month {
	type summary struct {
		runs    int
		verdict reports.Verdict
	}
	days := map[string]*summary{}
	var names []string
	for _, d := range runs {
		name := d.Start.Format("2006-01")
		if !slices.Contains(names[max(0, len(names)-1):], name) {
			names = append(names, name)
		}
		s := days[day(d.Start)]
		if s == nil {
			s = &summary{verdict: d.Verdict}
			days[day(d.Start)] = s
		}
		s.runs++
		if d.Verdict.Rank() < s.verdict.Rank() {
			s.verdict = d.Verdict
		}
	}
	var months []month
	for _, name := range slices.Backward(names) {
		first, err := time.Parse("2006-01", name)
		if err != nil || first.Year() < 2000 {
			continue // no clock of a machine that ran this says so
		}
		m := month{Name: first.Format("January 2006")}
		var week [7]dayCell
		for at := first; at.Month() == first.Month(); at = at.AddDate(0, 0, 1) {
			column := (int(at.Weekday()) + 6) % 7
			cell := dayCell{Day: at.Day()}
			if s := days[day(at)]; s != nil {
				cell.Runs, cell.Verdict = s.runs, s.verdict
				cell.Title = fmt.Sprintf("%s, %s: %s", day(at), figures.Plural(int64(s.runs), "run"), s.verdict.Word())
				cell.Link = up + b.monthPath(name) + "#d-" + day(at)
			}
			week[column] = cell
			if column == 6 {
				m.Weeks, week = append(m.Weeks, week), [7]dayCell{}
			}
		}
		if week != ([7]dayCell{}) {
			m.Weeks = append(m.Weeks, week)
		}
		months = append(months, m)
	}
	return months
}

func (b *builder) monthPath(name string) string { return "runs-" + name + ".html" }

func (b *builder) calendar() error {
	type view struct {
		Frame  frame
		Months []month
	}
	return b.render("calendar.html", "calendar", "", view{b.frame("Calendar of runs", "calendar.html", ""),
		b.months(b.history.runs, "")})
}
