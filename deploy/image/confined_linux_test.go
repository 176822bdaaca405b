package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// confined is the program of an image with no file but those of the image, as its user; where only root may do that,
// the program is run as it lies there.
func confined(t *testing.T, folder string, arguments []string) (*exec.Cmd, bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		for i := range arguments {
			if arguments[i] == "/tmp/run" {
				arguments[i] = filepath.Join(t.TempDir(), "run")
			}
		}
		return exec.CommandContext(t.Context(), filepath.Join(folder, "agstest"), arguments...), false
	}
	command := exec.CommandContext(t.Context(), "/agstest", arguments...)
	command.Dir, command.Env = "/", []string{"PATH=/"}
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: folder, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	return command, true
}
