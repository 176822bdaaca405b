package html

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// timeline is the seconds of one operation, or of all, in order and without gaps.
type timeline struct {
	from    int
	seconds []reports.Second
}

// longestTimeline is how many seconds of a run are drawn: two days.
const longestTimeline = 2 * 86400

// timelines takes the seconds of a run apart by operation. Sums over all operations stand under "", there without the
// wanted statuses.
func timelines(l *reports.Load) map[string]timeline {
	first, last := math.MaxInt, math.MinInt
	for _, second := range l.Seconds {
		first, last = min(first, second.At), max(last, second.At)
	}
	lines := map[string]timeline{}
	wanted := map[string]string{}
	for name, o := range l.Operations {
		wanted[name] = wantedStatus(o)
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
			line = timeline{first, make([]reports.Second, last-first+1)}
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

// wantedStatus is the status of right answers: one of 2xx that came at least as often as answers were right. It is ""
// where no answer was right.
func wantedStatus(o *reports.Operation) string {
	for _, status := range slices.Sorted(maps.Keys(o.Statuses)) {
		if o.Right > 0 && o.Statuses[status] >= o.Right && strings.HasPrefix(status, "2") {
			return status
		}
	}
	return ""
}

// width is how many seconds each of at most limit points stands for.
func (t timeline) width(limit int) int { return max((len(t.seconds)+limit-1)/limit, 1) }

// severalHits is how many hits the window of a rate holds at least: the rate of single ones would be a saw.
const severalHits = 5

// window is how many seconds a rate is the mean of: those of a point, and more where hits are rare.
func (t timeline) window(limit int) int {
	first, last, hits := -1, 0, int64(0)
	for i, second := range t.seconds {
		n := max(second.Asked, second.Sent)
		if n <= 0 {
			continue
		}
		if first < 0 {
			first = i
		}
		last, hits = i, hits+n
	}
	width := t.width(limit)
	if hits > 0 {
		width = max(width, int(math.Ceil(severalHits*float64(last-first+1)/float64(hits))))
	}
	return min(width, max(len(t.seconds), 1))
}

// slow tells whether hits are so rare that a rate needs a window of its own, and single answers marks.
func (t timeline) slow(limit int) bool { return t.window(limit) > t.width(limit) }

// rate gives a line the mean of a count a second. Of a slow load it has a step for each window, the last of which ends
// with the run.
func (t timeline) rate(l line, limit int, of func(reports.Second) int64) line {
	if !t.slow(limit) {
		l.X, l.Y = t.points(limit, perSecond(of))
		return l
	}
	width, end := t.window(limit), len(t.seconds)
	for i := 0; i < end; i += width {
		from := min(i, end-width)
		l.X, l.Y = append(l.X, float64(t.from+i)), append(l.Y, perSecond(of)(t.seconds[from:from+width]))
	}
	l.X, l.Y, l.Steps = append(l.X, float64(t.from+end-1)), append(l.Y, l.Y[len(l.Y)-1]), true
	return l
}

// mostMarks is up to how many points of a slow load are marked; a line through more of them is seen without.
const mostMarks = 100

// times gives a line what pick makes of the seconds of each point. The points of a slow load are joined over the
// seconds between its hits, and marked, as are points that are alone.
func (t timeline) times(l line, limit int, pick func([]reports.Second) float64) line {
	x, y := t.points(limit, pick)
	gap := 0.0
	if t.slow(limit) {
		gap = float64(t.window(limit))
	}
	shown := 0
	for i := range x {
		if isFinite(y[i]) {
			if n := len(l.X); n > 0 && x[i]-l.X[n-1] > max(gap, float64(t.width(limit))) {
				l.X, l.Y = append(l.X, x[i]-1), append(l.Y, math.NaN())
			}
			l.X, l.Y = append(l.X, x[i]), append(l.Y, y[i])
			shown++
		}
	}
	l.Dots = shown <= 2 || gap > 0 && shown <= mostMarks
	return l
}

// rateWords say of what a rate of a slow load is the mean; "" for others.
func (t timeline) rateWords(limit int) string {
	if !t.slow(limit) {
		return ""
	}
	return fmt.Sprintf(" Rates are the mean of %d seconds each.", t.window(limit))
}

// points thins a timeline to at most limit points: pick makes each from the seconds that it stands for.
func (t timeline) points(limit int, pick func([]reports.Second) float64) (x, y []float64) {
	width := t.width(limit)
	for i := 0; i < len(t.seconds); i += width {
		bucket := t.seconds[i:min(i+width, len(t.seconds))]
		x = append(x, float64(t.from+i))
		y = append(y, pick(bucket))
	}
	return x, y
}

// bucketWords says how many seconds one point stands for.
func (t timeline) bucketWords(limit int) string {
	width := t.width(limit)
	if width == 1 {
		return "Each point is one second."
	}
	return fmt.Sprintf("Each point is the highest of %d seconds.", width)
}

// highest picks the highest time of a bucket in milliseconds; a bucket without a right answer has none.
func highest(of func(reports.Second) int64) func([]reports.Second) float64 {
	return func(bucket []reports.Second) float64 {
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
func perSecond(of func(reports.Second) int64) func([]reports.Second) float64 {
	return func(bucket []reports.Second) float64 {
		sum := 0.0
		for _, second := range bucket {
			sum += float64(of(second))
		}
		return sum / float64(len(bucket))
	}
}

// spark is the p99 of an operation over time as a small line.
func (t timeline) spark(name string) *spark {
	if len(t.seconds) == 0 {
		return nil
	}
	l := t.times(line{}, 60, highest(func(s reports.Second) int64 { return s.P99 }))
	values := finite(l.Y)
	if len(values) < 2 {
		return nil
	}
	low, high := slices.Min(values), slices.Max(values)
	horizontal := scale{low: float64(t.from), high: float64(t.from + max(len(t.seconds)-1, 1)), from: 1, to: 119}
	vertical := scale{low: min(0, low), high: max(high, 1e-6), from: 24, to: 2}
	return &spark{Path: linePath(l, horizontal, vertical),
		Words: fmt.Sprintf("p99 of %s over time, between %s and %s", name, figures.Milliseconds(int64(low*1e6)),
			figures.Milliseconds(int64(high*1e6)))}
}
