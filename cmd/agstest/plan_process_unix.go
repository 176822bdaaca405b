//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps the Ctrl-C of a terminal from a child: it is told once, by us, so that it ends in order.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interruptChild tells a child to end in order.
func interruptChild(process *os.Process) error { return process.Signal(os.Interrupt) }
