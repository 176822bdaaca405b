//go:build unix

package kept

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// private refuses a file of another user, who could have put tokens of an account of his own there, and one that others
// can read.
func private(info fs.FileInfo) error {
	if of, ok := info.Sys().(*syscall.Stat_t); ok && int(of.Uid) != os.Getuid() {
		return errors.New("the file belongs to another user; remove it and prepare again")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may read it (mode %04o); make it yours alone: chmod 600", mode)
	}
	return nil
}
