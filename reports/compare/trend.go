package compare

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"agstest/internal/stats"
	"agstest/reports"
)

// Trend is how response times of one question moved over many runs, with the places where they changed their level. It
// judges nothing.
type Trend struct {
	Environment string           `json:"environment"`
	Question    string           `json:"question"` // as Entry.Question
	Asked       string           `json:"asked"`    // the same in words
	Runs        []TrendRun       `json:"runs"`     // the oldest first
	Operations  []TrendOperation `json:"operations"`
}

// TrendRun is one run of a trend.
type TrendRun struct {
	Folder  string          `json:"folder"`
	ID      string          `json:"id"`
	Kind    string          `json:"kind"` // load, gate, capacity
	Start   time.Time       `json:"start"`
	Verdict reports.Verdict `json:"verdict"`
	// NotValid: the figures do not speak of the service; they are shown, and no change or spike is made of them.
	NotValid bool     `json:"notValid,omitempty"`
	Pins     []string `json:"pins,omitempty"`
}

// Valid is how many runs have figures that speak of the service.
func (t Trend) Valid() int {
	valid := 0
	for _, run := range t.Runs {
		if !run.NotValid {
			valid++
		}
	}
	return valid
}

// TrendOperation is one operation over the runs. A figure of 0 means that the run has none.
type TrendOperation struct {
	Operation string        `json:"operation"`
	P50       []int64       `json:"p50"`
	P95       []int64       `json:"p95"`
	P99       []int64       `json:"p99"`
	Errors    []float64     `json:"errors"` // share of wrong answers
	Changes   []TrendChange `json:"changes,omitempty"`
	Spikes    []TrendSpike  `json:"spikes,omitempty"`
}

// TrendChange is a change of level: the first run of the new level, and the medians on both sides.
type TrendChange struct {
	Metric string  `json:"metric"` // p50, p95, p99, errors
	Run    int     `json:"run"`    // index into Runs
	Before float64 `json:"before"` // nanoseconds; of errors: the share of wrong answers
	After  float64 `json:"after"`
}

// TrendSpike is a single run far above the usual: no change of level, and not to be passed over.
type TrendSpike struct {
	Metric string  `json:"metric"` // p50, p95, p99, errors
	Run    int     `json:"run"`    // index into Runs
	Usual  float64 `json:"usual"`  // median of the valid runs, in the unit of TrendChange
	Value  float64 `json:"value"`
}

// A run is a spike if one of its times is more than spikeTimes the usual, or its share of wrong answers is more than
// spikeShare above the usual, and at least spikeRuns other valid runs show what is usual.
const (
	spikeTimes = 3
	spikeShare = 0.01
	spikeRuns  = 3
)

// FewestForChanges is the least number of valid runs in which a change of level can be found.
const FewestForChanges = 10

// trendSeed makes the permutation tests of a trend repeatable: the same runs show the same changes.
const trendSeed = 20260101

// Trends groups runs by their question and host and follows each: two services of one name are two. Runs without load
// are left out, and so are partial ones. Groups are in the order of their newest run, the newest first.
func Trends(entries []reports.Entry) []Trend {
	type group struct{ question, host string }
	groups := map[group][]reports.Entry{}
	var order []group
	hosts := map[string]int{}
	for i := len(entries) - 1; i >= 0; i-- {
		entry := entries[i]
		if entry.Question == "" || entry.Partial != "" {
			continue
		}
		of := group{entry.Question, entry.Host}
		if groups[of] == nil {
			order = append(order, of)
			hosts[of.question]++
		}
		groups[of] = append([]reports.Entry{entry}, groups[of]...)
	}
	var trends []Trend
	for _, of := range order {
		t := trendOf(of.question, groups[of])
		if hosts[of.question] > 1 {
			t.Environment += " (" + cmp.Or(of.host, "no host") + ")"
		}
		trends = append(trends, t)
	}
	return trends
}

func trendOf(question string, entries []reports.Entry) Trend {
	t := Trend{Question: question, Environment: entries[len(entries)-1].Environment,
		Asked: entries[len(entries)-1].Asked}
	all := map[string]*reports.Operation{}
	for _, entry := range entries {
		t.Runs = append(t.Runs, TrendRun{Folder: entry.Folder, ID: entry.ID, Kind: entry.Kind, Start: entry.Start,
			Verdict:  entry.Verdict,
			NotValid: entry.NotValid || entry.Verdict == reports.Invalid, Pins: entry.Pins})
		for name := range entry.Response {
			all[name] = nil
		}
	}
	for _, name := range (&reports.Load{Operations: all}).OperationNames() {
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
		t.find(&operation)
		t.Operations = append(t.Operations, operation)
	}
	return t
}

// find looks for changes of level and for spikes in the figures of the valid runs.
func (t *Trend) find(o *TrendOperation) {
	for _, metric := range []string{"p50", "p95", "p99", "errors"} {
		var series []float64
		var runs []int
		for i, run := range t.Runs {
			value, found := o.value(metric, i)
			if found && !run.NotValid {
				series, runs = append(series, value), append(runs, i)
			}
		}
		for _, point := range stats.ChangePoints(rand.New(rand.NewPCG(trendSeed, 0)), series, stats.ChangeOptions{}) {
			if point.Before != point.After {
				o.Changes = append(o.Changes, TrendChange{Metric: metric, Run: runs[point.Index], Before: point.Before,
					After: point.After})
			}
		}
		if len(series) <= spikeRuns {
			continue
		}
		usual := stats.Median(slices.Clone(series))
		for i, value := range series {
			far := usual > 0 && value > spikeTimes*usual
			if metric == "errors" {
				far = value > usual+spikeShare
			}
			if far && !o.inNewLevel(metric, runs[i]) {
				o.Spikes = append(o.Spikes, TrendSpike{Metric: metric, Run: runs[i], Usual: usual, Value: value})
			}
		}
	}
}

// value returns a figure of one run; false if the run has none.
func (o *TrendOperation) value(metric string, run int) (float64, bool) {
	switch metric {
	case "p50":
		return float64(o.P50[run]), o.P50[run] > 0
	case "p95":
		return float64(o.P95[run]), o.P95[run] > 0
	case "p99":
		return float64(o.P99[run]), o.P99[run] > 0
	}
	return o.Errors[run], o.P50[run] > 0 || o.Errors[run] > 0
}

// inNewLevel tells that a change of level explains why a run is far from the others.
func (o *TrendOperation) inNewLevel(metric string, run int) bool {
	return slices.ContainsFunc(o.Changes, func(c TrendChange) bool {
		value, _ := o.value(metric, run)
		return c.Metric == metric && c.Run <= run && c.After > c.Before && value <= spikeTimes*c.After
	})
}
