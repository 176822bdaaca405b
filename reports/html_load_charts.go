package reports

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// timeline is the seconds of one operation, or of all, in order and without gaps.
type timeline struct {
	from    int
	seconds []Second
}

// longestTimeline is how many seconds of a run are drawn: two days.
const longestTimeline = 2 * 86400

// timelines takes the seconds of a run apart by operation. Sums over all operations stand under "", there without the wanted statuses.
func (l *Load) timelines() map[string]timeline {
	first, last := math.MaxInt, math.MinInt
	for _, second := range l.Seconds {
		first, last = min(first, second.At), max(last, second.At)
	}
	lines := map[string]timeline{}
	wanted := map[string]string{}
	for name, o := range l.Operations {
		wanted[name] = o.wantedStatus()
	}
	if len(l.Seconds) == 0 {
		return lines
	}
	if first < 0 {
		first = 0
	}
	if last-first >= longestTimeline {
		last = first + longestTimeline - 1
	}
	if last < first {
		return lines
	}
	at := func(name string) timeline {
		line, ok := lines[name]
		if !ok {
			line = timeline{first, make([]Second, last-first+1)}
			for i := range line.seconds {
				line.seconds[i].At = first + i
			}
			lines[name] = line
		}
		return line
	}
	for _, second := range l.Seconds {
		if second.At < first || second.At > last {
			continue
		}
		if _, known := l.Operations[second.Operation]; !known {
			continue
		}
		at(second.Operation).seconds[second.At-first] = second
		sum := &at("").seconds[second.At-first]
		sum.Asked += second.Asked
		sum.Sent += second.Sent
		sum.Right += second.Right
		sum.Wrong += second.Wrong
		sum.Max = max(sum.Max, second.Max)
		sum.Lag99 = max(sum.Lag99, second.Lag99)
		for status, n := range second.Statuses {
			if status == wanted[second.Operation] {
				continue
			}
			if sum.Statuses == nil {
				sum.Statuses = map[string]int64{}
			}
			sum.Statuses[status] += n
		}
	}
	return lines
}

// wantedStatus is the status of right answers: one of 2xx that came at least as often as answers were right. It is "" where no
// answer was right.
func (o *Operation) wantedStatus() string {
	for _, status := range sortedKeys(o.Statuses) {
		if o.Right > 0 && o.Statuses[status] >= o.Right && strings.HasPrefix(status, "2") {
			return status
		}
	}
	return ""
}

// points thins a timeline to at most limit points: each is what pick says of the seconds it stands for.
func (t timeline) points(limit int, pick func([]Second) float64) (x, y []float64) {
	width := (len(t.seconds) + limit - 1) / limit
	if width < 1 {
		width = 1
	}
	for i := 0; i < len(t.seconds); i += width {
		bucket := t.seconds[i:min(i+width, len(t.seconds))]
		x = append(x, float64(t.from+i))
		y = append(y, pick(bucket))
	}
	return x, y
}

// bucketWords says how many seconds one point stands for.
func (t timeline) bucketWords(limit int) string {
	width := (len(t.seconds) + limit - 1) / limit
	if width <= 1 {
		return "Each point is one second."
	}
	return fmt.Sprintf("Each point is the highest of %d seconds.", width)
}

// highest picks the highest time of a bucket in milliseconds; a bucket without a right answer has none.
func highest(of func(Second) int64) func([]Second) float64 {
	return func(bucket []Second) float64 {
		top := math.NaN()
		for _, second := range bucket {
			if second.Right > 0 && !(float64(of(second))/1e6 <= top) {
				top = float64(of(second)) / 1e6
			}
		}
		return top
	}
}

// perSecond picks the mean count of a bucket.
func perSecond(of func(Second) int64) func([]Second) float64 {
	return func(bucket []Second) float64 {
		sum := 0.0
		for _, second := range bucket {
			sum += float64(of(second))
		}
		return sum / float64(len(bucket))
	}
}

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

// charts draws the run: full charts, and small ones of the operations that have none.
func (l *Load) charts(lines map[string]timeline, baseline *Load) (full, small []drawing) {
	names := l.operationNames()
	urgent := slices.Clone(names)
	sort.SliceStable(urgent, func(i, j int) bool { return l.urgency(urgent[i]) < l.urgency(urgent[j]) })
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
			full = append(full, l.responseChart(name, t, fullPoints).draw())
		} else {
			c := l.responseChart(name, t, smallPoints)
			c.Height = 200
			small = append(small, c.draw())
		}
	}
	if all, ok := lines[""]; ok {
		full = append(full, l.throughputChart(all).draw())
		if c, any := l.wrongChart(all); any {
			full = append(full, c.draw())
		}
	}
	if c, any := l.curveChart(names, baseline); any {
		full = append(full, c.draw())
	}
	if all, ok := lines[""]; ok {
		x, y := all.points(fullPoints, func(bucket []Second) float64 {
			top := int64(0)
			for _, second := range bucket {
				top = max(top, second.Lag99)
			}
			return float64(top) / 1e6
		})
		full = append(full, chart{ID: "l-lag", Title: "Send lag: how far the generator was behind its schedule",
			Description: fmt.Sprintf("p99 of each second. Over the whole run p99 %s, max %s. %s", Milliseconds(l.Generator.Lag.P99), Milliseconds(l.Generator.Lag.Max), all.bucketWords(fullPoints)),
			X:           axis{Label: "since the start", Time: true}, Y: axis{Label: "send lag", Format: axisMilliseconds}, Height: 200,
			Lines: []line{{Name: "p99 lag", Look: "max", X: x, Y: y, Area: true}}}.draw())
	}
	return full, small
}

