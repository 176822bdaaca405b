//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps the Ctrl-C of a terminal from a child: it is told once, by us, so that it ends in order.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interruptChild tells a child to end in order, by the signal that we got, so that it says the same of it.
func interruptChild(process *os.Process, got os.Signal) error { return process.Signal(got) }
