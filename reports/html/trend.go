package html

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
	"agstest/reports/compare"
)

// Trends writes the page of trends: for each question how response times moved from run to run, with changes of level
// marked.
func Trends(w io.Writer, trends []compare.Trend, s Style) error {
	p := trendPage(trends)
	p.Style = s
	return p.write(w, "trend")
}

// trendShown is the data of the template "trend" for one question.
type trendShown struct {
	ID, Environment, Asked, Words string
	Charts                        []drawing
	Changes                       *table
	Runs                          table
}

func trendPage(trends []compare.Trend) page {
	p := page{Kind: "Trend", Title: "Trend of load runs", Verdict: reports.Observed,
		FirstNone: "No change of level and no spike was found."}
	runs, changes, spikes, enough := 0, 0, 0, false
	var details []trendShown
	for n, t := range trends {
		d := shownTrend(t, n)
		details = append(details, d)
		p.Links = append(p.Links, sectionLink{d.ID, d.Environment + ", " + d.Asked})
		runs += len(t.Runs)
		enough = enough || t.Valid() >= compare.FewestForChanges
		for _, o := range t.Operations {
			changes, spikes = changes+len(o.Changes), spikes+len(o.Spikes)
			look := func(metric, words string) {
				if len(p.First) < 8 {
					p.First = append(p.First, first{Verdict: reports.Observed, Link: d.ID,
						Label: t.Environment + " " + o.Operation + " " + metric, Text: words, More: t.Asked})
				}
			}
			for _, change := range o.Changes {
				look(change.Metric, ChangeWords(change)+" since "+figures.Moment(t.Runs[change.Run].Start)+".")
			}
			for _, spike := range o.Spikes {
				look(spike.Metric, SpikeWords(spike)+", in the run of "+figures.Moment(t.Runs[spike.Run].Start)+".")
			}
		}
	}
	if runs > 0 && !enough {
		p.FirstNone = fmt.Sprintf(
			"No run stands out. Changes of level are looked for from %d valid runs of one question on.",
			compare.FewestForChanges)
	}
	p.Reason = fmt.Sprintf("%s of %s, %s of level found, %s. A trend is shown for the eye and judges nothing.",
		figures.Plural(int64(runs), "run"), figures.Plural(int64(len(trends)), "question"),
		figures.Plural(int64(changes), "change"), figures.Plural(int64(spikes), "spike"))
	p.Trust = []statement{
		{reports.Observed, "Only whole load runs and gates that asked the same of the same environment, from the same kind of machine, stand in one line. Runs whose figures are not valid are marked, and no change is made of them."},
		{reports.Observed, "A change of level is a hint where to look: it is found by E-divisive with a permutation test at 1 %, from ten runs on, and does not say what changed. A spike is a single run with more than three times the usual time, or a point more wrong answers than usual."},
	}
	p.Tiles = []tile{{"Runs", figures.Count(int64(runs)), ""}, {"Questions", figures.Count(int64(len(trends))), ""},
		{"Changes of level", figures.Count(int64(changes)), ""}, {"Spikes", figures.Count(int64(spikes)), ""}}
	p.Details = details
	return p
}

// ChangeWords says a change of level.
func ChangeWords(c compare.TrendChange) string {
	if c.Metric == "errors" {
		return fmt.Sprintf("from %s to %s wrong answers", figures.Share(c.Before), figures.Share(c.After))
	}
	return fmt.Sprintf("%s from %s to %s", figures.Change(c.After/c.Before-1), figures.Milliseconds(int64(c.Before)),
		figures.Milliseconds(int64(c.After)))
}

// SpikeWords says a spike.
func SpikeWords(s compare.TrendSpike) string {
	if s.Metric == "errors" {
		return fmt.Sprintf("%s wrong answers, usually %s", figures.Share(s.Value), figures.Share(s.Usual))
	}
	return fmt.Sprintf("%.3g times the usual: %s, usually %s", s.Value/s.Usual, figures.Milliseconds(int64(s.Value)),
		figures.Milliseconds(int64(s.Usual)))
}

