//go:build unix

package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// stillOpen looks whether the peer has closed an idle connection, or sent something unasked, without waiting. An answer that nobody asked
// for must not become the answer to the next request; over TLS what lies there cannot be told.
func stillOpen(c net.Conn, secure bool) bool {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return true
	}
	control, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = control.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		// TLS 1.3 peers may send session tickets unasked, so that bytes alone are no reason to let go.
		open = n > 0 && secure || err == unix.EAGAIN || err == unix.EWOULDBLOCK
		return true
	})
	return err == nil && open
}
