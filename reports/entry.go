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
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	Verdict     Verdict   `json:"verdict"`
	Partial     string    `json:"partial,omitempty"`
	// NotValid: the generator did not keep its schedule, so that the figures do not speak of the service.
	NotValid bool `json:"notValid,omitempty"`
	// Question is the same for two runs whose figures may be compared; empty for runs without load.
	Question string                  `json:"question,omitempty"`
	Asked    string                  `json:"asked,omitempty"` // what the load asked, in words
	Response map[string]EntryFigures `json:"response,omitempty"`
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

// EntryOf is what a list of runs says of a stored run.
func EntryOf(folder string, stored Stored) Entry {
	run := stored.Run()
	entry := Entry{
		Folder: folder, ID: run.ID, Kind: run.Kind, Environment: run.Environment, Start: run.Start, End: run.End,
		Verdict: stored.Verdict(), Partial: run.Partial,
	}
	if stored.Load != nil {
		entry.NotValid = !stored.Load.Valid
		entry.Question = QuestionOf(stored.Load)
		entry.Asked = strings.TrimSuffix(stored.Load.Plan.Workload+", "+stored.Load.Plan.Schedule, ", ")
		entry.Response = map[string]EntryFigures{}
		for name, operation := range stored.Load.Operations {
			r := operation.Response
			entry.Response[name] = EntryFigures{P50: r.P50, P95: r.P95, P99: r.P99, Right: operation.Right, Wrong: operation.Wrong}
		}
	}
	return entry
}
