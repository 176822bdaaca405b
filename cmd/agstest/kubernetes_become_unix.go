//go:build unix

package main

import (
	"os"
	"syscall"
)

// become puts another program in the place of this one.
func become(path string, args []string) (int, error) {
	return 0, syscall.Exec(path, args, os.Environ())
}
