package reports

import (
	"cmp"
	"fmt"
	"time"

	"agstest/internal/figures"
)

// verdict of a shard: that of a run of which it is all.
func (s *ShardRun) verdict() Verdict {
	if s.State == ShardComplete {
		return Pass
	}
	return Inconclusive
}

// until says from when on a shard is missing.
func (s *ShardRun) until() string {
	switch s.State {
	case ShardComplete:
		return ""
	case ShardLost:
		return "from the start"
	}
	return "from " + figures.Elapsed(time.Duration(s.Until))
}

// clock is how far a shard's clock was from the coordinator's, where somebody has measured it.
func (s *ShardRun) clock() string {
	if s.ClockError == 0 {
		return ""
	}
	return fmt.Sprintf("%+.1f ± %.1f ms", float64(s.ClockAhead)/1e6, float64(s.ClockError)/1e6)
}

// shardsCount says in words how many shards of a run are whole.
func (l *Load) shardsCount() string {
	complete := 0
	for _, s := range l.ShardRuns {
		if s.State == ShardComplete {
			complete++
		}
	}
	return fmt.Sprintf("%s of %s complete", figures.Count(int64(complete)), figures.Count(int64(len(l.ShardRuns))))
}

// missing are the parts of the load that were not sent, or of which nothing is known.
func (l *Load) missing() []first {
	var found []first
	for i := range l.ShardRuns {
		s := &l.ShardRuns[i]
		if s.State == ShardComplete {
			continue
		}
		if len(found) == 5 {
			return append(found, first{Verdict: Inconclusive, Link: "l-shards", Label: "More shards", Text: "are missing."})
		}
		found = append(found, first{Verdict: Inconclusive, Link: "l-shards", Label: "Shard " + s.Shard, Text: "is missing " + s.until() + " on.", More: s.Reason})
	}
	if len(found) == 0 && l.Run.Partial != "" {
		found = append(found, first{Verdict: Inconclusive, Label: "The run", Text: "is not whole.", More: l.Run.Partial})
	}
	return found
}

// shardsTable tells of each shard of a merged run; nil for a run that is not one.
func (l *Load) shardsTable() *table {
	if len(l.ShardRuns) == 0 {
		return nil
	}
	t := table{Caption: "What each shard sent of its part of the schedule, and how it was", Columns: []column{
		{Head: "Shard"}, {Head: "Node"}, {Head: "State"}, {Head: "Missing"}, {Head: "Planned", Number: true}, {Head: "Sent", Number: true}, {Head: "Lag p99 ms", Number: true},
		{Head: "Start late ms", Number: true}, {Head: "CPU", Number: true}, {Head: "Held back ms", Number: true}, {Head: "Clock"}, {Head: "Why"}}}
	for i := range l.ShardRuns {
		s := &l.ShardRuns[i]
		t.Rows = append(t.Rows, row{Class: s.verdict().Class(), Cells: []cell{
			{Text: s.Shard, Head: true}, {Text: cmp.Or(s.Node, "–"), Note: s.Pod}, {Text: s.State}, {Text: s.until()}, {Text: figures.Count(s.Planned), Number: true}, {Text: figures.Count(s.Sent), Number: true},
			{Text: figures.Number(s.Lag99), Number: true}, {Text: figures.Number(s.StartLate), Number: true}, {Text: fmt.Sprintf("%.0f %%", s.CPUShare*100), Number: true},
			{Text: figures.Number(s.Throttled), Number: true}, {Text: s.clock()}, {Text: s.Reason}}})
	}
	return &t
}
