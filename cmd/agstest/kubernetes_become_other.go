//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

// become runs another program and passes its exit code on. Ctrl-C reaches both; this one waits for the other to end in
// order.
func become(path string, args []string) (int, error) {
	c := exec.Command(path, args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
