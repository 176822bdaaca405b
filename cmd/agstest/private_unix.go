//go:build unix

package main

import "syscall"

// keepPrivate makes all files of this process readable for their owner alone, since runs hold answers of a service, and
// prevents images of its memory, since that holds every secret.
func keepPrivate() {
	syscall.Umask(0o077)
	var core syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &core) == nil {
		core.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &core)
	}
	forbidDumps()
}
