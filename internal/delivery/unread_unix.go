//go:build linux || darwin

package delivery

import "golang.org/x/sys/unix"

// unread tells that the peer, which has ended its side of the connection, ended it before it had all that was sent. Either of two facts
// proves it. The end acknowledges what had come before it (RFC 9293 section 3.4), so that what is not acknowledged then came later. And a
// system resets a connection when something comes for one that its program has closed, or has closed without reading all
// (RFC 9293 section 3.10.7, RFC 2525 section 2.17).
func unread(fd uintptr) bool {
	if n, err := unacknowledged(int(fd)); err == nil && n > 0 {
		return true
	}
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	return err == nil && n != 0
}
