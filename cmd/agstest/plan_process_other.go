//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// ownGroup leaves a child where it is: what ends this process from the keyboard reaches it too.
func ownGroup(*exec.Cmd) {}

// interruptChild does nothing: the child was told with us, and is killed where it does not end.
func interruptChild(*os.Process, os.Signal) error { return nil }
