package transport

import (
	"errors"
	"io"
	"syscall"
	"time"
)

// neverReached tells that the service provably did not get the whole request that a connection carried last, though the connection was
// kept open until then: the one case in which a request of any method may be sent again (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).
// Nothing of an answer came, and either the connection was closed before all of it was written, or the service ended its side before
// all of it had come. Where a service that has read all of it closes without a word, it cannot be told.
func (c *connection) neverReached(err error) bool {
	switch {
	case c.heard:
		return false
	case c.writing:
		return closedByPeer(err)
	case !errors.Is(err, io.EOF) || c.below.control == nil:
		return false
	}
	// What resets the connection is at most one round trip away.
	for until, pause := time.Now().Add(min(2*c.roundTrip, longestProof)), shortestPause; ; pause *= 2 {
		proof := false
		if err := c.below.control.Control(func(fd uintptr) { proof = unread(fd) }); err != nil || proof {
			return proof
		}
		if time.Now().After(until) {
			return false
		}
		time.Sleep(pause)
	}
}

const (
	longestProof  = 500 * time.Millisecond
	shortestPause = 100 * time.Microsecond
)

// closedByPeer tells an error of a connection that the peer has closed or reset.
func closedByPeer(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED) ||
		errors.Is(err, syscall.Errno(10053)) || errors.Is(err, syscall.Errno(10054)) // as Winsock numbers the last two
}
