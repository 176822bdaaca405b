package tally

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/load/schedule"
	"agstest/reports"
)

// MergeOptions hold what is known of the shards of a run beside their records, for example by the coordinator that
// started them. The zero value adds nothing.
type MergeOptions struct {
	// Known describes shards by their names (Shard): node, clock, why a shard is not complete, and the last words of a
	// shard that left no record. Of other shards only their records are known.
	Known []reports.ShardRun
	// Notes are added to the notes of the report.
	Notes []string
}

// lateStart is how late a shard may start without being named.
const lateStart = 100 * time.Millisecond

// maxNamed bounds how many shards a sentence names.
const maxNamed = 6

// shardRuns makes the table of all shards of a run from their records and from what else is known of them.
func shardRuns(shards []*shardRecord, of int, whole int64, known []reports.ShardRun) []reports.ShardRun {
	runs := make([]reports.ShardRun, of)
	for i := range runs {
		runs[i] = reports.ShardRun{Shard: schedule.Shard{Index: i + 1, Of: of}.String(), State: reports.ShardLost,
			Planned: (whole + int64(of-i-1)) / int64(of)}
		for _, k := range known {
			if k.Shard != runs[i].Shard {
				continue
			}
			k.State, k.Planned, k.Until = reports.ShardLost, cmp.Or(k.Planned, runs[i].Planned), 0
			runs[i] = k
		}
	}
	for _, s := range shards {
		s.describe(&runs[s.index-1])
	}
	for i := range runs {
		if r := &runs[i]; r.State == reports.ShardLost && r.Reason == "" {
			r.Reason = "nothing of it came home"
		}
	}
	return runs
}

// describe fills in the facts that the record of a shard holds.
func (s *shardRecord) describe(r *reports.ShardRun) {
	own := *s.reader.head.Report
	s.own.report(&own)
	s.figures = &own
	s.own.lag, s.own.totals = Histogram{}, nil // half a megabyte that nobody reads again
	r.Planned, r.Sent, r.Until = own.Plan.Hits, own.Total.Sent, s.own.health.Elapsed
	g := &own.Generator
	r.StartLate, r.Throttled, r.ThrottledTimes, r.Lag99, r.CPUSeconds, r.CPUShare = g.StartLate, g.Throttled,
		g.ThrottledTimes, g.Lag.P99, g.CPUSeconds, g.CPUShare
	r.State = reports.ShardPartial
	switch {
	case s.own.end == nil:
		r.Reason = strings.TrimSuffix("it broke off: "+r.Reason, ": ")
	case s.own.end.Partial != "":
		r.Reason = s.own.end.Partial
	default:
		r.State, r.Reason = reports.ShardComplete, ""
	}
}

// partialSentence says how much of a run is missing, and which shards from when on; empty: nothing is.
func partialSentence(runs []reports.ShardRun, closed bool) string {
	complete, planned, sent := 0, int64(0), int64(0)
	var missing []string
	for _, r := range runs {
		planned += r.Planned
		sent += min(r.Sent, r.Planned) // in a storm, hits of clients that try again come on top
		name := "shard " + r.Shard
		if r.Node != "" {
			name += " on " + r.Node
		}
		switch r.State {
		case reports.ShardComplete:
			complete++
			continue
		case reports.ShardPartial:
			missing = append(missing, fmt.Sprintf("%s from %s on (%s)", name, figures.Elapsed(time.Duration(r.Until)),
				r.Reason))
		default:
			missing = append(missing, fmt.Sprintf("%s from the start on (%s)", name, r.Reason))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	named := figures.Some(missing, maxNamed, "; ")
	if closed { // there is no schedule
		return fmt.Sprintf("partial: %d of %d shards; missing: %s", complete, len(runs), named)
	}
	return fmt.Sprintf("partial: %d of %d shards, %s of the schedule sent; missing: %s", complete, len(runs),
		figures.Percent(sent, planned), named)
}

// remarks name the shards that started late, were held back by a CPU limit, or shared a node.
func remarks(runs []reports.ShardRun) []string {
	var notes []string
	nodes := map[string][]string{}
	for _, r := range runs {
		if r.StartLate > int64(lateStart) {
			notes = append(notes, fmt.Sprintf("shard %s started %s late", r.Shard, figures.Milliseconds(r.StartLate)))
		}
		if r.Throttled > 0 {
			notes = append(notes,
				fmt.Sprintf("shard %s was held back %s times by the CPU limit of its container, for %s in all", r.Shard,
					figures.Count(r.ThrottledTimes), figures.Milliseconds(r.Throttled)))
		}
		if r.Node != "" {
			nodes[r.Node] = append(nodes[r.Node], r.Shard)
		}
	}
	for _, node := range slices.Sorted(maps.Keys(nodes)) {
		if names := nodes[node]; len(names) > 1 {
			notes = append(notes, fmt.Sprintf("%d shards shared the node %s, its processors and its network: %s",
				len(names), node, list(names[:min(len(names), maxNamed)])))
		}
	}
	return notes
}
