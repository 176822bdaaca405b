package reports

import (
	"strings"
	"time"
)

// Entry is one run in a list of runs.
type Entry struct {
	Folder      string    `json:"folder"` // its name below the folder of runs
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	Environment string    `json:"environment"`
	Host        string    `json:"host,omitempty"` // of the service
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Verdict     Verdict   `json:"verdict"`
	Partial     string    `json:"partial,omitempty"`
	// NotValid: the generator did not keep its schedule, so that the figures do not speak of the service.
	NotValid bool `json:"notValid,omitempty"`
	// Question is the same for two runs whose figures may be compared; empty for runs without load.
	Question string                  `json:"question,omitempty"`
	Asked    string                  `json:"asked,omitempty"` // the question of the load, in words
	Response map[string]EntryFigures `json:"response,omitempty"`
	// Sizes are those of the files that hold the run, by which an index notices that another one lies in the folder.
	// Empty: not known.
	Sizes string `json:"sizes,omitempty"`
	// Pins are the names under which the run is a baseline.
	Pins []string `json:"-"`
}

// EntryFigures are the response times of one operation, in nanoseconds, and its counts.
type EntryFigures struct {
	P50   int64 `json:"p50"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	Right int64 `json:"right"`
	Wrong int64 `json:"wrong"`
}

// FiguresOf are the response times and counts of a load run, by operation.
func FiguresOf(l *Load) map[string]EntryFigures {
	figures := map[string]EntryFigures{}
	for name, operation := range l.Operations {
		r := operation.Response
		figures[name] = EntryFigures{P50: r.P50, P95: r.P95, P99: r.P99, Right: operation.Right, Wrong: operation.Wrong}
	}
	return figures
}

// Asked returns the question of a load run, in words.
func (l *Load) Asked() string { return strings.TrimSuffix(l.Plan.Workload+", "+l.Plan.Schedule, ", ") }

// Of is the figure of a metric: p50, p95 or p99.
func (f EntryFigures) Of(metric string) int64 {
	switch metric {
	case "p50":
		return f.P50
	case "p95":
		return f.P95
	}
	return f.P99
}
