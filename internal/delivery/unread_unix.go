//go:build linux || darwin

package delivery

import "golang.org/x/sys/unix"

// Proves tells whether Unread can prove anything here.
const Proves = true

// unread tells whether the peer, which has ended its side of the connection, ended it before it had all data that was
// sent. Either of two facts proves it. The end acknowledges the data that had come before it (RFC 9293 section 3.4), so
// data that is not acknowledged then came later. And a system resets a connection when data comes for one that its
// program has closed, or has closed without reading all (RFC 9293 section 3.10.7, RFC 2525 section 2.17).
func unread(fd uintptr) bool {
	if n, err := unacknowledged(int(fd)); err == nil && n > 0 {
		return true
	}
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	return err == nil && n != 0
}
