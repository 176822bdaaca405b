package shards

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"agstest/internal/failure"
)

const (
	// giveUpAfter is how long a shard may not answer once its load should be over, and how often it must have been tried
	// by then.
	giveUpAfter = 30 * time.Second
	giveUpTries = 3
	// interruptedWithin is how long an interrupted run waits for the results of its shards.
	interruptedWithin = 30 * time.Second
	againSoon         = 200 * time.Millisecond
)

// Outcome is a run that was sent, as far as its shards came home.
type Outcome struct {
	Run    string
	Plan   Plan
	Shards []Shard // by index
}

// Shard is the result of one shard.
type Shard struct {
	Index, Of  int // from 1
	Pod, Node  string
	Folder     string // of its record; empty: nothing came home
	Way        Way
	ClockAhead time.Duration // of its clock against the coordinator's, at the start
	ClockError time.Duration // by how much that may be wrong
	ClockDrift time.Duration // by how much it was more ahead at the end; 0 also where that is not known
	// Trouble says what became of a shard that was taken away, or why nothing came home, without its name; empty: no
	// trouble.
	Trouble string
	Ending  *Ending // its last words, where there are any
}

// Way is how a result came home.
type Way string

const (
	WayForward Way = "forward"     // from the shard itself
	WayLog     Way = "log"         // from its output
	WayURL     Way = "results URL" // from where it had put it
)

// run follows all shards from the start until everything that can come home is home.
func (r *conductor) run(ctx context.Context, start, end time.Time) (*Outcome, error) {
	polling, enough := context.WithCancel(context.WithoutCancel(ctx))
	var polls, told sync.WaitGroup
	polls.Go(func() {
		defer failure.Guard()
		r.poll(polling, start, end)
	})
	told.Add(1)
	stopTelling := context.AfterFunc(ctx, func() {
		defer told.Done()
		defer failure.Guard()
		r.tell("stopping all shards and bringing home what they have")
		r.stopAll(ctx)
	})
	_ = r.each(ctx, len(r.shards), func(_ context.Context, s *shard) error {
		r.follow(ctx, s, end)
		return nil
	})
	enough()
	polls.Wait()
	if stopTelling() {
		told.Done()
	}
	told.Wait()

	outcome := &Outcome{Run: r.work.Run, Plan: r.plan}
	home := 0
	for _, s := range r.shards {
		outcome.Shards = append(outcome.Shards, s.facts)
		if s.facts.Folder != "" {
			home++
		}
	}
	if home == 0 && ctx.Err() != nil { // it was interrupted before there was anything
		return nil, ctx.Err()
	}
	for _, s := range r.shards {
		switch f := &s.facts; {
		case f.Trouble != "" && f.Folder == "":
			r.warn("%s is lost: %s", r.name(s), f.Trouble)
		case f.Trouble != "":
			r.warn("%s ended early: %s", r.name(s), f.Trouble)
		}
	}
	if home == 0 {
		return nil, failure.Setupf("no result of the run %s came home, so that nothing can be said of it; of %s: %s",
			r.work.Run, r.name(r.shards[0]), r.shards[0].facts.Trouble)
	}
	return outcome, nil
}

// stopAll tells every shard to send no more.
func (r *conductor) stopAll(ctx context.Context) {
	if r.alone() {
		r.discard(ctx)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptedWithin)
	defer cancel()
	_ = r.each(ctx, maxAtOnce, func(ctx context.Context, s *shard) error {
		for ctx.Err() == nil {
			if sight, _ := r.view.of(s.index); sight.State.over() || s.isOver() ||
				s.post(ctx, PathAbort, nil, nil) == nil {
				break
			}
			_ = pause(ctx, againSoon)
		}
		return nil
	})
}

// follow waits until the load of a shard is over, or the shard is about to go, and brings its result home.
func (r *conductor) follow(ctx context.Context, s *shard, end time.Time) {
	planned := time.NewTimer(end.Sub(r.now()))
	defer planned.Stop()
	defer s.setOver()
	for following := true; following; {
		sight, changed := r.view.of(s.index)
		if sight.State == Leaving || sight.State.over() {
			break
		}
		select {
		case <-changed:
		case <-planned.C:
			following = false
		case <-s.over:
			following = false
		case <-ctx.Done():
			following = false
		}
	}
	home, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { // nobody who has pressed Ctrl-C waits for long
		defer failure.Guard()
		_ = pause(home, interruptedWithin)
		cancel()
	})()
	if r.alone() {
		r.bringHomeOutput(home, s, end)
	} else {
		r.bringHome(home, s, end)
	}
	r.settle(s)
}

