//go:build unix

package main

import "syscall"

// keepPrivate makes whatever this process writes readable for its owner alone: runs hold what a service said.
func keepPrivate() { syscall.Umask(0o077) }
