package compare

import (
	"math"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// MetricComparison is one figure of one operation in both services.
type MetricComparison struct {
	Operation string          `json:"operation"`
	Metric    string          `json:"metric"` // p50, p95, p99, errors
	Verdict   reports.Verdict `json:"verdict"`
	Reason    string          `json:"reason"`
	// Old and New are medians over the blocks in nanoseconds; of errors, shares of all answers.
	Old float64 `json:"old"`
	New float64 `json:"new"`
	// Change is the Hodges–Lehmann estimate of the relative change over all pairs (0.05 is 5 % slower), Low and High its
	// 95 % interval; of errors, the difference of shares with a block-bootstrap interval.
	Change    float64 `json:"change"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Floor     float64 `json:"floor"`
	Tolerated float64 `json:"tolerated"`
	// Smallest is the least change that a job like this would have found four times out of five.
	Smallest float64       `json:"smallest"`
	Pairs    int           `json:"pairs"` // that could be compared
	Rounds   []MetricRound `json:"rounds,omitempty"`

	more float64 // times as many hits a block, and it could be judged
}

// MetricRound is a metric in one round: the effect there, and the probability of one at least as large between equal
// services, before and after adjusting for the number of metrics.
type MetricRound struct {
	Change         float64 `json:"change"`
	Low            float64 `json:"low"`
	High           float64 `json:"high"`
	Slower         float64 `json:"slower"`
	SlowerAdjusted float64 `json:"slowerAdjusted"`
	Faster         float64 `json:"faster"`
	FasterAdjusted float64 `json:"fasterAdjusted"`
	// Flagged is regressed, improved, or empty.
	Flagged reports.Verdict `json:"flagged,omitempty"`
}

// metricNames in the order in which they are shown.
var metricNames = []string{"errors", "p50", "p95", "p99"}

var metricQuantiles = map[string]float64{"p50": 0.5, "p95": 0.95, "p99": 0.99}

// Name is how a metric is called in a sentence.
func (m *MetricComparison) Name() string {
	if m.Metric == "errors" {
		return m.Operation + " errors"
	}
	return m.Operation + " " + m.Metric
}

// ValueWords shows a figure itself: a time, or a share of all answers.
func (m *MetricComparison) ValueWords(value float64) string {
	if m.Metric == "errors" {
		return figures.Share(value)
	}
	return figures.Milliseconds(int64(math.Round(value)))
}

// ChangeWords shows a change with its sign: "+5.2 %", "+0.31 points".
func (m *MetricComparison) ChangeWords(change float64) string {
	if m.Metric == "errors" {
		return figures.Points(change)
	}
	return figures.Change(change)
}

// IntervalWords shows the interval with its unit once: "+4.8 to +5.6 %".
func (m *MetricComparison) IntervalWords() string {
	low, _, _ := strings.Cut(m.ChangeWords(m.Low), " ")
	return low + " to " + m.ChangeWords(m.High)
}

// BoundWords shows a bound without a sign.
func (m *MetricComparison) BoundWords(bound float64) string {
	return strings.TrimPrefix(m.ChangeWords(bound), "+")
}
