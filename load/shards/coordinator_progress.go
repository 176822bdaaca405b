package shards

import (
	"context"
	"errors"
	"time"

	"agstest/load/engine"
)

// Whole is the state of a run. Its figures are the latest that the shards told, and may lag behind by some seconds;
// those of the report are exact.
type Whole struct {
	Elapsed, Left time.Duration
	Sent, Wrong   int64
	Rate          float64 // hits a second, of all shards together
	// P99 is that of the last ten seconds of all shards together; of shards that tell no more than their own, that of the
	// slowest.
	P99 time.Duration
	// Sum adds up the known progress of all parts: counts and rates are sums, percentiles those of all times together,
	// the lag that of the latest shard, and there are no limits. A figure that a shard does not tell is missing in it.
	Sum engine.Progress
	// Times are those of the right answers of all parts since the start, by operation; nil: the shards do not tell
	// them.
	Times  map[string]Times
	Heard  int        // shards that have answered within the last five seconds, or are over
	Shards []Standing // by index
}

// Standing is how one shard stands.
type Standing struct {
	Index    int // from 1
	Node     string
	State    State // as the engine sees it
	Reason   string
	Phase    Phase // as the shard last told; empty: nothing yet
	Progress Progress
	Heard    time.Duration // how long ago it answered; below 0: never
	Over     bool          // nothing more is awaited of it, or only its result
}

const (
	pollTimeout = 3 * time.Second
	heardLately = 5 * time.Second
	stateEvery  = 5 // polls
	maxPollings = 16
)

// poll asks all shards for their state, again and again, and reports it. The answers only serve to notice the end of a
// load early.
func (r *conductor) poll(ctx context.Context, start, end time.Time) {
	if pause(ctx, start.Sub(r.now())) != nil {
		return
	}
	for round := 0; ctx.Err() == nil; round++ {
		_ = r.each(ctx, maxPollings, func(ctx context.Context, s *shard) error {
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
	w.Sum, w.Times = r.sum(&w), timesOf(w.Shards)
	if w.Sum.P99 > 0 {
		w.P99 = time.Duration(w.Sum.P99)
	}
	r.tellTimes(&w)
	r.Progress(w)
}

// tellTimes puts what is new of the times since the last telling where an engine has those of its second.
func (r *conductor) tellTimes(w *Whole) {
	for i := range w.Sum.Operations {
		o := &w.Sum.Operations[i]
		now, before := w.Times[o.Name], r.toldTimes[o.Name]
		o.Response, o.Service = now.Response.Since(before.Response), now.Service.Since(before.Service)
	}
	r.toldTimes = w.Times
}

// sum adds up the progress that the shards of a run have told.
func (r *conductor) sum(w *Whole) engine.Progress {
	sum := engine.Progress{Elapsed: w.Elapsed, Left: w.Left}
	at := map[string]int{}
	for i := range w.Shards {
		p := w.Shards[i].Progress.Whole
		if p == nil {
			continue
		}
		sum.Closed = sum.Closed || p.Closed
		sum.Asked, sum.Sent, sum.Right, sum.Wrong = sum.Asked+p.Asked, sum.Sent+p.Sent, sum.Right+p.Right, sum.Wrong+p.Wrong
		if r.shards[i].tellsNews(p.Elapsed) {
			sum.News = append(sum.News, p.News...)
		}
		running := !w.Shards[i].Over
		if running {
			sum.AskedRate, sum.Rate, sum.RightRate = sum.AskedRate+p.AskedRate, sum.Rate+p.Rate, sum.RightRate+p.RightRate
			sum.Lag99, sum.InFlight = max(sum.Lag99, p.Lag99), sum.InFlight+p.InFlight
		}
		for _, o := range p.Operations {
			n, known := at[o.Name]
			if !known {
				n = len(sum.Operations)
				at[o.Name] = n
				sum.Operations = append(sum.Operations, engine.Operation{Name: o.Name})
			}
			addOperation(&sum.Operations[n], &o, running)
		}
	}
	recentOf(&sum, w.Shards)
	return sum
}

func addOperation(to, from *engine.Operation, running bool) {
	to.Asked, to.Sent, to.Right, to.Wrong = to.Asked+from.Asked, to.Sent+from.Sent, to.Right+from.Right,
		to.Wrong+from.Wrong
	for kind, n := range from.Kinds {
		if to.Kinds == nil {
			to.Kinds = map[string]int64{}
		}
		to.Kinds[kind] += n
	}
	if running {
		to.AskedRate, to.Rate, to.RightRate = to.AskedRate+from.AskedRate, to.Rate+from.Rate, to.RightRate+from.RightRate
	}
}

// tellsNews tells whether the wrong answers of the shard's last second were not told yet.
func (s *shard) tellsNews(elapsed time.Duration) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fresh := elapsed > s.newsUpTo
	s.newsUpTo = elapsed
	return fresh
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