func shownTrend(t compare.Trend, n int) trendShown {
	d := trendShown{ID: fmt.Sprintf("t-%d", n+1), Environment: cmp.Or(t.Environment, "unnamed"),
		Asked: cmp.Or(t.Asked, "load")}
	d.Words = figures.Plural(int64(len(t.Runs)), "run")
	if len(t.Runs) == 1 {
		d.Words += ", " + figures.Moment(t.Runs[0].Start) + "."
	} else if len(t.Runs) > 1 {
		d.Words += " from " + figures.Moment(t.Runs[0].Start) + " to " + figures.Moment(
			t.Runs[len(t.Runs)-1].Start) + "."
	}
	changes := table{Caption: "Changes of level and spikes",
		Columns: []column{{Head: "Figure"}, {Head: "What", Number: true}, {Head: "Run"}, {Head: "Started"}}}
	for k, o := range t.Operations {
		for _, series := range TrendSeries(t, o, fmt.Sprintf("t-%d-%d", n+1, k+1)) {
			d.Charts = append(d.Charts, series.draw())
		}
		add := func(metric, words string, run int) {
			changes.Rows = append(changes.Rows,
				row{Cells: []cell{{Text: o.Operation + " " + metric, Head: true}, {Text: words, Number: true},
					{Text: t.Runs[run].Folder, Code: true}, {Text: figures.Moment(t.Runs[run].Start)}}})
		}
		for _, change := range o.Changes {
			add(change.Metric, ChangeWords(change)+" from here on", change.Run)
		}
		for _, spike := range o.Spikes {
			add(spike.Metric, SpikeWords(spike), spike.Run)
		}
	}
	if len(changes.Rows) > 0 {
		d.Changes = &changes
	}
	d.Runs = table{Caption: "The runs, the newest first", Columns: []column{{Head: "Started"}, {Head: "Run"},
		{Head: "Kind"}, {Head: "Verdict"}, {Head: "Pinned as"}}}
	for i := len(t.Runs) - 1; i >= 0; i-- {
		run := t.Runs[i]
		note := ""
		if run.NotValid && run.Verdict != reports.Invalid {
			note = "figures not valid"
		}
		d.Runs.Rows = append(d.Runs.Rows,
			row{Class: run.Verdict.Class(), Cells: []cell{{Text: figures.Moment(run.Start), Head: true},
				{Text: run.Folder}, {Text: run.Kind}, {Verdict: run.Verdict, Note: note},
				{Text: strings.Join(run.Pins, " ")}}})
	}
	return d
}

// TrendSeries are the charts of one operation of a trend: its response times, and where answers were wrong, their
// share. Failed runs and those that are not valid are points of their own, changes of level and pinned runs are marked.
func TrendSeries(t compare.Trend, o compare.TrendOperation, id string) []Series {
	charts := []Series{{ID: id, Title: o.Operation + ": response time from run to run", Unit: "ms"},
		{ID: id + "-e", Title: o.Operation + ": wrong answers from run to run", Unit: "%", Height: 180}}
	values := trendValues(t, o)
	for _, l := range []struct {
		chart      int
		name, look string
		loose      bool
	}{{0, "p50", "p50", false}, {0, "p95", "p95", false}, {0, "p99", "p99", false}, {0, "failed", "wrong", true}, {0,
		"not valid", "s8", true}, {1, "errors", "wrong", false}, {1, "not valid ", "s8", true}} {
		if of := values[l.name]; of != nil {
			charts[l.chart].Lines = append(charts[l.chart].Lines, SeriesLine{Name: strings.TrimSpace(l.name),
				Look: l.look, Values: of, Loose: l.loose})
		}
	}
	var times []time.Time
	for i, run := range t.Runs {
		times = append(times, run.Start)
		if len(run.Pins) > 0 {
			charts[0].Marks = append(charts[0].Marks, SeriesMark{At: i, Words: strings.Join(run.Pins, " ")})
		}
	}
	markChanges(charts, o)
	words := trendWords(t, o)
	for on := range charts {
		charts[on].Times, charts[on].Description = times, strings.Join(words[on], "; ")+"."
	}
	charts[0].Log = slices.ContainsFunc(o.Spikes, func(s compare.TrendSpike) bool {
		return s.Metric != "errors" &&
			s.Value > 20*s.Usual
	})
	if !slices.ContainsFunc(o.Errors, func(share float64) bool { return share > 0 }) {
		charts = charts[:1]
	}
	return charts
}

