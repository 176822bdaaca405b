package delivery

import "golang.org/x/sys/unix"

// unacknowledged is the number of bytes that were sent and that the peer's system has not acknowledged (man 7 tcp,
// SIOCOUTQ).
func unacknowledged(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.SIOCOUTQ) }