// urgency sorts operations for the full charts: failed limits first, then wrong answers, then the busy ones.
func (l *Load) urgency(name string) int64 {
	o := l.Operations[name]
	rank := int64(3)
	switch {
	case worst(l.limitsOf(name)) == Fail || o.Sent > 0 && o.Right == 0:
		rank = 0
	case o.Wrong > 0:
		rank = 1
	case len(l.limitsOf(name)) > 0:
		rank = 2
	}
	return rank<<56 - min(max(o.Sent, 0), 1<<55)
}

func (l *Load) responseChart(name string, t timeline, limit int) chart {
	o := l.Operations[name]
	kind := "Response time"
	figures := o.Response
	if l.Plan.Closed {
		kind, figures = "Service time", o.Service
	}
	c := chart{ID: anchor("l-time", name), Title: kind + " of " + name + " over time", X: axis{Label: "since the start", Time: true}, Y: axis{Label: "time", Format: axisMilliseconds}, Right: axis{Label: "asked rate", Format: axisRate}}
	c.Description = fmt.Sprintf("Right answers only. %s Over the whole run: p50 %s, p95 %s, p99 %s, max %s.", t.bucketWords(limit), Milliseconds(figures.P50), Milliseconds(figures.P95), Milliseconds(figures.P99), Milliseconds(figures.Max))
	var all [][]float64
	for _, of := range []struct {
		name string
		pick func(Second) int64
	}{{"max", func(s Second) int64 { return s.Max }}, {"p99", func(s Second) int64 { return s.P99 }}, {"p95", func(s Second) int64 { return s.P95 }}, {"p50", func(s Second) int64 { return s.P50 }}} {
		if limit <= smallPoints && of.name == "max" {
			continue
		}
		x, y := t.points(limit, highest(of.pick))
		all = append(all, y)
		c.Lines = append(c.Lines, line{Name: of.name, Look: of.name, X: x, Y: y})
	}
	for _, limit := range l.limitsOf(name) {
		if at, percentile, ok := timeLimit(limit.Expression); ok {
			words, look := percentile+" limit "+axisMilliseconds(at), "limit"
			if limit.Verdict == Fail {
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
	x, y := t.points(limit, perSecond(func(s Second) int64 { return s.Asked }))
	c.Lines = append([]line{{Name: "asked", Look: "asked", X: x, Y: y, OnRight: true}}, c.Lines...)
	return c
}

var limitForm = regexp.MustCompile(`^(?:[^.]+\.)?(p\d+(?:\.\d+)?|max|mean|min)\s*<=?\s*([0-9.]+\s*(?:ns|us|µs|ms|s|m))$`)

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

func (l *Load) throughputChart(t timeline) chart {
	x, asked := t.points(fullPoints, perSecond(func(s Second) int64 { return s.Asked }))
	_, sent := t.points(fullPoints, perSecond(func(s Second) int64 { return s.Sent }))
	_, right := t.points(fullPoints, perSecond(func(s Second) int64 { return s.Right }))
	whole := l.whole()
	return chart{ID: "l-throughput", Title: "Throughput: asked, sent and right",
		Description: fmt.Sprintf("Asked %s, sent %s, right %s over the whole run.", Count(whole.Asked), Count(whole.Sent), Count(whole.Right)),
		X:           axis{Label: "since the start", Time: true}, Y: axis{Label: "per second", Format: axisRate}, Height: 220,
		Lines: []line{{Name: "asked", Look: "asked", X: x, Y: asked}, {Name: "sent", Look: "s1", X: x, Y: sent}, {Name: "right", Look: "s3", X: x, Y: right}}}
}

// wrongChart draws what was wrong, on its own scale: at 98 % right the rest would be a thread at the top.
func (l *Load) wrongChart(t timeline) (chart, bool) {
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
	statuses := sortedKeys(totals)
	sort.SliceStable(statuses, func(i, j int) bool { return totals[statuses[i]] > totals[statuses[j]] })
	statuses = statuses[:min(len(statuses), 5)]
	c := chart{ID: "l-wrong-chart", Title: "Wrong answers, on their own scale", X: axis{Label: "since the start", Time: true}, Y: axis{Label: "per second", Format: axisRate}, Height: 220}
	x, y := t.points(fullPoints, perSecond(func(s Second) int64 { return s.Wrong }))
	c.Lines = append(c.Lines, line{Name: "wrong", Look: "wrong", X: x, Y: y, Area: true})
	words := []string{plural(wrong, "wrong answer", "wrong answers")}
	for i, status := range statuses {
		_, y := t.points(fullPoints, perSecond(func(s Second) int64 { return s.Statuses[status] }))
		name := status
		if status == "none" {
			name = "no answer"
		}
		c.Lines = append(c.Lines, line{Name: name, Look: seriesLook(i + 1), X: x, Y: y})
		words = append(words, Count(totals[status])+" "+name)
	}
	c.Description = strings.Join(words, ", ") + "."
	return c, true
}

// curveTicks are the percentiles named on the axis of the curve, as 1/(1−q).
var curveTicks = []float64{1, 2, 10, 20, 100, 1000, 10000, 100000}

// curveChart is the percentile curve: 1/(1−q) on a logarithmic axis, ended where fewer than 10 samples lie beyond.
func (l *Load) curveChart(names []string, baseline *Load) (chart, bool) {
	c := chart{ID: "l-curve", Title: "Response time by percentile", X: axis{Label: "percentile", Log: true, Ticks: curveTicks, Format: percentileWords}, Y: axis{Label: "time", Format: axisMilliseconds}}
	var all [][]float64
	var words []string
	shown := 0
	for _, name := range names {
		o := l.Operations[name]
		drawn := curveLine(name, seriesLook(shown), o)
		if len(drawn.X) == 0 || shown == 8 {
			continue
		}
		shown++
		c.Lines = append(c.Lines, drawn)
		all = append(all, drawn.Y)
		words = append(words, fmt.Sprintf("%s: p50 %s, p99 %s", name, Milliseconds(o.Response.P50), Milliseconds(o.Response.P99)))
		if baseline != nil && baseline.Operations[name] != nil {
			before := baseline.Operations[name]
			earlier := curveLine(name+", baseline", "baseline", before)
			c.Lines = append(c.Lines, earlier)
			all = append(all, earlier.Y)
			words = append(words, fmt.Sprintf("%s in the baseline: p50 %s, p99 %s", name, Milliseconds(before.Response.P50), Milliseconds(before.Response.P99)))
		}
		for _, limit := range l.limitsOf(name) {
			if at, percentile, ok := timeLimit(limit.Expression); ok && len(names) <= 3 {
				look := "limit"
				if limit.Verdict == Fail {
					look = "broken"
				}
				c.Levels = append(c.Levels, level{At: at, Words: name + " " + percentile + " limit", Look: look})
				all = append(all, []float64{at})
			}
		}
	}
	if shown == 0 {
		return chart{}, false
	}
	c.Y.Log = wide(all...)
	if c.Y.Log {
		c.Y.Label = "time, log scale"
	}
	c.Description = strings.Join(words, "; ") + ". A line ends where fewer than 10 answers lie beyond."
	return c, true
}

// curveLine is the percentile curve of one operation as a line of a chart with 1/(1−q) on a logarithmic x axis.
func curveLine(name, look string, o *Operation) line {
	drawn := line{Name: name, Look: look}
	points := slices.Clone(o.Curve)
	slices.SortStableFunc(points, func(a, b CurvePoint) int {
		switch {
		case a.Quantile < b.Quantile:
			return -1
		case a.Quantile > b.Quantile:
			return 1
		}
		return 0
	})
	for _, point := range points {
		if point.Quantile < 0 || point.Quantile >= 1 || (1-point.Quantile)*float64(o.Response.Count) < 10-1e-9 {
			continue
		}
		drawn.X = append(drawn.X, 1/(1-point.Quantile))
		drawn.Y = append(drawn.Y, float64(point.Value)/1e6)
	}
	return drawn
}

// percentileWords says 1/(1−q) as a percentile: 100 is "p99".
func percentileWords(v float64) string {
	if v <= 1 {
		return "min"
	}
	digits := max(0, int(math.Ceil(math.Log10(v)))-2)
	text := strconv.FormatFloat(100-100/v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return "p" + text
}

// spark is the p99 of an operation over time as a small line.
func (t timeline) spark(name string) *spark {
	if len(t.seconds) == 0 {
		return nil
	}
	x, y := t.points(60, highest(func(s Second) int64 { return s.P99 }))
	values := finite(y)
	if len(values) < 2 {
		return nil
	}
	low, high := slices.Min(values), slices.Max(values)
	horizontal := scale{low: x[0], high: max(x[len(x)-1], x[0]+1), from: 1, to: 119}
	vertical := scale{low: min(0, low), high: max(high, 1e-6), from: 24, to: 2}
	return &spark{Path: linePath(line{X: x, Y: y}, horizontal, vertical), Words: fmt.Sprintf("p99 of %s over time, between %s and %s", name, Milliseconds(int64(low*1e6)), Milliseconds(int64(high*1e6)))}
}
