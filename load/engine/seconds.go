package engine

import (
	"time"

	"agstest/internal/redact"
	"agstest/load/tally"
	"agstest/reports"
)

// secondHand takes each finished second out of the tally, sums it up, records it and tells of it. Between two seconds
// it sleeps.
type secondHand struct {
	attack   *attack
	ledger   *tally.Ledger
	recorder *tally.Recorder
	health   *healthWatch
	progress progressView
	secrets  *redact.Redactor
	news     []reports.Wrong
	still    standstill
}

// minStandstill is how many seconds in a row without a client are told of: a closed loop of few clients that wait for a
// moment, as a service asks them to now and then, does what was asked.
const minStandstill = 5

// standstill counts the seconds in which a closed loop had no client to send for.
type standstill struct{ inARow, counted int64 }

// after takes one more second, and returns for how long in all there was a standstill.
func (s *standstill) after(still bool) time.Duration {
	s.inARow++
	switch {
	case !still:
		s.inARow = 0
	case s.inARow == minStandstill:
		s.counted += minStandstill
	case s.inARow > minStandstill:
		s.counted++
	}
	return time.Duration(s.counted) * time.Second
}

// settle is the delay after a second before it is taken out, so that the workers have counted its last answers.
const settle = 20 * time.Millisecond

// run takes seconds out until everything has ended.
func (s *secondHand) run(ended <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for second := 0; ; second++ {
		timer.Reset(time.Until(s.attack.began.Add(time.Duration(second+1)*time.Second + settle)))
		select {
		case <-ended:
			return
		case <-timer.C:
			s.take(nil)
		}
	}
}

// last takes out what remains after the last answer.
func (s *secondHand) last(end *tally.Ending) {
	until := int(time.Since(s.attack.began) / time.Second)
	for s.attack.tally.Present() < until {
		s.take(nil)
	}
	s.take(nil)
	s.take(end) // the last moment may have counted into the second to come
}

func (s *secondHand) take(end *tally.Ending) {
	a := s.attack
	f := a.tally.Take()
	news := append(s.news, f.Wrong...)
	if end != nil {
		a.tally.Complete(f)
	}
	f.Wrong, s.news = append(s.news, f.Wrong...), nil
	s.concealed(news)
	s.concealed(f.Wrong)
	if s.secrets != nil {
		for i := range f.Slow {
			f.Slow[i].TraceBack = s.secrets.Text(f.Slow[i].TraceBack)
		}
	}
	f.Health = s.health.look(time.Now())
	f.Health.MaxInFlight, f.Health.Starved, f.Health.Behind = a.most.Load(), a.starved.Load(), a.behind.Load()
	f.Health.Sending = int64(a.tally.Sending())
	if stopped := a.stopped.Load(); stopped > 0 { // answers come in for a while yet, and nothing more is due
		f.Health.Elapsed = min(f.Health.Elapsed, stopped)
	}
	if a.schedule != nil {
		f.Due = int64(a.schedule.Count(time.Duration(f.Health.Elapsed)))
		if end != nil && end.Partial == "" {
			// the last answer may have come before the schedule's end
			f.Health.Elapsed = max(f.Health.Elapsed, int64(a.length))
			f.Due = int64(a.schedule.Hits())
		}
		if p := a.pacer.Load(); p != nil && f.Health.MaxInFlight >= int64(a.workers) {
			f.Health.AtCap = p.waited.Load()
		}
	} else {
		f.Health.StoodStill = int64(s.still.after(a.stoodStill(f)))
		f.Due = s.ledger.Sent()
		for _, o := range f.Operations {
			f.Due += o.Sent
		}
	}
	f.End = end
	if err := s.ledger.Add(f); err != nil {
		panic(err) // it was packed a moment ago
	}
	switch {
	case s.recorder == nil:
	case end != nil:
		s.recorder.Append(f)
	default:
		s.recorder.AppendWith(f, s.concealed(a.tally.Newest()))
	}
	s.progress.add(f, news, s.ledger, s.askedBy(f), a.inFlight.Load())
}

// stoodStill tells that nothing was sent or answered in a second of a closed loop that was just taken out, or under way
// in it, as its workers waited for a client. One that came free since then has no part in it.
func (a *attack) stoodStill(f *tally.Frame) bool {
	inFlight := a.inFlight.Load()
	return len(f.Operations) == 0 && inFlight <= a.tally.SentSince() && inFlight+a.waiting.Load() > 0 &&
		time.Duration(f.Second)*time.Second < a.length
}

// concealed takes secrets out of the messages of wrong answers.
func (s *secondHand) concealed(wrong []reports.Wrong) []reports.Wrong {
	if s.secrets != nil {
		for i := range wrong {
			wrong[i].Message = s.secrets.Text(wrong[i].Message)
		}
	}
	return wrong
}

// askedBy is how many hits the schedule asked for before the end of a second, or before an interrupt.
func (s *secondHand) askedBy(f *tally.Frame) int64 {
	if s.attack.schedule == nil {
		return f.Due
	}
	end := time.Duration(f.Second+1)*time.Second - 1
	if stopped := s.attack.stopped.Load(); stopped > 0 {
		end = min(end, time.Duration(stopped))
	}
	return int64(s.attack.schedule.Count(end))
}
