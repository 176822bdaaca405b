package html

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/reports"
)

const (
	// fullCharts is how many operations get charts of response time of their own in full resolution; those that failed
	// come first.
	fullCharts = 3
	// fullPoints and smallPoints are the most points of a line: beyond, a point stands for several seconds.
	fullPoints  = 300
	smallPoints = 120
)

// wide tells whether values spread so far that only a logarithmic axis shows all of them.
func wide(groups ...[]float64) bool {
	low, high := math.Inf(1), 0.0
	for _, values := range groups {
		for _, v := range values {
			if isFinite(v) && v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return high > 25*low
}

// loadCharts draws the run: full charts, and small ones of the operations that have none.
func loadCharts(l *reports.Load, lines map[string]timeline, baseline *reports.Load) (full, small []drawing) {
	names := l.OperationNames()
	urgent := slices.Clone(names)
	slices.SortStableFunc(urgent, func(a, b string) int { return cmp.Compare(urgency(l, a), urgency(l, b)) })
	inFull := map[string]bool{}
	for i, name := range urgent {
		inFull[name] = i < fullCharts
	}
	for _, name := range names {
		t, ok := lines[name]
		if !ok {
			continue
		}
		if inFull[name] {
			full = append(full, responseChart(l, name, t, fullPoints).draw())
		} else {
			c := responseChart(l, name, t, smallPoints)
			c.Height = 200
			small = append(small, c.draw())
		}
	}
	if all, ok := lines[""]; ok {
		full = append(full, throughputChart(l, all).draw())
		if c, any := wrongChart(l, all); any {
			full = append(full, c.draw())
		}
	}
	if c, any := loadCurveChart(l, names, baseline); any {
		full = append(full, c.draw())
	}
	if all, ok := lines[""]; ok {
		full = append(full, chart{ID: "l-lag", Title: "Send lag: how far the generator was behind its schedule",
			Description: fmt.Sprintf("p99 of each second. Over the whole run p99 %s, max %s. %s",
				figures.Milliseconds(l.Generator.Lag.P99), figures.Milliseconds(l.Generator.Lag.Max),
				all.bucketWords(fullPoints)),
			X: axis{Label: "since the start", Time: true},
			Y: axis{Label: "send lag", Format: axisMilliseconds}, Height: 200,
			Lines: []line{all.times(line{Name: "p99 lag", Look: "max", Area: true}, fullPoints, highestLag)}}.draw())
	}
	return full, small
}

// urgency sorts operations for the full charts: failed limits first, then wrong answers, then the busy ones.
func urgency(l *reports.Load, name string) int64 {
	o := l.Operations[name]
	rank := int64(3)
	switch {
	case reports.Worst(l.LimitsOf(name)) == reports.Fail || o.Sent > 0 && o.Right == 0:
		rank = 0
	case o.Wrong > 0:
		rank = 1
	case len(l.LimitsOf(name)) > 0:
		rank = 2
	}
	return rank<<56 - min(max(o.Sent, 0), 1<<55)
}

func responseChart(l *reports.Load, name string, t timeline, limit int) chart {
	o := l.Operations[name]
	kind := "Response time"
	times := o.Response
	if l.Plan.Closed {
		kind, times = "Service time", o.Service
	}
	c := chart{ID: anchor("l-time", name), Title: kind + " of " + name + " over time",
		X: axis{Label: "since the start", Time: true}, Y: axis{Label: "time", Format: axisMilliseconds},
		Right: axis{Label: "asked rate", Format: axisRate}}
	if o.Right == 0 {
		c.Title += ": no answer was right, so there is none to draw"
	}
	c.Description = fmt.Sprintf("Right answers only. %s%s Over the whole run: p50 %s, p95 %s, p99 %s, max %s.",
		t.bucketWords(limit), t.rateWords(limit), figures.Milliseconds(times.P50), figures.Milliseconds(times.P95),
		figures.Milliseconds(times.P99), figures.Milliseconds(times.Max))
	var all [][]float64
	for _, of := range []struct {
		name string
		pick func(reports.Second) int64
	}{{"max", func(s reports.Second) int64 { return s.Max }}, {"p99", func(s reports.Second) int64 { return s.P99 }},
		{"p95", func(s reports.Second) int64 { return s.P95 }}, {"p50", func(s reports.Second) int64 { return s.P50 }}} {
		if limit <= smallPoints && of.name == "max" {
			continue
		}
		drawn := t.times(line{Name: of.name, Look: of.name}, limit, highest(of.pick))
		all = append(all, drawn.Y)
		c.Lines = append(c.Lines, drawn)
	}
	for _, limit := range l.LimitsOf(name) {
		if at, percentile, ok := timeLimit(limit.Expression); ok {
			words, look := percentile+" limit "+axisMilliseconds(at), "limit"
			if limit.Verdict == reports.Fail {
				words, look = words+", broken", "broken"
			}
			c.Levels = append(c.Levels, level{At: at, Words: words, Look: look})
			all = append(all, []float64{at})
		}
	}
	c.Y.Log = wide(all...)
	if c.Y.Log {
		c.Y.Label = "time, log scale"
	}
	asked := t.rate(line{Name: "asked", Look: "asked", OnRight: true}, limit, askedOf)
	c.Lines = append([]line{asked}, c.Lines...)
	return c
}

var limitForm = regexp.MustCompile(
	`^(?:[^.]+\.)?(p\d+(?:\.\d+)?|max|mean|min)\s*<=?\s*([0-9.]+\s*(?:ns|us|µs|ms|s|m))$`)

// timeLimit reads the place of a limit on response times, such as refresh.p99<300ms, in milliseconds.
func timeLimit(expression string) (at float64, percentile string, ok bool) {
	parts := limitForm.FindStringSubmatch(strings.TrimSpace(expression))
	if parts == nil {
		return 0, "", false
	}
	d, err := time.ParseDuration(strings.ReplaceAll(parts[2], " ", ""))
	if err != nil || d <= 0 {
		return 0, "", false
	}
	return float64(d) / 1e6, parts[1], true
}

func askedOf(s reports.Second) int64 { return s.Asked }

// highestLag picks the highest send lag of a bucket in milliseconds; a bucket in which nothing was sent has none.
func highestLag(bucket []reports.Second) float64 {
	top := math.NaN()
	for _, second := range bucket {
		if second.Sent > 0 && !(float64(second.Lag99)/1e6 <= top) {
			top = float64(second.Lag99) / 1e6
		}
	}
	return top
}

func throughputChart(l *reports.Load, t timeline) chart {
	whole := l.Whole()
	return chart{ID: "l-throughput", Title: "Throughput: asked, sent and right",
		Description: fmt.Sprintf("Asked %s, sent %s, right %s over the whole run.%s", figures.Count(whole.Asked),
			figures.Count(whole.Sent), figures.Count(whole.Right), t.rateWords(fullPoints)),
		X: axis{Label: "since the start", Time: true}, Y: axis{Label: "per second",
			Format: axisRate}, Height: 220,
		Lines: []line{t.rate(line{Name: "asked", Look: "asked"}, fullPoints, askedOf),
			t.rate(line{Name: "sent", Look: "s1"}, fullPoints, func(s reports.Second) int64 { return s.Sent }),
			t.rate(line{Name: "right", Look: "s3"}, fullPoints, func(s reports.Second) int64 { return s.Right })}}
}

// wrongChart draws what was wrong, on its own scale: at 98 % right the rest would be a thread at the top.
func wrongChart(l *reports.Load, t timeline) (chart, bool) {
	totals := map[string]int64{}
	wrong := int64(0)
	for _, second := range t.seconds {
		wrong += second.Wrong
		for status, n := range second.Statuses {
			totals[status] += n
		}
	}
	if wrong == 0 {
		return chart{}, false
	}
	statuses := slices.Sorted(maps.Keys(totals))
	slices.SortStableFunc(statuses, func(a, b string) int { return cmp.Compare(totals[b], totals[a]) })
	statuses = statuses[:min(len(statuses), 5)]
	c := chart{ID: "l-wrong-chart", Title: "Wrong answers, on their own scale",
		X: axis{Label: "since the start", Time: true}, Y: axis{Label: "per second", Format: axisRate}, Height: 220}
	c.Lines = append(c.Lines, t.rate(line{Name: "wrong", Look: "wrong", Area: true}, fullPoints,
		func(s reports.Second) int64 { return s.Wrong }))
	words := []string{figures.PluralOf(wrong, "wrong answer", "wrong answers")}
	for i, status := range statuses {
		name := status
		if status == "none" {
			name = "no answer"
		}
		c.Lines = append(c.Lines, t.rate(line{Name: name, Look: seriesLook(i + 1)}, fullPoints,
			func(s reports.Second) int64 { return s.Statuses[status] }))
		words = append(words, figures.Count(totals[status])+" "+name)
	}
	c.Description = strings.Join(words, ", ") + "." + t.rateWords(fullPoints)
	return c, true
}
