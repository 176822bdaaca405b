package shards

import (
	"agstest/internal/failure"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// Merge makes one report of the results of a run's shards, with the coordinator's knowledge of each: a shard whose
// result did not come home appears in it with its last words. Notes are added to those of the report. An error is of
// the kind failure.Setup if nothing came home at all, and otherwise that of tally.Merge.
func (o *Outcome) Merge(notes ...string) (*reports.Load, error) {
	var folders []string
	merge := tally.MergeOptions{Notes: notes}
	for _, s := range o.Shards {
		if s.Folder != "" {
			folders = append(folders, s.Folder)
		}
		merge.Known = append(merge.Known, s.run())
	}
	switch {
	case len(folders) == 0:
		return nil, failure.Setupf("nothing that the shards of the run %s recorded came home", o.Run)
	case len(o.Shards) == 1:
		return tally.ReadRecord(folders[0])
	}
	return merge.Merge(folders...)
}

// run returns what the coordinator and the last words of a shard say about it.
func (s *Shard) run() reports.ShardRun {
	r := reports.ShardRun{
		Shard: schedule.Shard{Index: s.Index, Of: s.Of}.String(), Node: s.Node, Pod: s.Pod, Reason: s.Trouble,
		ClockAhead: int64(s.ClockAhead), ClockError: int64(s.ClockError), ClockDrift: int64(s.ClockDrift),
	}
	if e := s.Ending; e != nil {
		r.Planned, r.Sent, r.StartLate = e.Planned, e.Sent, int64(e.StartLate)
		r.Throttled, r.ThrottledTimes, r.CPUSeconds = int64(e.Throttled), e.ThrottledTimes, e.CPU.Seconds()
		if r.Reason == "" {
			r.Reason = e.Error
		}
	}
	return r
}
