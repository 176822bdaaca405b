package reports

import (
	"math/rand/v2"
	"time"

	"agstest/internal/stats"
)

// Trend is how response times of one question moved over many runs, with the places where they changed their level. It judges nothing.
type Trend struct {
	Environment string           `json:"environment"`
	Question    string           `json:"question"` // as Entry.Question
	Asked       string           `json:"asked"`    // the same in words
	Runs        []TrendRun       `json:"runs"`     // the oldest first
	Operations  []TrendOperation `json:"operations"`
}

// TrendRun is one run of a trend.
type TrendRun struct {
	Folder  string    `json:"folder"`
	ID      string    `json:"id"`
	Start   time.Time `json:"start"`
	Verdict Verdict   `json:"verdict"`
	Pins    []string  `json:"pins,omitempty"`
}

// TrendOperation is one operation over the runs. A figure of 0 means that the run has none.
type TrendOperation struct {
	Operation string        `json:"operation"`
	P50       []int64       `json:"p50"`
	P95       []int64       `json:"p95"`
	P99       []int64       `json:"p99"`
	Errors    []float64     `json:"errors"` // share of wrong answers
	Changes   []TrendChange `json:"changes,omitempty"`
}

// TrendChange is a change of level: the first run of the new level, and the medians on both sides.
type TrendChange struct {
	Metric string `json:"metric"` // p50, p95
	Run    int    `json:"run"`    // index into Runs
	Before int64  `json:"before"` // nanoseconds
	After  int64  `json:"after"`
}

// trendSeed makes the permutation tests of a trend repeatable: the same runs show the same changes.
const trendSeed = 20260101

// Trends groups runs by their question and follows each. Runs without load are left out, and so are partial ones. Groups are in the order
// of their newest run, the newest first.
func Trends(entries []Entry) []Trend {
	groups := map[string][]Entry{}
	var order []string
	for i := len(entries) - 1; i >= 0; i-- {
		entry := entries[i]
		if entry.Question == "" || entry.Partial != "" {
			continue
		}
		if groups[entry.Question] == nil {
			order = append(order, entry.Question)
		}
		groups[entry.Question] = append([]Entry{entry}, groups[entry.Question]...)
	}
	var trends []Trend
	for _, question := range order {
		trends = append(trends, trendOf(question, groups[question]))
	}
	return trends
}

func trendOf(question string, entries []Entry) Trend {
	t := Trend{Question: question, Environment: entries[len(entries)-1].Environment, Asked: entries[len(entries)-1].Asked}
	all := map[string]*Operation{}
	for _, entry := range entries {
		t.Runs = append(t.Runs, TrendRun{Folder: entry.Folder, ID: entry.ID, Start: entry.Start, Verdict: entry.Verdict, Pins: entry.Pins})
		for name := range entry.Response {
			all[name] = nil
		}
	}
	for _, name := range (&Load{Operations: all}).OperationNames() {
		operation := TrendOperation{Operation: name}
		for _, entry := range entries {
			figures := entry.Response[name]
			operation.P50 = append(operation.P50, figures.P50)
			operation.P95 = append(operation.P95, figures.P95)
			operation.P99 = append(operation.P99, figures.P99)
			errors := 0.0
			if sent := figures.Right + figures.Wrong; sent > 0 {
				errors = float64(figures.Wrong) / float64(sent)
			}
			operation.Errors = append(operation.Errors, errors)
		}
		operation.Changes = append(changesOf("p50", operation.P50), changesOf("p95", operation.P95)...)
		t.Operations = append(t.Operations, operation)
	}
	return t
}

// changesOf finds changes of level among the runs that have the figure.
func changesOf(metric string, values []int64) []TrendChange {
	var series []float64
	var runs []int
	for i, value := range values {
		if value > 0 {
			series = append(series, float64(value))
			runs = append(runs, i)
		}
	}
	var changes []TrendChange
	for _, point := range stats.ChangePoints(rand.New(rand.NewPCG(trendSeed, 0)), series, stats.ChangeOptions{}) {
		changes = append(changes, TrendChange{Metric: metric, Run: runs[point.Index], Before: int64(point.Before), After: int64(point.After)})
	}
	return changes
}