// trendValues returns the figures of the lines, NaN if a run has none; it leaves out lines without a figure.
func trendValues(t compare.Trend, o compare.TrendOperation) map[string][]float64 {
	values := map[string][]float64{}
	pick := func(name string, keep func(run compare.TrendRun) bool, value func(i int) float64) {
		found := false
		for i, run := range t.Runs {
			v := math.NaN()
			if keep(run) {
				v = value(i)
			}
			found = found || !math.IsNaN(v)
			values[name] = append(values[name], v)
		}
		if !found {
			delete(values, name)
		}
	}
	milliseconds := func(of []int64) func(i int) float64 {
		return func(i int) float64 {
			if of[i] <= 0 {
				return math.NaN()
			}
			return float64(of[i]) / 1e6
		}
	}
	share := func(i int) float64 {
		if o.P50[i] <= 0 && o.Errors[i] == 0 {
			return math.NaN()
		}
		return o.Errors[i] * 100
	}
	valid := func(run compare.TrendRun) bool { return !run.NotValid }
	notValid := func(run compare.TrendRun) bool { return run.NotValid }
	failed := func(run compare.TrendRun) bool { return run.Verdict == reports.Fail && !run.NotValid }
	pick("p50", valid, milliseconds(o.P50))
	pick("p95", valid, milliseconds(o.P95))
	pick("p99", valid, milliseconds(o.P99))
	pick("failed", failed, milliseconds(o.P99))
	pick("not valid", notValid, milliseconds(o.P99))
	pick("errors", valid, share)
	pick("not valid ", notValid, share)
	return values
}

// chartOf is the index of the chart that shows a metric: response times in the first, wrong answers in the second.
func chartOf(metric string) int {
	if metric == "errors" {
		return 1
	}
	return 0
}

// markChanges marks the runs from which on a level is another, each once, with all that changed.
func markChanges(charts []Series, o compare.TrendOperation) {
	marked := [2]map[int]string{{}, {}}
	var order [2][]int
	for _, change := range o.Changes {
		on, short := chartOf(change.Metric), change.Metric+" "+figures.Change(change.After/change.Before-1)
		if change.Metric == "errors" {
			short = "errors " + figures.Points(change.After-change.Before)
		}
		if marked[on][change.Run] == "" {
			order[on] = append(order[on], change.Run)
		} else {
			marked[on][change.Run] += ", "
		}
		marked[on][change.Run] += short
	}
	for on := range order {
		for _, run := range order[on] {
			charts[on].Marks = append(charts[on].Marks, SeriesMark{At: run, Before: true, Words: marked[on][run]})
		}
	}
}

// trendWords describe the two charts.
func trendWords(t compare.Trend, o compare.TrendOperation) (words [2][]string) {
	for _, change := range o.Changes {
		on := chartOf(change.Metric)
		words[on] = append(words[on], fmt.Sprintf("%s changed %s at the run of %s", change.Metric, ChangeWords(change),
			figures.Moment(t.Runs[change.Run].Start)))
	}
	for _, spike := range o.Spikes {
		on := chartOf(spike.Metric)
		words[on] = append(words[on], fmt.Sprintf("%s in the run of %s was %s", spike.Metric,
			figures.Moment(t.Runs[spike.Run].Start), SpikeWords(spike)))
	}
	if last := len(o.P50) - 1; last >= 0 && o.P50[last] > 0 {
		words[0] = append(words[0], fmt.Sprintf("the newest run has p50 %s, p95 %s and p99 %s",
			figures.Milliseconds(o.P50[last]), figures.Milliseconds(o.P95[last]), figures.Milliseconds(o.P99[last])))
		words[1] = append(words[1], "the newest run has "+figures.Share(o.Errors[last])+" wrong answers")
	}
	return words
}
