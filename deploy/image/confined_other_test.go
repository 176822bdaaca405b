//go:build !linux

package main

import (
	"os/exec"
	"testing"
)

func confined(t *testing.T, _ string, _ []string) (*exec.Cmd, bool) {
	t.Skip("skipped: images are for Linux")
	return nil, false
}
