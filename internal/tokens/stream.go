package tokens

import (
	"io"
	"os"
	"time"

	"agstest/internal/failure"
)

// stream takes what a command writes to one of its streams, until its end and not longer: a process that the command
// has left behind may hold the stream open.
type stream struct {
	taken       *bounded
	ours, given *os.File
	over        chan struct{}
}

// newStream opens a stream; the command is given its other end.
func newStream(taken *bounded) (*stream, error) {
	ours, given, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &stream{taken: taken, ours: ours, given: given, over: make(chan struct{})}, nil
}

// begin takes what comes. The command must have its end by then, or not be started at all.
func (s *stream) begin() {
	_ = s.given.Close()
	go func() {
		defer close(s.over)
		defer failure.Guard()
		_, _ = io.Copy(s.taken, s.ours)
		_ = s.ours.Close() // who writes more than is taken is told so
	}()
}

// end returns when all is taken that the command, which has ended, has written. Nobody else is waited for: a second is
// given in small parts, since a process that stands still for that long misses one of them and takes what is there.
func (s *stream) end() {
	for range 40 {
		select {
		case <-s.over:
			return
		case <-time.After(25 * time.Millisecond):
		}
	}
	_ = s.ours.Close()
	<-s.over
}
