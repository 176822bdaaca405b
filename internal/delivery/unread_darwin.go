package delivery

import "golang.org/x/sys/unix"

// unacknowledged is the number of bytes that were sent and that the peer's system has not acknowledged (SO_NWRITE of
// Darwin).
func unacknowledged(fd int) (int, error) {
	return unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NWRITE)
}
