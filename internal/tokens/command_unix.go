//go:build unix

package tokens

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a command a group of processes of its own, which all end with it.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
