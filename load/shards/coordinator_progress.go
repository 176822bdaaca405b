package shards

import (
	"context"
	"errors"
	"time"
)

// Whole is how a run stands. Its figures are as the shards told them last, and may lag behind by some seconds; those of the report are
// exact.
type Whole struct {
	Elapsed, Left time.Duration
	Sent, Wrong   int64
	Rate          float64       // hits a second, of all shards together
	P99           time.Duration // of the slowest shard, of its last ten seconds
	Heard         int           // shards that have answered within the last five seconds, or are over
	Shards        []Standing    // by index
}

// Standing is how one shard stands.
type Standing struct {
	Index    int // from 1
	Node     string
	State    State // as the engine sees it
	Reason   string
	Phase    Phase // as it last said itself; empty: nothing yet
	Progress Progress
	Heard    time.Duration // how long ago it answered; below 0: never
	Over     bool          // nothing more is awaited of it, or only its result
}

const (
	pollTimeout  = 3 * time.Second
	heardLately  = 5 * time.Second
	stateEvery   = 5 // polls
	mostPollings = 16
)

// poll asks all shards how they stand, again and again, and tells of it. Nothing depends on an answer but that the end of a load is
// noticed early.
func (r *conductor) poll(ctx context.Context, start, end time.Time) {
	if pause(ctx, start.Sub(r.now())) != nil {
		return
	}
	for round := 0; ctx.Err() == nil; round++ {
		_ = r.each(ctx, mostPollings, func(ctx context.Context, s *shard) error {
			if s.output != nil { // it is heard without being asked
				return nil
			}
			if sight, _ := r.view.of(s.index); ctx.Err() == nil && !s.isOver() && !sight.State.over() {
				r.ask(ctx, s, round%stateEvery == stateEvery-1)
			}
			return nil
		})
		r.show(start, end)
		if pause(ctx, pollEvery) != nil {
			return
		}
	}
}

// ask asks one shard for its progress, and now and then whether its load is over.
func (r *conductor) ask(ctx context.Context, s *shard, state bool) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	var p Progress
	if err := s.get(ctx, PathProgress, &p); err == nil {
		s.heardProgress(p)
		state = state || p.Left <= 0 && p.Elapsed > 0
	} else if no := (*refusal)(nil); errors.As(err, &no) {
		state = true
	} else {
		return
	}
	if !state {
		return
	}
	var status Status
	if s.get(ctx, PathState, &status) != nil {
		return
	}
	s.heardPhase(status.Phase)
	if status.Phase == PhaseDone || status.Phase == PhaseFailed {
		s.setOver()
	}
}

// show tells how the run stands.
func (r *conductor) show(start, end time.Time) {
	if r.Progress == nil {
		return
	}
	now := r.now()
	w := Whole{Elapsed: max(0, now.Sub(start)), Left: max(0, end.Sub(now))}
	if r.collecting {
		w.Elapsed, w.Left = 0, 0
	}
	for _, s := range r.shards {
		one := s.standing()
		if r.collecting { // when it began is known to the shards alone
			w.Elapsed, w.Left = max(w.Elapsed, one.Progress.Elapsed), max(w.Left, one.Progress.Left)
		}
		sight, _ := r.view.of(s.index)
		one.Node, one.State, one.Reason = sight.Node, sight.State, sight.Reason
		w.Sent, w.Wrong = w.Sent+one.Progress.Sent, w.Wrong+one.Progress.Wrong
		if !one.Over {
			w.Rate += one.Progress.Rate
			w.P99 = max(w.P99, one.Progress.P99)
		}
		if one.Over || one.Heard >= 0 && one.Heard <= heardLately {
			w.Heard++
		}
		w.Shards = append(w.Shards, one)
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.Progress(w)
}

func (s *shard) standing() Standing {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := Standing{Index: s.index + 1, Phase: s.phase, Progress: s.progress, Heard: -1, Over: s.noted}
	if !s.heard.IsZero() {
		one.Heard = time.Since(s.heard)
	}
	return one
}

func (s *shard) heardProgress(p Progress) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.progress, s.heard = p, time.Now()
	if s.phase == "" || s.phase == PhaseArmed {
		s.phase = PhaseRunning
	}
}

func (s *shard) heardPhase(p Phase) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.phase, s.heard = p, time.Now()
}

// setOver notes that the load of a shard is over.
func (s *shard) setOver() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.noted {
		s.noted = true
		close(s.over)
	}
}

func (s *shard) isOver() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.noted
}
