//go:build unix

package transport

import "syscall"

// MostOpenFiles is the number of files, and so of connections, that this process may have open.
func MostOpenFiles() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1 << 20
	}
	return int(min(limit.Cur, 1<<20))
}
