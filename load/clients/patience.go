package clients

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/reports"
)

// The set-up is patient: one bad answer of a gateway among hundreds of calls is no reason to end a load before it
// began.
const (
	setUpTries    = 4                      // of each call
	setUpPause    = 500 * time.Millisecond // before the second try; it doubles, and half of it is random
	longestSetUp  = 30 * time.Second       // that a Retry-After is kept
	setUpTellEach = time.Second
)

// SetUp is how far a load is before its clock starts.
type SetUp struct {
	Doing     string // such as "clients signed on"
	Done, All int
	Again     int64  // calls that were tried again so far
	Trouble   string // the last reason for it
}

func (s SetUp) String() string {
	text := fmt.Sprintf("set-up: %s of %s %s", figures.Count(int64(s.Done)), figures.Count(int64(s.All)), s.Doing)
	if s.Again > 0 {
		text += fmt.Sprintf(", %s calls tried again, the last because %s", figures.Count(s.Again), s.Trouble)
	}
	return text
}

// standing is how a set-up stands. It is safe for concurrent use.
type standing struct {
	pause time.Duration // 0: setUpPause

	mu    sync.Mutex // guards what follows
	now   SetUp
	calls int64
	first string // why the first call was tried again
}

func (s *standing) begin(doing string, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Doing, s.now.Done, s.now.All = doing, 0, all
}

func (s *standing) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Done++
}

func (s *standing) again(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.Again++; s.now.Again == 1 {
		s.first = why
	}
	s.now.Trouble = why
}

// waited counts the answers of a call that were waited out before its last one, as calls that were made again.
func (s *standing) waited(name string, x *wire.Exchange) {
	for _, attempt := range x.Attempts {
		s.mu.Lock()
		s.calls++
		s.mu.Unlock()
		s.again(fmt.Sprintf("%s was answered %d", name, attempt.Status))
	}
}

func (s *standing) look() SetUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// report returns the set-up for the record of the run; nil if no call had to be tried again.
func (s *standing) report() *reports.SetUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.Again == 0 {
		return nil
	}
	return &reports.SetUp{Calls: s.calls, Again: s.now.Again, First: s.first}
}

// told calls tell once a second until the function that it returns is called.
func (s *standing) told(tell func(SetUp)) (stop func()) {
	if tell == nil {
		return func() {}
	}
	over := make(chan struct{})
	var teller sync.WaitGroup
	teller.Go(func() {
		defer failure.Guard()
		tick := time.NewTicker(setUpTellEach)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if now := s.look(); now.All > 0 {
					tell(now)
				}
			}
		}
	})
	return func() { close(over); teller.Wait() }
}

// explain adds to the error that ended a set-up how far it was.
func (s *standing) explain(ctx context.Context, err error) error {
	now := s.look()
	switch {
	case now.All == 0:
		return setUpError{err}
	case ctx.Err() != nil:
		return setUpError{fmt.Errorf("%s when %w", now, context.Cause(ctx))}
	}
	return setUpError{failure.Setupf("%w; %s", err, now)}
}

// setUpError ended a set-up that had begun.
type setUpError struct{ error }

func (e setUpError) Unwrap() error { return e.error }

// DuringSetUp tells whether an error of Run ended a set-up that had begun: the service was there, and something was
// sent to it.
func DuringSetUp(err error) bool { return errors.As(err, new(setUpError)) }

// patiently makes one call of the set-up, and makes it again after a while if the answer says nothing about the
// request. It gives up after some tries, and at once if nobody has answered anything yet and nobody is there.
func (s *standing) patiently(ctx context.Context, once func() (hit.Outcome, *hit.Answer)) (hit.Outcome,
	*hit.Answer, error) {
	pause := s.pause
	if pause == 0 {
		pause = setUpPause
	}
	for try := 1; ; try++ {
		s.mu.Lock()
		s.calls++
		s.mu.Unlock()
		outcome, answer := once()
		if err := ctx.Err(); err != nil && undecided(outcome, answer) {
			return outcome, answer, err
		}
		if !undecided(outcome, answer) || try == setUpTries || outcome.Kind == hit.KindTLS {
			if try > 1 && outcome.Kind != "" {
				outcome.Message += fmt.Sprintf(" (the last of %d tries)", try)
			}
			return outcome, answer, nil
		}
		asked := askedWait(answer)
		if asked > longestSetUp*(setUpTries-1) { // no try would come as late
			outcome.Message += fmt.Sprintf(", which asks for a longer wait than a set-up makes (%s)",
				longestSetUp*(setUpTries-1))
			return outcome, answer, nil
		}
		s.again(outcome.Message)
		wait := pause << (try - 1)
		wait = max(wait/2+rand.N(wait/2), min(asked, longestSetUp))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return outcome, answer, ctx.Err()
		case <-timer.C:
		}
	}
}
