//go:build unix

package transport

import "golang.org/x/sys/unix"

// waits tells whether a read of a socket would return at once: with bytes, the end, or an error.
func waits(fd uintptr) bool {
	one := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(one[:], 0)
		if err != unix.EINTR {
			return n != 0 || err != nil
		}
	}
}
