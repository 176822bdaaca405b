package reports

import (
	"fmt"
	"time"

	"agstest/internal/figures"
)

// MissingFrom says from when on a shard is missing.
func (s *ShardRun) MissingFrom() string {
	switch s.State {
	case ShardComplete:
		return ""
	case ShardLost:
		return "from the start"
	}
	return "from " + figures.Elapsed(time.Duration(s.Until))
}

// ShardsCount says in words how many shards of a run are whole.
func (l *Load) ShardsCount() string {
	complete := 0
	for _, s := range l.ShardRuns {
		if s.State == ShardComplete {
			complete++
		}
	}
	return fmt.Sprintf("%s of %s complete", figures.Count(int64(complete)), figures.Count(int64(len(l.ShardRuns))))
}
