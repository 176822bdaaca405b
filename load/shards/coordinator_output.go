package shards

import (
	"bufio"
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxLine is more than any line that a shard writes.
const maxLine = 1 << 20

// output is the log of a shard that nobody can ask.
type output struct {
	whole chan struct{} // closed when its result came with it
	ended chan struct{} // closed when nothing more of it will come

	mutex  sync.Mutex // guards what follows
	turn   int        // of the newest announcement
	status Status     // as it was last announced; the zero value: not yet
}

func newOutput() *output {
	return &output{whole: make(chan struct{}), ended: make(chan struct{})}
}

func (o *output) isWhole() bool {
	select {
	case <-o.whole:
		return true
	default:
		return false
	}
}

// last is the status that was announced last.
func (o *output) last() Status {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.status
}

// newer notes an announcement. An output that is read once more from its beginning tells nothing new.
func (o *output) newer(n announcement) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if n.Turn <= o.turn {
		return false
	}
	o.turn = n.Turn
	if n.Status != nil {
		o.status = *n.Status
	}
	return true
}

// listen follows the output of a shard until its process has ended and all of it was heard.
func (r *conductor) listen(ctx context.Context, s *shard) {
	defer close(s.output.ended)
	for failures := 0; ctx.Err() == nil; {
		sight, changed := r.view.of(s.index)
		if sight.State == Pending {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		err := r.hear(ctx, s)
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		// The log read after the process had ended was complete, unless the engine was out of reach at that moment.
		if sight.State == Gone || sight.State.over() && (err == nil || failures >= giveUpTries) {
			return
		}
		_ = pause(ctx, pollEvery)
	}
}

// hear reads the output of a shard from its beginning as far as it goes.
func (r *conductor) hear(ctx context.Context, s *shard) error {
	log, err := r.Engine.Log(ctx, r.work.Run, s.index, LogOptions{Follow: true})
	if err != nil {
		return err
	}
	defer log.Close()
	// Results wait in files: those of a thousand shards may come at once.
	var frame *os.File
	forget := func() {
		if frame != nil {
			_ = frame.Close()
			_ = os.Remove(frame.Name())
			frame = nil
		}
	}
	defer forget()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Text()
		if n, ok := readAnnouncement(line); ok {
			s.heardAnnouncement(n)
			continue
		}
		if strings.HasPrefix(line, frameBegin) {
			forget()
			if frame, err = os.CreateTemp(r.Folder, ".shard-"+strconv.Itoa(s.index+1)+"-*.log"); err != nil {
				return err
			}
		}
		if frame == nil {
			continue
		}
		if _, err := io.WriteString(frame, line+"\n"); err != nil {
			return err
		}
		if strings.HasPrefix(line, frameEnd) {
			r.keepFramed(ctx, s, frame)
			forget()
		}
	}
	return lines.Err()
}

// keepFramed unpacks a result that came with the output. It looks for a damaged one again at the end.
func (r *conductor) keepFramed(ctx context.Context, s *shard, frame *os.File) {
	if s.output.isWhole() { // the output was read once more
		return
	}
	select {
	case r.fetch <- struct{}{}:
		defer func() { <-r.fetch }()
	case <-ctx.Done():
		return
	}
	if _, err := frame.Seek(0, io.SeekStart); err != nil {
		return
	}
	if content, _, err := readFrame(frame, s.index); err == nil &&
		r.unpack(s, strings.NewReader(string(content))) == nil {
		close(s.output.whole)
	}
}

// heardAnnouncement takes in an announcement of a shard.
func (s *shard) heardAnnouncement(n announcement) {
	if !s.output.newer(n) {
		return
	}
	if n.Progress != nil {
		s.heardProgress(*n.Progress)
	}
	phase := s.output.last().Phase
	s.heardPhase(phase)
	if phase == PhaseDone || phase == PhaseFailed {
		s.setOver()
	}
}

// bringHomeOutput waits until the result of a shard has come with its output, or the shard has ended, and looks for it
// elsewhere then.
func (r *conductor) bringHomeOutput(ctx context.Context, s *shard, end time.Time) {
	overdue := r.overdue(end)
	for {
		sight, changed := r.view.of(s.index)
		until := overdue
		if sight.State == Unsure { // nothing will be heard of it before its node is back
			until = end.Add(giveUpAfter)
		}
		timer := time.NewTimer(until.Sub(r.now()))
		done := false
		select {
		case <-s.output.whole:
			timer.Stop()
			s.facts.Way = WayLog
			return
		case <-s.output.ended:
			done = true
		case <-timer.C:
			done = true
		case <-ctx.Done():
			done = true
		case <-changed:
		}
		timer.Stop()
		if done {
			break
		}
	}
	if s.output.isWhole() { // it came in the same moment
		s.facts.Way = WayLog
		return
	}
	r.elsewhere(ctx, s, nil)
}
