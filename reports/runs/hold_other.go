//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package runs

import (
	"errors"
	"os"
)

// hold is not known to this system.
func hold(string) (*os.File, error) { return nil, errors.ErrUnsupported }
