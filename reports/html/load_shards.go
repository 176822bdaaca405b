package html

import (
	"cmp"
	"fmt"

	"agstest/internal/figures"
	"agstest/reports"
)

// shardVerdict returns the verdict of a shard as if it were a whole run.
func shardVerdict(s *reports.ShardRun) reports.Verdict {
	if s.State == reports.ShardComplete {
		return reports.Pass
	}
	return reports.Inconclusive
}

// shardClock is how far a shard's clock was from the coordinator's, where somebody has measured it.
func shardClock(s *reports.ShardRun) string {
	if s.ClockError == 0 {
		return ""
	}
	return fmt.Sprintf("%+.1f ± %.1f ms", float64(s.ClockAhead)/1e6, float64(s.ClockError)/1e6)
}

// missingShards are the parts of the load that were not sent, or of which nothing is known.
func missingShards(l *reports.Load) []first {
	var found []first
	for i := range l.ShardRuns {
		s := &l.ShardRuns[i]
		if s.State == reports.ShardComplete {
			continue
		}
		if len(found) == 5 {
			return append(found, first{Verdict: reports.Inconclusive, Link: "l-shards", Label: "More shards",
				Text: "are missing."})
		}
		found = append(found, first{Verdict: reports.Inconclusive, Link: "l-shards", Label: "Shard " + s.Shard,
			Text: "is missing " + s.MissingFrom() + " on.", More: s.Reason})
	}
	if len(found) == 0 && l.Run.Partial != "" {
		found = append(found, first{Verdict: reports.Inconclusive, Label: "The run", Text: "is not whole.",
			More: l.Run.Partial})
	}
	return found
}

// shardsTable lists each shard of a merged run; nil for other runs.
func shardsTable(l *reports.Load) *table {
	if len(l.ShardRuns) == 0 {
		return nil
	}
	t := table{Caption: "What each shard sent of its part of the schedule, and how it was", Columns: []column{
		{Head: "Shard"}, {Head: "Node"}, {Head: "State"}, {Head: "Missing"}, {Head: "Planned", Number: true},
		{Head: "Sent", Number: true}, {Head: "Lag p99 ms", Number: true},
		{Head: "Start late ms", Number: true}, {Head: "CPU", Number: true}, {Head: "Held back ms", Number: true},
		{Head: "Clock"}, {Head: "Why"}}}
	for i := range l.ShardRuns {
		s := &l.ShardRuns[i]
		t.Rows = append(t.Rows, row{Class: shardVerdict(s).Class(), Cells: []cell{
			{Text: s.Shard, Head: true}, {Text: cmp.Or(s.Node, "–"), Note: s.Pod}, {Text: s.State}, {Text: s.MissingFrom()},
			{Text: figures.Count(s.Planned), Number: true}, {Text: figures.Count(s.Sent), Number: true},
			{Text: figures.Number(s.Lag99), Number: true}, {Text: figures.Number(s.StartLate), Number: true},
			{Text: fmt.Sprintf("%.0f %%", s.CPUShare*100), Number: true},
			{Text: figures.Number(s.Throttled), Number: true}, {Text: shardClock(s)}, {Text: s.Reason}}})
	}
	return &t
}
