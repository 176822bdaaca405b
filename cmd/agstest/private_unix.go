//go:build unix

package main

import "syscall"

// keepPrivate makes whatever this process writes readable for its owner alone, since runs hold what a service said, and leaves no image
// of its memory behind, since that holds every secret.
func keepPrivate() {
	syscall.Umask(0o077)
	var core syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &core) == nil {
		core.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &core)
	}
	forbidDumps()
}
