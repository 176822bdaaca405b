package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// output is stdout, and remembers whether it could be written. A run goes on without a reader: its report is in its
// folder.
type output struct {
	io.Writer
	err error // the first
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.Writer.Write(text)
	if err != nil && o.err == nil {
		o.err = err
	}
	if err != nil {
		return n, o.err // always the same error, by which it is known
	}
	return n, nil
}

// fault returns the error of stdout; nil if its reader has gone, as with agstest … | head or a terminal that was
// closed.
func (o *output) fault() error {
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) || errors.Is(o.err, syscall.EIO) {
		return nil
	}
	cause := o.err
	return failure.Outputf("cannot write to stdout: %w", userfile.WithoutPath(cause))
}

// outliveReaders keeps the process from being killed when the reader of a stream has gone; writing is an error then.
// The channel is never read. (Ignoring the signal would be passed on to the command of --swap.)
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
