//go:build linux

package gateways

import (
	"os/exec"
	"syscall"
	"testing"
)

// watch starts a shell that leads a group of processes and waits for the end of this process: then it ends its group. A
// test binary that panics or is killed runs no cleanup, and what it started would go on. The signals by which programs
// tell their own group something are not for it.
func watch(t testing.TB) *exec.Cmd {
	t.Helper()
	watcher := exec.Command("/bin/sh", "-c", "trap '' HUP INT TERM USR1 USR2; read line; kill -KILL 0")
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	_, err := watcher.StdinPipe() // nothing is written; it ends when this process does
	check(t, err)
	check(t, watcher.Start())
	return watcher
}

// endGroup ends a watcher and all that is in its group. It may be called again.
func endGroup(watcher *exec.Cmd) {
	if watcher.ProcessState == nil { // else its number may be somebody else's by now
		syscall.Kill(-watcher.Process.Pid, syscall.SIGKILL)
		watcher.Wait()
	}
}
