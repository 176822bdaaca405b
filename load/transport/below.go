package transport

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// below is a connection as crypto/tls and the reader of answers see it. While it is quiet, a read takes only the bytes
// that are there, so that crypto/tls itself handles data that a service has sent on an idle connection: session tickets
// (RFC 8446 section 4.6.1), an alert (section 6), the end, or an answer that nobody asked for.
type below struct {
	net.Conn
	control syscall.RawConn // nil where it cannot be asked
	quiet   bool
	cut     time.Time        // when reads and writes are cut off; zero: not known
	look    func(fd uintptr) // made once: sets waits
	waits   bool
}

// newBelow wraps a connection that was just opened.
func newBelow(raw net.Conn) *below {
	b := &below{Conn: raw}
	if of, ok := raw.(syscall.Conn); ok {
		if control, err := of.SyscallConn(); err == nil {
			b.control = control
		}
	}
	b.look = func(fd uintptr) { b.waits = waits(fd) }
	return b
}

// quietRead bounds a read of bytes that are there already. It is never used up on systems that tell how many there are.
const quietRead = 100 * time.Millisecond

// Read is part of net.Conn.
func (b *below) Read(p []byte) (int, error) {
	if !b.quiet {
		return b.Conn.Read(p)
	}
	if b.control == nil {
		return 0, errNothingWaits
	}
	b.waits = true // where the connection is closed here, a read says so
	if err := b.control.Control(b.look); err == nil && !b.waits {
		return 0, errNothingWaits
	}
	b.cut = time.Time{}
	if err := b.Conn.SetReadDeadline(time.Now().Add(quietRead)); err != nil {
		return 0, err
	}
	n, err := b.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errNothingWaits
	}
	return n, err
}

// cutOff lets reads and writes go on until the deadline, or longer by up to slack: a connection that carries one
// exchange after the other is told of a new deadline now and then only.
func (b *below) cutOff(deadline time.Time, slack time.Duration) error {
	if left := b.cut.Sub(deadline); left >= 0 && left <= slack {
		return nil
	}
	b.cut = deadline.Add(slack)
	return b.Conn.SetDeadline(b.cut)
}

// errNothingWaits ends a quiet read. crypto/tls keeps every error from below for good, except a temporary one.
var errNothingWaits error = nothingWaits{}

type nothingWaits struct{}

func (nothingWaits) Error() string { return "nothing waits on the connection" }

func (nothingWaits) Timeout() bool { return true }

func (nothingWaits) Temporary() bool { return true }