// bringHome fetches the result of a shard until it is there or there is no hope any more, and then looks for it
// elsewhere. A fetch may take any time while data arrives: there may be many shards and large results.
func (r *conductor) bringHome(ctx context.Context, s *shard, end time.Time) {
	d := &download{folder: r.Folder, index: s.index}
	defer d.close()
	overdue := r.overdue(end)
	var last error
	var since time.Time // of the first failure in a row
	failures := 0
	for {
		sight, changed := r.view.of(s.index)
		before := d.got
		err := r.fetchFrom(ctx, s, d, sight.State != Leaving)
		switch {
		case err == nil:
			s.facts.Way = WayForward
			return
		case errors.Is(err, errNoResult):
			s.facts.Trouble = r.whyLost(s, err)
			_ = s.post(ctx, PathAck, Ack{}, nil) // it need not tell anybody else
			return
		case errors.Is(err, errNotYet) || d.got > before:
			last, failures = err, 0
		default:
			last = err
			if failures++; failures == 1 {
				since = time.Now()
			}
		}
		lost := failures >= giveUpTries && time.Since(since) >= giveUpAfter && r.now().After(end)
		if errors.Is(err, errNotYet) && r.now().After(overdue) {
			lost = true
		}
		if sight.State.over() || lost || ctx.Err() != nil {
			r.elsewhere(ctx, s, last)
			return
		}
		wait := pollEvery
		if sight.State == Leaving || errors.Is(err, errNotYet) {
			wait = againSoon
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// overdue is when a load that should end at some moment, and whose last answers may take a while, is not waited for any
// longer.
func (r *conductor) overdue(end time.Time) time.Time {
	if now := r.now(); now.After(end) { // it was over before this coordinator came to it
		end = now
	}
	return end.Add(r.plan.Drain + giveUpAfter)
}

// settle completes the facts about a shard when no more are awaited.
func (r *conductor) settle(s *shard) {
	sight, _ := r.view.of(s.index)
	f := &s.facts
	f.Pod, f.Node, f.Ending = sight.Name, sight.Node, readEnding(sight.Message)
	if f.Folder != "" && (sight.State == Leaving || sight.State == Gone) && !r.discarded.Load() {
		f.Trouble = fmt.Sprintf("it was taken away: %s; what it had sent until then is in the report",
			because(sight.Reason))
	}
	if f.Folder == "" {
		f.Trouble = because(f.Trouble)
	}
}

// whyLost is a sentence of everything that is known.
func (r *conductor) whyLost(s *shard, last error) string {
	sight, _ := r.view.of(s.index)
	text := ""
	add := func(words string) {
		switch {
		case strings.Contains(text, words):
		case text == "":
			text = words
		default:
			text += "; " + words
		}
	}
	switch sight.State {
	case Gone:
		add("its pod is gone")
	case Failed:
		add("it failed")
	case Unsure:
		add("its node does not answer any more")
	case Leaving:
		add("it was taken away")
	}
	if sight.Reason != "" {
		add(because(sight.Reason))
	}
	if e := readEnding(sight.Message); e != nil && e.Error != "" {
		add(because(e.Error))
	}
	// That what has ended, or is on a node that does not answer, cannot be reached says nothing.
	told := sight.State == Gone || (sight.State == Failed || sight.State == Unsure) && errors.As(last, new(unreached))
	if last != nil && !told {
		add(because(strings.TrimPrefix(last.Error(), errNoResult.Error()+": ")))
	}
	return text
}

// collect follows a run that another coordinator began.
func (r *conductor) collect(ctx context.Context) (*Outcome, error) {
	if r.alone() {
		start := time.Unix(0, r.plan.StartAt)
		return r.run(ctx, start, start.Add(r.plan.Duration))
	}
	if err := r.begun(ctx); err != nil {
		return nil, err
	}
	r.collecting = true
	now := r.now()
	// When it began is not known; it is over within its duration, and each shard tells when it is.
	return r.run(ctx, now, now.Add(r.lead(len(r.shards))+r.plan.Duration))
}

// begun refuses a run that never started: its shards wait for a coordinator that will not come.
func (r *conductor) begun(ctx context.Context) error {
	// The first sights say which shards there are.
	first, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		sights, changed := r.view.all()
		told := 0
		for _, s := range sights {
			if !s.at.IsZero() {
				told++
			}
		}
		if told == len(sights) {
			break
		}
		select {
		case <-changed:
			continue
		case <-first.Done():
		}
		break
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var mutex sync.Mutex
	started, waiting := 0, 0
	_ = r.each(ctx, maxAtOnce, func(ctx context.Context, s *shard) error {
		var status Status
		sight, _ := r.view.of(s.index)
		err := s.get(ctx, PathState, &status)
		mutex.Lock()
		defer mutex.Unlock()
		switch {
		case err == nil && (status.Phase == PhaseWaiting || status.Phase == PhasePreparing ||
			status.Phase == PhaseReady):
			waiting++
		case err == nil || sight.State.over():
			started++
		}
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case started == 0 && waiting > 0:
		return failure.Setupf("the run %s was never started: its shards wait for a coordinator that is gone; nothing was "+
			"sent; remove it with: agstest kubernetes clean %s", r.work.Run, r.work.Run)
	}
	return nil
}
