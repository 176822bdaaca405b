// Package delivery tells whether a request without an answer provably never reached the service: the one case in which
// a request of any method may be sent again (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1). It knows connections and
// nothing of HTTP.
package delivery

import (
	"errors"
	"syscall"
	"time"
)

// CutOff tells an error of a write that the peer had closed or reset the connection: not all was sent. All functions of
// this package may be called by many goroutines at once.
func CutOff(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.ECONNABORTED) ||
		errors.Is(err, syscall.Errno(10053)) || errors.Is(err, syscall.Errno(10054)) // as Winsock numbers the last two
}

// Unread tells whether the peer, which has ended its side of a connection, ended it before it had all data that was
// sent. A reset that follows from this is at most one round trip away: Unread waits for twice as long, 500 ms at most.
// Nothing may be written to the connection between the end of the peer's side and this call: such data would be the
// proof. On Windows and the BSDs it cannot tell and returns false.
func Unread(control syscall.RawConn, roundTrip time.Duration) bool {
	if control == nil {
		return false
	}
	for until, pause := time.Now().Add(min(2*roundTrip, longestProof)), shortestPause; ; pause *= 2 {
		proof := false
		if err := control.Control(func(fd uintptr) { proof = unread(fd) }); err != nil || proof {
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
